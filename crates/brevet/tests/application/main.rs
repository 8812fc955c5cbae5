//! The use cases on a real store, with a clock that the test sets and disks that fail for real.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the organization is set up with them")]

mod archiving;
mod clock;
#[path = "../../../brevet-store/tests/engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
mod concurrency;
mod erasing;
mod faults;
mod house;
mod shared;
mod signing_in;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
#[path = "../../../brevet-store/tests/engines/wire_cutter.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod wire_cutter;
