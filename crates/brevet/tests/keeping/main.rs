//! The ledger over time, on the real binary: heartbeats, the anchor, starts that are refused, going on under a new
//! name, erasure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod anchor;
mod beating;
mod erasing;
mod recovering;
mod witnessing;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
