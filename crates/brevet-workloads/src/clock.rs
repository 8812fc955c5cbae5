//! The time as runs need it. Reading a clock is the server's work.

use std::fmt::Debug;
use std::time::Duration;

/// A clock that only goes forward.
pub trait Clock: Debug + Send + Sync {
    /// The time since an instant that stays the same as long as the process lives.
    fn monotonic(&self) -> Duration;
}
