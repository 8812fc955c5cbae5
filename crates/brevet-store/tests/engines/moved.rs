//! A ledger that is moved reads the same, and goes on; nobody goes on with what it was moved from.

use std::path::Path;

use brevet_core::{ExecutionId, SessionId, Timestamp};
use brevet_store::{
    ArchiveFile, Credential, DataFolder, DatabasePlace, Idempotent, MoveFault, MoveProgress, MoveStep,
    MovedLedger, Reader, SessionRow, SideWrite, StoreError, move_ledger,
};

use crate::cluster::Cluster;
use crate::sample::{ALICE, BOB, Sample};
use crate::standby::until;
use crate::{STORIES, assert_same};

/// A ledger with something in every table that a command can reach.
fn ledger(place: &DatabasePlace, path: &Path) {
    let mut sample = Sample::organization_at(place, path);
    for _ in 0..STORIES {
        sample.story();
    }
    let reader = Reader::open_at(place, sample.store.folder()).unwrap();
    sample.gather_lists(&reader);
    let at = Timestamp::from_micros(77);
    let file = ArchiveFile {
        first: 0,
        size: 100,
        name: "old".to_owned(),
        digest: [9; 32],
        pruned: 0,
        has_lists: false,
    };
    sample.beside(vec![
        SideWrite::Credential(ALICE, Credential { password: Some("$argon2id$…".into()), code: None }),
        SideWrite::Code { user: BOB, hash: [6; 32], expires: at },
        SideWrite::OpenSession(SessionRow {
            id: SessionId::new(9),
            hash: [3; 32],
            user: BOB,
            opened: at,
            seen: at,
        }),
        SideWrite::Idempotent(Idempotent {
            user: BOB,
            key: "once".into(),
            fingerprint: [1; 32],
            reply: "done".into(),
            at,
        }),
        SideWrite::SinkPosition { name: "siem".into(), position: 3 },
        SideWrite::Cosigned { size: 2, note: "one".into() },
        SideWrite::Archive(file),
        SideWrite::Prune { size: 100, at_once: 30 },
    ]);
}

/// Moves once PostgreSQL has noticed that nobody is there any more.
fn go(from: &DatabasePlace, to: &DatabasePlace, path: &Path) -> Result<MovedLedger, MoveFault> {
    until(|| match go_at_once(from, to, path) {
        Err(fault) if fault.to_string().contains("a server is running on it") => Err(fault),
        moved => Ok(moved),
    })
}

fn go_at_once(from: &DatabasePlace, to: &DatabasePlace, path: &Path) -> Result<MovedLedger, MoveFault> {
    let mut steps: Vec<MoveStep> = Vec::new();
    let mut progress = |MoveProgress { step, rows }| {
        assert!(rows > 0);
        steps.push(step);
    };
    let moved = move_ledger(from, to, &DataFolder::claim(path)?, &mut progress);
    assert!(moved.is_err() || steps.contains(&MoveStep::Proving));
    moved
}

/// What can be seen of entries that are not in an archive, and beside them.
fn all(place: &DatabasePlace, path: &Path) -> Vec<String> {
    let folder = DataFolder::claim(path).unwrap();
    let reader = Reader::open_at(place, &folder).unwrap();
    let size = reader.size().unwrap();
    let mut all: Vec<String> = (0..size)
        .map(|index| format!("{:?}", reader.receipt(index).unwrap().map(|receipt| receipt.proof)))
        .collect();
    all.push(format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        reader.credential(ALICE).unwrap(),
        reader.credential(BOB).unwrap(),
        reader.session(&[3; 32]).unwrap(),
        reader.idempotent(BOB, "once").unwrap(),
        reader.sink_position("siem").unwrap(),
        reader.archive_files().unwrap(),
        reader.execution(ExecutionId::new(3)).unwrap(),
    ));
    all.extend(crate::searches(&reader, size));
    all
}

