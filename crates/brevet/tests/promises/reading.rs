//! Reading changes nothing.

use serde_json::Value;

use crate::support::stage::Stage;

#[test]
fn no_get_of_anybody_changes_anything() {
    let stage = Stage::with_policy("Linux/Say", "");
    let waiting = stage.request("carol", "--task Linux/Say");
    stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    let mut carol = stage.person("carol").connect(&stage.server);
    let mut size = || carol.get("/api/v1/ledger").unwrap().ok()["durable"].as_u64().unwrap();
    let document = stage.person("ada").connect(&stage.server).get("/api/v1/openapi.json").unwrap().ok();
    let paths = gets(&document);
    assert!(paths.len() > 25, "{paths:?}");
    let before = size();
    for who in ["", "bob", "carol", "alice", "ada", "otto"] {
        let token = if who.is_empty() { "" } else { &stage.person(who).token };
        for path in &paths {
            // That an auditor read the ledger is an entry, on purpose; the first administrator is one, too.
            let reads_ledger = ["/api/v1/audit/", "/api/v1/ledger/receipts/"];
            if ["ada", "otto"].contains(&who) && reads_ledger.iter().any(|part| path.starts_with(part)) {
                continue;
            }
            let answer = stage.server.connect(token).get(path).unwrap();
            assert!(answer.status < 500, "{who} {path}: {answer:?}");
        }
    }
    assert_eq!(size(), before, "something was written");
    for verb in ["approve", "deny", "cancel"] {
        let path = format!("/api/v1/requests/{waiting}/{verb}");
        let answer = stage.person("alice").connect(&stage.server).get(&path).unwrap();
        assert_eq!(answer.status, 405, "{path}");
    }
    assert_eq!(stage.asks("carol", &format!("request show {waiting}"))["status"], "pending");
    assert_eq!(size(), before);
}

/// Every path that can be read, with ids that exist.
fn gets(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().unwrap().iter();
    let readable = paths.filter(|(_, methods)| methods.get("get").is_some()).map(|(path, _)| path);
    let filled = readable.flat_map(|path| {
        let path = path
            .replace("{scope}", "Linux")
            .replace("{user}", "bob")
            .replace("{group}", "Approvers")
            .replace("{index}", "1");
        let path = match path.contains("/tasks/") {
            true => path.replace("{name}", "Say"),
            false => path.replace("{name}", "Speakers"),
        };
        let kind = if path.contains("/requests/") {
            "req"
        } else if path.contains("/authorizations/") {
            "aut"
        } else if path.contains("/executions/") {
            "exe"
        } else {
            "pol"
        };
        [1, 2].map(|number| path.replace("{id}", &format!("{kind}-{number}")))
    });
    // Waiting for a decision would be waiting for nobody.
    filled.filter(|path| !path.ends_with("/wait")).collect()
}

#[test]
fn nobody_reads_the_ledger_unseen_by_making_a_cursor_up() {
    let stage = Stage::set();
    let mut otto = stage.person("otto").connect(&stage.server);
    let mut carol = stage.person("carol").connect(&stage.server);
    let mut size = || carol.get("/api/v1/ledger").unwrap().ok()["durable"].as_u64().unwrap();
    for (path, entries) in [
        ("/api/v1/audit/entries?cursor=9&limit=2", 1),
        ("/api/v1/audit/entries?cursor=7&limit=2", 0),
        ("/api/v1/audit/entries?cursor=7&actor=ada", 1),
    ] {
        let before = size();
        otto.get(path).unwrap().ok();
        assert_eq!(size() - before, entries, "{path}");
    }
}
