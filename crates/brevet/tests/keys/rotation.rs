//! The story of one change of the key, for those who hold the old one.

use base64::Engine as _;
use brevet_ledger::{Origin, SigningKey, TlogProof, is_successor, leaf_hash};
use serde_json::json;

use crate::chain::{Keys, signers_of_next};
use crate::support::person::People;
use crate::support::place::Place;
use crate::support::server::Server;

#[test]
fn who_trusts_the_old_key_follows_to_the_new_one_and_to_no_other() {
    let place = Place::new();
    let server = Server::start(&place);
    let people = People::found(&server, &place, &["bob"]);
    let mut ada = people["ada"].connect(&server);
    let pinned = Keys::of(&mut ada).current().clone();
    let receipt = ada.get("/api/v1/audit/entries/2/proof").unwrap().ok();

    let told = people["ada"].types(&server, "audit rotate-key --overlap 1h", 0).text();
    let during = Keys::of(&mut people["bob"].connect(&server));
    let second = during.current().clone();
    assert!(told.contains(&second.to_string()) && told.contains("Signs too"), "{told}");
    assert_eq!(during.keys, [second.clone(), pinned.clone()]);
    assert!(during.overlap_until.is_some());
    assert_eq!(signers_of_next(&mut ada, "during"), [second.id(), pinned.id()]);

    people["ada"].types(&server, "audit rotate-key --overlap 0", 0);
    let after = Keys::of(&mut ada);
    let third = after.current().clone();
    assert_eq!((after.keys.len(), &after.overlap_until), (1, &None));
    assert_eq!(signers_of_next(&mut ada, "after"), [third.id()]);

    // The client that pinned the first key.
    is_successor(&pinned, &third, &after.handovers).unwrap();
    is_successor(&second, &third, &after.handovers).unwrap();
    let foreign = SigningKey::from_seed(pinned.name().clone(), &[9; 32]);
    let refused = is_successor(&pinned, foreign.verifier(), &after.handovers).unwrap_err().to_string();
    assert!(refused.contains(&pinned.to_string()) && refused.contains("another channel"), "{refused}");
    assert!(is_successor(&third, &pinned, &after.handovers).is_err(), "an old key came back");

    // The receipt from before.
    let bytes = base64::engine::general_purpose::STANDARD.decode(receipt["entry"].as_str().unwrap()).unwrap();
    let proof: TlogProof = receipt["proof"].as_str().unwrap().parse().unwrap();
    let origin = Origin::parse(pinned.name().as_str()).unwrap();
    proof.verify(leaf_hash(&bytes), &origin, std::slice::from_ref(&pinned)).unwrap();

    let shown = people["ada"].types(&server, "audit search --kind ledger.key-rotated", 0).text();
    assert_eq!(shown.matches("ledger.key-rotated").count(), 2, "{shown}");
    server.stop();
    verify(&place);
    let server = Server::start(&place);
    assert_eq!(Keys::of(&mut people["ada"].connect(&server)).keys, [third]);
}

#[test]
fn only_an_administrator_changes_the_key_and_an_impossible_change_says_why() {
    let place = Place::new();
    let server = Server::start(&place);
    let people = People::found(&server, &place, &["bob"]);
    let before = Keys::of(&mut people["ada"].connect(&server)).keys;
    let change = |who: &str, body| {
        let answer = people[who].connect(&server).post("/api/v1/ledger/rotate-key", &body).unwrap();
        (answer.status, answer.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    for who in ["bob", "otto"] {
        assert_eq!(change(who, json!({})).0, 403, "{who}");
    }
    let (status, why) = change("ada", json!({"token_key": "label"}));
    assert_eq!((status, why.contains("there is no token")), (409, true), "{why}");
    for seconds in [json!(90 * 24 * 3600 + 1), json!(u64::MAX)] {
        let (status, why) = change("ada", json!({"overlap_seconds": seconds}));
        assert_eq!((status, why.contains("at most")), (422, true), "{why}");
    }
    assert_eq!(Keys::of(&mut people["ada"].connect(&server)).keys, before);
    assert!(before.len() == 1 && key_files(&place) == ["ledger.key"]);
}

#[test]
fn a_change_that_is_sent_twice_under_one_key_happens_once() {
    let place = Place::new();
    let server = Server::start(&place);
    let people = People::found(&server, &place, &[]);
    let mut ada = people["ada"].connect(&server);
    let change = json!({"overlap_seconds": 0});
    for _ in 0..2 {
        ada.call("POST", "/api/v1/ledger/rotate-key", Some("once"), Some(&change)).unwrap().ok();
    }
    assert_eq!(Keys::of(&mut ada).handovers.len(), 1);
    assert_eq!(key_files(&place), ["ledger.key"]);
}

pub(crate) fn verify(place: &Place) {
    let output = std::process::Command::new(crate::support::BREVET)
        .args(["audit", "verify", "--data"])
        .arg(place.data())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// The files of private keys, by name.
pub(crate) fn key_files(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.data()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("ledger.key")).collect();
    names.sort();
    names
}
