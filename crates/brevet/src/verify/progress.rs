//! The progress bar of a long verification: entries, rate, time left; on a terminal only.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use crate::world::{Machine, World as _};

/// The columns of the bar.
const BAR_COLUMNS: u64 = 30;
/// How often it is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(200);

/// A bar on standard error.
pub(super) struct Bar {
    is_watched: bool,
    drawn: Mutex<Option<Drawn>>,
}

struct Drawn {
    began: Duration,
    last: Duration,
}

impl Bar {
    pub(super) const fn new(is_watched: bool) -> Self {
        Self { is_watched, drawn: Mutex::new(None) }
    }

    /// So many entries are done, of so many.
    pub(super) fn show(&self, done: u64, all: u64) {
        let Some(now) = Machine.steady().filter(|_| self.is_watched) else { return };
        let Ok(mut drawn) = self.drawn.lock() else { return };
        let drawn = drawn.get_or_insert(Drawn { began: now, last: now });
        if now.saturating_sub(drawn.last) < DRAWN_EVERY {
            return;
        }
        drawn.last = now;
        write(&line(done, all, now.saturating_sub(drawn.began)));
    }

    /// Leaves the line empty.
    pub(super) fn clear(&self) {
        if self.is_watched && self.drawn.lock().is_ok_and(|drawn| drawn.is_some()) {
            write("\r\x1b[K");
        }
    }
}

fn line(done: u64, all: u64, took: Duration) -> String {
    let all = all.max(done).max(1);
    let filled = usize::try_from(done * BAR_COLUMNS / all).unwrap_or(0);
    let empty = usize::try_from(BAR_COLUMNS).unwrap_or(0).saturating_sub(filled);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1_000) / millis;
    let left = (all - done) / rate.max(1);
    format!(
        "\r[{}{}] {}% {done} of {all} entries, {rate}/s, {}:{:02} left\x1b[K",
        "#".repeat(filled),
        " ".repeat(empty),
        done * 100 / all,
        left / 60,
        left % 60
    )
}

fn write(text: &str) {
    let mut err = std::io::stderr();
    drop(write!(err, "{text}").and_then(|()| err.flush()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::line;

    #[test]
    fn a_bar_tells_rate_and_time_left() {
        let half = line(500, 1_000, Duration::from_secs(5));
        assert!(half.contains("50% 500 of 1000 entries, 100/s, 0:05 left"), "{half}");
        assert!(line(0, 0, Duration::ZERO).contains("0 of 1 entries"));
    }
}
