//! What must never happen, each tried on the real binary. SECURITY.md lists these tests.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod approved;
mod ledger;
mod people;
mod reading;
mod revoked;
mod unknown;
mod values;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
