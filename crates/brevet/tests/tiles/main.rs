//! The ledger as others see it: its files for monitors, proofs for those who do not trust it, and what the command
//! line remembers of it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod files;
mod following;
mod liar;
mod memory;
mod proofs;

#[path = "../api/office.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod office;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
