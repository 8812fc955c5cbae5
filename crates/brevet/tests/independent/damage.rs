//! Damage that both verifiers must find, and call the same.

use rusqlite::params;
use serde_json::{Value, json};

use crate::story::{Copy, Story};
use crate::support::dice::Dice;
use crate::{Verdict, both, second, text};

/// One cell of the database: how it is read and written as bytes.
struct Cell {
    read: &'static str,
    write: &'static str,
    code: i32,
}

const CELLS: &[Cell] = &[
    Cell {
        read: "SELECT bytes FROM entry WHERE seq = 3",
        write: "UPDATE entry SET bytes = ?1 WHERE seq = 3",
        code: 10,
    },
    Cell {
        read: "SELECT bytes FROM entry WHERE seq = 500",
        write: "UPDATE entry SET bytes = ?1 WHERE seq = 500",
        code: 10,
    },
    Cell {
        read: "SELECT leaf FROM entry WHERE seq = 255",
        write: "UPDATE entry SET leaf = ?1 WHERE seq = 255",
        code: 10,
    },
    Cell {
        read: "SELECT hash FROM node WHERE level = 1 AND place = 1",
        write: "UPDATE node SET hash = ?1 WHERE level = 1 AND place = 1",
        code: 10,
    },
    Cell { read: "SELECT edge FROM head", write: "UPDATE head SET edge = ?1", code: 10 },
    Cell {
        read: "SELECT CAST(checkpoint AS BLOB) FROM head",
        write: "UPDATE head SET checkpoint = CAST(?1 AS TEXT)",
        code: 15,
    },
    Cell {
        read: "SELECT CAST(value AS BLOB) FROM entry_text WHERE seq = (SELECT max(seq) FROM entry_text)",
        write: "UPDATE entry_text SET value = CAST(?1 AS TEXT) WHERE seq = (SELECT max(seq) FROM entry_text)",
        code: 10,
    },
    Cell {
        read: "SELECT salt FROM entry_text WHERE seq = (SELECT min(seq) FROM entry_text)",
        write: "UPDATE entry_text SET salt = ?1 WHERE seq = (SELECT min(seq) FROM entry_text)",
        code: 10,
    },
    Cell { read: "SELECT bytes FROM ledger_key", write: "UPDATE ledger_key SET bytes = ?1", code: 10 },
];

/// How many bytes of each cell are changed, one at a time.
const BYTES: usize = 4;

impl Cell {
    fn is_found(&self, copy: &Copy, dice: &mut Dice) {
        let connection = copy.open();
        let sound: Vec<u8> = connection.query_row(self.read, [], |row| row.get(0)).unwrap();
        for _ in 0..BYTES {
            let mut bytes = sound.clone();
            let place = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
            bytes[place] ^= u8::try_from(dice.below(255) + 1).unwrap();
            assert!(connection.execute(self.write, params![bytes]).unwrap() > 0, "{}", self.write);
            let verdict = both(&[text(copy.path())]);
            assert_eq!(verdict.code, self.code, "{} byte {place}: {verdict:#?}", self.write);
        }
        connection.execute(self.write, params![sound]).unwrap();
    }
}

#[test]
fn both_find_the_same_changed_bytes_of_a_folder() {
    let story = Story::told();
    let copy = Copy::of(&story);
    let mut dice = Dice::new(3);
    for cell in CELLS {
        cell.is_found(&copy, &mut dice);
    }
    assert_eq!(both(&[text(copy.path())]).code, 0, "all of it was put back");
}

