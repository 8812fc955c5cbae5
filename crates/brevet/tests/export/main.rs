//! The record outside: exports that others verify and read, a real syslog receiver, files that are moved away, and
//! what of it survives when either side is killed.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod between;
mod files;
mod formats;
mod hostile;
mod receiver;
mod syslog;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use support::stage::Stage;

/// Somebody asks, somebody approves, it runs, it is refused afterwards.
fn play(stage: &Stage) {
    stage.policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    stage.types("bob", "run Linux/Say -p text=now", 0);
    stage.types("alice", &format!("authorization revoke {authorization}"), 0);
    stage.types("bob", "run Linux/Say -p text=now", 3);
}

/// How many entries the ledger has.
fn size(stage: &Stage) -> u64 {
    let mut otto = stage.person("otto").connect(&stage.server);
    let answer = otto.get("/api/v1/audit/entries?limit=1").unwrap().ok();
    answer["items"][0]["index"].as_u64().unwrap() + 1
}

/// Every entry before `size` is there, and the first arrivals are in order.
fn assert_complete(arrived: &[u64], size: u64) {
    let mut next = 0;
    for index in arrived {
        assert!(*index <= next, "entry {index} arrived where {next} was due: a gap");
        if *index == next {
            next += 1;
        }
    }
    assert!(next >= size, "{next} of {size} arrived");
}
