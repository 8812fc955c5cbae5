//! A second verifier, in Python, written from docs/ledger-format.md alone: it and `brevet audit verify` accept the same
//! ledgers, and refuse the same damage for the same reason.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod damage;
mod forged;
mod story;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::BREVET;

/// What both verifiers said.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) code: i32,
    pub(crate) value: Value,
    pub(crate) second: Value,
}

/// A program of the second verifier.
fn python(program: &str) -> Command {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent")).join(program);
    let mut command = Command::new("python3");
    // Nothing but the standard library, and no trace in the tree.
    command.args(["-S", "-B"]).arg(path);
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// What the second verifier alone says.
#[track_caller]
pub(crate) fn second(arguments: &[&str]) -> (i32, Value) {
    let output = run(python("verify.py").args(arguments));
    let value = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), value.unwrap_or_else(|error| panic!("{error}: {output:?}")))
}

/// Asks both; their exit codes must be the same.
#[track_caller]
pub(crate) fn both(arguments: &[&str]) -> Verdict {
    let output =
        run(Command::new(BREVET).args(["audit", "verify", "-o", "json"]).args(arguments).env_clear());
    let value = serde_json::from_slice(&output.stdout);
    let value: Value = value.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let code = output.status.code().unwrap();
    let (other, second) = second(arguments);
    assert_eq!(code, other, "{arguments:?}: Brevet says {value:#}\n\nand the second verifier {second:#}");
    assert_eq!(value["verified"], second["verified"]);
    Verdict { code, value, second }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_second_verifier_gives_the_known_answers() {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../brevet-ledger/vectors/v1.txt");
    let output = run(python("known.py").arg(vectors));
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).ends_with(" known answers hold\n"), "{output:?}");
}
