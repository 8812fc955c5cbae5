//! The only code that touches targets, and only with a `Permit` in hand.
//!
//! [`definition`] reads what may run, from files that only the owner of the target can write. A [`Workload`] runs it:
//! [`command`] starts programs through [`spawn`], and [`recording`] keeps what they write. [`guard`] says who could change
//! what is read.
//!
//! Never here: a decision whether something may run, a clock, the ledger.

mod clock;
pub mod command;
pub mod definition;
pub mod guard;
pub mod recording;
pub mod spawn;
mod workload;

pub use clock::Clock;
pub use workload::{Finished, Running, Workload};
