//! What was restored, truncated or forked does not start.

use std::path::Path;

use crate::support::patience::until;
use crate::support::place::{Place, write_private};
use crate::support::server::{Server, refused};
use crate::support::stage::{Stage, TASKS};

/// A stage whose anchor is elsewhere, and what the anchor says when all is in it.
pub(crate) fn anchored() -> Stage {
    let place = Place::new();
    place.settings(&format!("[ledger]\nanchor = \"{}\"\n", place.site("anchor").display()));
    Stage::set_in(place, TASKS)
}

/// The files that a backup has: the database and what is not in it yet.
pub(crate) fn backup(data: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let read = |name| std::fs::read(data.join(name)).ok().map(|bytes| (name, bytes));
    ["brevet.db", "brevet.db-wal"].into_iter().filter_map(read).collect()
}

pub(crate) fn restore(data: &Path, backup: &[(&str, Vec<u8>)]) {
    for name in ["brevet.db-wal", "brevet.db-shm"] {
        drop(std::fs::remove_file(data.join(name)));
    }
    for (name, bytes) in backup {
        write_private(&data.join(name), bytes);
    }
}

/// One more entry.
fn goes_on(stage: &Stage, name: &str) {
    stage.types("ada", &format!("user add {name} --no-code"), 0);
}

fn all_is_anchored(stage: &Stage) {
    until("the anchor holds the newest checkpoint", || {
        let ledger = stage.asks("bob", "audit status");
        ledger["durable"] == ledger["checkpointed"]
    });
}

#[test]
fn a_restored_backup_is_refused_in_plain_words() {
    let stage = anchored();
    let (place, people) = stage.stop();
    let before = backup(&place.data());
    let stage = Stage::again(place, people);
    goes_on(&stage, "eve");
    all_is_anchored(&stage);
    let (place, _) = stage.stop();
    restore(&place.data(), &before);
    let said = refused(&place);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("the database is older than the anchor"), "{}", said.stderr);
    assert!(said.stderr.contains("brevet audit recover"), "{}", said.stderr);
}

#[test]
fn a_history_that_went_on_twice_is_refused() {
    let stage = anchored();
    let (place, people) = stage.stop();
    let (before, anchor) = (backup(&place.data()), std::fs::read(place.site("anchor")).unwrap());
    let stage = Stage::again(place, people);
    goes_on(&stage, "eve");
    all_is_anchored(&stage);
    let (place, people) = stage.stop();
    let first_future = std::fs::read(place.site("anchor")).unwrap();
    // The same server goes on from the backup, with the anchor of that time: a second future.
    restore(&place.data(), &before);
    write_private(&place.site("anchor"), &anchor);
    let stage = Stage::again(place, people);
    for name in ["frank", "grace", "heidi"] {
        goes_on(&stage, name);
    }
    all_is_anchored(&stage);
    let (place, _) = stage.stop();
    write_private(&place.site("anchor"), &first_future);
    let said = refused(&place);
    assert!(said.code == 1 && said.stderr.contains("hold different histories"), "{}", said.stderr);
}

#[test]
fn an_orderly_end_is_in_the_anchor() {
    let stage = anchored();
    let before = stage.asks("bob", "audit status")["durable"].as_u64().unwrap();
    let (place, _) = stage.stop();
    let anchor = std::fs::read_to_string(place.site("anchor")).unwrap();
    let size: u64 = anchor.lines().nth(1).unwrap().parse().unwrap();
    assert!(size > before, "{size} entries in the anchor, {before} before the end");
}

#[test]
fn a_missing_anchor_is_refused_until_somebody_says_why() {
    let stage = anchored();
    let (place, people) = stage.stop();
    std::fs::remove_file(place.site("anchor")).unwrap();
    let said = refused(&place);
    assert!(said.code == 1 && said.stderr.contains("is missing, although the ledger has"), "{}", said.stderr);
    let output = std::process::Command::new(crate::support::BREVET)
        .args(["audit", "anchor", "--data"])
        .arg(place.data())
        .arg("--anchor")
        .arg(place.site("anchor"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    drop(Stage::again(place, people));
}

#[test]
fn an_anchor_of_another_ledger_is_refused() {
    let other = anchored().stop().0;
    let (place, _) = anchored().stop();
    std::fs::copy(other.site("anchor"), place.site("anchor")).unwrap();
    let said = refused(&place);
    assert!(said.stderr.contains("is not a checkpoint of this ledger"), "{}", said.stderr);
}

#[test]
fn of_two_servers_with_one_ledger_the_one_that_comes_late_stops_writing() {
    let stage = anchored();
    all_is_anchored(&stage);
    // Somebody else moved the anchor on, as a copy of this server elsewhere would.
    let anchor = stage.place.site("anchor");
    let theirs = std::fs::read_to_string(&anchor).unwrap() + "\n";
    write_private(&anchor, theirs.as_bytes());
    goes_on(&stage, "eve");
    until("the server has given up", || stage.server.errors().contains("another server wrote the anchor"));
    assert_eq!(std::fs::read_to_string(&anchor).unwrap(), theirs);
}

#[test]
fn two_servers_cannot_hold_one_anchor() {
    let stage = anchored();
    let place = Place::new();
    place.settings(&format!("[ledger]\nanchor = \"{}\"\n", stage.place.site("anchor").display()));
    let said = refused(&place);
    assert!(said.stderr.contains("another server holds the anchor"), "{}", said.stderr);
    drop(Server::start(&Place::new()));
}
