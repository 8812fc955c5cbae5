//! Witnesses: processes elsewhere that remember the largest checkpoint they have seen of a ledger, and sign no other
//! history of it (C2SP tlog-witness).
//!
//! [`main`] is `brevet witness`, such a process: its memory is [`brevet_store::WitnessStore`], one thread (`writer.rs`)
//! decides and writes, `http.rs` translates. [`client`] is the other side: how a server asks one. Neither knows the
//! application; a witness has no users, no sessions and no secrets but its key.

pub(crate) mod client;
mod health;
mod http;
mod ledgers;
mod metrics;
mod office;
mod run;
mod writer;

use std::io::Write as _;
use std::process::ExitCode;

use crate::cli::{Format, WitnessCommand};
use crate::world::World;

/// The type of an answer that is a size alone (C2SP tlog-witness).
const SIZE_TYPE: &str = "text/x.tlog.size";

/// Does what `brevet witness …` says.
pub(crate) fn main(command: WitnessCommand, format: Format) -> ExitCode {
    let done = match command {
        WitnessCommand::Serve(args) => run::serve(args),
        WitnessCommand::Key(args) => ledgers::key(args, format),
        WitnessCommand::AddLog(args) => ledgers::add(args, format),
        WitnessCommand::ListLogs(args) => ledgers::list(&args, format),
        WitnessCommand::RemoveLog(args) => ledgers::remove(&args, format),
        WitnessCommand::Evidence(args) => ledgers::evidence(&args, format),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "brevet: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The witness's clock, in seconds since 1970 UTC.
fn unix_seconds(world: &(impl World + ?Sized)) -> u64 {
    world.now().micros().unsigned_abs() / 1_000_000
}
