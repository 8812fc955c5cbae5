//! The key in a PKCS#11 token.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use brevet_ledger::is_successor;
use serde_json::json;

use crate::chain::{Keys, signers_of_next};
use crate::hsm::{Hsm, PIN, module};
use crate::rotation::{key_files, verify};
use crate::support::patience::until;
use crate::support::person::People;
use crate::support::place::write_private;
use crate::support::server::{Server, refused_as};

#[test]
fn a_key_in_a_token_signs_survives_a_restart_and_hands_over_to_another_on_it() {
    let Some(mut hsm) = Hsm::new() else { return };
    hsm.add_key("one");
    hsm.add_key("two");
    let server = Server::start_as(hsm.serve("one"));
    let people = People::found(&server, &hsm.place, &[]);
    let mut ada = people["ada"].connect(&server);
    let one = Keys::of(&mut ada).current().clone();
    assert_eq!(signers_of_next(&mut ada, "first"), [one.id()]);
    assert_eq!(key_files(&hsm.place), [""; 0], "the private key is outside of the token");
    server.stop();
    verify(&hsm.place);

    let server = Server::start_as(hsm.serve("one"));
    let mut ada = people["ada"].connect(&server);
    assert_eq!(Keys::of(&mut ada).keys, std::slice::from_ref(&one));
    let refused = people["ada"].types(&server, "audit rotate-key", 1).stderr;
    assert!(refused.contains("signs this ledger already"), "{refused}");
    let refused = people["ada"].types(&server, "audit rotate-key --token-key three", 1).stderr;
    assert!(refused.contains("no Ed25519 key pair with the label \"three\""), "{refused}");
    people["ada"].types(&server, "audit rotate-key --token-key two", 0);
    let keys = Keys::of(&mut ada);
    let two = keys.current().clone();
    assert_eq!(keys.keys, [two.clone(), one.clone()]);
    is_successor(&one, &two, &keys.handovers).unwrap();
    assert_eq!(signers_of_next(&mut ada, "second"), [two.id(), one.id()]);
    drop(server.crash());
    verify(&hsm.place);

    // The settings still name the first key: the ledger knows better.
    let server = Server::start_as(hsm.serve("one"));
    let mut ada = people["ada"].connect(&server);
    assert_eq!(Keys::of(&mut ada).keys, [two.clone(), one]);
    let (_, said) = server.stop();
    assert!(!said.contains(PIN), "the PIN was told");
}

#[test]
fn a_ledger_moves_from_a_file_to_a_token_by_a_change_of_its_key() {
    let Some(mut hsm) = Hsm::new() else { return };
    hsm.add_key("one");
    let server = Server::start(&hsm.place);
    let people = People::found(&server, &hsm.place, &[]);
    let file = Keys::of(&mut people["ada"].connect(&server)).current().clone();
    server.stop();
    let server = Server::start_as(hsm.serve("one"));
    let mut ada = people["ada"].connect(&server);
    assert_eq!(Keys::of(&mut ada).keys, std::slice::from_ref(&file));
    people["ada"].types(&server, "audit rotate-key --overlap 0", 0);
    let keys = Keys::of(&mut ada);
    assert_eq!(keys.keys.len(), 1);
    is_successor(&file, keys.current(), &keys.handovers).unwrap();
    assert_eq!(signers_of_next(&mut ada, "moved"), [keys.current().id()]);
    assert_eq!(key_files(&hsm.place), [""; 0], "the old private key is still there");
    drop(server.crash());
    let server = Server::start_as(hsm.serve("one"));
    assert_eq!(Keys::of(&mut people["ada"].connect(&server)).keys, keys.keys);
    server.stop();
    hsm.place.settings("");
    let refused = crate::support::server::refused(&hsm.place);
    assert!(refused.stderr.contains("[ledger.pkcs11]"), "{}", refused.stderr);
}

