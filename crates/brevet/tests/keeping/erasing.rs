//! The texts of a person go; every proof stays.

use std::io::Read as _;

use crate::support::stage::{Stage, text};

/// Whether the bytes of any file of the data folder have this text in them.
fn is_anywhere(stage: &Stage, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["brevet.db", "brevet.db-wal"] {
        let mut bytes = Vec::new();
        let Ok(mut file) = std::fs::File::open(stage.place.data().join(name)) else { continue };
        file.read_to_end(&mut bytes).unwrap();
        if bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            found.push(name.to_owned());
        }
    }
    found
}

fn asked(stage: &Stage, who: &str, why: &str) -> String {
    text(&stage.asks(who, &format!("request new --task Linux/Say --reason \"{why}\"")), "id")
}

#[test]
fn the_texts_of_one_person_are_gone_and_the_ledger_verifies() {
    let stage = Stage::with_policy("Linux/Say", "");
    let receipt = asked(&stage, "bob", "Xylophonist repairs");
    stage.request("carol", "--task Linux/Say");
    assert!(!is_anywhere(&stage, "Xylophonist").is_empty());
    stage.types("ada", "audit erase --user bob", 1);
    stage.types("ada", "user disable bob", 0);
    let erased = stage.asks("ada", "audit erase --user bob");
    let id = text(&erased, "user");
    // Nothing of it is shown, found or kept.
    let shown = stage.asks("ada", &format!("request show {receipt}"));
    assert!(!shown.to_string().contains("Xylophonist"), "{shown}");
    let users = stage.asks("ada", "user list").to_string();
    assert!(users.contains(&id) && !users.contains("\"bob\""), "{users}");
    stage.verify();
    let kept = asked(&stage, "carol", "Xylographer");
    assert!(stage.asks("ada", &format!("request show {kept}")).to_string().contains("Xylographer"));
    let (place, people) = stage.stop();
    let stage = Stage::again(place, people);
    stage.verify();
    assert_eq!(is_anywhere(&stage, "Xylophonist"), Vec::<String>::new());
    // The search itself is an entry by now, with the word that was looked for; it finds nothing else.
    let found = stage.asks("otto", "audit search --text xylophonist");
    assert!(found.as_array().unwrap().iter().all(|entry| entry["kind"] == "ledger.read"), "{found}");
    // The name is free again, and the new account is another person.
    let again = stage.asks("ada", "user add bob --no-code");
    assert_ne!(text(&again, "id"), id);
    stage.verify();
}

#[test]
fn only_an_administrator_erases_and_never_their_own_texts() {
    let stage = Stage::set();
    stage.types("ada", "user disable bob", 0);
    stage.types("otto", "audit erase --user bob", 1);
    stage.types("carol", "audit erase --user bob", 1);
    let (_, said) = stage.types("ada", "audit erase --user ada", 1);
    assert!(said.contains("disable it first"), "{said}");
    stage.types("ada", "audit erase --user bob", 0);
    let (_, said) = stage.types("ada", "audit erase --user usr-4", 1);
    assert!(said.contains("erased already"), "{said}");
    let (_, said) = stage.types("ada", "user enable usr-4", 1);
    assert!(said.contains("usr-4"), "{said}");
}
