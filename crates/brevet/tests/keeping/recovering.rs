//! Going on under a new name.

use std::process::Command;

use crate::anchor::anchored;
use crate::support::BREVET;
use crate::support::place::Place;
use crate::support::stage::{Stage, text};

fn recover(place: &Place, more: &[&str]) -> (i32, String) {
    let output = Command::new(BREVET)
        .args(["audit", "recover", "--config"])
        .arg(place.settings_file())
        .arg("--data")
        .arg(place.data())
        .arg("--into")
        .arg(place.path().join("new"))
        .arg("--anchor")
        .arg(place.site("anchor-2"))
        .args(more)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_new_ledger_begins_with_the_last_checkpoint_of_the_one_before() {
    let stage = anchored();
    stage.policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    let given = text(&stage.entries().pop().unwrap(), "time");
    let pending = stage.request("carol", "--task Linux/Say");
    let old = stage.asks("otto", "audit status");
    let (place, people) = stage.stop();
    let (code, said) = recover(&place, &["-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["previous"], old["origin"]);
    assert_ne!(told["origin"], old["origin"]);
    // The old folder stays as it was; the new one is served in its place.
    std::fs::rename(place.data(), place.path().join("evidence")).unwrap();
    std::fs::rename(place.path().join("new"), place.data()).unwrap();
    place.settings(&format!("[ledger]\nanchor = \"{}\"\n", place.site("anchor-2").display()));
    let mut stage = Stage::again(place, people);
    stage.types("bob", "authorization list", 4);
    stage.sign_in_again();
    let first = &stage.entries()[0];
    assert_eq!(first["kind"], "ledger.recovered", "{first}");
    assert_eq!(first["details"]["previous"], old["origin"]);
    assert!(first["details"]["previous_checkpoint"].as_str().unwrap().contains("\u{2014}"), "{first}");
    // What was given may have been taken away in an entry that was lost: it is asked for again. Ids go on.
    stage.types("bob", "run Linux/Say --param text=hello", 3);
    assert_eq!(stage.asks("bob", &format!("authorization show {authorization}"))["state"], "ended");
    let shown = stage.asks("carol", &format!("request show {pending}"));
    assert_eq!(shown["status"], "cancelled", "{shown}");
    let request = stage.request("carol", "--task Linux/Say");
    assert!(request != "req-1" && request != pending, "{request}");
    stage.asks("alice", &format!("request approve {request}"));
    stage.types("carol", "run Linux/Say --param text=hello", 0);
    what_needs_the_ledger_before_is_refused(&stage, &[&pending, &request], &text(&old, "origin"));
    let (place, _) = stage.stop();
    every_row_is_as_the_entries_of_both_add_up(&place);
    what_needs_the_ledger_before_is_answered_offline(&place, &given, &request);
}

/// The archive in the new folder has the entries of the ledger before; the old folder has its stories.
fn what_needs_the_ledger_before_is_answered_offline(place: &Place, given: &str, request: &str) {
    let asks = |words: &[&str], data: &std::path::Path| {
        let output = Command::new(BREVET).arg("audit").args(words).arg("--data").arg(data).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), said)
    };
    let (code, said) = asks(&["as-of", given, "-o", "json"], &place.data());
    let ways: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((code, &ways[0]["user"]["name"], &ways[0]["request"]), (0, &"bob".into(), &"req-1".into()));
    // What was given before the recovery ended with it.
    let (code, said) = asks(&["as-of", "now", "--user", "bob", "-o", "json"], &place.data());
    assert_eq!((code, said.trim()), (0, "[]"));
    let (code, said) = asks(&["as-of", "now", "--user", "carol", "-o", "json"], &place.data());
    let ways: serde_json::Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!((code, &ways[0]["request"]), (0, &request.into()));
    let bundle = place.path().join("bundle");
    let words = ["bundle", "req-1", "--out", bundle.to_str().unwrap()];
    let (code, said) = asks(&words, &place.data());
    assert!(code == 1 && said.contains("brevet audit recover left as it was"), "{said}");
    let old = place.path().join("evidence");
    let (code, said) = asks(&words, &old);
    assert_eq!(code, 0, "{said}");
    let mut verify = Command::new(BREVET);
    verify.args(["audit", "verify", "--bundle"]).arg(&bundle).arg("--key").arg(old.join("ledger.vkey"));
    assert!(verify.output().unwrap().status.success());
}

fn every_row_is_as_the_entries_of_both_add_up(place: &Place) {
    let mut archives = std::fs::read_dir(place.data().join("archive")).unwrap();
    let archive = archives.next().unwrap().unwrap().path();
    let mut command = Command::new(BREVET);
    command.args(["audit", "verify", "-o", "json", "--data"]).arg(place.data()).arg("--archive").arg(archive);
    let output = command.output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && told["verified"] == true, "{told}");
    assert!(told["rows"].is_u64(), "{told}");
}

