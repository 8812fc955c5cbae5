//! Runs of real tasks, from a file of definitions to the recording of what they wrote.
#![expect(clippy::unwrap_used, reason = "what the tests share fails the test that uses it")]

mod fixture;
#[path = "../support/gate.rs"]
mod gate;
mod output;
mod permits;
mod results;
mod secrets;
mod stopping;
mod surroundings;
mod values;
mod viewers;