#[test]
fn a_ledger_moves_to_the_other_database_and_back() {
    let (cluster, folder) = (Cluster::start(), tempfile::tempdir().unwrap());
    let (path, here) = (folder.path().join("data"), DatabasePlace::Folder);
    let there = cluster.database("moved");
    ledger(&here, &path);
    let before = all(&here, &path);
    let moved = go(&here, &there, &path).unwrap();
    assert!(moved.rows > moved.size && moved.size > 300, "{moved:?}");
    assert_same(&all(&there, &path), &before);
    let aside = moved.set_aside.unwrap();
    assert!(aside.exists() && !path.join("brevet.db").exists() && !path.join("brevet.db-wal").exists());
    goes_on(&there, &path);

    let again = go(&here, &there, &path).unwrap_err();
    assert!(matches!(again, MoveFault::Nothing { .. }), "{again}");
    nobody_interrupts(&there, &path);

    let before = all(&there, &path);
    assert!(go(&there, &here, &path).unwrap().set_aside.is_none());
    assert_same(&all(&here, &path), &before);
    let refused = go(&here, &there, &path).unwrap_err();
    assert!(matches!(refused, MoveFault::MovedBefore { .. }), "{refused}");
    std::fs::rename(path.join("brevet.db"), path.join("kept")).unwrap();
    let Err(refused) = Sample::open_at(&there, &path) else { panic!("a server goes on with what was moved") };
    assert!(matches!(refused, StoreError::MovedAway), "{refused}");
    std::fs::rename(path.join("kept"), path.join("brevet.db")).unwrap();
    goes_on(&here, &path);
}

/// Also with words that no entry had before.
fn goes_on(place: &DatabasePlace, path: &Path) {
    let mut sample = Sample::open_at(place, path).unwrap();
    let reader = Reader::open_at(place, sample.store.folder()).unwrap();
    sample.ask_because("zebra").unwrap();
    for _ in 0..STORIES {
        sample.story();
    }
    sample.gather_lists(&reader);
}

/// Neither side is moved beside a server.
fn nobody_interrupts(there: &DatabasePlace, path: &Path) {
    let other = path.parent().unwrap().join("other");
    crate::one_more(path, &other);
    let server = Sample::open_at(there, &other).unwrap();
    let refused = go_at_once(there, &DatabasePlace::Folder, path).unwrap_err();
    assert!(refused.to_string().contains("a server is running on it"), "{refused}");
    assert!(!path.join("brevet.db").exists() && !path.join("brevet.db.moving").exists());
    drop(server);
}

#[test]
fn whoever_is_interrupted_moves_again_and_what_is_not_the_same_is_refused() {
    let (cluster, folder) = (Cluster::start(), tempfile::tempdir().unwrap());
    let (path, here) = (folder.path().join("data"), DatabasePlace::Folder);
    let there = cluster.database("again");
    ledger(&here, &path);
    let aside = go(&here, &there, &path).unwrap().set_aside.unwrap();
    // As if it had been interrupted after the copy was durable.
    std::fs::rename(&aside, path.join("brevet.db")).unwrap();
    let again = go(&here, &there, &path).unwrap();
    assert_eq!((again.rows, again.set_aside.as_deref()), (0, Some(aside.as_path())));

    std::fs::rename(&aside, path.join("brevet.db")).unwrap();
    drop(Sample::open_at(&here, &path).map(|mut sample| sample.ask().unwrap()));
    let refused = go(&here, &there, &path).unwrap_err();
    assert!(matches!(refused, MoveFault::NotEmpty), "it went on after the copy: {refused}");

    let database = rusqlite::Connection::open(path.join("brevet.db")).unwrap();
    let changed = "UPDATE entry SET bytes = zeroblob(40) WHERE seq = 200";
    assert_eq!(database.execute(changed, []).unwrap(), 1);
    drop(database);
    let empty = cluster.database("empty");
    let refused = go(&here, &empty, &path).unwrap_err();
    assert!(refused.to_string().contains("entry 200 is not what was hashed"), "{refused}");
    assert!(path.join("brevet.db").exists() && !aside.exists(), "it is where it was");
    let folder = DataFolder::claim(&path).unwrap();
    assert_eq!(Reader::open_at(&empty, &folder).unwrap().size().unwrap(), 0, "nothing was written");
    let refused = move_ledger(&here, &here, &folder, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, MoveFault::SameKind), "{refused}");
}
