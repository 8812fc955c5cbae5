//! What Brevet costs, each number beside the limit that was measured in the same run.
//!
//!     cargo bench -p brevet                        everything, some minutes
//!     cargo bench -p brevet -- decision durable    these topics
//!     cargo bench -p brevet -- --quick             small sizes: does it still run?
//!
//! Each topic runs in a process of its own, so that the memory of one does not slow down the next.
//! `docs/performance.md` says how to read what comes out. Nothing here is a test: a machine that is busy with
//! something else breaks no build.

mod bare;
mod callers;
mod check;
#[path = "../../../brevet-store/tests/engines/cluster.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "tests use the rest, and may panic")]
mod cluster;
mod decision;
mod durable;
mod history;
mod measure;
mod memory;
mod organization;
mod output;
mod pages;
mod postgres;
mod run;
mod search;
mod server;
mod table;
mod tree;
mod verify;

use std::process::{Command, ExitCode, Stdio};

use measure::Sizes;

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Topic = fn(&Sizes) -> Outcome;

const TOPICS: [(&str, Topic); 12] = [
    ("decision", decision::measure),
    ("check", check::measure),
    ("durable", durable::measure),
    ("postgres", postgres::measure),
    ("run", run::measure),
    ("output", output::measure),
    ("history", history::measure),
    ("search", search::measure),
    ("pages", pages::measure),
    ("memory", memory::measure),
    ("verify", verify::measure),
    ("tree", tree::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.iter().any(|argument| argument == server::SPAWNER) {
        return brevet_workloads::spawn::spawner_main();
    }
    let (options, topics): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|argument| argument.starts_with("--"));
    let sizes = if options.contains(&"--quick") { Sizes::QUICK } else { Sizes::FULL };
    let done = match topics.as_slice() {
        [topic] => one(topic, &sizes),
        [] => each(&TOPICS.map(|(name, _)| name), &options),
        topics => each(topics, &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn one(topic: &str, sizes: &Sizes) -> Outcome {
    let found = TOPICS.iter().find(|(name, _)| *name == topic);
    let names = || TOPICS.map(|(name, _)| name).join(", ");
    let (_, measure) = found.ok_or_else(|| format!("there is no topic '{topic}'; there are: {}", names()))?;
    table::head(topic);
    measure(sizes)
}

/// Runs each topic in a process of its own.
fn each(topics: &[&str], options: &[&str]) -> Outcome {
    for topic in topics {
        let program = std::env::current_exe()?;
        let ended = Command::new(program).arg(topic).args(options).stdin(Stdio::null()).status()?;
        if !ended.success() {
            return Err(format!("{topic} could not be measured").into());
        }
    }
    Ok(())
}
