//! Ledgers to do harm to, and what the verifier says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::BREVET;
use crate::support::person::Typed;
use crate::support::place::{Place, write_private};
use crate::support::stage::Stage;

/// What the verifier said.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) code: i32,
    pub(crate) value: Value,
}

impl Verdict {
    pub(crate) fn sentence(&self) -> &str {
        self.value["sentence"].as_str().unwrap_or_default()
    }

    /// Insists on a finding: exit code, word, and something that the sentence says.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, word: &str, says: &str) -> &Self {
        let found = (self.code, self.value["finding"].as_str().unwrap_or_default());
        assert_eq!(found, (code, word), "{self:#?}");
        assert!(self.sentence().contains(says), "{says:?} is not in {self:#?}");
        assert_eq!(self.value["verified"], false);
        self
    }

    #[track_caller]
    pub(crate) fn is_well(&self) -> &Self {
        assert_eq!((self.code, self.value["verified"].as_bool()), (0, Some(true)), "{self:#?}");
        self
    }
}

/// Verifies what these arguments name.
pub(crate) fn verify(arguments: &[&str]) -> Verdict {
    verify_with_token("", arguments)
}

pub(crate) fn verify_with_token(token: &str, arguments: &[&str]) -> Verdict {
    // An empty variable is none.
    verify_with_environment(&[("BREVET_TOKEN", token)], arguments)
}

pub(crate) fn verify_with_environment(variables: &[(&str, &str)], arguments: &[&str]) -> Verdict {
    let mut command = Command::new(BREVET);
    command.args(["audit", "verify", "-o", "json"]).args(arguments).env_clear().stdin(Stdio::null());
    command.envs(variables.iter().copied());
    let typed = Typed::of(command.output().unwrap());
    let value = serde_json::from_slice(&typed.stdout).unwrap_or_else(|error| panic!("{error}: {typed:?}"));
    Verdict { code: typed.code, value }
}

/// Verifies a folder, with more arguments.
pub(crate) fn verify_folder(data: &Path, more: &[&str]) -> Verdict {
    verify(&[&["--data", text(data)], more].concat())
}

/// The same, as a person reads it: what was complained about.
pub(crate) fn complaint(data: &Path, more: &[&str]) -> (i32, String, String) {
    complain(&[&["--data", text(data)], more].concat())
}

/// Verifies what these arguments name, as a person reads it.
pub(crate) fn complain(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(BREVET);
    command.args(["audit", "verify"]).args(arguments).env_clear().stdin(Stdio::null());
    let typed = Typed::of(command.output().unwrap());
    (typed.code, typed.text(), typed.stderr)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A data folder in which everything happened once, without its server.
pub(crate) fn lived_in() -> Place {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    let denied = stage.request("carol", "--task Linux/Say");
    stage.types("anna", &format!("request deny {denied} --comment No"), 0);
    let authorization = stage.grant("carol", "--task Linux/Say --duration 1h");
    stage.types("alice", &format!("authorization revoke {authorization} --comment Enough"), 0);
    stage.stop().0
}

/// Creates so many groups: as many entries.
pub(crate) fn add_entries(stage: &Stage, from: usize, count: usize) {
    let mut ada = stage.person("ada").connect(&stage.server);
    for number in from..from + count {
        ada.post("/api/v1/groups", &json!({"name": format!("g{number}")})).unwrap().ok();
    }
}

/// A copy of a whole data folder.
pub(crate) fn copy(data: &Path, to: &Path) -> PathBuf {
    drop(fs::remove_dir_all(to));
    let copied = Command::new("cp").arg("-a").arg(data).arg(to).status().unwrap();
    assert!(copied.success());
    to.to_owned()
}

/// What a backup of the database alone restores: the database as it is now, in a folder of its own.
pub(crate) fn back_up(data: &Path, to: &Path) -> PathBuf {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    let connection = Connection::open(data.join("brevet.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    write_private(&to.join("brevet.db"), b"");
    connection.execute("VACUUM INTO ?1", [text(&to.join("brevet.db"))]).unwrap();
    fs::copy(data.join("ledger.vkey"), to.join("ledger.vkey")).unwrap();
    let copied = Command::new("cp").arg("-a").arg(data.join("blobs")).arg(to).status().unwrap();
    assert!(copied.success());
    to.to_owned()
}

pub(crate) fn open(data: &Path) -> Connection {
    Connection::open(data.join("brevet.db")).unwrap()
}

/// Changes something in the database; it must change something.
pub(crate) fn edit(data: &Path, sql: &str) {
    let connection = open(data);
    let edited = connection.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
    assert!(edited > 0, "nothing to change: {sql}");
}

pub(crate) fn number(data: &Path, sql: &str) -> u64 {
    open(data).query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// How many entries the head says there are.
pub(crate) fn size(data: &Path) -> u64 {
    number(data, "SELECT size FROM head")
}

pub(crate) fn checkpoint(data: &Path) -> String {
    open(data).query_row("SELECT checkpoint FROM head", [], |row| row.get(0)).unwrap()
}

/// Keeps something outside the data folder.
pub(crate) fn keep(place: &Place, name: &str, what: &str) -> String {
    let path = place.path().join(name);
    write_private(&path, what.as_bytes());
    text(&path).to_owned()
}
