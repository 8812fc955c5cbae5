//! Brevet: self-hosted privileged access management. One binary; this library is what it is made of.
//!
//! The faces ([`cli`], [`http`]) translate and do not decide; [`app`] carries out one use case after the
//! other through its sequencer; [`world`] is the one door to the clock and to chance.
#![forbid(unsafe_code)]

pub mod app;
mod bundle;
pub mod cli;
pub mod config;
mod demo;
mod dial;
mod export;
pub mod http;
mod migrate;
mod offline;
mod on_record;
mod plain;
mod recover;
mod serve;
mod sinks;
mod verify;

mod witness;
pub mod world;

use std::process::ExitCode;

/// Does what the command line of this process says.
pub fn main() -> ExitCode {
    cli::main(&cli::Programs {
        serve: serve::serve,
        demo: demo::run,
        verify: verify::verify,
        anchor: recover::anchor,
        recover: recover::recover,
        migrate_store: migrate::migrate_store,
        as_of: offline::as_of,
        bundle: offline::bundle,
        witness: witness::main,
        spawner: brevet_workloads::spawn::spawner_main,
    })
}
