//! Changes of the key are kept beside the entries too; what is done to those rows.

use brevet_ledger::{Note, SigningKey};
use rusqlite::params;
use serde_json::json;

use crate::ledger::{add_entries, checkpoint, complaint, copy, open, verify_folder};
use crate::support::place::Place;
use crate::support::stage::Stage;

/// A ledger that changed its key twice, the key before all, and checkpoints of before and between the changes.
struct Rotated {
    place: Place,
    first: String,
    notes: [String; 3],
}

impl Rotated {
    fn told() -> Self {
        let stage = Stage::set();
        let data = stage.place.data();
        let first = std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
        let mut ada = stage.person("ada").connect(&stage.server);
        let mut change =
            || ada.post("/api/v1/ledger/rotate-key", &json!({"overlap_seconds": 0})).unwrap().ok();
        let before = checkpoint(&data);
        change();
        add_entries(&stage, 0, 3);
        let between = checkpoint(&data);
        change();
        add_entries(&stage, 3, 3);
        let (place, _) = stage.stop();
        let after = checkpoint(&place.data());
        Self { place, first, notes: [before, between, after] }
    }

    /// Which entries changed the key.
    fn indexes(&self) -> Vec<i64> {
        let connection = open(&self.place.data());
        let mut statement = connection
            .prepare("SELECT seq FROM entry WHERE kind = 'ledger.key-rotated' ORDER BY seq")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Does harm to a copy, and insists on what is said of it, with and without a key from elsewhere.
    #[track_caller]
    fn check(&self, harm: &dyn Fn(&rusqlite::Connection), code: i32, word: &str, says: &str) {
        let data = copy(&self.place.data(), &self.place.path().join("copy"));
        harm(&open(&data));
        verify_folder(&data, &[]).is(code, word, says);
        verify_folder(&data, &["--key", &self.first]).is(code, word, says);
        let (printed, _, said) = complaint(&data, &[]);
        assert_eq!(printed, code);
        assert!(said.starts_with("NOT VERIFIED: ") && said.contains(says), "{said}");
    }
}

fn run(sql: &str, index: i64) -> impl Fn(&rusqlite::Connection) {
    move |connection| assert_eq!(connection.execute(sql, [index]).unwrap(), 1, "{sql}")
}

fn put(index: i64, note: &str) -> impl Fn(&rusqlite::Connection) {
    let sql = "UPDATE ledger_key SET checkpoint = ?2 WHERE seq = ?1";
    move |connection| assert_eq!(connection.execute(sql, params![index, note]).unwrap(), 1)
}

#[test]
fn a_change_of_the_key_that_is_gone_changed_or_made_up_beside_its_entry_is_found() {
    let rotated = Rotated::told();
    verify_folder(&rotated.place.data(), &["--key", &rotated.first]).is_well();
    let indexes = rotated.indexes();
    assert_eq!(indexes.len(), 2);
    for index in indexes {
        let about = format!("entry {index}");
        let check = |sql: &str, code, word, says: &str| rotated.check(&run(sql, index), code, word, says);
        check("DELETE FROM ledger_key WHERE seq = ?1", 11, "missing", "its row in ledger_key is missing");
        let differs = format!("the change of the key in {about} is not what was written");
        for sql in [
            "UPDATE ledger_key SET bytes = zeroblob(length(bytes)) WHERE seq = ?1",
            "UPDATE ledger_key SET bytes = x'' WHERE seq = ?1",
            "UPDATE ledger_key SET bytes = bytes || x'00' WHERE seq = ?1",
            "UPDATE ledger_key SET bytes = (SELECT bytes FROM ledger_key WHERE seq <> ?1) WHERE seq = ?1",
        ] {
            let sql = sql.replace("bytes || x'00'", "CAST(bytes || x'00' AS BLOB)");
            check(&sql, 10, "changed", &differs);
        }
        check("UPDATE ledger_key SET seq = -seq WHERE seq = ?1", 10, "changed", "is not what was written");
        let believed = format!("the checkpoint over the change of the key in {about} cannot be believed");
        let [before, .., after] = &rotated.notes;
        for note in [before, after] {
            rotated.check(&put(index, note), 15, "bad-signature", &believed);
        }
    }
}

#[test]
fn a_checkpoint_over_a_change_that_only_one_key_signed_is_found() {
    let rotated = Rotated::told();
    let index = rotated.indexes()[1];
    let connection = open(&rotated.place.data());
    let sql = "SELECT checkpoint FROM ledger_key WHERE seq = ?1";
    let note: String = connection.query_row(sql, [index], |row| row.get(0)).unwrap();
    let lines: Vec<&str> = note.lines().collect();
    let (text, signatures) = note.split_once("\n\n").unwrap();
    assert_eq!(signatures.lines().count(), 2, "{lines:?}");
    for line in signatures.lines() {
        let alone = format!("{text}\n\n{line}\n");
        rotated.check(&put(index, &alone), 15, "bad-signature", "cannot be believed");
    }
    // The key of now signs anew what it did not sign: the other signature does not hold.
    let key = std::fs::read_to_string(rotated.place.data().join("ledger.key")).unwrap();
    let key = SigningKey::parse(key.trim()).unwrap();
    let forged = text.replacen(&format!("\n{}\n", text.lines().nth(1).unwrap()), "\n9999\n", 1) + "\n";
    let forged = Note::sign(&forged, &key).unwrap().to_string();
    let old = signatures.lines().find(|line| !forged.contains(&line[..line.len() - 80])).unwrap();
    rotated.check(&put(index, &format!("{forged}{old}\n")), 15, "bad-signature", "cannot be believed");
}

#[test]
fn a_change_of_the_key_that_no_entry_makes_is_found() {
    let rotated = Rotated::told();
    let [.., after] = &rotated.notes;
    for index in [0, 5, -3, 1_000_000] {
        let insert = |connection: &rusqlite::Connection| {
            let sql = "INSERT INTO ledger_key SELECT ?1, bytes, ?2 FROM entry WHERE seq = abs(?1) % 7";
            assert_eq!(connection.execute(sql, params![index, after]).unwrap(), 1);
        };
        rotated.check(&insert, 10, "changed", "is not what was written");
    }
}
