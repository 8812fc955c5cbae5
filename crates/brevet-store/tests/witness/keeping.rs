//! What a witness does not start with: a key without its memory, a memory without its key, a folder of others.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use brevet_ledger::{AddCheckpoint, Checkpoint, KeyName, Origin, SigningKey, leaf_hash};
use brevet_store::{
    DataFolder, StoreError, Verdict, WitnessError, WitnessLedgers, WitnessReader, WitnessStore,
};

const NAME: &str = "witness.example/w1";

fn open(path: &Path, name: Option<&str>) -> Result<WitnessStore, WitnessError> {
    let name = name.map(|name| KeyName::parse(name).unwrap());
    WitnessStore::open(DataFolder::claim(path)?, name.as_ref(), &[9; 32])
}

/// A witness that cosigned something and was stopped.
fn retired() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("witness");
    let mut store = open(&path, Some(NAME)).unwrap();
    assert!(matches!(cosign(&path, &mut store, 3, 0), Verdict::Cosigned(_)));
    (place, path)
}

fn cosign(path: &Path, store: &mut WitnessStore, size: u64, old: u64) -> Verdict {
    let origin = Origin::parse("ledger.example/one").unwrap();
    let key = SigningKey::from_seed(KeyName::parse(origin.as_str()).unwrap(), &[1; 32]);
    WitnessLedgers::visit(path).unwrap().add(&origin, key.verifier(), 1).unwrap();
    let checkpoint = Checkpoint::new(origin, size, leaf_hash(b"any")).sign(&key).unwrap();
    let request = AddCheckpoint { old, proof: Vec::new(), checkpoint };
    let submission = WitnessReader::visit(path).unwrap().examine(&request).unwrap().unwrap();
    store.settle(&submission, 1_800_000_000).unwrap()
}

#[test]
fn a_witness_without_a_name_is_not_made_and_none_changes_its_name() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("witness");
    assert!(matches!(open(&path, None), Err(WitnessError::Unnamed { .. })));
    assert!(matches!(WitnessReader::visit(&path), Err(WitnessError::Missing { .. })));
    drop(open(&path, Some(NAME)).unwrap());
    assert!(matches!(open(&path, Some("witness.example/w2")), Err(WitnessError::OtherName { .. })));
    drop(open(&path, Some(NAME)).unwrap());
    drop(open(&path, None).unwrap());
}

#[test]
fn a_key_whose_memory_is_gone_signs_nothing_any_more() {
    let (_place, path) = retired();
    for name in ["witness.db", "witness.db-wal", "witness.db-shm"] {
        drop(std::fs::remove_file(path.join(name)));
    }
    assert!(matches!(open(&path, None), Err(WitnessError::Forgotten { .. })));
    // Nor with an empty file in its place, twice.
    for _ in 0..2 {
        std::fs::write(path.join("witness.db"), "").unwrap();
        std::fs::set_permissions(path.join("witness.db"), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(open(&path, Some(NAME)), Err(WitnessError::Forgotten { .. })));
    }
}

#[test]
fn a_memory_takes_no_other_key() {
    let (_place, path) = retired();
    std::fs::remove_file(path.join("witness.key")).unwrap();
    assert!(matches!(open(&path, Some("witness.example/w2")), Err(WitnessError::OtherKey { .. })));
    assert!(!path.join("witness.key").exists(), "a key was written that has no memory");
}

#[test]
fn a_start_that_ended_before_the_key_was_written_is_begun_again() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("witness");
    drop(open(&path, Some(NAME)).unwrap());
    std::fs::remove_file(path.join("witness.key")).unwrap();
    let name = KeyName::parse(NAME).unwrap();
    let again = WitnessStore::open(DataFolder::claim(&path).unwrap(), Some(&name), &[8; 32]).unwrap();
    drop(again);
    drop(open(&path, None).unwrap());
}

#[test]
fn what_others_can_read_is_not_used_and_a_servers_folder_is_no_witness() {
    let (_place, path) = retired();
    let key = path.join("witness.key");
    assert_eq!(std::fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    for file in ["witness.key", "witness.db"] {
        std::fs::set_permissions(path.join(file), std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = open(&path, None).unwrap_err();
        assert!(matches!(refused, WitnessError::Store(StoreError::TooOpen { .. })), "{refused}");
        std::fs::set_permissions(path.join(file), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    std::fs::write(path.join("brevet.db"), "").unwrap();
    std::fs::set_permissions(path.join("brevet.db"), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(open(&path, None), Err(WitnessError::BesideLedger { .. })));
}

#[test]
fn a_ledger_that_was_not_watched_for_a_while_continues_where_it_was() {
    let (_place, path) = retired();
    WitnessLedgers::visit(&path).unwrap().remove("ledger.example/one").unwrap();
    let mut store = open(&path, None).unwrap();
    assert_eq!(cosign(&path, &mut store, 2, 0), Verdict::HasSize(3));
}

#[test]
fn the_database_itself_refuses_to_go_back() {
    let (_place, path) = retired();
    let database = rusqlite::Connection::open(path.join("witness.db")).unwrap();
    for sql in [
        "UPDATE seen SET size = 2",
        "UPDATE seen SET time = time - 1",
        "UPDATE seen SET root = zeroblob(32)",
        "UPDATE seen SET origin = 'another'",
        "DELETE FROM seen",
    ] {
        let refused = database.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("a witness never"), "{sql}: {refused}");
    }
    let count: i64 = database.query_row("SELECT size FROM seen", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 3);
}
