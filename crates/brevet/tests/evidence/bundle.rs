//! `brevet audit bundle`, and checking one where there is nothing but the file and a key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::BREVET;
use crate::support::person::Typed;
use crate::support::stage::{Stage, text};

/// A folder with a bundle and a key, and nothing else.
struct Auditor {
    folder: tempfile::TempDir,
}

impl Auditor {
    fn with(bundle: &Path, key: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(bundle, folder.path().join("story.brevet-bundle")).unwrap();
        fs::copy(key, folder.path().join("ledger.vkey")).unwrap();
        Self { folder }
    }

    fn read(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("story.brevet-bundle")).unwrap()
    }

    fn bundle(&self) -> Value {
        serde_json::from_slice(&self.read()).unwrap()
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.folder.path().join("story.brevet-bundle"), bytes).unwrap();
    }

    fn put(&self, bundle: &Value) {
        self.write(&serde_json::to_vec(bundle).unwrap());
    }

    /// What the verifier says; it has no server, no settings and no home.
    fn verify(&self, more: &[&str]) -> Typed {
        let mut command = Command::new(BREVET);
        command
            .args(["audit", "verify", "--bundle", "story.brevet-bundle", "--key", "ledger.vkey"])
            .args(more);
        Typed::of(command.env_clear().current_dir(self.folder.path()).output().unwrap())
    }
}

/// A story of Bob's from the beginning to a revocation, and where its bundle is.
fn story(stage: &Stage, more: &str) -> (String, PathBuf) {
    let request = stage.request("bob", "--task Linux/Say --duration 1h");
    let approved = stage.asks("alice", &format!("request approve {request} --comment Fine"));
    stage.types("bob", "run Linux/Say -p text=now", 0);
    let authorization = text(&approved, "authorization");
    stage.types("alice", &format!("authorization revoke {authorization} --comment Enough"), 0);
    let file = stage.place.path().join(format!("{request}.brevet-bundle"));
    let line = format!("audit bundle {request} --out {} {more}", file.display());
    stage.types("otto", &line, 0);
    (request, file)
}

fn stage() -> Stage {
    Stage::with_policy("Linux/Say", "")
}

fn key_of(stage: &Stage) -> PathBuf {
    stage.place.data().join("ledger.vkey")
}

#[test]
fn a_bundle_verifies_alone_with_only_the_key() {
    let stage = stage();
    let (request, file) = story(&stage, "--with-outputs");
    let auditor = Auditor::with(&file, &key_of(&stage));
    stage.server.stop();
    let said = auditor.verify(&[]);
    assert_eq!(said.code, 0, "{said:?}");
    for word in [
        "bob (",
        &format!("in {request}"),
        "\"Because\"",
        "alice (",
        "\"Fine\"",
        "Linux\\Say with",
        "\"Enough\"",
        "succeeded",
    ] {
        assert!(said.text().contains(word), "{word} is not in {}", said.text());
    }
    assert_eq!(auditor.bundle()["outputs"].as_array().unwrap().len(), 1);
    let json = auditor.verify(&["-o", "json"]).json();
    assert_eq!((&json["verified"], &json["request"]), (&Value::Bool(true), &Value::from(request)));
}

#[test]
fn nothing_that_is_changed_in_a_bundle_tells_another_story() {
    /// Places that are tried, spread over the file; every byte is tried where no process is started for each.
    const PLACES: usize = 60;
    let stage = stage();
    let (request, file) = story(&stage, "");
    let auditor = Auditor::with(&file, &key_of(&stage));
    let whole = auditor.read();
    let story = auditor.verify(&["-o", "json"]).json()["story"].clone();
    assert!(story.as_array().is_some_and(|story| story.len() > 4), "{story}");
    for place in (0..whole.len()).step_by(whole.len() / PLACES) {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        auditor.write(&changed);
        let said = auditor.verify(&["-o", "json"]);
        match said.code {
            0 => assert_eq!(
                (&said.json()["story"], &said.json()["request"]),
                (&story, &Value::from(request.clone()))
            ),
            code => assert!([1, 10, 11, 15].contains(&code), "{place}: {said:?}"),
        }
    }
}

#[test]
fn a_bundle_without_a_decision_lacks_it() {
    let stage = stage();
    let (_, file) = story(&stage, "");
    let auditor = Auditor::with(&file, &key_of(&stage));
    let mut bundle = auditor.bundle();
    let entries = bundle["entries"].as_array_mut().unwrap();
    let decision = entries.iter().position(|entry| entry["texts"][0]["text"] == "Fine").unwrap();
    entries.remove(decision);
    auditor.put(&bundle);
    let said = auditor.verify(&[]);
    assert_eq!(said.code, 11, "{said:?}");
    assert!(said.stderr.contains("a decision on req-1"), "{said:?}");
    // A reason that somebody else would have liked better.
    let auditor = Auditor::with(&file, &key_of(&stage));
    let changed =
        String::from_utf8(auditor.read()).unwrap().replace("\"text\": \"Because\"", "\"text\": \"Harmless\"");
    auditor.write(changed.as_bytes());
    let said = auditor.verify(&[]);
    assert_eq!(said.code, 10, "{said:?}");
}

#[test]
fn a_bundle_of_another_ledger_is_refused() {
    let (one, other) = (stage(), stage());
    let (_, file) = story(&one, "");
    let said = Auditor::with(&file, &key_of(&other)).verify(&[]);
    assert_eq!(said.code, 15, "{said:?}");
    assert!(said.stderr.contains("is of the ledger"), "{said:?}");
}

#[test]
fn a_bundle_is_for_auditors_on_record_and_written_once() {
    let stage = stage();
    let (request, file) = story(&stage, "");
    stage.types("bob", &format!("audit bundle {request} --out {}.2", file.display()), 1);
    stage.types("otto", &format!("audit bundle {request} --out {}", file.display()), 1);
    let (_, error) = stage.types("otto", &format!("audit bundle req-99 --out {}.3", file.display()), 1);
    assert!(error.contains("req-99"), "{error}");
    let reads = stage.asks("otto", "audit search --kind ledger.read --actor otto");
    let said = |entry: &Value| entry["details"]["query"] == format!("bundles/{request}?outputs=false");
    assert!(reads.as_array().unwrap().iter().any(said), "{reads}");
}

#[test]
fn erased_texts_leave_the_story_provable() {
    let stage = stage();
    let (request, file) = story(&stage, "");
    stage.types("ada", "user disable bob", 0);
    stage.types("ada", "audit erase --user bob", 0);
    let again = file.with_extension("again");
    stage.types("otto", &format!("audit bundle {request} --out {}", again.display()), 0);
    let said = Auditor::with(&again, &key_of(&stage)).verify(&[]);
    assert_eq!(said.code, 0, "{said:?}");
    let told = said.text();
    assert!(told.contains("(name erased) asked for") && told.contains("(erased)"), "{told}");
    assert!(!told.contains("bob") && !told.contains("Because"), "{told}");
    // The bundle from before still verifies with what it has.
    assert_eq!(Auditor::with(&file, &key_of(&stage)).verify(&[]).code, 0);
}
