//! What a ledger may do in order: change its key, move old entries to an archive, go on under a new name.

use std::process::Command;

use brevet_ledger::{KeyName, Note, SigningKey};
use serde_json::json;

use crate::ledger::{add_entries, back_up, checkpoint, edit, keep, open, size, text, verify_folder};
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
    let verdict = verify_folder(&data, &["--key", &first]);
    verdict.is(11, "missing", "its row in ledger_key is missing");
    let also = verdict.value["also"].to_string();
    assert!(also.contains("bad-signature") && also.contains("none of the known keys signed"), "{verdict:?}");
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
fn a_key_that_was_replaced_signs_nothing_that_came_after() {
    let stage = Stage::set();
    let data = stage.place.data();
    let first = std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
    let before = keep(&stage.place, "before", &checkpoint(&data));
    let stolen = SigningKey::parse(std::fs::read_to_string(data.join("ledger.key")).unwrap().trim()).unwrap();
    let mut ada = stage.person("ada").connect(&stage.server);
    ada.post("/api/v1/ledger/rotate-key", &json!({"overlap_seconds": 0})).unwrap().ok();
    add_entries(&stage, 0, 3);
    let (place, _) = stage.stop();
    let now = std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
    let sound: Note = checkpoint(&data).parse().unwrap();
    let forged = Note::sign(sound.text(), &stolen).unwrap().to_string();
    let kept = keep(&place, "forged", &forged);
    let policy = keep(&place, "policy", &format!("log {first}\nlog {now}\nquorum none\n"));
    for trust in [["--key", &first], ["--key", &now], ["--policy", &policy]] {
        verify_folder(&data, &[&trust[..], &["--checkpoint", &before]].concat()).is_well();
        let verdict = verify_folder(&data, &[&trust[..], &["--checkpoint", &kept]].concat());
        verdict.is(15, "bad-signature", "none of the known keys signed");
    }
    // Nor as the checkpoint of the ledger itself.
    open(&data).execute("UPDATE head SET checkpoint = ?1", [&forged]).unwrap();
    let verdict = verify_folder(&data, &["--key", &first, "--key", &now]);
    verdict.is(15, "bad-signature", "the checkpoint in the folder cannot be believed");
}

#[test]
fn a_recovery_does_not_hide_that_the_end_was_cut_off() {
    let stage = Stage::set();
    let data = stage.place.data();
    let within = keep(&stage.place, "within", &checkpoint(&data));
    let older = back_up(&data, &stage.place.path().join("older"));
    let had = size(&older);
    add_entries(&stage, 0, 5);
    let (place, _) = stage.stop();
    let (whole, all) = (checkpoint(&data), size(&data));
    let kept = keep(&place, "kept", &whole);
    let into = place.path().join("recovered");
    let mut command = Command::new(BREVET);
    command.args(["audit", "recover", "--data", text(&older), "--into", text(&into)]);
    let typed = Typed::of(command.output().unwrap());
    assert_eq!(typed.code, 0, "{typed:?}");
    let key_of =
        |data: &std::path::Path| std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned();
    let (before, after) = (key_of(&data), key_of(&into));
    let says = format!("signs {all} entries of ");
    for keys in [&[][..], &["--key", &before, "--key", &after]] {
        verify_folder(&into, &[keys, &["--checkpoint", &within]].concat()).is_well();
        let verdict = verify_folder(&into, &[keys, &["--checkpoint", &kept]].concat());
        verdict.is(12, "truncated", &says);
        assert!(verdict.sentence().ends_with(&format!("after {had}: {} are lost", all - had)), "{verdict:?}");
    }
    let verdict = verify_folder(&into, &["--key", &after]);
    verdict.is(15, "bad-signature", "none of the keys that are trusted is of that name");
    let name = KeyName::parse(before.split('+').next().unwrap()).unwrap();
    let other = SigningKey::from_seed(name, &[1; 32]);
    let note: Note = whole.parse().unwrap();
    let stranger = keep(&place, "stranger", &Note::sign(note.text(), &other).unwrap().to_string());
    verify_folder(&into, &["--checkpoint", &stranger]).is(15, "bad-signature", "cannot be believed");
    // The archive brings a key of its own; that is not the one to trust.
    let verdict = verify_folder(&into, &["--key", &other.verifier().to_string(), "--key", &after]);
    verdict.is(15, "bad-signature", "cannot be believed");
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
