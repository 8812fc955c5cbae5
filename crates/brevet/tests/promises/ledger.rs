//! Whatever is changed in what a server left behind, `brevet audit verify` says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::BREVET;
use crate::support::place::{Place, write_private};
use crate::support::stage::Stage;

/// A data folder in which everything happened once.
fn lived_in() -> Place {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    stage.types("bob", "run Linux/Exit -p code=1", 1);
    let denied = stage.request("carol", "--task Linux/Say");
    stage.types("anna", &format!("request deny {denied} --comment No"), 0);
    let authorization = stage.grant("carol", "--task Linux/Say --duration 1h");
    stage.types("alice", &format!("authorization revoke {authorization} --comment Enough"), 0);
    stage.types("ada", "user disable carol", 0);
    stage.stop().0
}

fn copy(place: &Place, name: &str) -> PathBuf {
    let to = place.path().join(name);
    drop(fs::remove_dir_all(&to));
    let copied = Command::new("cp").arg("-a").arg(place.data()).arg(&to).status().unwrap();
    assert!(copied.success());
    to
}

fn verify(data: &Path, more: &[&str]) -> (i32, Value) {
    let mut command = Command::new(BREVET);
    let output =
        command.args(["audit", "verify", "-o", "json", "--data"]).arg(data).args(more).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

fn edit(data: &Path, sql: &str) -> usize {
    let connection = Connection::open(data.join("brevet.db")).unwrap();
    let edited = connection.execute(sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    edited
}

#[test]
fn an_entry_that_is_changed_is_named() {
    let place = lived_in();
    let (code, whole) = verify(&place.data(), &[]);
    assert_eq!(code, 0, "{whole}");
    let entries = whole["entries"].as_u64().unwrap();
    for entry in 0..entries {
        // Another byte of each: near its beginning, within, and its last.
        let place_of = match entry % 3 {
            0 => "length(bytes)".to_owned(),
            1 => "length(bytes) / 2".to_owned(),
            _ => format!("1 + {entry} % length(bytes)"),
        };
        let data = copy(&place, "copy");
        let sql = format!(
            "UPDATE entry SET bytes = CAST(substr(bytes, 1, {place_of} - 1) || \
             CASE WHEN substr(bytes, {place_of}, 1) = x'41' THEN x'42' ELSE x'41' END || \
             substr(bytes, {place_of} + 1) AS BLOB) WHERE seq = {entry}"
        );
        assert_eq!(edit(&data, &sql), 1);
        let (code, found) = verify(&data, &[]);
        assert_eq!((code, found["verified"].as_bool()), (10, Some(false)), "entry {entry}: {found}");
        assert_eq!(found["entry"].as_u64(), Some(entry), "{found}");
    }
}

#[test]
fn whatever_else_is_changed_dropped_or_added_is_found() {
    let place = lived_in();
    let (_, whole) = verify(&place.data(), &[]);
    let last = whole["entries"].as_u64().unwrap() - 1;
    let mut edits = vec![
        format!("DELETE FROM entry WHERE seq = {last}"),
        "DELETE FROM entry WHERE seq = 3".to_owned(),
        "DELETE FROM entry".to_owned(),
        format!(
            "INSERT INTO entry SELECT {last} + 1, kind, actor, request, leaf, bytes FROM entry WHERE seq = {last}"
        ),
        "UPDATE head SET size = size - 1".to_owned(),
        "UPDATE head SET size = size + 1".to_owned(),
        "UPDATE head SET checkpoint = ''".to_owned(),
        "DELETE FROM head".to_owned(),
        "UPDATE entry_text SET value = value || ' '".to_owned(),
        "UPDATE entry_text SET salt = zeroblob(length(salt))".to_owned(),
    ];
    edits.extend(
        (0..=last).step_by(4).map(|seq| format!("UPDATE entry SET kind = kind || 'x' WHERE seq = {seq}")),
    );
    edits.extend(row_edits());
    for sql in &edits {
        let data = copy(&place, "copy");
        assert!(edit(&data, sql) > 0, "nothing to change: {sql}");
        let (code, found) = verify(&data, &[]);
        assert!((10..=17).contains(&code) && found["verified"] == false, "{sql}: {code} {found}");
    }
}

fn row_edits() -> Vec<String> {
    let mut edits = Vec::new();
    for table in ["request", "authorization", "execution"] {
        edits.push(format!("DELETE FROM {table} WHERE id = 1"));
        edits.push(format!("UPDATE {table} SET state = state + 1 WHERE id = 1"));
        edits.push(format!("UPDATE {table} SET id = 77 WHERE id = 1"));
        edits.push(format!("UPDATE {table} SET body = CAST(body || x'00' AS BLOB) WHERE id = 1"));
    }
    for kind in ["user", "group", "policy"] {
        edits.push(format!("DELETE FROM object WHERE kind = '{kind}' AND id = 1"));
        edits.push(format!("UPDATE object SET text1 = 'mallory' WHERE kind = '{kind}' AND id = 1"));
    }
    edits
}

#[test]
fn a_ledger_that_was_rolled_back_disagrees_with_a_checkpoint_kept_elsewhere() {
    let stage = Stage::with_policy("Linux/Say", "");
    let (place, people) = stage.stop();
    let earlier = copy(&place, "earlier");
    let stage = Stage::again(place, people);
    stage.grant("bob", "--task Linux/Say");
    let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
    let (place, _) = stage.stop();
    let kept = place.path().join("kept");
    write_private(&kept, &note);
    let kept = kept.to_str().unwrap();
    assert_eq!(verify(&place.data(), &["--checkpoint", kept]).0, 0);
    assert_eq!(
        verify(&earlier, &[]).0,
        0,
        "alone it looks whole: that is why checkpoints are kept elsewhere"
    );
    let (code, found) = verify(&earlier, &["--checkpoint", kept]);
    assert_eq!((code, found["verified"].as_bool()), (12, Some(false)), "{found}");
}
