//! The crash loop: the real server is killed under load at random instants, hundreds of times. Afterwards
//! nothing that was acknowledged is missing, nothing was done twice, and the ledger verifies.
//!
//! `BREVET_CRASHES` says how often (300 unless told otherwise), `BREVET_SEED` repeats a loop.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod books;
mod load;
mod loops;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
