//! An idle ledger goes on, and says when its server ends.

use crate::support::patience::until;
use crate::support::place::Place;
use crate::support::stage::{Stage, TASKS};

fn kinds(stage: &Stage) -> Vec<String> {
    stage.entries().iter().map(|entry| entry["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn an_idle_server_writes_heartbeats_and_an_orderly_end() {
    let place = Place::new();
    place.settings("[ledger]\nheartbeat = \"1s\"\n");
    let stage = Stage::set_in(place, TASKS);
    let size = |stage: &Stage| stage.asks("bob", "audit status")["durable"].as_u64();
    let before = size(&stage);
    until("an idle ledger grows", || size(&stage) >= before.map(|before| before + 2));
    assert!(kinds(&stage).iter().filter(|kind| *kind == "ledger.heartbeat").count() >= 2);
    stage.verify();
    let (place, people) = stage.stop();
    let stage = Stage::again(place, people);
    let kinds = kinds(&stage);
    let stopped = kinds.iter().position(|kind| kind == "server.stopped").expect("the end is on record");
    assert_eq!(kinds[stopped + 1], "server.started");
}

#[test]
fn every_entry_has_a_published_checkpoint_within_a_second_or_so() {
    let stage = Stage::set();
    until("all that is durable is checkpointed", || {
        let ledger = stage.asks("bob", "audit status");
        assert_eq!(ledger["has_quorum"], false);
        ledger["durable"].as_u64() == ledger["checkpointed"].as_u64()
    });
    let (shown, _) = stage.types("bob", "audit status", 0);
    assert!(shown.contains("nobody outside it would notice a rewritten ledger"), "{shown}");
    let (shown, _) = stage.types("bob", "whoami", 0);
    assert!(shown.contains("no witnesses"), "{shown}");
}

#[test]
fn settings_of_the_ledger_that_cannot_be_stop_the_start() {
    for (settings, wanted) in [
        ("heartbeat = \"2h\"", "ledger.heartbeat cannot be \"2h\": it is from 1s to 1h"),
        ("heartbeat = \"soon\"", "ledger.heartbeat"),
        ("retention = \"30d\"", "ledger.retention cannot be \"30d\""),
        ("witness_policy = \"/nowhere/at/all\"", "/nowhere/at/all cannot be read"),
        ("anker = \"/tmp/x\"", "unknown field `anker`"),
    ] {
        let place = Place::new();
        place.settings(&format!("[ledger]\n{settings}\n"));
        let said = crate::support::server::refused(&place);
        assert!(said.code == 1 && said.stderr.contains(wanted), "{settings}: {}", said.stderr);
    }
}
