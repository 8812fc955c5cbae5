//! Searching the ledger on the real binary: by everything that it can be searched by, alone and together.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use serde_json::Value;
use support::stage::{Stage, text};

/// The indexes of what a search finds.
fn found(stage: &Stage, options: &str) -> Vec<u64> {
    let listed = stage.asks("otto", &format!("audit search {options}"));
    listed.as_array().unwrap().iter().map(|entry| entry["index"].as_u64().unwrap()).collect()
}

/// One run of Bob's that succeeds and one that fails, under an approved request; before that, one that is refused.
fn played() -> (Stage, String) {
    let stage = Stage::with_policy("Linux/Exit", "");
    stage.types("bob", "run Linux/Exit -p code=0", 3);
    let asks = "request new --task Linux/Exit --reason \"Migration of the mail queue, INC-20417\"";
    let request = text(&stage.asks("bob", asks), "id");
    stage.types("alice", &format!("request approve {request} --comment \"Go ahead\""), 0);
    stage.types("bob", "run Linux/Exit -p code=0", 0);
    stage.types("bob", "run Linux/Exit -p code=9", 9);
    let authorization = stage.asks("bob", "authorization list")[0]["id"].as_str().unwrap().to_owned();
    stage.types("bob", &format!("authorization give-back {authorization}"), 0);
    (stage, request)
}

#[test]
fn entries_are_found_by_outcome_task_request_text_and_all_of_them_together() {
    let (stage, request) = played();
    let entries = stage.entries();
    let of_kind = |kind: &str| -> Vec<u64> {
        let of_it = entries.iter().rev().filter(|entry| entry["kind"] == kind);
        of_it.map(|entry| entry["index"].as_u64().unwrap()).collect()
    };
    let finished = of_kind("execution.finished");
    assert_eq!(finished.len(), 2);
    assert_eq!(found(&stage, "--outcome failed"), finished[..1]);
    assert_eq!(found(&stage, "--outcome succeeded --task linux/exit --actor system"), finished[1..]);
    assert_eq!(found(&stage, "--outcome given-back"), of_kind("authorization.ended"));
    assert_eq!(found(&stage, "--outcome refused --task Linux/Exit"), of_kind("execution.refused"));
    assert_eq!(found(&stage, "--outcome approved --actor alice"), of_kind("request.decided"));
    let submitted = of_kind("request.submitted");
    for words in ["inc-20417", "MIGRATION", "migr*", "\"queue mail\"", "\"inc* migration the\""] {
        assert_eq!(found(&stage, &format!("--text {words}")), submitted, "{words}");
    }
    let together = format!(
        "--text migration --request {request} --task Linux/Exit --actor bob --kind request.* --since 1h"
    );
    assert_eq!(found(&stage, &together), submitted);
    assert_eq!(found(&stage, &format!("{together} --outcome approved")), [] as [u64; 0]);
    let story = found(&stage, &format!("--request {request}"));
    assert!(of_kind("execution.finished").iter().all(|index| story.contains(index)));
    stage.verify();
}

#[test]
fn an_entry_says_what_it_is_about_after_that_has_ended() {
    let (stage, request) = played();
    let listed = stage.asks("otto", "audit search --kind execution.finished");
    for entry in listed.as_array().unwrap() {
        assert_eq!(entry["request"], request.as_str());
        assert_eq!(entry["task"], "Linux\\Exit");
        assert!(entry["authorization"].is_string() && entry["execution"].is_string(), "{entry}");
    }
    let outcomes: Vec<&Value> = listed.as_array().unwrap().iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "succeeded"]);
    let ended = &stage.asks("otto", "audit search --kind authorization.ended")[0];
    assert_eq!((&ended["request"], &ended["outcome"]), (&request.as_str().into(), &"given-back".into()));
    let shown = stage.types("otto", &format!("audit show {}", ended["index"]), 0).0;
    assert!(shown.contains("given-back") && shown.contains("Linux\\Exit"), "{shown}");
}

#[test]
fn a_search_is_one_entry_and_does_not_find_itself() {
    let (stage, _) = played();
    let before = stage.entries().len();
    for _ in 0..3 {
        assert_eq!(found(&stage, "--text migration --limit 0").len(), 1);
    }
    let searches = found(&stage, "--kind ledger.read --limit 0");
    assert!(searches.len() >= 4);
    let (_, mistaken) = stage.types("otto", "audit search --text ???", 1);
    assert!(mistaken.contains("at least one word"), "{mistaken}");
    // Reading all entries is one more each time; the mistaken search is none, and reads nothing.
    assert_eq!(stage.entries().len(), before + 5);
}

#[test]
fn what_nobody_did_is_not_found_and_no_mistake() {
    let (stage, _) = played();
    for options in [
        "--outcome splendid",
        "--kind no.such",
        "--task Linux/Nothing",
        "--text unheard-of",
        "--request req-999",
    ] {
        assert_eq!(found(&stage, options), [] as [u64; 0], "{options}");
    }
}
