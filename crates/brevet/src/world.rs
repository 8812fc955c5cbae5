//! The one door to the clock and to chance.

use brevet_core::Timestamp;

/// Where time and randomness come from.
pub trait World: Send + Sync + 'static {
    /// The wall clock, UTC.
    fn now(&self) -> Timestamp;
    /// A clock that nobody sets, since some instant; `None` where there is none to compare with.
    fn steady(&self) -> Option<std::time::Duration> {
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

/// The machine's clock that only goes forward, from when it was made.
#[derive(Debug, Clone, Copy)]
pub struct Steady(std::time::Instant);

impl Steady {
    /// Starts at zero.
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }
}

impl brevet_workloads::Clock for Steady {
    fn monotonic(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

impl World for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        // A clock before 1970 reads as 1970: every check of the ledger's time then fails closed.
        let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(micros)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn steady(&self) -> Option<std::time::Duration> {
        static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        Some(START.get_or_init(std::time::Instant::now).elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        getrandom::fill(bytes).map_err(|error| std::io::Error::other(error.to_string()))
    }
}
