//! A monitor that shares nothing with Brevet (another language, written from the specifications) follows the ledger of
//! a real server, at sizes around those of the tiles, and while it grows.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::patience::SOON;
use crate::support::patience::within;
use crate::support::place::Place;
use crate::support::stage::{Stage, TASKS};

/// Runs the monitor; its standard error is a sentence about what is wrong.
pub(crate) fn monitor(words: &[&str]) -> Result<Value, String> {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tiles/monitor.py");
    let run = Command::new("python3").arg(program).args(words).output().expect("these tests need python3");
    match run.status.success() {
        true => Ok(serde_json::from_slice(&run.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

pub(crate) fn verifier_key(data: &Path) -> String {
    std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned()
}

fn stage(settings: &str) -> Stage {
    let place = Place::new();
    place.settings(settings);
    Stage::set_in(place, TASKS)
}

/// How many entries the published checkpoint covers.
fn published(stage: &Stage) -> u64 {
    let note = stage.server.connect("").get("/ledger/checkpoint").unwrap();
    String::from_utf8(note.body).unwrap().lines().nth(1).unwrap().parse().unwrap()
}

/// One entry each, until the ledger is so long and says so.
fn grow(stage: &Stage, size: u64) {
    let mut ada = stage.person("ada").connect(&stage.server);
    let mut count = published(stage);
    while count < size {
        let group = json!({"name": format!("Group {count}")});
        ada.post("/api/v1/groups", &group).unwrap().ok();
        count += 1;
        // What is published may be behind; the count is not.
    }
    within(SOON, "the checkpoint covers all of it", || (published(stage) >= size).then_some(()));
}

#[test]
fn another_implementation_finds_the_root_of_the_checkpoint_in_entries_and_in_tiles() {
    // Nothing but the test itself makes the ledger grow.
    let stage = stage("[ledger]\npublic_entries = true\nheartbeat = \"1h\"\n");
    let key = verifier_key(&stage.place.data());
    let url = format!("{}/ledger", stage.server.url());
    let mut before = (String::from("0"), String::new());
    let settled = || {
        let mut last = published(&stage);
        within(SOON, "nothing is written any more", || {
            let now = published(&stage);
            let still = now == last && stage_size(&stage) == now;
            last = now;
            still.then_some(now)
        })
    };
    settled();
    for size in [255, 256, 257, 600] {
        grow(&stage, size);
        let found = monitor(&["follow", &url, &key, "", &before.0, &before.1]).unwrap();
        assert_eq!(found["size"], size);
        before = (size.to_string(), found["root"].as_str().unwrap().to_owned());
    }
    let other = before.1.replace('0', "1");
    let error = monitor(&["follow", &url, &key, "", "600", &other]).unwrap_err();
    assert!(error.contains("is not the beginning of this one"), "{error}");
}

/// How many entries are durable.
fn stage_size(stage: &Stage) -> u64 {
    let mut bob = stage.person("bob").connect(&stage.server);
    bob.get("/api/v1/ledger").unwrap().ok()["durable"].as_u64().unwrap()
}

#[test]
fn the_ledger_can_be_followed_while_it_grows_and_by_an_auditor_where_entries_are_not_public() {
    let stage = stage("[ledger]\nheartbeat = \"1s\"\n");
    let key = verifier_key(&stage.place.data());
    let url = format!("{}/ledger", stage.server.url());
    let refused = monitor(&["follow", &url, &key]).unwrap_err();
    assert!(refused.contains("401") && refused.contains("tile/entries/000"), "{refused}");
    let (otto, address) = (stage.person("otto").token.clone(), stage.server.address.clone());
    let ada = stage.person("ada").token.clone();
    let writer = std::thread::spawn(move || {
        let mut ada = crate::support::http::Connection::open(&address, &ada).unwrap();
        for place in 0..400 {
            ada.post("/api/v1/groups", &json!({"name": format!("Group {place}")})).unwrap().ok();
        }
    });
    let mut before = (String::from("0"), String::new());
    let mut rounds = 0;
    while !writer.is_finished() || rounds < 3 {
        let found = monitor(&["follow", &url, &key, &otto, &before.0, &before.1]).unwrap();
        before = (found["size"].to_string(), found["root"].as_str().unwrap().to_owned());
        rounds += 1;
    }
    writer.join().unwrap();
    let reads = stage.entries().iter().filter(|entry| entry["kind"] == "ledger.read").count();
    assert_eq!(reads, 2, "one for all that the monitor read, one for the export that counted them");
}
