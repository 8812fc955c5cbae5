//! Evidence for auditors on the real binary: who could run what at an instant, and one request's whole story.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod asof;
mod bundle;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
