//! The use cases on a real store, with a clock that the test sets and disks that fail for real.

#![expect(clippy::unwrap_used, reason = "the organization is set up with them")]

mod archiving;
mod clock;
mod concurrency;
mod erasing;
mod faults;
mod house;
mod signing_in;
