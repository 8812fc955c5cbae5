//! The store keeps what it acknowledged, comes back as it was, and refuses what it cannot trust.

#![expect(clippy::unwrap_used, reason = "the sample organization is set up with them")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[macro_use]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use brevet_core::{Command, RequestState};
use brevet_store::{DataFolder, EntryFilter, RequestFilter, StoreError, verify_folder};
use engine::Engine;
use rusqlite::Connection;
use sample::{BOB, Sample};
use tempfile::TempDir;

on_both_engines! {
    after_a_restart_the_state_is_what_it_was,
    ended_things_leave_memory_and_stay_in_rows,
    pages_go_on_where_they_stopped,
    a_second_server_on_the_folder_is_refused,
    a_ledger_that_moved_under_the_writer_is_noticed,
    every_entry_has_a_receipt_that_verifies_without_the_store,
    a_ledger_of_a_newer_brevet_is_refused,
}

fn quiet(_: u64, _: u64) {}

fn after_a_restart_the_state_is_what_it_was(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    sample.story();
    sample.by(BOB, Command::Submit(sample::request("still pending")));
    let (state, size) = (sample.state.clone(), sample.store.size());
    drop(sample);
    let again = home.open().unwrap();
    assert_eq!(again.state, state);
    assert_eq!(again.store.size(), size);
    drop(again);
    home.assert_verifies(size);
}

fn ended_things_leave_memory_and_stay_in_rows(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    let id = sample.story();
    assert!(sample.state.request(id).is_none());
    assert_eq!(sample.state.authorizations().count() + sample.state.executions().count(), 0);
    let reader = home.reader();
    let row = reader.request(id).unwrap().unwrap();
    assert!(matches!(row.request.state, RequestState::Approved { .. }));
    assert_eq!(row.reason.as_deref(), Some("the disk is full"));
    let kinds: Vec<_> =
        reader.story(id, 100).unwrap().iter().map(|stored| stored.entry.event.kind().name).collect();
    assert_eq!(
        kinds,
        [
            "request.submitted",
            "request.decided",
            "authorization.granted",
            "execution.started",
            "authorization.ended",
            "execution.stop-requested",
            "execution.finished",
        ]
    );
}

fn pages_go_on_where_they_stopped(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    for _ in 0..7 {
        sample.by(BOB, Command::Submit(sample::request("one of seven")));
    }
    let reader = home.reader();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let filter = RequestFilter { state: Some(0), requester: Some(BOB) };
        let page = reader.requests(filter, before, 3).unwrap();
        seen.extend(page.items.iter().map(|row| row.request.id.number()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
    let filter = EntryFilter { kind: Some("request.submitted".into()), ..EntryFilter::default() };
    let first = reader.entries(&filter, None, 4).unwrap();
    let second = reader.entries(&filter, first.next, 4).unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (4, 3, None));
    let since = EntryFilter { since: Some(first.items[0].entry.time), ..EntryFilter::default() };
    assert_eq!(reader.entries(&since, None, 10).unwrap().items.len(), 1);
    let until = EntryFilter { until: Some(first.items[0].entry.time), ..filter };
    assert_eq!(reader.entries(&until, None, 10).unwrap().items.len(), 6);
}

fn a_second_server_on_the_folder_is_refused(engine: &Engine) {
    let home = engine.home();
    let _first = home.organization();
    assert!(matches!(DataFolder::claim(&home.path()), Err(StoreError::Busy { .. })));
}

/// Files of the data folder.
#[test]
fn a_folder_or_file_that_others_can_read_is_refused() {
    for (name, mode) in [("", 0o755), ("brevet.db", 0o640), ("ledger.key", 0o604)] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("data");
        drop(Sample::organization(&path));
        fs::set_permissions(path.join(name), fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(DataFolder::claim(&path), Err(StoreError::TooOpen { .. })), "{name}");
    }
}

/// Files of the data folder.
#[test]
fn every_file_is_made_private() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data");
    let mut sample = Sample::organization(&path);
    sample.story();
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", file.file_name());
    }
}

fn a_ledger_of_a_newer_brevet_is_refused(engine: &Engine) {
    let home = engine.home();
    drop(home.organization());
    home.sql(match engine {
        Engine::Folder => "PRAGMA user_version = 99",
        Engine::Postgres(_) => "UPDATE schema_version SET version = 99, since = 99",
    });
    assert!(matches!(home.open(), Err(StoreError::Newer { found: 99, .. })));
}

