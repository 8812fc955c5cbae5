//! On what terms: when a window starts, how often it may be used, with which values.

use crate::support::patience::until;
use crate::support::stage::Stage;

#[test]
fn a_scheduled_start_is_waited_for() {
    let stage = Stage::with_policy("Linux/Say", "");
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
    let authorization = stage.grant("bob", &format!("--task Linux/Say --start-at {start}"));
    let show = format!("authorization show {authorization}");
    assert_eq!(stage.asks("bob", &show)["state"], "scheduled");
    stage.types("bob", "run Linux/Say -p text=early", 3);
    until("the window starts", || stage.asks("bob", &show)["state"] == "active");
    stage.types("bob", "run Linux/Say -p text=now", 0);
}

#[test]
fn the_first_use_starts_the_clock_and_must_come_in_time() {
    let stage = Stage::with_policy("Linux/Say", "--start first-use --claim-within 5s");
    let claimed = stage.grant("bob", "--task Linux/Say --duration 1h");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    assert_eq!(stage.asks("bob", &format!("authorization show {claimed}"))["state"], "active");
    let missed = stage.grant("carol", "--task Linux/Say --duration 1h");
    let show = format!("authorization show {missed}");
    until("the claim window ends", || stage.asks("carol", &show)["ending"] == "ran-out");
    stage.types("carol", "run Linux/Say -p text=now", 3);
    stage.types("bob", "run Linux/Say -p text=now", 0);
}

#[test]
fn so_many_runs_and_no_more() {
    let stage = Stage::with_policy("Linux/Say", "--max-uses 2");
    let authorization = stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=one", 0);
    stage.types("bob", "run Linux/Say -p text=two", 0);
    stage.types("bob", "run Linux/Say -p text=three", 3);
    assert_eq!(stage.asks("bob", &format!("authorization show {authorization}"))["ending"], "used-up");
}

#[test]
fn an_exact_policy_runs_what_was_named_and_nothing_else() {
    let stage = Stage::with_policy("Linux/Say", "--binding exact");
    stage.types("bob", "request new --task Linux/Say --reason Because", 1);
    stage.grant("bob", "--task Linux/Say -p text=this -p aside=that");
    stage.types("bob", "run Linux/Say -p text=this -p aside=that", 0);
    for other in [
        "-p text=this",
        "-p text=That -p aside=that",
        "-p text=this -p aside=other",
        "-p text=that -p aside=this",
    ] {
        stage.types("bob", &format!("run Linux/Say {other}"), 3);
    }
}

#[test]
fn an_open_policy_binds_what_was_named() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say -p text=this");
    stage.types("bob", "run Linux/Say -p text=this", 0);
    stage.types("bob", "run Linux/Say -p text=this -p aside=free", 0);
    stage.types("bob", "run Linux/Say -p text=that", 3);
}

#[test]
fn longer_than_the_maximum_is_refused_and_an_approver_may_shorten() {
    let stage = Stage::with_policy("Linux/Say", "--max-duration 2h");
    stage.types("bob", "request new --task Linux/Say --reason Because --hours 3", 1);
    let request = stage.request("bob", "--task Linux/Say --hours 2");
    stage.types("alice", &format!("request approve {request} --duration 30m"), 0);
    let held = stage.asks("bob", "authorization list --mine");
    assert_eq!(held[0]["duration"], "30m");
}
