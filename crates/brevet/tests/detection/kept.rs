//! What a ledger may do in order: change its key, move old entries to an archive, go on under a new name.

use std::process::Command;

use serde_json::json;

use crate::ledger::{add_entries, checkpoint, edit, keep, open, text, verify_folder};
use crate::support::BREVET;
use crate::support::person::Typed;
use crate::support::stage::Stage;

#[test]
fn a_key_that_changed_in_order_is_followed_from_the_one_that_is_trusted() {
    let stage = Stage::set();
    let data = stage.place.data();
    let first = std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
    let before = keep(&stage.place, "before", &checkpoint(&data));
    let mut ada = stage.person("ada").connect(&stage.server);
    ada.post("/api/v1/ledger/rotate-key", &json!({"overlap_seconds": 0})).unwrap().ok();
    add_entries(&stage, 0, 3);
    let (_place, _) = stage.stop();
    let now = std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
    assert_ne!(first, now);
    for key in [&first, &now] {
        verify_folder(&data, &["--key", key, "--checkpoint", &before]).is_well();
    }
    verify_folder(&data, &["--checkpoint", &before]).is_well();
    // Without the checkpoint that both keys signed, the entry alone proves nothing.
    edit(&data, "DELETE FROM ledger_key");
    verify_folder(&data, &["--key", &first]).is(15, "bad-signature", "none of the known keys signed");
}

#[test]
fn a_ledger_that_goes_on_under_a_new_name_verifies_together_with_the_one_before() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let (place, _) = stage.stop();
    let kept = keep(&place, "kept", &checkpoint(&place.data()));
    let into = place.path().join("recovered");
    let mut command = Command::new(BREVET);
    command.args(["audit", "recover", "--data", text(&place.data()), "--into", text(&into)]);
    let typed = Typed::of(command.args(["--checkpoint", &kept]).output().unwrap());
    assert_eq!(typed.code, 0, "{typed:?}");
    let verdict = verify_folder(&into, &["--checkpoint", &kept]);
    let notes = verdict.is_well().value["notes"].to_string();
    assert!(notes.contains("were verified from their archive"), "{verdict:?}");
    assert!(verdict.value["rows"].as_u64() > Some(3), "rows of before are compared too: {verdict:?}");
    // A row that the ledger before made.
    edit(&into, "UPDATE object SET text1 = 'mallory' WHERE kind = 'user' AND id = 2");
    verify_folder(&into, &[]).is(17, "rows-differ", "the row of user 2");
}

#[test]
fn entries_whose_bytes_are_gone_are_missing_unless_an_entry_says_where_they_are() {
    let (place, _) = Stage::set().stop();
    let data = place.data();
    edit(&data, "DELETE FROM entry_text");
    edit(&data, "UPDATE entry SET bytes = zeroblob(0) WHERE seq < 5");
    open(&data).execute("DELETE FROM entry_text", []).unwrap();
    let verdict = verify_folder(&data, &[]);
    assert_eq!(verdict.code, 11, "{verdict:?}");
}
