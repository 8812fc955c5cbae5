//! What is done through one server is so on the other.

use std::time::Duration;

use crate::pair::Pair;
use crate::support::patience::{until, within};
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
