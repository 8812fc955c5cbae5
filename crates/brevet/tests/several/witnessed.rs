//! Witnesses see one ledger, whichever server appends to it.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::failures::{address_in, lost};
use crate::pair::Pair;
use crate::siege;
use crate::siege::Siege;
use crate::support::patience::until;
use crate::support::place::{Place, write_private};
use crate::support::witness::{GUARDED, Witness};

/// Runs through each server, while both append.
const RUNS: usize = 20;

fn runs_guarded(pair: &Pair, number: usize) {
    let bob = pair.stage.person("bob");
    assert_eq!(bob.types(pair.server(number), "run Linux/Guarded", 0).text(), "guarded", "server {number}");
}

fn all_is_witnessed(pair: &Pair, number: usize) {
    let mut otto = pair.stage.person("otto").connect(pair.server(number));
    let mut status = || otto.get("/api/v1/ledger").unwrap().json();
    until("the witness has seen everything", || {
        let ledger: Value = status();
        ledger["durable"].is_u64() && ledger["durable"] == ledger["witnessed"]
    });
}

#[test]
fn what_either_server_appends_is_witnessed_and_either_asks_when_the_other_is_gone() {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let address = address_in(cluster.folder());
    let home = Place::new();
    let witness = Witness::start(home.path().join("witness"), "127.0.0.1:0");
    let policy = home.path().join("policy");
    write_private(&policy, witness.policy().as_bytes());
    let settings = format!("[ledger]\nwitness_policy = \"{}\"\nwitness_timeout = \"5s\"\n", policy.display());
    let tasks = format!("{}{GUARDED}", siege::TASKS);
    let mut pair = Pair::set_each_with(cluster, [&address; 2], &settings, &tasks);
    let key = pair.stage.asks("otto", "audit status")["keys"][0].as_str().unwrap().to_owned();
    witness.watches(&key);
    pair.stage.policy("Linux/Guarded", "");
    pair.stage.grant("bob", "--task Linux/Guarded");

    let mut siege = Siege::begin(&pair);
    let (on_first, on_second) = (siege.besiege(&pair, 0), siege.besiege(&pair, 1));
    for round in 0..RUNS {
        runs_guarded(&pair, round % 2);
    }
    drop((on_first.stop(), on_second.stop()));
    (0..2).for_each(|number| all_is_witnessed(&pair, number));

    pair.stage.server.kill();
    lost(&pair, 1, "srv-1");
    runs_guarded(&pair, 1);
    pair.stage.server.start_again(&pair.stage.place);
    runs_guarded(&pair, 0);
    let body = json!({ "name": "Afterwards" });
    pair.stage.person("ada").connect(pair.server(0)).post("/api/v1/groups", &body).unwrap().ok();
    (0..2).for_each(|number| all_is_witnessed(&pair, number));
    pair.verifies();
}
