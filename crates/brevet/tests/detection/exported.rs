//! An export, changed after it was written.

use crate::ledger::{checkpoint, complain, keep, text, verify};
use crate::support::place::Place;
use crate::support::stage::Stage;

/// The lines of an export, the ledger's key, and a checkpoint kept of the same ledger.
fn exported() -> (Place, Vec<String>, String, String) {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let file = stage.place.path().join("ledger.jsonl");
    stage.types("otto", &format!("audit export --out {}", file.display()), 0);
    let (place, _) = stage.stop();
    let lines = std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
    let key = std::fs::read_to_string(place.data().join("ledger.vkey")).unwrap().trim().to_owned();
    let kept = keep(&place, "kept", &checkpoint(&place.data()));
    (place, lines, key, kept)
}

#[test]
fn an_export_verifies_alone_and_shows_what_was_done_to_it() {
    let (place, lines, key, larger) = exported();
    let file = place.path().join("changed.jsonl");
    let check = |lines: &[String], more: &[&str]| {
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        verify(&[&["--export", text(&file), "--key", &key], more].concat())
    };
    let all = lines.len() - 2;
    assert_eq!(check(&lines, &[]).is_well().value["entries"], all);
    assert_eq!(
        verify(&[text(&file), "--key", &key]).is_well().value["entries"],
        all,
        "a path says what it is"
    );
    let without = |from: usize| [&lines[..from], &lines[from + 1..]].concat();
    check(&without(4), &[]).is(11, "missing", "entry 3 is missing");
    check(&without(all), &[]).is(12, "truncated", "");
    check(&lines[..=all], &[]).is(12, "truncated", "was cut short");
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    check(&swapped, &[]).is(11, "missing", "entry 3 is missing");
    check(&[&lines[..5], &lines[4..]].concat(), &[]).is(10, "changed", "an entry was inserted");
    let change = |line: usize, from: &str, to: &str| {
        let mut changed = lines.clone();
        assert!(changed[line].contains(from), "{}", changed[line]);
        changed[line] = changed[line].replacen(from, to, 1);
        changed
    };
    let bytes = lines[6].split("\"bytes\":\"").nth(1).unwrap().split('"').next().unwrap();
    let mut other = bytes.to_owned().into_bytes();
    other[60] = if other[60] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).unwrap();
    assert_eq!(check(&change(6, bytes, &other), &[]).code, 10);
    let reason = lines.iter().position(|line| line.contains("Because")).unwrap();
    let texts = lines[reason].rsplit_once("\"Because\"").unwrap();
    let mut changed = lines.clone();
    changed[reason] = format!("{}\"Whatever\"{}", texts.0, texts.1);
    check(&changed, &[]).is(10, "changed", &format!("text 0 beside entry {}", reason - 1));
    // What a line says in words is what its bytes say.
    let asked = lines.iter().position(|line| line.contains("request.submitted")).unwrap();
    let said: serde_json::Value = serde_json::from_str(&lines[asked]).unwrap();
    for (field, value, other) in [
        ("time", &said["time"], "2025-01-01T00:00:00Z"),
        ("kind", &said["kind"], "user.added"),
        ("actor", &said["actor"]["id"], "usr-99"),
        ("session", &said["session"], "ses-99"),
    ] {
        let forged = change(asked, &format!("\"{}\"", value.as_str().unwrap()), &format!("\"{other}\""));
        check(&forged, &[]).is(10, "changed", &format!("its {field} is not what its bytes say"));
    }
    let notes = check(&lines, &[]).is_well().value["notes"].to_string();
    assert!(notes.contains("summary, details and names stand there for reading only"), "{notes}");
    // A checkpoint of the ledger as it was later signs more than the export has.
    check(&lines, &["--checkpoint", &larger]).is(12, "truncated", "the ledger was cut short");
    // An older checkpoint put in place of the last line belongs to fewer entries.
    check(&change(0, "\"size\":", "\"size\":1"), &[]).is(12, "truncated", "announces");
}

#[test]
fn what_a_file_says_does_not_reach_the_terminal_as_it_is() {
    let (place, _, _, _) = exported();
    let file = place.path().join("hostile.jsonl");
    std::fs::write(&file, "{\"brevet\":\"\\u001b[2J\\u202e\\nThe ledger verifies\",\"version\":1,\"origin\":\"a\",\"keys\":[],\"first\":0,\"size\":0}\n").unwrap();
    let (code, _, said) = complain(&["--export", text(&file)]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("\\u{1b}[2J\\u{202e}\\u{a}The ledger"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_part_of_a_ledger_is_called_that() {
    let (place, _, _, _) = exported();
    let file = place.path().join("part.jsonl");
    std::fs::write(&file, "{\"brevet\":\"excerpt\",\"version\":1,\"origin\":\"a\",\"partial\":true}\n")
        .unwrap();
    verify(&[text(&file)]).is(1, "cannot-verify", "it is an excerpt, a part of a ledger");
}

#[test]
fn a_file_that_is_too_long_is_not_read_to_its_end() {
    let (place, _, key, _) = exported();
    let file = place.path().join("long");
    std::fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    let verdict = verify(&["--data", text(&place.data()), "--checkpoint", text(&file)]);
    verdict.is(1, "cannot-verify", "has more than 4194304 bytes");
    let verdict = verify(&["--bundle", text(&file), "--key", &key]);
    verdict.is(1, "cannot-verify", "has more than 268435456 bytes");
}

#[test]
fn without_anything_from_elsewhere_the_first_line_says_what_is_not_proven() {
    let (place, _, key, kept) = exported();
    let data = place.data();
    let data = ["--data", text(&data)];
    let first = |more: &[&str]| {
        let (code, said, complained) = complain(&[&data[..], more].concat());
        assert_eq!(code, 0, "{complained}");
        said.lines().next().unwrap().to_owned()
    };
    assert!(first(&[]).ends_with("against its owner this proves nothing."));
    assert_eq!(verify(&data).is_well().value["proves_against_owner"], false);
    for more in [["--key", &key], ["--checkpoint", &kept]] {
        assert!(!first(&more).contains("proves nothing"));
        let value = verify(&[&data[..], &more[..]].concat()).is_well().value["proves_against_owner"].clone();
        assert_eq!(value, true);
    }
}
