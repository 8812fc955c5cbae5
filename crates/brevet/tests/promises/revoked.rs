//! After a revocation was acknowledged nothing starts any more.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::support::stage::Stage;

/// Races, each between a revocation and as many runs as fit.
const RACES: usize = 25;
const RUNNERS: usize = 4;

#[test]
fn no_run_starts_after_an_acknowledged_revocation() {
    let stage = Stage::with_policy("Linux/Say", "");
    let (started, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    for race in 0..RACES {
        let authorization = stage.grant("bob", "--task Linux/Say");
        // How long the ledger was when the revocation was acknowledged; none before.
        let is_revoked = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..RUNNERS {
                scope.spawn(|| {
                    let mut bob = stage.person("bob").connect(&stage.server);
                    let run = json!({"task": "Linux/Say", "parameters": {"text": "now"}});
                    loop {
                        let was_revoked = is_revoked.load(Ordering::SeqCst) == 1;
                        let answer = bob.post("/api/v1/executions", &run).unwrap();
                        let counted = if answer.is_success() { &started } else { &refused };
                        counted.fetch_add(1, Ordering::Relaxed);
                        match was_revoked {
                            true => return assert!(!answer.is_success(), "it started after the revocation"),
                            // 422: too many at once, on a slow machine.
                            false => assert!([201, 403, 422].contains(&answer.status), "{answer:?}"),
                        }
                    }
                });
            }
            let mut alice = stage.person("alice").connect(&stage.server);
            let enough = (race as u64) * 4;
            let before = started.load(Ordering::Relaxed);
            while started.load(Ordering::Relaxed) < before + enough {
                std::thread::yield_now();
            }
            alice.post(&format!("/api/v1/authorizations/{authorization}/revoke"), &json!({})).unwrap().ok();
            is_revoked.store(1, Ordering::SeqCst);
        });
    }
    let (started, refused) = (started.into_inner(), refused.into_inner());
    println!("{RACES} races, {started} runs started, {refused} refused");
    assert!(started > 300 && refused >= (RACES * RUNNERS) as u64);
    none_started_after_its_end(&stage);
}

/// In the ledger, which is the order of things.
fn none_started_after_its_end(stage: &Stage) {
    let mut ended = std::collections::BTreeSet::new();
    let mut runs = 0;
    for entry in stage.entries() {
        let authorization = entry["authorization"].as_str().unwrap_or_default().to_owned();
        match entry["kind"].as_str().unwrap() {
            "authorization.ended" | "authorization.revoked" => drop(ended.insert(authorization)),
            "execution.started" => {
                runs += 1;
                assert!(!authorization.is_empty() && !ended.contains(&authorization), "{entry}");
            }
            _ => {}
        }
    }
    assert!(runs > 300 && ended.len() == RACES, "{runs} runs, {ended:?}");
}
