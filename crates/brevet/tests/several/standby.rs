//! What is acknowledged is on two machines where the settings ask for that, or nothing is acknowledged: also when that changes
//! under servers that run.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::failures::writes;
use crate::pair::Pair;
use crate::support::patience::within;
use crate::support::stage::TASKS;

/// Between a change of PostgreSQL and the moment at which servers have seen it.
const SEEN_WITHIN: Duration = Duration::from_secs(30);

const UNTIL_ATTACHED: &str = "DO $$ BEGIN WHILE NOT EXISTS
    (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync')
    LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$";

/// As many as a server reads on, and more.
const READERS: usize = 8;

/// A PostgreSQL with an empty database, a standby that each commit waits for, and the address of both.
pub(crate) fn with_standby() -> (Cluster, Cluster, String) {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let standby = cluster.attach_standby();
    cluster.stop("fast");
    cluster.run_on("-c listen_addresses='' -c synchronous_standby_names='*'");
    cluster.sql("postgres", UNTIL_ATTACHED);
    let host = |cluster: &Cluster| cluster.folder().display().to_string().replace('/', "%2F");
    let address = format!("postgresql://postgres@{},{}/brevet", host(&cluster), host(&standby));
    (cluster, standby, address)
}

/// Writes through one of both until that is refused; who asks is told that, and the server's log says why.
fn until_refused(pair: &Pair, number: usize, why: &str) {
    let mut round = 0;
    within(SEEN_WITHIN, "it is refused", || {
        round += 1;
        let (_, answer) = writes(pair, number, &format!("Refused-{number}-{round}"));
        (answer.status == 503).then_some(())
    });
    within(SEEN_WITHIN, "it is said why", || pair.server(number).errors().contains(why).then_some(()));
}

fn until_written(pair: &Pair, number: usize, name: &str) {
    within(SEEN_WITHIN, "it is written again", || writes(pair, number, name).1.is_success().then_some(()));
}

/// None of the connections on which it read says that the dead primary is away.
fn reads_at_once(pair: &Pair, number: usize) {
    let mut otto = pair.stage.person("otto").connect(pair.server(number));
    for _ in 0..2 * READERS {
        let answer = otto.get("/api/v1/executions?limit=1").unwrap();
        assert!(answer.is_success(), "server {number} answers {}", answer.status);
    }
}

#[test]
fn a_promoted_standby_is_used_as_soon_as_it_has_one_of_its_own() {
    let (cluster, standby, address) = with_standby();
    let pair = Pair::set_with_standby(cluster, &address, TASKS);
    let names: Vec<String> = (0..20).map(|number| format!("Before-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        assert!(writes(&pair, number, name).1.is_success());
    }
    // Nothing is being committed just then: that would be looked up for half a minute only, and the next standby may take longer.
    pair.cluster.stop("immediate");
    standby.promote();
    (0..2).for_each(|number| until_refused(&pair, number, "synchronous_standby_names is empty"));

    let next = standby.attach_standby();
    standby.sql("brevet", "ALTER SYSTEM SET synchronous_standby_names = '*'");
    standby.sql("brevet", "SELECT pg_reload_conf()");
    (0..2).for_each(|number| until_written(&pair, number, &format!("After-promotion-{number}")));
    (0..2).for_each(|number| reads_at_once(&pair, number));
    let entries = pair.stage.entries();
    let is_there = |name: &String| entries.iter().any(|entry| entry["details"]["name"] == **name);
    assert!(names.iter().all(is_there), "what was acknowledged is there");
    pair.verifies();
    drop(next);
}

#[test]
fn a_database_that_would_forget_what_it_commits_is_noticed_while_servers_run() {
    let pair = Pair::set(TASKS);
    pair.cluster.sql("brevet", "ALTER SYSTEM SET synchronous_commit = 'local'");
    pair.cluster.sql("brevet", "SELECT pg_reload_conf()");
    (0..2).for_each(|number| until_refused(&pair, number, "synchronous_commit is local"));
    let mut anybody = pair.server(1).connect("");
    assert!(anybody.get("/api/v1/health").unwrap().is_success(), "what is known is told all the same");

    pair.cluster.sql("brevet", "ALTER SYSTEM RESET synchronous_commit");
    pair.cluster.sql("brevet", "SELECT pg_reload_conf()");
    (0..2).for_each(|number| until_written(&pair, number, &format!("Durable-{number}")));
    let entries = pair.stage.entries();
    assert!(
        entries.iter().all(|entry| entry["kind"] != "server.lost"),
        "nobody is given up for having waited"
    );
    pair.verifies();
}
