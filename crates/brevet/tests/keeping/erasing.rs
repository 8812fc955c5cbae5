//! The texts of a person go; every proof stays.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::json;

use crate::support::BREVET;
use crate::support::patience::until;
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

/// Bob asks and takes it back, over and over, for reasons of many words.
fn much_of_bob(stage: &Stage) {
    let reason: Vec<String> = (0..60).map(|word| format!("Xylophonist{word}")).collect();
    let ask = json!({"task": "Linux/Say", "reason": reason.join(" ")});
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut bob = stage.person("bob").connect(&stage.server);
                for _ in 0..100 {
                    let asked = text(&bob.post("/api/v1/requests", &ask).unwrap().ok(), "id");
                    bob.post(&format!("/api/v1/requests/{asked}/cancel"), &json!({})).unwrap().ok();
                }
            });
        }
    });
}

/// The number that a query of the database answers; `None` without a row.
fn number(database: &Connection, sql: &str) -> Option<i64> {
    database.query_row(sql, [], |row| row.get(0)).optional().unwrap()
}

#[test]
fn a_server_that_is_killed_while_texts_go_ends_it_when_it_starts_again() {
    let mut stage = Stage::with_policy("Linux/Say", "");
    much_of_bob(&stage);
    stage.types("ada", "user disable bob", 0);
    let data = stage.place.data();
    let database = Connection::open(data.join("brevet.db")).unwrap();
    let mut erasing = stage.person("ada").begins(&stage.server, "audit erase --user bob");
    until("some of the texts are gone", || {
        number(&database, "SELECT next FROM erasure").is_some_and(|next| next > 0)
    });
    stage.server.kill();
    erasing.wait().unwrap();
    let left = "SELECT count(*) FROM entry_text WHERE value LIKE 'Xylophonist%'";
    assert!(number(&database, left) > Some(0) && number(&database, left) < Some(600));
    // An entry says that they are gone, and the folder that a server was at it: that is no fault yet, and is told.
    let told = verify(&data);
    assert_eq!(told.0, Some(0), "{}", told.1);
    assert!(told.1.contains("  erasing     the texts of usr-"), "{}", told.1);
    assert_eq!(second(&data), Some(0));
    // That is said of this person, and of nobody else.
    let bob = number(&database, "SELECT user FROM erasure").unwrap();
    database.execute("UPDATE erasure SET user = 1", []).unwrap();
    assert_eq!((verify(&data).0, second(&data)), (Some(17), Some(17)));
    database.execute("UPDATE erasure SET user = ?1", [bob]).unwrap();
    drop(database);
    stage.server.start_again(&stage.place);
    let database = Connection::open(data.join("brevet.db")).unwrap();
    assert_eq!((number(&database, left), number(&database, "SELECT user FROM erasure")), (Some(0), None));
    drop(database);
    stage.verify();
    assert_eq!(second(&data), Some(0));
    assert_eq!(is_anywhere(&stage, "Xylophonist"), Vec::<String>::new());
    assert_eq!(is_anywhere(&stage, "xylophonist"), Vec::<String>::new());
}

/// What `brevet audit verify` says of a folder.
fn verify(data: &Path) -> (Option<i32>, String) {
    let output = Command::new(BREVET).args(["audit", "verify", "--data"]).arg(data).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// What the second verifier does, which was written from the documents alone.
fn second(data: &Path) -> Option<i32> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent/verify.py");
    Command::new("python3").args(["-S", "-B", program]).arg(data).output().unwrap().status.code()
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
