//! Operating the server: definitions that change, folders that are not right, stopping.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::patience::{timed, until};
use crate::support::person::Typed;
use crate::support::server;
use crate::support::stage::{Stage, TASKS};

#[test]
fn a_task_that_is_defined_otherwise_voids_what_was_approved() {
    let stage = Stage::with_policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    stage.place.define("linux.toml", &TASKS.replace("\"%s\\\\n\"", "\"%s, twice\\\\n\""));
    stage.server.signal(Signal::HUP);
    let show = format!("authorization show {authorization}");
    until("the authorization is void", || stage.asks("bob", &show)["ending"] == "voided");
    stage.types("bob", "run Linux/Say -p text=now", 3);
    stage.place.define("linux.toml", TASKS);
    stage.server.signal(Signal::HUP);
    stage.types("bob", "run Linux/Say -p text=now", 3);
    stage.grant("bob", "--task Linux/Say");
}

#[test]
fn a_definition_with_a_mistake_changes_nothing_and_is_named_by_file_and_line() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    stage.place.define(
        "linux.toml",
        &TASKS.replace("description = \"Says something\"", "descriptoin = \"Says something\""),
    );
    stage.server.signal(Signal::HUP);
    let line = TASKS.lines().position(|line| line.contains("Says something")).unwrap() + 1;
    until("the mistake is named", || stage.server.errors().contains(&format!("linux.toml:{line}: ")));
    assert_eq!(stage.types("bob", "run Linux/Say -p text=now", 0).0, "now\n");
}

#[test]
fn a_second_server_on_the_folder_is_refused() {
    let stage = Stage::set();
    let second = server::refused(&stage.place);
    assert_eq!(second.code, 1);
    assert!(second.stderr.contains("another"), "{}", second.stderr);
    stage.types("bob", "whoami", 0);
}

#[test]
fn a_folder_that_others_can_read_or_a_newer_brevet_wrote_is_refused() {
    let stage = Stage::set();
    let (place, _) = stage.stop();
    fs::set_permissions(place.data().join("brevet.db"), Permissions::from_mode(0o640)).unwrap();
    let wide = server::refused(&place);
    assert!(wide.code == 1 && wide.stderr.contains("chmod 600"), "{wide:?}");
    fs::set_permissions(place.data().join("brevet.db"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(place.data(), Permissions::from_mode(0o755)).unwrap();
    let wide = server::refused(&place);
    assert!(wide.code == 1 && wide.stderr.contains("chmod 700"), "{wide:?}");
    fs::set_permissions(place.data(), Permissions::from_mode(0o700)).unwrap();
    let database = rusqlite::Connection::open(place.data().join("brevet.db")).unwrap();
    database.execute_batch("PRAGMA user_version = 4711").unwrap();
    drop(database);
    let newer = server::refused(&place);
    assert!(newer.code == 1 && newer.stderr.contains("newer Brevet"), "{newer:?}");
}

#[test]
fn a_server_that_is_told_to_stop_ends_its_runs_and_the_ledger_verifies() {
    let stage = Stage::with_policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger");
    let child = stage.person("bob").begins(&stage.server, "run Linux/Linger");
    until("it runs", || !stage.asks("bob", "execution list --running").as_array().unwrap().is_empty());
    let (took, (place, people)) = timed(|| stage.stop());
    assert!(
        took < Duration::from_secs(8),
        "not the end of the run was awaited but the end of patience: {took:?}"
    );
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    let again = Stage::again(place, people);
    again.verify();
    let last = &again.asks("bob", "execution list --mine")[0];
    assert_eq!((&last["state"], &last["stop_cause"]), (&"stopped".into(), &"shutdown".into()));
}

#[test]
fn a_refused_run_that_is_repeated_is_one_entry_and_one_with_a_count() {
    let stage = Stage::with_policy("Linux/Say", "");
    for _ in 0..20 {
        stage.types("bob", "run Linux/Say -p text=now", 3);
    }
    let (place, people) = stage.stop();
    let again = Stage::again(place, people);
    let found = again.asks("otto", "audit search --kind execution.refused");
    let counts: Vec<_> =
        found.as_array().unwrap().iter().map(|entry| entry["details"]["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [19, 1]);
    again.verify();
}
