//! Runs of real processes through a real spawner.

mod arguments;
mod fixture;
mod identity;
mod outcomes;
mod races;
mod spawner_process;
mod stopping;
mod surroundings;