#[test]
fn a_ledger_moves_from_a_token_to_a_file_and_needs_the_token_no_more() {
    let Some(mut hsm) = Hsm::new() else { return };
    hsm.add_key("one");
    let server = Server::start_as(hsm.serve("one"));
    let people = People::found(&server, &hsm.place, &[]);
    let mut ada = people["ada"].connect(&server);
    let token = Keys::of(&mut ada).current().clone();
    let both = json!({"to_file": true, "token_key": "one"});
    let refused = ada.post("/api/v1/ledger/rotate-key", &both).unwrap();
    assert_eq!((refused.status, key_files(&hsm.place).len()), (422, 0), "{}", refused.json());
    people["ada"].types(&server, "audit rotate-key --to-file --token-key one", 2);

    people["ada"].types(&server, "audit rotate-key --to-file --overlap 1h", 0);
    let keys = Keys::of(&mut ada);
    let file = keys.current().clone();
    assert_eq!(keys.keys, [file.clone(), token.clone()]);
    is_successor(&token, &file, &keys.handovers).unwrap();
    assert_eq!(signers_of_next(&mut ada, "moved"), [file.id(), token.id()]);
    drop(server.crash());
    // The settings still name the token: both sign on.
    let server = Server::start_as(hsm.serve("one"));
    let mut ada = people["ada"].connect(&server);
    assert_eq!(signers_of_next(&mut ada, "again"), [file.id(), token.id()]);
    assert_eq!(key_files(&hsm.place), ["ledger.key"]);
    server.stop();

    fs::remove_dir_all(hsm.tokens()).unwrap();
    hsm.place.settings("");
    let server = Server::start(&hsm.place);
    let mut ada = people["ada"].connect(&server);
    assert_eq!(signers_of_next(&mut ada, "without the token"), [file.id()]);
    server.stop();
    verify(&hsm.place);
}

#[test]
fn what_is_wrong_with_a_token_is_said_at_the_start() {
    let Some(mut hsm) = Hsm::new() else { return };
    hsm.add_key("one");
    hsm.add_key("twice");
    hsm.add_key("twice");
    let refuses = |command, words: &[&str]| {
        let typed = refused_as(command);
        assert_eq!(typed.code, 1, "{}", typed.stderr);
        for word in words {
            assert!(typed.stderr.contains(word), "{word} is not in: {}", typed.stderr);
        }
        assert!(!typed.stderr.contains(PIN), "the PIN was told: {}", typed.stderr);
    };
    refuses(hsm.serve("none"), &["no Ed25519 key pair with the label \"none\"", "docs/keys.md"]);
    refuses(hsm.serve("twice"), &["2 Ed25519 keys with the label \"twice\""]);
    refuses(hsm.serve_with(module(), "away", "one"), &["no token with the label \"away\""]);
    refuses(
        hsm.serve_with(Path::new("/nowhere.so"), "brevet", "one"),
        &["module /nowhere.so", "No such file"],
    );
    let open = hsm.place.path().join("module.so");
    fs::copy(module(), &open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
    refuses(hsm.serve_with(&open, "brevet", "one"), &["only root or the server's own user can write to"]);

    write_private(&hsm.pin_file(), b"999999\n");
    refuses(hsm.serve("one"), &["refuses the PIN", "it is wrong", "not tried again"]);
    write_private(&hsm.pin_file(), b"\n");
    refuses(hsm.serve("one"), &["the PIN of the token cannot be read", "empty"]);
    write_private(&hsm.pin_file(), format!("{PIN}\n").as_bytes());
    fs::set_permissions(hsm.pin_file(), fs::Permissions::from_mode(0o640)).unwrap();
    refuses(hsm.serve("one"), &["open to others", "chmod 600"]);
    fs::remove_file(hsm.pin_file()).unwrap();
    refuses(hsm.serve("one"), &["the PIN of the token cannot be read", "No such file"]);
}

#[test]
fn while_the_token_is_away_nothing_happens_and_when_it_is_back_work_goes_on() {
    let Some(mut hsm) = Hsm::new() else { return };
    hsm.add_key("one");
    let server = Server::start_as(hsm.serve("one"));
    let people = People::found(&server, &hsm.place, &[]);
    let mut ada = people["ada"].connect(&server);
    signers_of_next(&mut ada, "before");
    let away = hsm.place.path().join("away");
    fs::rename(hsm.tokens(), &away).unwrap();
    let refused = ada.post("/api/v1/groups", &json!({"name": "away"})).unwrap();
    assert_eq!(refused.status, 503, "{}", refused.json());
    assert_eq!(refused.json()["reason"], "ledger-unavailable");
    assert!(ada.get("/api/v1/groups").unwrap().is_success(), "reading needs no key");
    fs::rename(&away, hsm.tokens()).unwrap();
    until("the server signs again", || {
        ada.post("/api/v1/groups", &json!({"name": "back"})).unwrap().is_success()
    });
    let groups = ada.get("/api/v1/groups").unwrap().ok().to_string();
    assert!(groups.contains("back") && !groups.contains("\"away\""), "{groups}");
    let (_, said) = server.stop();
    assert!(said.contains("the token cannot be used") || said.contains("no token"), "{said}");
    verify(&hsm.place);
}