fn a_ledger_that_moved_under_the_writer_is_noticed(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    home.sql("UPDATE head SET size = size + 1");
    let size = sample.store.size();
    let failed = sample.carry_out(
        brevet_core::Origin::SYSTEM,
        Command::StartServer(brevet_core::ServerStart {
            version: "x".into(),
            ..brevet_core::ServerStart::default()
        }),
    );
    assert!(matches!(failed, Err(StoreError::Moved)));
    assert_eq!(sample.store.size(), size, "nothing of it happened");
}

/// Harms a copy of the ledger with `sql` and says what verification finds.
fn harm(sql: &str) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data");
    let mut sample = Sample::organization(&path);
    for _ in 0..5 {
        sample.story();
    }
    drop(sample);
    let database = Connection::open(path.join("brevet.db")).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    match verify_folder(&path, None, &[], &quiet) {
        Ok(report) => format!("nothing wrong with {report:?}"),
        Err(found) => found.to_string(),
    }
}

/// What `brevet audit verify` reads is a file: one on PostgreSQL is verified on its way into it.
#[test]
fn whatever_is_changed_is_found_and_named() {
    let flip = "UPDATE entry SET bytes = CAST(substr(bytes, 1, 40) || x'ff' || substr(bytes, 42) AS BLOB) WHERE seq = 12";
    for (sql, says) in [
        (flip, "entry 12"),
        ("DELETE FROM entry WHERE seq = 12", "12"),
        ("DELETE FROM entry WHERE seq >= 40", "missing"),
        (
            "UPDATE entry SET seq = -1 WHERE seq = 12; UPDATE entry SET seq = 12 WHERE seq = 13; UPDATE entry SET seq = 13 WHERE seq = -1",
            "12",
        ),
        (
            "INSERT INTO entry SELECT 1000, kind, actor, request, leaf, bytes FROM entry WHERE seq = 3",
            "missing",
        ),
        ("UPDATE entry_text SET value = value || '!' WHERE seq = (SELECT max(seq) FROM entry_text)", "text"),
        ("UPDATE head SET checkpoint = replace(checkpoint, 'brevet.local', 'brevet.other')", "checkpoint"),
        ("DELETE FROM entry_text WHERE seq = (SELECT max(seq) FROM entry_text)", "is missing"),
        ("UPDATE request SET state = 0 WHERE id = 1", "request 1"),
        (
            "UPDATE authorization SET body = (SELECT body FROM authorization WHERE id = 2) WHERE id = 1",
            "authorization 1",
        ),
        ("DELETE FROM execution WHERE id = 3", "execution 3"),
        ("INSERT INTO request VALUES (99, 1, 0, 0, x'00')", "request 99"),
        ("DELETE FROM object WHERE kind = 'policy'", "policy 1"),
        ("UPDATE object SET text2 = 'mallory@example.org' WHERE kind = 'user' AND id = 1", "user 1"),
        ("UPDATE entry SET kind = 'ledger.read' WHERE seq = 12", "entry 12"),
        ("UPDATE entry SET actor = 'usr-99' WHERE seq = 12", "entry 12"),
        ("UPDATE entry SET request = NULL WHERE kind = 'request.decided'", "entry"),
        (
            "UPDATE request SET first_seq = (SELECT first_seq FROM request WHERE id = 2) WHERE id = 1",
            "request 1",
        ),
        (
            "UPDATE head SET counters = CAST(substr(counters, 1, length(counters) - 1) || x'17' AS BLOB)",
            "next ids",
        ),
    ] {
        let found = harm(sql);
        assert!(found.contains(says), "{sql}\n  found: {found}\n  wanted: {says}");
    }
    assert!(harm("").starts_with("nothing wrong"), "{}", harm(""));
}

fn every_entry_has_a_receipt_that_verifies_without_the_store(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    for _ in 0..60 {
        sample.story();
    }
    let key: brevet_ledger::VerifierKey = sample.store.verifier_key().parse().unwrap();
    let origin = brevet_ledger::Origin::parse(sample.store.origin()).unwrap();
    let reader = home.reader();
    assert!(sample.store.size() > 256, "a whole tile, and a part of another");
    for index in 0..sample.store.size() {
        let receipt = reader.receipt(index).unwrap().unwrap();
        let proof: brevet_ledger::TlogProof = receipt.proof.parse().unwrap();
        let leaf = brevet_ledger::leaf_hash(&receipt.bytes);
        let checkpoint = proof.verify(leaf, &origin, std::slice::from_ref(&key)).unwrap();
        assert_eq!((proof.index(), checkpoint.size()), (index, sample.store.size()));
        assert!(
            proof.verify(brevet_ledger::leaf_hash(b"other"), &origin, std::slice::from_ref(&key)).is_err()
        );
    }
    assert!(reader.receipt(sample.store.size()).unwrap().is_none());
}
