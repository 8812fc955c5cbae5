//! Asking and deciding: who waits, who says yes, who says no, and what nobody decides.

use crate::support::patience::{SOON, until, within};
use crate::support::person::Typed;
use crate::support::stage::{Stage, text};

/// The first pending request that somebody may decide on.
fn waiting(stage: &Stage, approver: &str) -> String {
    within(SOON, "a request waits", || {
        let waiting = stage.asks(approver, "request list --for-me");
        Some(waiting.as_array()?.first()?["id"].as_str()?.to_owned())
    })
}

#[test]
fn a_run_that_asks_and_waits_runs_when_another_approves() {
    let stage = Stage::with_policy("Linux/Say", "");
    let waits = stage
        .person("bob")
        .begins(&stage.server, "run Linux/Say -p text=now --reason Because --hours 1 --wait");
    let request = waiting(&stage, "alice");
    stage.types("alice", &format!("request approve {request}"), 0);
    let ended = Typed::of(waits.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.text().as_str()), (0, "now\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("approved by alice"), "{}", ended.stderr);
}

#[test]
fn a_run_that_asks_and_does_not_wait_says_so_once() {
    let stage = Stage::with_policy("Linux/Say", "");
    for _ in 0..2 {
        stage.types("bob", "run Linux/Say -p text=now --reason Because", 3);
    }
    assert_eq!(stage.asks("bob", "request list --mine").as_array().unwrap().len(), 1);
}

#[test]
fn a_denial_ends_the_wait_with_a_reason() {
    let stage = Stage::with_policy("Linux/Say", "");
    let waits =
        stage.person("bob").begins(&stage.server, "run Linux/Say -p text=now --reason Because --wait");
    let request = waiting(&stage, "anna");
    stage.types("anna", &format!("request deny {request} --comment \"Not today\""), 0);
    let ended = Typed::of(waits.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.text().as_str()), (1, ""));
    assert!(ended.stderr.contains("denied") && ended.stderr.contains("Not today"), "{}", ended.stderr);
    stage.types("alice", &format!("request approve {request}"), 1);
    stage.types("bob", "run Linux/Say -p text=now", 3);
}

#[test]
fn a_request_that_nobody_decides_expires() {
    let stage = Stage::with_policy("Linux/Say", "--pending 2s");
    let request = stage.request("bob", "--task Linux/Say");
    let waited = stage.types("bob", &format!("request wait {request}"), 1).1;
    assert!(waited.contains("expired"), "{waited}");
    stage.types("alice", &format!("request approve {request}"), 1);
    assert_eq!(stage.asks("bob", &format!("request show {request}"))["status"], "expired");
}

#[test]
fn an_extension_is_more_time_on_the_same_authorization() {
    let stage = Stage::with_policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say --duration 1h");
    let show = format!("authorization show {authorization}");
    let before = text(&stage.asks("bob", &show), "ends_at");
    let request = stage.request("bob", &format!("--extend {authorization} --duration 2h"));
    let approved = stage.asks("alice", &format!("request approve {request}"));
    assert_eq!(approved["authorization"], authorization.as_str());
    assert!(text(&stage.asks("bob", &show), "ends_at") > before);
}

#[test]
fn what_is_given_back_or_cancelled_is_over() {
    let stage = Stage::with_policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    stage.types("carol", &format!("authorization give-back {authorization}"), 1);
    stage.types("bob", &format!("authorization give-back {authorization}"), 0);
    stage.types("bob", "run Linux/Say -p text=now", 3);
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("bob", &format!("request cancel {request}"), 0);
    stage.types("alice", &format!("request approve {request}"), 1);
}

#[test]
fn a_quorum_of_two_groups_needs_one_of_each() {
    let stage = Stage::set();
    stage.types("ada", "group create Security", 0);
    stage.types("ada", "group add-member Security carol", 0);
    stage.types("ada", "group add-member Security alice", 0);
    stage.policy("Linux/Say", "--approver-group Approvers:1 --approver-group Security:1");
    let request = stage.request("bob", "--task Linux/Say");
    let after = stage.asks("alice", &format!("request approve {request}"));
    assert_eq!(after["status"], "pending", "Alice is in both groups, and still one person");
    stage.types("alice", &format!("request approve {request}"), 1);
    stage.types("bob", "run Linux/Say -p text=now", 3);
    let after = stage.asks("carol", &format!("request approve {request}"));
    assert_eq!(after["status"], "approved");
    stage.types("bob", "run Linux/Say -p text=now", 0);
}

#[test]
fn an_auto_policy_gives_at_once_to_those_who_are_named() {
    let stage = Stage::set();
    stage.types("ada", "policy create --task Linux/Say --approval-type auto", 2);
    stage.types("ada", "policy create --task Linux/Say --approval-type auto --requester bob", 0);
    stage.types("bob", "run Linux/Say -p text=now --reason Because", 0);
    stage.types("carol", "request new --task Linux/Say --reason Because", 1);
    stage.types("bob", "run Linux/Say -p text=now", 0);
    stage.types("bob", "run Linux/Say -p text=other", 3);
}

#[test]
fn nobody_sees_or_decides_what_is_not_theirs() {
    let stage = Stage::with_policy("Linux/Say", "");
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("carol", &format!("request show {request}"), 1);
    stage.types("carol", &format!("request approve {request}"), 1);
    stage.types("ada", &format!("request approve {request}"), 1);
    assert_eq!(stage.asks("bob", &format!("request show {request}"))["status"], "pending");
    until("Anna sees it", || stage.asks("anna", "request list --for-me")[0]["id"] == request.as_str());
}
