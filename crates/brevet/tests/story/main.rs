//! Whole stories on the real binary: a real server, and people who type commands, with the exit codes that
//! their scripts rely on.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod asking;
mod ending;
mod operating;
mod output;
mod secrets;
mod signing_in;
mod steps;
mod terms;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;
