//! What keeps failing: it is said once, and what runs must stop when it lasts.

use std::time::Duration;

use crate::app::freshness::RUNS_STOP_AFTER;

/// One kind of attempt that failed each time since.
#[derive(Debug, Default)]
pub(super) struct Failing {
    since: Option<Duration>,
    last: Option<Duration>,
    said: Option<String>,
    has_lasted: bool,
}

impl Failing {
    /// Notes that it failed again, for this reason.
    pub(super) fn note(&mut self, why: &str, now: Duration) -> Noted {
        // What failed long ago, and was not tried again, is another failure.
        if self.last.replace(now).is_some_and(|last| now.saturating_sub(last) > RUNS_STOP_AFTER) {
            (self.since, self.has_lasted) = (None, false);
        }
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
        let noted = |is_new, lasts| Noted { is_new, lasts };
        assert_eq!(failing.note("no room", second), noted(true, false));
        assert_eq!(failing.note("no room", second * 2), noted(false, false));
        assert_eq!(failing.note("no disk", second + RUNS_STOP_AFTER), noted(true, true));
        assert_eq!(failing.note("no disk", second * 9), noted(false, false));
        assert_eq!(
            failing.note("no disk", second * 20),
            noted(false, false),
            "another one, and not for long"
        );
        failing.is_over();
        assert_eq!(failing.note("no disk", second * 21), noted(true, false));
    }
}
