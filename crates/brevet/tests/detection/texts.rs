//! Personal texts: gone where an entry says so, and only there.

use crate::ledger::{copy, edit, keep, number, open, verify_folder};
use crate::support::stage::Stage;

#[test]
fn a_text_may_be_gone_only_where_an_entry_says_so_and_must_be_then() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.request("carol", "--task Linux/Say");
    let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
    let (place, people) = stage.stop();
    let kept = keep(&place, "kept", &String::from_utf8(note).unwrap());
    let before = copy(&place.data(), &place.path().join("before"));
    let seq = number(&before, "SELECT seq FROM entry WHERE kind = 'request.submitted' LIMIT 1");
    let torn = copy(&before, &place.path().join("torn"));
    edit(&torn, &format!("DELETE FROM entry_text WHERE seq = {seq}"));
    let verdict = verify_folder(&torn, &[]);
    verdict.is(
        11,
        "missing",
        &format!("text 0 beside entry {seq} is missing, and no entry says that it was erased"),
    );
    assert_eq!(verdict.value["entry"], seq);

    let stage = Stage::again(place, people);
    stage.types("ada", "user disable carol", 0);
    stage.types("ada", "audit erase --user carol", 0);
    let (place, _) = stage.stop();
    let verdict = verify_folder(&place.data(), &["--checkpoint", &kept]);
    assert!(verdict.is_well().value["texts_erased"].as_u64() > Some(0), "{verdict:?}");
    // It comes back out of a backup.
    let (salt, value): (Vec<u8>, String) = open(&before)
        .query_row("SELECT salt, value FROM entry_text WHERE seq = ?1", [seq.cast_signed()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let sql = "INSERT INTO entry_text (seq, slot, salt, value) VALUES (?1, 0, ?2, ?3)";
    open(&place.data()).execute(sql, (seq.cast_signed(), salt, value)).unwrap();
    let verdict = verify_folder(&place.data(), &[]);
    verdict.is(17, "rows-differ", &format!("a text beside entry {seq} is still there, and entry "));
}
