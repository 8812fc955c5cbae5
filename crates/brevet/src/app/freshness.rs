//! How long ago this server last knew all that the ledger has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brevet_workloads::Clock as _;

use crate::world::Steady;

/// A server that has not heard from its database for longer answers no questions: others may have decided something.
pub(super) const STALE_AFTER: Duration = Duration::from_secs(2);
/// What runs here is stopped when nothing was heard for so long: others may have revoked it, and will soon take this server
/// for gone.
pub(super) const RUNS_STOP_AFTER: Duration = Duration::from_secs(4);
/// How often it is looked whether that is so.
pub(super) const WATCH_EVERY: Duration = Duration::from_millis(250);
/// How long a caller is kept waiting that has seen more entries elsewhere.
pub(super) const REACH_MAX: Duration = Duration::from_secs(2);
/// Before a run starts, the database is asked again when it was not for so long: the process may have been paused.
pub(super) const SURE_FOR: Duration = Duration::from_millis(500);

/// When the sequencer last knew everything. On a ledger of one server that is always.
#[derive(Debug)]
pub(super) struct Freshness {
    steady: Steady,
    is_shared: bool,
    /// Milliseconds of the steady clock.
    known: AtomicU64,
}

impl Freshness {
    pub(super) fn new(is_shared: bool) -> Self {
        Self { steady: Steady::start(), is_shared, known: AtomicU64::new(0) }
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    fn now(&self) -> Duration {
        self.steady.monotonic()
    }

    /// Everything was known at this moment, taken before the database was asked.
    pub(super) fn note(&self, at: Duration) {
        self.known.fetch_max(u64::try_from(at.as_millis()).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// A moment to be noted.
    pub(super) fn moment(&self) -> Duration {
        self.now()
    }

    /// How long ago everything was known; nothing where nobody else writes.
    pub(super) fn behind(&self) -> Duration {
        match self.is_shared {
            false => Duration::ZERO,
            true => self.now().saturating_sub(Duration::from_millis(self.known.load(Ordering::Acquire))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Freshness;

    #[test]
    fn it_never_goes_back_and_does_not_count_on_a_ledger_of_one_server() {
        let fresh = Freshness::new(true);
        fresh.note(fresh.moment() + Duration::from_secs(60));
        fresh.note(Duration::ZERO);
        assert_eq!(fresh.behind(), Duration::ZERO);
        assert_eq!(Freshness::new(false).behind(), Duration::ZERO);
    }
}
