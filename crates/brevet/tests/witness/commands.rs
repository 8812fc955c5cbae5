//! The commands beside a running witness.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use brevet_ledger::{Note, Policy};
use serde_json::Value;

use crate::ledger::Ledger;
use crate::process::{Home, NAME, Running};

const ORIGIN: &str = "ledger.example/one";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn refused(home: &Home, words: &[&str], says: &str) {
    let output = home.types(words);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && errors.contains(says), "{words:?}: {errors}");
}

#[test]
fn the_first_start_needs_a_name_and_makes_a_key_that_nobody_else_can_read() {
    let home = Home::new();
    for words in [&["list-logs"][..], &["key"], &["evidence"]] {
        refused(&home, words, "there is no witness in");
    }
    refused(&home, &["serve"], "--name witness.example.org/w1");
    refused(&home, &["serve", "--name", "two words"], "name of a witness");
    let witness = home.start();
    let key = home.data().join("witness.key");
    assert_eq!(std::fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(home.data()).unwrap().mode() & 0o777, 0o700);
    refused(&home, &["serve"], "another server is running");
    witness.stop();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&home, &["serve"], "chmod 600");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    refused(&home, &["serve", "--name", "witness.example/w2"], "is called witness.example/w1");
    refused(&home, &["serve", "--listen", "0.0.0.0:0"], "--tls-cert");
    Running::start(&home.data(), &[]).stop();
}

#[test]
fn the_line_of_its_key_stands_in_a_policy_that_its_cosignatures_meet() {
    let ledger = Ledger::of(ORIGIN, 1, 5);
    let home = Home::new();
    let line = home.does(&["key", "--name", NAME, "--url", "http://127.0.0.1:8430"]);
    home.does(&["add-log", &ledger.key()]);
    let policy = Policy::parse(&format!("log {}\n{line}quorum w1\n", ledger.key())).unwrap();
    assert_eq!(policy.witnesses()[0].url.as_deref(), Some("http://127.0.0.1:8430"));
    let witness = Running::start(&home.data(), &[]);
    let request = ledger.request(0, 5);
    assert!(policy.check(&request.checkpoint).is_err());
    let answer = witness.talk().add(request.to_string().as_bytes()).unwrap();
    let note: Note = format!("{}{}", request.checkpoint, answer.body).parse().unwrap();
    assert!(policy.check(&note).is_ok(), "{note}");
    witness.stop();
}

#[test]
fn ledgers_and_their_second_keys_come_and_go_while_it_runs_and_what_was_seen_stays() {
    let (old, home) = (Ledger::of(ORIGIN, 1, 9), Home::new());
    let new = old.with_key(2);
    let witness = home.start();
    let mut talk = witness.talk();
    let mut send = |request: brevet_ledger::AddCheckpoint| {
        let answer = talk.add(request.to_string().as_bytes()).unwrap();
        (answer.status, answer.body)
    };
    assert_eq!(send(old.request(0, 3)).0, 404);
    assert!(home.does(&["add-log", &old.key()]).contains("is watched"));
    assert!(home.does(&["add-log", &old.key()]).contains("already"));
    assert_eq!(send(old.request(0, 3)).0, 200);
    assert_eq!(send(new.request(3, 4)).0, 403);
    home.does(&["add-log", &new.key()]);
    assert_eq!(send(new.request(3, 4)).0, 200);
    assert_eq!(send(old.request(4, 5)).0, 200);
    home.does(&["remove-log", &old.key()]);
    assert_eq!(send(old.request(5, 6)).0, 403);
    assert_eq!(send(new.request(5, 6)).0, 200);
    let listed = json(&home.does(&["list-logs", "-o", "json"]));
    assert_eq!((&listed[0]["size"], &listed[0]["keys"][0]), (&Value::from(6), &Value::from(new.key())));
    home.does(&["remove-log", ORIGIN]);
    assert_eq!(send(new.request(6, 7)).0, 404);
    home.does(&["add-log", &new.key()]);
    assert_eq!(send(new.request(0, 2)), (409, "6\n".to_owned()));
    refused(&home, &["remove-log", "ledger.example/other"], "is watched here");
    refused(&home, &["add-log", &home.key().to_string()], "is the key of a witness");
    refused(&home, &["add-log", "nonsense"], "public key");
    witness.stop();
}

#[test]
fn two_roots_of_one_size_are_kept_as_evidence_that_anybody_can_check() {
    let ledger = Ledger::of(ORIGIN, 1, 9);
    let fork = ledger.forked_at(4);
    let home = Home::new();
    let witness = home.start();
    home.does(&["add-log", &ledger.key()]);
    assert!(home.does(&["evidence"]).contains("There is none"));
    let mut talk = witness.talk();
    // The last two are refused for their old size, and contradict what was seen all the same.
    for (request, status) in [
        (ledger.request(0, 6), 200),
        (fork.request(6, 6), 422),
        (fork.request(6, 8), 422),
        (fork.request(5, 6), 409),
        (fork.request(0, 6), 409),
    ] {
        assert_eq!(talk.add(request.to_string().as_bytes()).unwrap().status, status);
    }
    let kept = json(&home.does(&["evidence", "-o", "json"]));
    let kinds: Vec<&str> = kept.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["two-roots", "unproven"], "the same once more is nothing new");
    let key = [ledger.key().parse().unwrap()];
    let [cosigned, sent] = ["cosigned", "sent"].map(|field| {
        let note: Note = kept[0][field].as_str().unwrap().parse().unwrap();
        note.verify(&key).unwrap();
        note
    });
    assert_eq!(cosigned.text(), ledger.request(0, 6).checkpoint.text());
    assert_eq!(sent.text(), fork.request(0, 6).checkpoint.text());
    assert_eq!(cosigned.cosignatures(&[home.key()]).unwrap().len(), 1);
    let told = home.does(&["evidence", "--log", ORIGIN]);
    assert!(told.contains("two checkpoints of one size") && told.contains(sent.text()), "{told}");
    // What was sent without its proof is no evidence once the proof is there.
    let mut unproven = ledger.request(6, 9);
    unproven.proof.clear();
    assert_eq!(talk.add(unproven.to_string().as_bytes()).unwrap().status, 422);
    assert_eq!(json(&home.does(&["evidence", "-o", "json"])).as_array().unwrap().len(), 3);
    assert_eq!(talk.add(ledger.request(6, 9).to_string().as_bytes()).unwrap().status, 200);
    assert_eq!(json(&home.does(&["evidence", "-o", "json"])).as_array().unwrap().len(), 2);
    witness.stop();
}

#[test]
fn a_line_without_an_address_says_so_and_stands_in_a_policy_all_the_same() {
    let home = Home::new();
    let told = home.does(&["key", "--name", NAME]);
    let (remark, line) = told.split_once('\n').unwrap();
    assert!(remark.starts_with("# ") && remark.contains("--url URL"), "{told}");
    assert!(!told.contains("http"), "no address that somebody could take for a real one: {told}");
    let ledger = Ledger::of(ORIGIN, 1, 1);
    let policy = Policy::parse(&format!("log {}\n{told}quorum w1\n", ledger.key())).unwrap();
    let [witness] = policy.witnesses() else { panic!("{policy:?}") };
    assert_eq!((witness.url.as_deref(), &witness.key), (None, &home.key()));
    let told = json(&home.does(&["key", "-o", "json"]));
    assert_eq!((&told["url"], told["policy_line"].as_str()), (&Value::Null, Some(line.trim_end())));
}
