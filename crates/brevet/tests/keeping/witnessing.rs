//! Real witnesses: what they see, what waits for them, and what they refuse to sign.

use std::path::Path;

use crate::support::certificates::{authority, certificate};
use crate::support::patience::until;
use crate::support::place::{Place, write_private};
use crate::support::server::Server;
use crate::support::stage::{Stage, TASKS, text};
use crate::support::witness::{GUARDED, Witness, brevet};

/// A server that asks one witness, which knows it.
fn watched() -> (Stage, Witness) {
    let place = Place::new();
    let witness = Witness::start(place.path().join("witness"), "127.0.0.1:0");
    watched_by(place, witness, "")
}

/// The same with a witness behind TLS, whose certificate is of the authority `ca`; the server trusts `trusted` alone.
fn watched_over_tls(trusted: &str) -> (Stage, Witness) {
    let place = Place::new();
    let folder = place.path().join("certificates");
    std::fs::create_dir(&folder).unwrap();
    authority(&folder, "ca");
    authority(&folder, "other");
    certificate(&folder, "ca", "w1", "subjectAltName=IP:127.0.0.1");
    let witness = Witness::start_with_certificate(place.path().join("witness"), &folder);
    assert_eq!(witness.scheme, "https");
    let trusted = folder.join(format!("{trusted}.pem"));
    watched_by(place, witness, &format!("witness_ca = \"{}\"\n", trusted.display()))
}

fn watched_by(place: Place, witness: Witness, more: &str) -> (Stage, Witness) {
    let policy = place.path().join("policy");
    write_private(&policy, witness.policy().as_bytes());
    place.settings(&format!(
        "[ledger]\nwitness_policy = \"{}\"\nwitness_timeout = \"3s\"\nanchor = \"{}\"\n{more}",
        policy.display(),
        place.site("anchor").display()
    ));
    let stage = Stage::set_in(place, &format!("{TASKS}{GUARDED}"));
    let key = stage.asks("bob", "audit status")["keys"][0].as_str().unwrap().to_owned();
    witness.watches(&key);
    (stage, witness)
}

fn all_is_witnessed(stage: &Stage) {
    until("the witness has seen everything", || {
        let ledger = stage.asks("bob", "audit status");
        ledger["durable"] == ledger["witnessed"]
    });
}

#[test]
fn what_a_witness_has_seen_is_said_everywhere() {
    let (stage, _witness) = watched();
    all_is_witnessed(&stage);
    let ledger = stage.asks("bob", "audit status");
    assert!(text(&ledger, "witnessed_checkpoint").contains("witness.example/w1"), "{ledger}");
    assert_eq!(stage.asks("bob", "whoami")["warning"], serde_json::Value::Null);
    let health = stage.server.connect("").get("/health").unwrap().ok();
    assert_eq!(health["witnesses"], "ok");
}

#[test]
fn a_witness_behind_tls_signs_for_a_server_that_trusts_its_authority() {
    let (stage, _witness) = watched_over_tls("ca");
    all_is_witnessed(&stage);
    let ledger = stage.asks("bob", "audit status");
    assert!(text(&ledger, "witnessed_checkpoint").contains("witness.example/w1"), "{ledger}");
    let health = stage.server.connect("").get("/health").unwrap().ok();
    assert_eq!(health["witnesses"], "ok");
}

#[test]
fn a_witness_with_a_certificate_of_another_authority_is_not_believed_and_that_is_said() {
    let (stage, witness) = watched_over_tls("other");
    let problem =
        || stage.asks("otto", "audit status")["witnesses"][0]["problem"].as_str().map(str::to_owned);
    until("the server says why", || problem().is_some_and(|why| why.contains("certificate")));
    let health = stage.server.connect("").get("/health").unwrap().ok();
    assert_eq!(health["witnesses"], "waiting");
    assert_eq!(stage.asks("otto", "audit status")["witnessed"].as_u64().unwrap_or(0), 0);
    // It was asked nothing: no checkpoint of the ledger has come to it.
    let seen = brevet(&["witness", "list-logs"], &witness.data, &["-o", "json"]);
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    assert!(seen[0]["origin"].is_string() && seen[0]["size"].is_null(), "{seen}");
}

#[test]
fn a_task_that_demands_witnesses_does_not_run_without_them_and_others_do_not_wait() {
    let (stage, mut witness) = watched();
    stage.policy("Linux/Guarded", "");
    stage.policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Guarded");
    stage.grant("bob", "--task Linux/Say");
    all_is_witnessed(&stage);
    assert_eq!(stage.types("bob", "run Linux/Guarded", 0).0, "guarded");
    witness.stop();
    let (_, said) = stage.types("bob", "run Linux/Guarded", 125);
    assert!(said.contains("not enough witnesses have seen in time"), "{said}");
    stage.types("bob", "run Linux/Say --param text=hello", 0);
    let back = Witness::start(witness.data.clone(), &witness.address);
    all_is_witnessed(&stage);
    assert_eq!(stage.types("bob", "run Linux/Guarded", 0).0, "guarded");
    drop(back);
    stage.verify();
}

#[test]
fn of_two_servers_with_one_key_only_one_is_witnessed() {
    let (stage, witness) = watched();
    all_is_witnessed(&stage);
    let (place, people) = stage.stop();
    let copy = Place::new();
    copy_folder(&place.data(), &copy.data());
    let settings = std::fs::read_to_string(place.settings_file()).unwrap();
    copy.settings(&settings.replace("site/anchor", "site/anchor-of-the-copy"));
    std::fs::copy(place.site("anchor"), place.site("anchor-of-the-copy")).unwrap();
    let stage = Stage::again(place, people);
    all_is_witnessed(&stage);
    // The copy goes on too, with the same key and another history.
    let second = Server::start(&copy);
    let wrong = serde_json::json!({"name": "bob", "password": "not the password of anybody"});
    for _ in 0..9 {
        drop(second.connect("").post("/api/v1/sessions", &wrong).unwrap());
    }
    until("the witness refuses the second history", || second.errors().contains("a witness did not sign"));
    until("the witness has evidence", || {
        brevet(&["witness", "evidence"], &witness.data, &[]).contains("\u{2014} brevet.local/")
    });
    all_is_witnessed(&stage);
}

#[test]
fn what_the_database_says_of_witnesses_is_believed_only_as_far_as_they_signed_it() {
    let (stage, mut witness) = watched();
    all_is_witnessed(&stage);
    witness.stop();
    let (place, people) = stage.stop();
    let database = rusqlite::Connection::open(place.data().join("brevet.db")).unwrap();
    database.execute("INSERT INTO cosigned VALUES (9000000000, 'nobody signed this')", []).unwrap();
    drop(database);
    let stage = Stage::again(place, people);
    let ledger = stage.asks("bob", "audit status");
    assert_eq!(
        (&ledger["witnessed"], &ledger["witnessed_checkpoint"]),
        (&0.into(), &serde_json::Value::Null)
    );
    stage.policy("Linux/Guarded", "");
    stage.grant("bob", "--task Linux/Guarded");
    stage.types("bob", "run Linux/Guarded", 125);
}

fn copy_folder(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
