//! Rows that are deleted, inserted, moved, or that say something else than the entries.

use crate::ledger::{copy, edit, lived_in, open, size, verify_folder};

#[test]
fn deleted_entries_are_missing() {
    let place = lived_in();
    let all = size(&place.data());
    for index in [0, 3, all - 1] {
        let data = copy(&place.data(), &place.path().join("copy"));
        edit(&data, &format!("DELETE FROM entry WHERE seq = {index}"));
        let verdict = verify_folder(&data, &[]);
        verdict.is(11, "missing", &format!("entry {index} is missing"));
        assert_eq!(verdict.value["entry"], index);
    }
    let data = copy(&place.data(), &place.path().join("copy"));
    edit(&data, "DELETE FROM entry");
    verify_folder(&data, &[]).is(11, "missing", "entry 0 is missing");
    edit(&data, "DELETE FROM head");
    verify_folder(&data, &[]).is(1, "cannot-verify", "there is no ledger");
}

#[test]
fn inserted_entries_are_found() {
    let place = lived_in();
    let all = size(&place.data());
    let columns = "kind, actor, request, leaf, bytes";
    let data = copy(&place.data(), &place.path().join("copy"));
    let insert = |seq: i64| {
        format!("INSERT INTO entry (seq, {columns}) SELECT {seq}, {columns} FROM entry WHERE seq = 3")
    };
    edit(&data, &insert(i64::try_from(all).unwrap()));
    // It was made for another place.
    verify_folder(&data, &[]).is(
        10,
        "changed",
        &format!("entry {all} was moved: it says of itself that it is entry 3"),
    );
    let data = copy(&place.data(), &place.path().join("copy"));
    edit(&data, &insert(-5));
    verify_folder(&data, &[]).is(10, "changed", "an entry was inserted");
    // In the middle, with all later ones moved on and the head made to fit.
    let data = copy(&place.data(), &place.path().join("copy"));
    let connection = open(&data);
    for seq in (8..all).rev() {
        connection.execute("UPDATE entry SET seq = seq + 1 WHERE seq = ?1", [seq.cast_signed()]).unwrap();
    }
    edit(&data, &insert(8));
    edit(&data, "UPDATE head SET size = size + 1");
    verify_folder(&data, &[]).is(10, "changed", "entry 8 was moved: it says of itself that it is entry 3");
}

#[test]
fn moved_entries_are_found() {
    let place = lived_in();
    let data = copy(&place.data(), &place.path().join("copy"));
    edit(&data, "UPDATE entry SET seq = -100 WHERE seq = 7");
    edit(&data, "UPDATE entry SET seq = 7 WHERE seq = 8");
    edit(&data, "UPDATE entry SET seq = 8 WHERE seq = -100");
    let verdict = verify_folder(&data, &[]);
    assert_eq!(verdict.code, 10, "{verdict:?}");
    assert!(verdict.value["entry"] == 7, "{verdict:?}");
    assert!(verdict.sentence().contains("entry 7"), "{verdict:?}");
}

#[test]
fn rows_that_say_something_else_than_the_entries_are_found() {
    let place = lived_in();
    for (sql, says) in [
        (
            "UPDATE request SET state = 3 WHERE id = 1",
            "the row of request 1 is not what the entries add up to",
        ),
        (
            "DELETE FROM authorization WHERE id = 1",
            "the row of authorization 1 is not what the entries add up to: it is missing",
        ),
        ("UPDATE object SET text1 = 'mallory' WHERE kind = 'user' AND id = 1", "the row of user 1"),
        (
            "UPDATE entry SET kind = 'ledger.read' WHERE kind = 'execution.started'",
            "what it is found by was changed",
        ),
        // The lists that searches go by; crates/brevet-store/tests/lists.rs has all kinds of them.
        ("INSERT INTO term (word) VALUES ('w:mallory')", "the row of a word of the search"),
        ("UPDATE term_head SET size = 9", "a search for it would not find it"),
        ("UPDATE head SET counters = zeroblob(1)", ""),
    ] {
        let data = copy(&place.data(), &place.path().join("copy"));
        edit(&data, sql);
        let verdict = verify_folder(&data, &[]);
        if says.is_empty() {
            assert!(verdict.code != 0, "{sql}: {verdict:?}");
        } else {
            verdict.is(17, "rows-differ", says);
        }
    }
}