/// Rows that are gone, surplus or elsewhere, and the exit code.
const ROWS: &[(&str, i32)] = &[
    ("DELETE FROM entry WHERE seq = 0", 11),
    ("DELETE FROM entry WHERE seq = 400", 11),
    ("DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)", 11),
    (
        "UPDATE entry SET seq = -1 WHERE seq = 400; UPDATE entry SET seq = 400 WHERE seq = 401;
        UPDATE entry SET seq = 401 WHERE seq = -1",
        10,
    ),
    (
        "INSERT INTO entry SELECT seq + 1, kind, actor, request, leaf, bytes FROM entry ORDER BY seq DESC LIMIT 1",
        10,
    ),
    ("INSERT INTO entry SELECT -1, kind, actor, request, leaf, bytes FROM entry WHERE seq = 7", 10),
    ("UPDATE entry SET bytes = zeroblob(0) WHERE seq = 400", 11),
    ("DELETE FROM entry_text WHERE seq = (SELECT min(seq) FROM entry_text)", 11),
    ("UPDATE entry_text SET slot = 9 WHERE seq = (SELECT min(seq) FROM entry_text)", 10),
    ("INSERT INTO entry_text VALUES (0, 0, zeroblob(16), 'x')", 10),
    ("INSERT INTO entry_text VALUES (100000, 0, zeroblob(16), 'x')", 10),
    ("UPDATE head SET size = size + 1", 11),
    ("UPDATE head SET size = size - 1", 10),
    ("UPDATE head SET checkpoint = ''", 15),
    ("DELETE FROM node WHERE level = 1 AND place = 1", 11),
    ("INSERT INTO node VALUES (2, 0, zeroblob(32))", 10),
    ("UPDATE ledger_key SET seq = seq + 1", 10),
    ("UPDATE ledger_key SET seq = -seq", 10),
    ("INSERT INTO ledger_key SELECT seq, bytes, (SELECT checkpoint FROM head) FROM entry WHERE seq = 7", 10),
    ("UPDATE ledger_key SET checkpoint = (SELECT checkpoint FROM head)", 15),
    ("DELETE FROM ledger_key", 11),
];

#[test]
fn both_find_the_same_rows_gone_inserted_and_moved() {
    let story = Story::told();
    for (sql, code) in ROWS {
        let copy = Copy::of(&story);
        copy.open().execute_batch(sql).unwrap();
        let verdict = both(&[text(copy.path())]);
        assert_eq!(verdict.code, *code, "{sql}: {verdict:#?}");
        assert_eq!(verdict.value["finding"], verdict.second["finding"], "{sql}: {verdict:#?}");
    }
}

/// Writes a file beside what was kept, and asks both.
fn changed(story: &Story, name: &str, what: &[u8], more: &[&str]) -> Verdict {
    let path = story.kept(name);
    std::fs::write(&path, what).unwrap();
    both(&[&[text(&path), "--key", text(&story.kept("late.vkey"))], more].concat())
}

