//! Going on under a new name, where the key was in a token or the next one will be.

use std::fs;
use std::process::Command;

use crate::chain::{Keys, signers_of_next};
use crate::hsm::Hsm;
use crate::rotation::{key_files, verify};
use crate::support::BREVET;
use crate::support::person::{People, Typed};
use crate::support::server::Server;

/// A ledger that was signed by the keys `one` and then `two` of a token that has a third one, and its server stopped.
fn signed_by_two_keys() -> Option<(Hsm, People, Keys)> {
    let mut hsm = Hsm::new()?;
    for label in ["one", "two", "three"] {
        hsm.add_key(label);
    }
    let server = Server::start_as(hsm.serve("one"));
    let people = People::found(&server, &hsm.place, &[]);
    people["ada"].types(&server, "audit rotate-key --token-key two --overlap 1h", 0);
    let keys = Keys::of(&mut people["ada"].connect(&server));
    assert_eq!(keys.keys.len(), 2);
    server.stop();
    Some((hsm, people, keys))
}

/// Recovers into the folder `new`, with the settings that are there.
fn recover(hsm: &Hsm) -> Typed {
    let mut command = Command::new(BREVET);
    command.args(["audit", "recover", "-o", "json", "--config"]).arg(hsm.place.settings_file());
    command.arg("--data").arg(hsm.place.data()).arg("--into").arg(hsm.place.path().join("new"));
    Typed::of(command.env("SOFTHSM2_CONF", hsm.config()).output().unwrap())
}

fn serve_the_new_folder(hsm: &Hsm) {
    fs::rename(hsm.place.data(), hsm.place.path().join("evidence")).unwrap();
    fs::rename(hsm.place.path().join("new"), hsm.place.data()).unwrap();
}

/// Settings for the key of this label, and a name for the ledger.
fn name(hsm: &Hsm, label: &str, name: &str) {
    drop(hsm.serve(label));
    let settings = fs::read_to_string(hsm.place.settings_file()).unwrap();
    hsm.place.settings(&format!("{settings}name = \"{name}\"\n"));
}

#[test]
fn a_ledger_whose_key_is_in_a_token_goes_on_with_another_key_of_it() {
    let Some((hsm, mut people, old)) = signed_by_two_keys() else { return };
    let origin = old.current().name().as_str();
    name(&hsm, "three", "brevet.example.com/next");
    let told = recover(&hsm);
    assert_eq!(told.code, 0, "{told:?}");
    let told = told.json();
    assert_eq!(
        (told["origin"].as_str(), told["previous"].as_str()),
        (Some("brevet.example.com/next"), Some(origin))
    );
    serve_the_new_folder(&hsm);
    assert_eq!(key_files(&hsm.place), [""; 0], "the private key is outside of the token");
    let server = Server::start_as(hsm.serve("three"));
    people.sign_in_again(&server, &hsm.place);
    let mut ada = people["ada"].connect(&server);
    let next = Keys::of(&mut ada).current().clone();
    assert_eq!(told["key"], next.to_string());
    assert!(old.keys.iter().all(|key| key.public() != next.public()));
    assert_eq!(signers_of_next(&mut ada, "next"), [next.id()]);
    server.stop();
    verify(&hsm.place);
}

#[test]
fn a_ledger_whose_key_is_in_a_token_goes_on_with_a_key_in_a_file() {
    let Some((hsm, mut people, _)) = signed_by_two_keys() else { return };
    hsm.place.settings("");
    let told = recover(&hsm);
    assert_eq!(told.code, 0, "{told:?}");
    serve_the_new_folder(&hsm);
    assert_eq!(key_files(&hsm.place), ["ledger.key"]);
    let server = Server::start(&hsm.place);
    people.sign_in_again(&server, &hsm.place);
    let mut ada = people["ada"].connect(&server);
    let next = Keys::of(&mut ada).current().clone();
    assert_eq!(signers_of_next(&mut ada, "next"), [next.id()]);
    server.stop();
    verify(&hsm.place);
}

#[test]
fn a_key_or_a_name_of_the_ledger_before_is_refused_and_leaves_no_folder() {
    let Some((hsm, _, old)) = signed_by_two_keys() else { return };
    let new = hsm.place.path().join("new");
    let refused = |says: &str| {
        let typed = recover(&hsm);
        assert!(typed.code == 1 && typed.stderr.contains(says), "{says}: {typed:?}");
        assert!(!new.exists(), "{says}: the folder stands in the way of the next try");
    };
    for label in ["one", "two"] {
        name(&hsm, label, "brevet.example.com/next");
        refused("Make another key pair on the token");
    }
    name(&hsm, "three", old.current().name().as_str());
    refused("as the ledger is called that does not go on");
    drop(hsm.serve("four"));
    refused("no Ed25519 key pair with the label \"four\"");
    fs::rename(hsm.tokens(), hsm.place.path().join("away")).unwrap();
    drop(hsm.serve("three"));
    refused("the token cannot be used");
    fs::rename(hsm.place.path().join("away"), hsm.tokens()).unwrap();
    let told = recover(&hsm);
    assert_eq!((told.code, new.exists()), (0, true), "{told:?}");
}
