//! What is done through one server is so on the other.

use std::time::Duration;

use serde_json::json;

use crate::pair::Pair;
use crate::support::patience::{timed, until, within};
use crate::support::stage::{TASKS, text};

/// A revocation ends what runs on another server within so long.
const REVOKED_WITHIN: Duration = Duration::from_secs(5);

#[test]
fn what_is_done_through_one_server_is_so_on_the_other() {
    let pair = Pair::set(TASKS);
    let Pair { stage, second, .. } = &pair;
    stage.policy("Linux/Say", "");
    // Sessions were opened on the first server; the second finds them.
    let bob = stage.person("bob");
    let asked = bob.asks(second, "request new --task Linux/Say --reason Because");
    let request = text(&asked, "id");
    let authorization = text(&stage.asks("alice", &format!("request approve {request}")), "authorization");
    for number in 0..4 {
        let said = bob.types(pair.server(number), "run Linux/Say --param text=hello", 0);
        assert!(said.text().contains("hello"), "{}", said.text());
    }
    let alice = stage.person("alice");
    alice.asks(second, &format!("authorization revoke {authorization}"));
    for number in 0..2 {
        bob.types(pair.server(number), "run Linux/Say --param text=no", 3);
    }
    bob.types(second, "logout", 0);
    until("the first server hears of it", || bob.run(&stage.server, &["whoami"]).code == 4);
    pair.verifies();
}

#[test]
fn a_revocation_through_one_server_ends_a_run_on_the_other() {
    let pair = Pair::set(TASKS);
    let Pair { stage, second, .. } = &pair;
    stage.policy("Linux/Linger", "");
    let authorization = stage.grant("bob", "--task Linux/Linger");
    let started = stage.asks("bob", "run Linux/Linger --detach");
    let execution = text(&started, "id");
    let alice = stage.person("alice");
    let bob = stage.person("bob");
    let shown = bob.asks(second, &format!("execution show {execution}"));
    assert_eq!((text(&shown, "state").as_str(), text(&shown, "server").as_str()), ("running", "srv-1"));
    alice.asks(second, &format!("authorization revoke {authorization}"));
    within(REVOKED_WITHIN, "the run is over", || {
        let shown = bob.asks(second, &format!("execution show {execution}"));
        (text(&shown, "state") == "stopped").then_some(())
    });
    until("its processes are gone", || {
        let linger = stage.place.site("linger").display().to_string();
        crate::support::processes::with_argument(&linger).is_empty()
    });
    pair.verifies();
}

#[test]
fn a_read_that_carries_a_position_sees_what_was_written_through_another_server() {
    let pair = Pair::set(TASKS);
    let mut writer = pair.stage.person("ada").connect(&pair.stage.server);
    let mut reader = pair.stage.person("ada").connect(&pair.second);
    let (mut was_behind, rounds) = (0, 300);
    for round in 0..rounds {
        let name = format!("Group-{round}");
        let made = writer.post("/api/v1/groups", &json!({ "name": name })).unwrap();
        assert!(made.is_success(), "{}", made.json());
        reader.position = 0;
        was_behind += usize::from(!reader.get(&format!("/api/v1/groups/{name}")).unwrap().is_success());
        reader.position = made.position.unwrap();
        let seen = reader.get(&format!("/api/v1/groups/{name}")).unwrap();
        assert!(seen.is_success(), "round {round}: {}", seen.json());
        assert!(seen.position >= made.position);
    }
    println!("{was_behind} of {rounds} reads without a position were behind");
    reader.position = u64::from(u32::MAX);
    let (took, answer) = timed(|| reader.get("/api/v1/groups").unwrap());
    assert_eq!((answer.status, text(&answer.json(), "reason").as_str()), (503, "behind"));
    assert!(took < REVOKED_WITHIN, "{took:?}");
}

#[test]
fn what_runs_on_one_server_is_watched_through_the_other() {
    let pair = Pair::set(TASKS);
    let Pair { stage, second, .. } = &pair;
    stage.policy("Linux/Finish", "");
    stage.grant("bob", "--task Linux/Finish");
    let started = stage.asks("bob", "run Linux/Finish --detach");
    let execution = text(&started, "id");
    let bob = stage.person("bob");
    let mut watching = bob.begins(second, &format!("execution output {execution}"));
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(watching.stdout.take().unwrap()));
    assert_eq!(lines.next().unwrap().unwrap(), "started", "it is seen while it runs");
    std::fs::write(stage.place.site("go"), "").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "finished");
    assert!(watching.wait().unwrap().success());
    let again = bob.types(second, &format!("execution output {execution}"), 0);
    assert_eq!(again.text(), "started\nfinished\n");
}
