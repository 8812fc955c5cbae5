//! What cannot be found out is a no.

use std::fs;

use rustix::process::Signal;

use crate::support::patience::until;
use crate::support::server;
use crate::support::stage::{Stage, TASKS};

#[test]
fn an_empty_approver_group_is_nobody() {
    let stage = Stage::set();
    stage.types("ada", "group create Empty", 0);
    stage.policy("Linux/Say", "--approver-group Empty");
    stage.types("bob", "request new --task Linux/Say --reason Because", 1);
    stage.types("bob", "run Linux/Say -p text=now", 3);
}

#[test]
fn an_approver_who_is_one_no_more_decides_nothing() {
    let stage = Stage::with_policy("Linux/Say", "");
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("ada", "group remove-member Approvers alice", 0);
    stage.types("alice", &format!("request approve {request}"), 1);
    stage.types("ada", "user disable anna", 0);
    stage.types("anna", &format!("request approve {request}"), 4);
    stage.types("bob", "run Linux/Say -p text=now", 3);
}

#[test]
fn an_approval_of_somebody_who_is_disabled_does_not_count() {
    let stage = Stage::set();
    stage.types("ada", "group add-member Approvers carol", 0);
    stage.policy("Linux/Say", "--approvals 2");
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("alice", &format!("request approve {request}"), 0);
    stage.types("ada", "user disable alice", 0);
    assert_eq!(stage.asks("anna", &format!("request approve {request}"))["status"], "pending");
    stage.types("bob", "run Linux/Say -p text=now", 3);
    assert_eq!(stage.asks("carol", &format!("request approve {request}"))["status"], "approved");
}

#[test]
fn what_no_policy_covers_is_refused() {
    let stage = Stage::set();
    stage.types("ada", "assignment add --user bob --task Linux/Say", 0);
    stage.types("bob", "run Linux/Say -p text=now", 1);
    stage.types("bob", "request new --task Linux/Say --reason Because", 1);
    stage.types("ada", "run Linux/Say -p text=now", 1);
}

#[test]
fn a_policy_that_is_gone_takes_what_was_given_with_it() {
    let stage = Stage::set();
    let policy = stage.policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    stage.types("ada", &format!("policy remove {policy}"), 0);
    stage.types("bob", "run Linux/Say -p text=now", 1);
    stage.policy("Linux/Say", "");
    stage.types("bob", "run Linux/Say -p text=now", 3);
}

#[test]
fn a_task_whose_definition_is_gone_or_unreadable_does_not_run() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let (place, people) = stage.stop();
    place.define("linux.toml", &TASKS.replace("[workload]", "[worklaod]"));
    let stage = Stage::again(place, people);
    until("the mistake is named", || stage.server.errors().contains("linux.toml:2: "));
    let typed = stage.person("bob").run(&stage.server, &["run", "Linux/Say", "-p", "text=now"]);
    assert!(![0, 2].contains(&typed.code) && typed.stdout.is_empty(), "{typed:?}");
    fs::remove_file(stage.place.tasks().join("linux.toml")).unwrap();
    stage.server.signal(Signal::HUP);
    let is_off = |task: &serde_json::Value| task["enabled"] == false;
    until("no task is left", || stage.asks("bob", "task list").as_array().unwrap().iter().all(is_off));
    stage.types("bob", "run Linux/Say -p text=now", 1);
}

#[test]
fn a_server_does_not_start_on_a_database_that_is_not_as_it_was() {
    let stage = Stage::set();
    let (place, _) = stage.stop();
    let database = place.data().join("brevet.db");
    let open = || rusqlite::Connection::open(&database).unwrap();
    let version: i64 = open().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let as_it_was = format!("PRAGMA user_version = {version}");
    for (what, harm, mend) in [
        (
            "its last entry is gone",
            "CREATE TABLE kept AS SELECT * FROM entry ORDER BY seq DESC LIMIT 1; \
             DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
            "INSERT INTO entry SELECT * FROM kept; DROP TABLE kept",
        ),
        (
            "an entry is another",
            "CREATE TABLE kept AS SELECT * FROM entry WHERE seq = 5; UPDATE entry SET leaf = zeroblob(32) WHERE seq = 5",
            "UPDATE entry SET leaf = (SELECT leaf FROM kept) WHERE seq = 5; DROP TABLE kept",
        ),
        ("a newer Brevet wrote it", "PRAGMA user_version = 4711", &as_it_was),
    ] {
        let connection = open();
        connection.execute_batch(harm).unwrap();
        drop(connection);
        let refused = server::refused(&place);
        assert!(
            refused.code == 1 && !refused.stderr.is_empty() && refused.stdout.is_empty(),
            "{what}: {refused:?}"
        );
        open().execute_batch(mend).unwrap();
    }
    server::Server::start(&place).stop();
}
