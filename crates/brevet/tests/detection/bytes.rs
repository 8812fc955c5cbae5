//! Every byte that a verdict rests on, changed in turn.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::ledger::{Verdict, add_entries, edit, lived_in, number, open, size, verify_folder};
use crate::support::dice::Dice;
use crate::support::stage::Stage;

/// How many entries, unless `BREVET_DETECTION_ENTRIES` says so.
const ENTRIES: u64 = 2;

#[expect(clippy::disallowed_methods, reason = "a test's own knob")]
fn entries() -> u64 {
    std::env::var("BREVET_DETECTION_ENTRIES").map_or(ENTRIES, |text| text.parse().unwrap())
}

/// A column of one row, as bytes.
struct Cell<'c> {
    connection: &'c Connection,
    read: &'static str,
    write: &'static str,
    key: i64,
}

impl Cell<'_> {
    fn bytes(&self) -> Vec<u8> {
        self.connection.query_row(self.read, [self.key], |row| row.get(0)).unwrap()
    }

    fn set(&self, bytes: &[u8]) {
        assert_eq!(self.connection.execute(self.write, params![self.key, bytes]).unwrap(), 1);
    }

    /// Changes some of its bytes, one at a time, and shows each verdict.
    fn each_byte(&self, data: &Path, step: usize, mut see: impl FnMut(usize, &Verdict)) {
        let sound = self.bytes();
        let mut dice = Dice::new(self.key.unsigned_abs());
        for place in (0..sound.len()).step_by(step) {
            let mut bytes = sound.clone();
            bytes[place] ^= u8::try_from(dice.below(255) + 1).unwrap();
            self.set(&bytes);
            see(place, &verify_folder(data, &[]));
        }
        self.set(&sound);
        verify_folder(data, &[]).is_well();
    }
}

#[test]
fn each_byte_of_an_entry_is_found_with_its_index() {
    let place = lived_in();
    let data = place.data();
    let (connection, all) = (open(&data), size(&data));
    let mut dice = Dice::new(7);
    // One with texts beside it, and others.
    let with_text = number(&data, "SELECT max(seq) FROM entry_text");
    for index in std::iter::once(with_text).chain((1..entries()).map(|_| dice.below(all))) {
        let (read, write) =
            ("SELECT bytes FROM entry WHERE seq = ?1", "UPDATE entry SET bytes = ?2 WHERE seq = ?1");
        let key = i64::try_from(index).unwrap();
        Cell { connection: &connection, read, write, key }.each_byte(&data, 1, |place, verdict| {
            let says =
                format!("entry {index} was changed: its bytes do not have the leaf hash stored with it");
            verdict.is(10, "changed", &says);
            assert_eq!(verdict.value["entry"], index, "byte {place}: {verdict:?}");
        });
    }
}

#[test]
fn each_byte_of_a_leaf_hash_is_found_with_its_index() {
    let place = lived_in();
    let data = place.data();
    let connection = open(&data);
    let (read, write) =
        ("SELECT leaf FROM entry WHERE seq = ?1", "UPDATE entry SET leaf = ?2 WHERE seq = ?1");
    Cell { connection: &connection, read, write, key: 5 }.each_byte(&data, 1, |_, verdict| {
        verdict.is(10, "changed", "entry 5 was changed");
        assert_eq!(verdict.value["entry"], 5);
    });
}

#[test]
fn each_byte_of_a_text_and_its_salt_is_found() {
    let place = lived_in();
    let data = place.data();
    let connection = open(&data);
    let seq = number(&data, "SELECT max(seq) FROM entry_text");
    let key = i64::try_from(seq).unwrap();
    let says = format!("text 0 beside entry {seq} is not the one that the entry commits to");
    let (read, write) = (
        "SELECT CAST(value AS BLOB) FROM entry_text WHERE seq = ?1 AND slot = 0",
        "UPDATE entry_text SET value = CAST(?2 AS TEXT) WHERE seq = ?1 AND slot = 0",
    );
    let see = |_, verdict: &Verdict| {
        verdict.is(10, "changed", &says);
    };
    Cell { connection: &connection, read, write, key }.each_byte(&data, 1, see);
    let (read, write) = (
        "SELECT salt FROM entry_text WHERE seq = ?1 AND slot = 0",
        "UPDATE entry_text SET salt = ?2 WHERE seq = ?1 AND slot = 0",
    );
    Cell { connection: &connection, read, write, key }.each_byte(&data, 1, see);
}

#[test]
fn each_byte_of_the_head_is_found() {
    let place = lived_in();
    let data = place.data();
    let connection = open(&data);
    let (read, write) = ("SELECT edge FROM head WHERE one = ?1", "UPDATE head SET edge = ?2 WHERE one = ?1");
    Cell { connection: &connection, read, write, key: 1 }.each_byte(&data, 3, |_, verdict| {
        verdict.is(10, "changed", "the stored head does not fit the");
    });
    let (read, write) = (
        "SELECT CAST(checkpoint AS BLOB) FROM head WHERE one = ?1",
        "UPDATE head SET checkpoint = CAST(?2 AS TEXT) WHERE one = ?1",
    );
    Cell { connection: &connection, read, write, key: 1 }.each_byte(&data, 3, |place, verdict| {
        verdict.is(15, "bad-signature", "");
        assert_eq!(verdict.code, 15, "byte {place}");
    });
}

#[test]
fn a_stored_node_and_the_size_in_the_head_are_found() {
    let stage = Stage::set();
    add_entries(&stage, 0, 260);
    let data = stage.stop().0;
    let place = data;
    let data = place.data();
    let connection = open(&data);
    let (read, write) = (
        "SELECT hash FROM node WHERE level = ?1 AND place = 0",
        "UPDATE node SET hash = ?2 WHERE level = ?1 AND place = 0",
    );
    Cell { connection: &connection, read, write, key: 1 }.each_byte(&data, 2, |_, verdict| {
        verdict.is(10, "changed", "the stored node 0 of tile level 1 does not fit the entries below it");
    });
    let all = size(&data);
    edit(&data, "UPDATE head SET size = size + 1");
    verify_folder(&data, &[]).is(11, "missing", &format!("entry {all} is missing"));
    edit(&data, "UPDATE head SET size = size - 2");
    verify_folder(&data, &[]).is(10, "changed", &format!("entry {} was inserted", all - 1));
    edit(&data, "UPDATE head SET size = size + 1");
    edit(&data, "DELETE FROM node");
    verify_folder(&data, &[]).is(11, "missing", "the node 0 of tile level 1 is missing");
}