#[test]
fn both_find_the_same_harm_in_an_export() {
    let story = Story::told();
    let whole = std::fs::read_to_string(story.kept("ledger.jsonl")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let check =
        |lines: &[&str]| changed(&story, "changed.jsonl", (lines.join("\n") + "\n").as_bytes(), &[]).code;
    let last = lines.len() - 1;
    assert_eq!(check(&lines), 0);
    assert_eq!(check(&[&lines[..8], &lines[9..]].concat()), 11, "an entry deleted");
    assert_eq!(check(&[&lines[..9], &lines[8..]].concat()), 10, "an entry twice");
    let end = lines.iter().position(|line| line.starts_with("{\"checkpoint\"")).unwrap();
    assert_eq!(check(&[&lines[..end - 1], &lines[end..]].concat()), 12, "the last entry deleted");
    assert_eq!(check(&lines[..end]), 12, "no checkpoint");
    let mut swapped = lines.clone();
    swapped.swap(8, 9);
    assert_eq!(check(&swapped), 11, "two swapped");
    let mut other = lines.clone();
    let note = lines[last].replacen("\\n\\n", "x\\n\\n", 1);
    other[last] = &note;
    assert_eq!(check(&other), 15, "another checkpoint");
    let line = lines.iter().position(|line| line.contains("\"Because\"")).unwrap();
    let other_text = lines[line].replace("\"Because\"", "\"Whatever\"");
    let mut other = lines.clone();
    other[line] = &other_text;
    assert_eq!(check(&other), 10, "another text");
    let later = ["--checkpoint", text(&story.kept("late-checkpoint")).to_owned().leak() as &str];
    assert_eq!(changed(&story, "changed.jsonl", whole.as_bytes(), &later).code, 12, "the ledger went on");
}

#[test]
fn both_find_the_same_harm_in_a_bundle() {
    let story = Story::told();
    let whole: Value =
        serde_json::from_slice(&std::fs::read(story.kept("story.brevet-bundle")).unwrap()).unwrap();
    let check = |edit: &dyn Fn(&mut Value)| {
        let mut value = whole.clone();
        edit(&mut value);
        changed(&story, "changed.brevet-bundle", value.to_string().as_bytes(), &[]).code
    };
    assert_eq!(check(&|_| ()), 0);
    assert_eq!(check(&|value| value["more"] = json!(1)), 1);
    assert_eq!(check(&|value| value["version"] = json!(2)), 1);
    assert_eq!(check(&|value| value["origin"] = json!("other.example")), 15);
    for entry in (0..whole["entries"].as_array().unwrap().len()).step_by(3) {
        let of = |value: &mut Value, edit: &dyn Fn(&mut Value)| edit(&mut value["entries"][entry]);
        let flipped = flip(whole["entries"][entry]["bytes"].as_str().unwrap(), 24);
        assert_eq!(check(&|value| of(value, &|entry| entry["bytes"] = json!(flipped))), 10);
        let index = whole["entries"][entry]["index"].as_u64().unwrap();
        assert_eq!(check(&|value| of(value, &|entry| entry["index"] = json!(index + 1))), 10);
        let less = |entry: &mut Value| drop(entry["proof"].as_array_mut().unwrap().pop());
        assert_eq!(check(&|value| of(value, &less)), 10);
        let lies = |entry: &mut Value| {
            for text in entry["texts"].as_array_mut().unwrap() {
                text["text"] = json!("Whatever");
            }
        };
        let has_texts = whole["entries"][entry]["texts"] != json!([]);
        assert_eq!(check(&|value| of(value, &lies)), if has_texts { 10 } else { 0 });
    }
    let output = flip(whole["outputs"][0]["bytes"].as_str().unwrap(), 1);
    assert_eq!(check(&|value| value["outputs"][0]["bytes"] = json!(output)), 10);
    assert_eq!(check(&|value| value["entries"].as_array_mut().unwrap().swap(1, 2)), 10);
}

/// Base64 with another character at a place.
fn flip(base64: &str, place: usize) -> String {
    let other = if base64[place..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &base64[..place], &base64[place + 1..])
}

#[test]
fn both_believe_no_receipt_that_was_changed() {
    let story = Story::told();
    let whole = std::fs::read_to_string(story.kept("late.tlog-proof")).unwrap();
    let (hash, data) = (whole.lines().nth(4).unwrap(), story.data());
    let less = whole.replacen(&format!("{hash}\n"), "", 1);
    let more = whole.replacen(hash, &format!("{hash}\n{hash}"), 1);
    let changes = [
        (whole.clone(), 0),
        (whole.replacen("index 300", "index 301", 1), 15),
        (whole.replacen("index 300", "index 0300", 1), 1),
        (whole.replacen(hash, &flip(hash, 5), 1), 15),
        (less, 15),
        (more, 15),
        (whole.replacen("\n\n", "\n\nx", 1), 15),
        (whole.replacen("tlog-proof@v1", "tlog-proof@v2", 1), 1),
    ];
    for (receipt, code) in changes {
        std::fs::write(story.kept("changed.tlog-proof"), &receipt).unwrap();
        let file = story.kept("changed.tlog-proof");
        let key = story.kept("late.vkey");
        assert_eq!(both(&[text(&data), "--receipts", text(&file)]).code, code, "{receipt}");
        assert_eq!(second(&[text(&file), "--key", text(&key)]).0, code, "alone: {receipt}");
    }
}
