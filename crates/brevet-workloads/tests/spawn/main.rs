//! Runs of real processes through a real spawner.
#![expect(clippy::unwrap_used, reason = "what the tests share fails the test that uses it")]

mod arguments;
mod fixture;
mod identity;
mod outcomes;
mod races;
mod spawner_process;
mod stopping;
mod surroundings;
