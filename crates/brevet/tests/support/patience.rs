//! Waiting for a condition, never for a time to pass.

use std::time::{Duration, Instant};

/// What should happen at once has this long on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(30);

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks until there is an answer; fails with `what` when there is none within `limit`.
#[expect(clippy::disallowed_methods, reason = "the one place where these tests wait")]
pub(crate) fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    within(SOON, what, || holds().then_some(()));
}

/// Lets time pass where passing time is the point: the random instant of a crash, the end of a window.
#[expect(clippy::disallowed_methods, reason = "the one place where these tests wait")]
pub(crate) fn let_pass(time: Duration) {
    std::thread::sleep(time);
}

/// How long something took.
#[expect(clippy::disallowed_methods, reason = "the one place where these tests look at a clock")]
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}
