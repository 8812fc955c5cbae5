//! What keeps failing: it is said once, and what runs must stop when it lasts.

use std::time::Duration;

use crate::app::freshness::RUNS_STOP_AFTER;

/// One kind of attempt that failed each time since.
#[derive(Debug, Default)]
pub(super) struct Failing {
    since: Option<Duration>,
    said: Option<String>,
    has_lasted: bool,
}

impl Failing {
    /// Notes that it failed again, for this reason.
    pub(super) fn note(&mut self, why: &str, now: Duration) -> Noted {
        let lasted = now.saturating_sub(*self.since.get_or_insert(now)) >= RUNS_STOP_AFTER;
        let lasts = lasted && !std::mem::replace(&mut self.has_lasted, lasted);
        let is_new = self.said.as_deref() != Some(why);
        if is_new {
            self.said = Some(why.to_owned());
        }
        Noted { is_new, lasts }
    }

    /// Notes that it did not fail.
    pub(super) fn is_over(&mut self) {
        *self = Self::default();
    }
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    /// It is another reason than the last time.
    pub(super) is_new: bool,
    /// From now on it lasts too long: nobody could have revoked what runs, and no window could have ended.
    pub(super) lasts: bool,
}

#[cfg(test)]
mod tests {
    use super::{Failing, Noted, RUNS_STOP_AFTER};
    use std::time::Duration;

    #[test]
    fn it_is_said_once_and_lasts_once() {
        let mut failing = Failing::default();
        let second = Duration::from_secs(1);
        assert_eq!(failing.note("no room", second), Noted { is_new: true, lasts: false });
        assert_eq!(failing.note("no room", second * 2), Noted { is_new: false, lasts: false });
        assert_eq!(failing.note("no disk", second + RUNS_STOP_AFTER), Noted { is_new: true, lasts: true });
        assert_eq!(failing.note("no disk", second * 9), Noted { is_new: false, lasts: false });
        failing.is_over();
        assert_eq!(failing.note("no disk", second * 20), Noted { is_new: true, lasts: false });
    }
}
