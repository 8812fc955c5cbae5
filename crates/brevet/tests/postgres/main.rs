//! One server on PostgreSQL, and another that takes its place: on the real binary, with a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

#[path = "../../../brevet-store/tests/engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
mod moved;
mod outputs;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use brevet_store::DatabasePlace;
use cluster::Cluster;
use support::place::Place;
use support::server::refused;
use support::stage::{Stage, TASKS};

/// Settings of a server on a database, with an anchor that outlives any one machine.
fn settings(database: &DatabasePlace, anchor: &std::path::Path) -> String {
    let DatabasePlace::Postgres { address, .. } = database else { panic!("{database:?}") };
    format!("[database]\nurl = \"{address}\"\n\n[ledger]\nanchor = \"{}\"\n", anchor.display())
}

#[test]
fn the_main_job_is_done_on_postgresql_and_survives_a_crash() {
    let cluster = Cluster::start();
    let place = Place::new();
    place.settings(&settings(&cluster.database("brevet"), &place.site("anchor")));
    let mut stage = Stage::set_in(place, TASKS);
    assert!(!stage.place.data().join("brevet.db").exists(), "nothing is kept in the folder");
    stage.policy("Linux/Say", "");
    stage.types("bob", "run Linux/Say --param text=hello", 3);
    let authorization = stage.grant("bob", "--task Linux/Say");
    let (said, _) = stage.types("bob", "run Linux/Say --param text=hello", 0);
    assert!(said.contains("hello"), "{said}");
    let found = stage.asks("otto", "audit search --text because");
    assert!(!found.as_array().unwrap().is_empty(), "the reason is found by its words");
    let before = stage.entries().len();
    stage.crash_and_start_again();
    assert!(stage.entries().len() > before, "nothing is lost, and the start is on record");
    stage.types("bob", "run Linux/Say --param text=again", 0);
    stage.asks("alice", &format!("authorization revoke {authorization}"));
    stage.types("bob", "run Linux/Say --param text=no", 3);
    verifies(&stage);
}

/// What the database holds is exported, and verified without any of the server's code that reads it.
fn verifies(stage: &Stage) {
    let export = stage.place.site("export.jsonl");
    stage.types("otto", &format!("audit export --out {}", export.display()), 0);
    stage.types("otto", &format!("audit verify --export {}", export.display()), 0);
}

#[test]
fn another_server_takes_over_when_the_first_is_gone() {
    let cluster = Cluster::start();
    let database = cluster.database("brevet");
    let (place, other) = (Place::new(), Place::new());
    let settings = settings(&database, &place.site("anchor"));
    place.settings(&settings);
    other.settings(&settings);
    other.define("linux.toml", TASKS);
    let mut stage = Stage::set_in(place, TASKS);
    stage.policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    copy_keys(&stage.place, &other);
    let said = refused(&other);
    assert!(said.code == 1 && said.stderr.contains("another server holds the anchor"), "{}", said.stderr);
    stage.server.kill();
    // The tasks of the first have traces of their own; the second has the same by content where they need none.
    stage.server.start_again(&other);
    let shown = stage.asks("bob", &format!("authorization show {authorization}"));
    assert_eq!(shown["id"], authorization.as_str(), "{shown}");
    stage.request("carol", "--task Linux/Say");
    verifies(&stage);
}

/// Whoever serves a ledger has its key.
fn copy_keys(from: &Place, to: &Place) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(to.data()).unwrap();
    for name in ["ledger.key", "ledger.vkey"] {
        std::fs::copy(from.data().join(name), to.data().join(name)).unwrap();
    }
}

#[test]
fn without_its_database_a_server_does_not_start() {
    let cluster = Cluster::start();
    let place = Place::new();
    place.settings(&settings(&cluster.database("brevet"), &place.site("anchor")));
    drop(cluster);
    let said = refused(&place);
    assert!(said.code == 1 && said.stderr.contains("PostgreSQL"), "{}", said.stderr);
}

#[test]
fn settings_of_the_database_that_cannot_be_stop_the_start() {
    for (settings, wanted) in [
        ("url = \"sqlite:brevet.db\"", "database.url cannot be \"sqlite\""),
        ("url = \"postgresql://brevet:secret@localhost/brevet\"", "database.password_file"),
        ("url = \"postgresql://brevet@db.example.org/brevet\"", "not encrypted"),
        ("url = \"postgresql://brevet@localhost/brevet\"\npassword_file = \"/nowhere\"", "/nowhere"),
        ("address = \"x\"", "unknown field `address`"),
    ] {
        let place = Place::new();
        place.settings(&format!("[database]\n{settings}\n"));
        let said = refused(&place);
        assert!(said.code == 1 && said.stderr.contains(wanted), "{settings}: {}", said.stderr);
        assert!(!said.stderr.contains("secret"), "{}", said.stderr);
    }
}
