//! What is done to a ledger behind its back, and what `brevet audit verify` says of it: exit code and sentence, on the
//! real binary. Each test is a row of the table in docs/verifying.md.
//!
//! `BREVET_DETECTION_ENTRIES` says how many entries have each of their bytes changed in turn.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bytes;
mod exported;
mod fork;
mod generations;
mod handed_over;
mod kept;
mod ledger;
mod published;
mod rows;
mod texts;
mod truncated;
mod witnessed;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
