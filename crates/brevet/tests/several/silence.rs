//! A database that says nothing more, and ends no connection either.

use std::time::Duration;

use serde_json::json;

use crate::cluster::Cluster;
use crate::failures::{address_in, lost};
use crate::pair::Pair;
use crate::support::patience::{timed, until};
use crate::support::place::Place;
use crate::support::processes::with_argument;
use crate::support::server::Server;
use crate::support::stage::{Stage, TASKS, text};
use crate::wire_cutter::WireCutter;

/// How soon a server says that it is behind, and how soon what it runs is stopped: as documented, and what it takes to see
/// that on a busy machine.
const BEHIND_WITHIN: Duration = Duration::from_secs(3);
const STOPPED_WITHIN: Duration = Duration::from_secs(6);
/// What was a moment ago does not stop anything.
const STOPPED_NOT_BEFORE: Duration = Duration::from_secs(3);

/// Bob runs what goes on for long on the first server; answers its id.
fn lingers(stage: &Stage) -> String {
    stage.policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger");
    lingers_again(stage)
}

/// The same for whom it was granted.
fn lingers_again(stage: &Stage) -> String {
    let execution = text(&stage.asks("bob", "run Linux/Linger --detach"), "id");
    until("it runs", || is_running(stage));
    execution
}

fn is_running(stage: &Stage) -> bool {
    !with_argument(&stage.place.site("linger").display().to_string()).is_empty()
}

/// Nothing gets through any more: the server says so, stops what it runs, and does nothing that is asked of it.
fn falls_silent(stage: &Stage, wire: &WireCutter) {
    let mut anybody = stage.server.connect("");
    assert!(anybody.get("/api/v1/health").unwrap().is_success());
    wire.hush();
    let (stopped, ()) = timed(|| {
        let (behind, ()) = timed(|| until("it says so", || is_behind(&stage.server)));
        assert!(behind < BEHIND_WITHIN, "{behind:?}");
        refuses(stage);
        until("what runs is stopped", || !is_running(stage));
    });
    println!("it was stopped after {stopped:?}");
    assert!(STOPPED_NOT_BEFORE < stopped && stopped < STOPPED_WITHIN, "{stopped:?}");
    refuses(stage);
}

fn is_behind(server: &Server) -> bool {
    server.connect("").get("/api/v1/health").unwrap().status == 503
}

/// Nothing is started, and nothing is shown.
fn refuses(stage: &Stage) {
    let mut bob = stage.person("bob").connect(&stage.server);
    let run = json!({"task": "Linux/Linger"});
    for refused in [bob.post("/api/v1/executions", &run).unwrap(), bob.get("/api/v1/executions").unwrap()] {
        assert_eq!((refused.status, text(&refused.json(), "reason").as_str()), (503, "behind"));
    }
}

#[test]
fn a_database_that_falls_silent_stops_what_runs_and_goes_on_when_it_speaks() {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let wire = WireCutter::before(cluster.folder());
    let place = Place::new();
    place.settings(&format!("[database]\nurl = \"{}\"\n", address_in(wire.folder())));
    let stage = Stage::set_in(place, TASKS);
    let execution = lingers(&stage);
    falls_silent(&stage, &wire);
    wire.speak();
    until("it is well again", || !is_behind(&stage.server));
    until("the end of the run is on record", || {
        text(&stage.asks("bob", &format!("execution show {execution}")), "state") == "stopped"
    });
    assert!(!is_running(&stage), "what was refused is not done later");
    stage.asks("bob", "run Linux/Linger --detach");
    until("it runs", || is_running(&stage));
    assert!(stage.server.errors().contains("the database did not answer, or another server had the turn"));
}

/// PostgreSQL refuses what would be put on record, with this code.
fn refuse_entries(cluster: &Cluster, code: &str) {
    let refuse = format!("BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END");
    cluster.sql(
        "brevet",
        &format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS '{}'",
            refuse.replace('\'', "''")
        ),
    );
    cluster.sql("brevet", "CREATE TRIGGER refuse BEFORE INSERT ON entry EXECUTE FUNCTION refuse()");
}

#[test]
fn a_database_that_answers_and_records_nothing_stops_what_runs() {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let place = Place::new();
    place.settings(&format!("[database]\nurl = \"{}\"\n", address_in(cluster.folder())));
    let stage = Stage::set_in(place, TASKS);
    let mut execution = lingers(&stage);
    for fault in ["not durable", "53100", "42501"] {
        match fault {
            "not durable" => {
                cluster.sql("brevet", "ALTER SYSTEM SET synchronous_commit = 'local'");
                cluster.sql("brevet", "SELECT pg_reload_conf()");
            }
            code => refuse_entries(&cluster, code),
        }
        let mut ada = stage.person("ada").connect(&stage.server);
        until(&format!("nothing runs any more ({fault})"), || {
            let refused = ada.post("/api/v1/groups", &json!({"name": format!("Group {fault}")})).unwrap();
            assert!(refused.status == 503 || fault == "not durable", "{}", refused.json());
            !is_running(&stage)
        });
        assert!(!is_behind(&stage.server), "the database answers");
        match fault {
            "not durable" => {
                cluster.sql("brevet", "ALTER SYSTEM RESET synchronous_commit");
                cluster.sql("brevet", "SELECT pg_reload_conf()");
            }
            _ => cluster.sql("brevet", "DROP FUNCTION refuse CASCADE"),
        }
        until("the end of the run is on record", || {
            stage.asks("bob", &format!("execution show {execution}"))["stop_cause"] == "ledger-unavailable"
        });
        execution = lingers_again(&stage);
    }
    let said = stage.server.errors();
    let times = |sentence| said.matches(sentence).count();
    assert!(times("nothing is put on record for too long") >= 2, "{said}");
    assert!((2..10).contains(&times("a batch could not be written")), "each reason once: {said}");
}

#[test]
fn a_server_whose_database_fell_silent_is_given_up_and_ends_when_it_speaks() {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let wire = WireCutter::before(cluster.folder());
    let addresses = [wire.folder(), cluster.folder()].map(address_in);
    let mut pair = Pair::set_each(cluster, [&addresses[0], &addresses[1]], TASKS);
    let execution = lingers(&pair.stage);
    falls_silent(&pair.stage, &wire);
    lost(&pair, 1, "srv-1");
    let bob = pair.stage.person("bob");
    let shown = bob.asks(&pair.second, &format!("execution show {execution}"));
    assert_eq!(text(&shown, "state"), "unknown");
    wire.speak();
    let (status, said) = pair.stage.server.ends();
    assert!(!status.success() && said.contains("took this one for gone"), "{status}: {said}");
    pair.stage.server.start_again(&pair.stage.place);
    pair.verifies();
}
