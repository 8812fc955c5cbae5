//! Verification compares every list that searches go by with every entry. It reads a file: what is on PostgreSQL is verified
//! on its way into one.

#![expect(clippy::unwrap_used, reason = "the sample organization is set up with them")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[expect(unused_macros, reason = "what is verified is a file")]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[path = "search/ledger.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod ledger;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::path::{Path, PathBuf};

use brevet_store::{Discrepancy, Questions, Rows, VerifiedFolder, verify_folder};
use engine::{Engine, Home};
use ledger::{Dice, Ledger};
use rusqlite::{Connection, params};

/// What terms begin with: kinds, actors, tasks, outcomes, words, and whose texts they are.
const KINDS: &[&str] = &["k:", "a:", "t:", "o:", "w:", "x:"];

/// A folder with a few thousand entries, of which most are in lists.
fn lived_in(home: &Home<'_>, dice: &mut Dice) -> PathBuf {
    let ledger = Ledger::written(home, dice, 1_300, 700);
    assert!(ledger.store.size() > 5_000, "more than one block of the lists");
    ledger.store.folder().path().to_owned()
}

fn differs(path: &Path) -> Option<String> {
    match verify_folder(path, None, &[], &|_, _| ()) {
        Ok(report) => {
            assert!(report.rows > 0);
            None
        }
        Err(found @ Discrepancy::RowDiffers { .. }) => Some(found.to_string()),
        Err(fault) => panic!("{fault}"),
    }
}

/// One stored block of a list whose term begins so.
struct Stored {
    term: i64,
    block: i64,
    places: Vec<u8>,
}

impl Stored {
    fn any(connection: &Connection, kind: &str, dice: &mut Dice) -> Self {
        let sql = "SELECT term, block, places FROM entry_term JOIN term ON term.id = term
                   WHERE word LIKE ?1 || '%' ORDER BY term, block";
        let mut statement = connection.prepare(sql).unwrap();
        let of =
            |row: &rusqlite::Row<'_>| Ok(Self { term: row.get(0)?, block: row.get(1)?, places: row.get(2)? });
        let mut found: Vec<Self> = statement.query_map([kind], of).unwrap().map(Result::unwrap).collect();
        assert!(!found.is_empty(), "{kind}");
        found.swap_remove(dice.below(found.len()))
    }

    fn put(&self, connection: &Connection, places: &[u8]) {
        let sql = "UPDATE entry_term SET places = ?3 WHERE term = ?1 AND block = ?2";
        assert_eq!(connection.execute(sql, params![self.term, self.block, places]).unwrap(), 1);
    }

    /// The entries of the block by their places, however it is written.
    fn places(&self) -> Vec<u16> {
        if self.places.len() == 512 {
            let is_in = |place: &u16| {
                self.places[usize::from(place / 64) * 8 + 7 - usize::from(place % 64 / 8)] >> (place % 8) & 1
                    == 1
            };
            return (0..4_096).filter(is_in).collect();
        }
        self.places.chunks(2).map(|place| u16::from_be_bytes([place[0], place[1]])).collect()
    }
}