/// Who could run what, and whole stories, are told by entries that are not here.
fn what_needs_the_ledger_before_is_refused(stage: &Stage, requests: &[&str], previous: &str) {
    let mut otto = stage.person("otto").connect(&stage.server);
    let now = text(&stage.entries().pop().unwrap(), "time");
    let mut paths: Vec<String> = requests.iter().map(|id| format!("/api/v1/audit/bundles/{id}")).collect();
    paths.push(format!("/api/v1/audit/as-of?time={now}"));
    paths.push("/api/v1/audit/as-of?time=2020-01-01T00:00:00Z".to_owned());
    for path in paths {
        let answer = otto.get(&path).unwrap();
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 409 && said.contains(previous), "{path}: {said}");
        assert!(said.contains("brevet audit ") && said.contains(" --data FOLDER"), "{path}: {said}");
    }
}

#[test]
fn an_anchor_that_cannot_be_read_is_not_taken_for_one_that_is_not_there() {
    let (place, _) = anchored().stop();
    let anchor = place.site("anchor");
    let kept = place.path().join("kept");
    std::fs::rename(&anchor, &kept).unwrap();
    let (code, said) = recover(&place, &[]);
    assert!(code == 1 && said.contains("--checkpoint"), "{said}");
    // A folder is no file, for root too.
    std::fs::create_dir(&anchor).unwrap();
    let (code, said) = recover(&place, &[]);
    assert!(code == 1 && said.contains("cannot be read"), "{said}");
    let forged = std::fs::read_to_string(&kept).unwrap();
    let (note, _) = forged.split_once("\n\n").unwrap();
    let other = place.path().join("forged");
    let signature = format!("\u{2014} brevet.local/x {}=", "A".repeat(91));
    std::fs::write(&other, format!("{note}\n\n{signature}\n")).unwrap();
    let (code, said) = recover(&place, &["--checkpoint", &other.display().to_string()]);
    assert!(code == 1 && said.contains("is of no use"), "{said}");
    let (code, said) = recover(&place, &["--checkpoint", &kept.display().to_string()]);
    assert!(code == 0 && said.contains("set [ledger] anchor"), "{said}");
    assert!(said.contains("everybody signs in again"), "{said}");
}

#[test]
fn a_token_that_cannot_be_used_is_not_replaced_by_a_file_in_silence() {
    let (place, _) = anchored().stop();
    let pin = place.path().join("pin");
    crate::support::place::write_private(&pin, b"1234\n");
    place.settings(&format!(
        "[ledger.pkcs11]\nmodule = \"/nowhere.so\"\ntoken = \"t\"\nkey = \"k\"\npin_file = \"{}\"\n",
        pin.display()
    ));
    let (code, said) = recover(&place, &[]);
    assert!(code == 1 && said.contains("module /nowhere.so cannot be used"), "{said}");
    assert!(!place.path().join("new").exists());
}

#[test]
fn a_ledger_whose_key_is_lost_goes_on() {
    let (place, _) = anchored().stop();
    std::fs::remove_file(place.data().join("ledger.key")).unwrap();
    let (code, said) = recover(&place, &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_database_from_before_a_change_of_the_key_goes_on() {
    let (place, people) = anchored().stop();
    let before = crate::anchor::backup(&place.data());
    let stage = Stage::again(place, people);
    stage.types("ada", "audit rotate-key", 0);
    let (place, _) = stage.stop();
    crate::anchor::restore(&place.data(), &before);
    let (code, said) = recover(&place, &[]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_checkpoint_of_another_ledger_and_a_folder_that_exists_are_refused() {
    let (place, _) = anchored().stop();
    let (other, _) = anchored().stop();
    let theirs = other.site("anchor").display().to_string();
    let (code, said) = recover(&place, &["--checkpoint", &theirs]);
    assert!(code == 1 && said.contains("the checkpoint is of"), "{said}");
    std::fs::create_dir(place.path().join("new")).unwrap();
    let (code, said) = recover(&place, &[]);
    assert!(code == 1 && said.contains("exists already"), "{said}");
}
