//! `brevet witness` as a process: what it answers, what it is told, what it keeps, and that it never goes back.
//!
//! `BREVET_WITNESS_CRASHES` says how often it is killed (6 unless told otherwise), `BREVET_SEED` repeats a loop.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod commands;
mod crashes;
mod ledger;
mod process;
mod statuses;
mod talk;

#[path = "../../../brevet-store/tests/witness/naive.rs"]
mod naive;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