/// As Brevet writes a block.
fn written(places: &[u16]) -> Vec<u8> {
    if places.len() < 256 {
        return places.iter().flat_map(|place| place.to_be_bytes()).collect();
    }
    let mut words = [0_u64; 64];
    places.iter().for_each(|place| words[usize::from(place / 64)] |= 1 << (place % 64));
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[test]
fn one_place_less_or_more_in_any_list_is_found_every_time() {
    let home = Engine::Folder.home();
    let mut dice = Dice(11);
    let path = lived_in(&home, &mut dice);
    let connection = Connection::open(path.join("brevet.db")).unwrap();
    assert_eq!(differs(&path), None);
    for kind in KINDS {
        for _ in 0..2 {
            let stored = Stored::any(&connection, kind, &mut dice);
            let places = stored.places();
            assert_eq!(written(&places), stored.places, "{kind}");
            let mut less = places.clone();
            let entry = i64::from(less.remove(dice.below(places.len()))) + stored.block * 4_096;
            stored.put(&connection, &written(&less));
            let said = differs(&path).unwrap();
            let wanted = format!(
                "the row of entry {entry} is not what the entries add up to: a search for it would not find it"
            );
            assert_eq!(said, wanted, "{kind}");
            let mut more = places.clone();
            let free = (0..4_096).find(|place| !places.contains(place));
            if let Some(free) = free {
                more.push(free);
                more.sort_unstable();
                stored.put(&connection, &written(&more));
                let said = differs(&path).unwrap();
                let entry = i64::from(free) + stored.block * 4_096;
                assert!(
                    said.contains(&format!("entry {entry} ")) && said.contains("that should not"),
                    "{kind}: {said}"
                );
            }
            stored.put(&connection, &stored.places);
        }
    }
    assert_eq!(differs(&path), None);
}

const KEEP: &str = "
    CREATE TEMP TABLE IF NOT EXISTS kept_term AS SELECT * FROM term;
    CREATE TEMP TABLE IF NOT EXISTS kept_list AS SELECT * FROM entry_term;
    CREATE TEMP TABLE IF NOT EXISTS kept_head AS SELECT * FROM term_head;";
const RESTORE: &str = "
    BEGIN;
    DELETE FROM term; INSERT INTO term SELECT * FROM kept_term;
    DELETE FROM entry_term; INSERT INTO entry_term SELECT * FROM kept_list;
    DELETE FROM term_head; INSERT INTO term_head SELECT * FROM kept_head;
    COMMIT;";

#[test]
fn lists_that_are_gone_made_up_or_written_otherwise_are_found() {
    let home = Engine::Folder.home();
    let path = lived_in(&home, &mut Dice(12));
    let connection = Connection::open(path.join("brevet.db")).unwrap();
    for (sql, says) in [
        (
            "DELETE FROM entry_term WHERE term = (SELECT id FROM term WHERE word = 'k:user.added')",
            "no entry has it",
        ),
        (
            "DELETE FROM entry_term WHERE block = 1 AND term = (SELECT id FROM term WHERE word = 'o:revoked')",
            "a search for it would not find it",
        ),
        ("UPDATE term SET word = 'w:elsewhere' WHERE word = 'w:migration'", "that should not"),
        (
            "UPDATE entry_term SET term = term + 1000000 WHERE term = (SELECT id FROM term WHERE word = 'w:db')",
            "that should not",
        ),
        ("INSERT INTO term (word) VALUES ('w:erased')", "a word of the search"),
        ("INSERT INTO entry_term VALUES (1, 77, x'0001')", "entry 315393"),
        ("INSERT INTO entry_term VALUES (1, -1, x'0001')", "none that Brevet writes"),
        (
            "UPDATE entry_term SET places = x'000100' WHERE term = (SELECT id FROM term WHERE word = 'o:failed')",
            "would not find it",
        ),
        (
            "UPDATE entry_term SET places = CAST(places || substr(places, -2) AS BLOB) WHERE term = (SELECT id FROM term WHERE word = 'k:group.created')",
            "none that Brevet writes",
        ),
        ("UPDATE term_head SET size = size - 1", "that should not"),
        ("UPDATE term_head SET size = size + 100000", "more entries than there are"),
        ("DELETE FROM term_head", "how far they go is missing"),
    ] {
        connection.execute_batch(KEEP).unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
        let said = differs(&path).unwrap_or_else(|| panic!("not found: {sql}"));
        assert!(said.contains(says), "{sql}: {said}");
        connection.execute_batch(RESTORE).unwrap();
    }
}

#[test]
fn entries_that_are_leaving_for_an_archive_stay_in_their_lists_and_hide_no_other() {
    let home = Engine::Folder.home();
    let path = lived_in(&home, &mut Dice(13));
    let copy = home.path().with_file_name("copy");
    let copied = std::process::Command::new("cp").arg("-a").arg(&path).arg(&copy).status().unwrap();
    assert!(copied.success());
    let archive = VerifiedFolder::open(&copy).unwrap();
    let connection = Connection::open(path.join("brevet.db")).unwrap();
    // In the middle of moving the first 3,000 entries: 1,000 are gone, and a crash comes.
    connection
        .execute_batch(
            "INSERT INTO archive_file (size, first, name, digest, pruned) VALUES (3000, 0, 'x', zeroblob(32), 1000);
             UPDATE entry SET bytes = x'' WHERE seq < 1000; DELETE FROM entry_text WHERE seq < 1000",
        )
        .unwrap();
    let rows = || {
        let folder = VerifiedFolder::open(&path).unwrap();
        let archives = vec![archive.snapshot() as &dyn brevet_store::Source];
        folder.study(archives, &[], &Questions::default(), true, &|_, _| ()).unwrap().rows.unwrap()
    };
    assert!(matches!(rows(), Rows::Same(_)), "{:?}", rows());
    let of = "(SELECT id FROM term WHERE word = 'k:request.submitted')";
    let cut = format!("UPDATE entry_term SET places = zeroblob(512) WHERE block = 0 AND term = {of}");
    assert_eq!(connection.execute(&cut, []).unwrap(), 1);
    match rows() {
        Rows::Differ(found) => {
            let first = "SELECT min(seq) FROM entry WHERE seq >= 1000 AND kind = 'request.submitted'";
            let first: i64 = connection.query_row(first, [], |row| row.get(0)).unwrap();
            assert!(found.to_string().contains(&format!("entry {first} ")), "{found}");
        }
        rows => panic!("{rows:?}"),
    }
}
