//! A ledger that moves into PostgreSQL and back, by the command, under a server that goes on with it each time.

use std::process::Command;

use brevet_store::DatabasePlace;

use super::cluster::Cluster;
use super::support::place::Place;
use super::support::server::refused;
use super::support::stage::{Stage, TASKS};
use super::verifies;

/// What the command says, on both outputs, and its exit code.
fn migrate(from: &str, to: &str) -> (String, Option<i32>) {
    let program = env!("CARGO_BIN_EXE_brevet");
    let done = Command::new(program).args(["migrate-store", "--from", from, "--to", to]).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (String::from_utf8(said).unwrap(), done.status.code())
}

/// Once PostgreSQL has noticed that the server is gone.
fn migrates(from: &str, to: &str) -> String {
    for _ in 0..100 {
        let (said, code) = migrate(from, to);
        match code {
            Some(0) => return said,
            _ => assert!(said.contains("a server is running on it"), "{said}"),
        }
    }
    panic!("PostgreSQL never noticed");
}

#[test]
fn a_ledger_moves_to_postgresql_and_back_and_goes_on_each_time() {
    let cluster = Cluster::start();
    let DatabasePlace::Postgres { address, .. } = cluster.database("brevet") else { unreachable!() };
    let place = Place::new();
    let folder = format!("sqlite:{}", place.data().display());
    let in_folder = format!("[ledger]\nanchor = \"{}\"\n", place.site("anchor").display());
    place.settings(&in_folder);
    let mut stage = Stage::set_in(place, TASKS);
    stage.policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say --param text=hello", 0);
    let (said, code) = migrate(&folder, &address);
    assert!(code == Some(1) && said.contains("another server is running on the data folder"), "{said}");

    let before = stage.entries().len();
    let (place, people) = stage.stop();
    let said = migrates(&folder, &address);
    assert!(said.contains("reads as before") && said.contains("brevet.db.moved is what was moved"), "{said}");
    place.settings(&format!("[database]\nurl = \"{address}\"\n\n{in_folder}"));
    stage = Stage::again(place, people);
    assert!(stage.entries().len() > before, "nothing is lost, and the start is on record");
    let shown = stage.asks("bob", &format!("authorization show {authorization}"));
    assert_eq!(shown["id"], authorization.as_str());
    stage.types("bob", "run Linux/Say --param text=again", 0);
    verifies(&stage);

    let before = stage.entries().len();
    let (place, people) = stage.stop();
    let (said, code) = migrate(&folder, &address);
    assert!(code == Some(1) && said.contains("there is no ledger in"), "{said}");
    // As if another server had run both: the first before the move, the second after it.
    let blobs = place.data().join("blobs");
    let elsewhere = place.site("blobs");
    std::fs::rename(&blobs, &elsewhere).unwrap();
    let said = migrates(&address, &folder);
    assert!(said.contains("Take [database] out"), "{said}");
    assert!(
        said.contains("1 outputs of runs on other servers") && said.contains("1 more are in neither"),
        "{said}"
    );
    let (said, code) = migrate(&address, &folder);
    assert!(code == Some(0) && said.contains("0 rows were copied"), "once more does no harm: {said}");
    let copied = Command::new("cp").arg("-RT").args([&elsewhere, &blobs]).status().unwrap();
    assert!(copied.success(), "as it says");
    std::fs::rename(place.data().join("brevet.db"), place.site("kept")).unwrap();
    let said = refused(&place);
    assert!(said.code == 1 && said.stderr.contains("was moved from this database"), "{}", said.stderr);
    std::fs::rename(place.site("kept"), place.data().join("brevet.db")).unwrap();
    place.settings(&in_folder);
    stage = Stage::again(place, people);
    assert!(stage.entries().len() > before);
    stage.types("bob", "run Linux/Say --param text=home", 0);
    stage.verify();
}

#[test]
fn places_that_cannot_be_are_refused_without_telling_a_password() {
    for (from, to, wanted) in [
        ("sqlite:/nowhere", "postgresql://brevet:secret@localhost/brevet", "/nowhere is no folder"),
        ("sqlite:/tmp", "sqlite:/tmp", "one of --from and --to"),
        ("postgresql://localhost/one", "postgresql://localhost/two", "one of --from and --to"),
        ("sqlite:", "postgresql://localhost/two", "--from is sqlite: and a data folder"),
        ("sqlite:/tmp", "mysql://brevet:secret@localhost/brevet", "--to is sqlite: and a data folder"),
    ] {
        let (said, code) = migrate(from, to);
        assert!(code == Some(1) && said.contains(wanted) && !said.contains("secret"), "{from} {to}: {said}");
    }
}

#[test]
fn a_standby_that_is_asked_for_is_there_or_a_person_accepts_that_it_is_not() {
    let cluster = Cluster::start();
    let DatabasePlace::Postgres { address, .. } = cluster.database("brevet") else { unreachable!() };
    let place = Place::new();
    place.settings(&format!("[database]\nurl = \"{address}\"\nha = true\n"));
    let said = refused(&place);
    assert!(said.code == 1 && said.stderr.contains("brevet serve --accept-loss"), "{}", said.stderr);
}
