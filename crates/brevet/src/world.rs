//! The one door to the clock and to chance.

use std::time::Duration;

use brevet_core::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Where time and randomness come from.
pub trait World: Send + Sync + 'static {
    /// The wall clock, UTC.
    fn now(&self) -> Timestamp;
    /// A clock that nobody sets, since some instant; `None` where there is none to compare with.
    fn steady(&self) -> Option<Duration> {
        None
    }
    /// Fills a buffer with randomness fit for keys.
    ///
    /// # Errors
    /// What the system says, when it has none to give.
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()>;
}

/// This machine.
#[derive(Debug, Clone, Copy)]
pub struct Machine;

/// The machine's clock that only goes forward, also while the machine is suspended, from when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Steady(Duration);

impl Steady {
    /// Starts at zero.
    pub fn start() -> Self {
        Self(since_boot())
    }
}

impl brevet_workloads::Clock for Steady {
    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.0)
    }
}

/// Linux's `CLOCK_BOOTTIME`: what others decided while this machine slept is as old as that.
fn since_boot() -> Duration {
    let since = clock_gettime(ClockId::Boottime);
    Duration::new(since.tv_sec.unsigned_abs(), since.tv_nsec.try_into().unwrap_or(0))
}

impl World for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 reads as 1970: every check of the ledger's time then fails closed.
        let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(micros)
    }

    fn steady(&self) -> Option<Duration> {
        Some(since_boot())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(|error| std::io::Error::other(error.to_string()))
    }
}
