//! What is acknowledged is on a second machine, or nothing is: with a real standby that is attached and promoted.

use std::path::Path;

use brevet_store::{DatabasePlace, Standby, StoreError};

use crate::cluster::Cluster;
use crate::sample::Sample;

/// The place of a database on these servers, in this order, where a standby is asked for.
fn place(clusters: &[&Cluster], user: &str) -> DatabasePlace {
    let host = |cluster: &&Cluster| cluster.folder().display().to_string().replace('/', "%2F");
    let hosts: Vec<String> = clusters.iter().map(host).collect();
    DatabasePlace::Postgres {
        address: format!("postgresql://{user}@{}/brevet", hosts.join(",")),
        password: None,
        authority: None,
        standby: Standby::Needed,
    }
}

fn refused(place: &DatabasePlace, data: &Path) -> String {
    let Err(error) = Sample::open_at(place, data) else { panic!("it is not refused") };
    assert!(!error.is_lost(), "another connection is of no use: {error}");
    error.to_string()
}

fn sql(cluster: &Cluster, statement: &str) {
    let socket = cluster.folder().display().to_string();
    cluster.run(
        "psql",
        &["--host", &socket, "--username", "postgres", "--command", statement, "--no-psqlrc", "postgres"],
    );
}

/// PostgreSQL takes a moment to notice who came and who is gone.
pub(crate) fn until<T, E: std::fmt::Debug>(mut done: impl FnMut() -> Result<T, E>) -> T {
    for _ in 0..10_000 {
        if let Ok(done) = done() {
            return done;
        }
        std::thread::yield_now();
    }
    done().unwrap()
}

#[test]
fn what_is_acknowledged_is_on_a_second_machine() {
    let (primary, folder) = (Cluster::start(), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    drop(primary.database("brevet"));
    sql(&primary, "CREATE ROLE brevet LOGIN");
    sql(&primary, "ALTER DATABASE brevet OWNER TO brevet");
    let asked = place(&[&primary], "postgres");

    let said = refused(&asked, &data);
    assert!(said.contains("synchronous_standby_names is empty") && said.contains("--accept-loss"), "{said}");
    let alone = Sample::open_at(&asked.clone().accepting_loss(), &data).unwrap();
    let accepted = alone.store.accepted_loss().unwrap();
    assert!(accepted.contains("synchronous_standby_names is empty"), "{accepted}");
    drop(alone);

    primary.stop("fast");
    primary.run_on("-c listen_addresses='' -c synchronous_standby_names='*'");
    let said = refused(&asked, &data);
    assert!(said.contains("of 0 attached standbys none"), "{said}");
    let said = refused(&asked.clone().accepting_loss(), &data);
    assert!(said.contains("ALTER SYSTEM"), "nothing would ever be answered: {said}");

    let standby = primary.attach_standby();
    drop(until(|| Sample::open_at(&asked, &data)));
    let said = refused(&place(&[&primary], "brevet"), &folder.path().join("other"));
    assert!(said.contains("GRANT pg_read_all_stats"), "{said}");
    // What a person would accept is accepted where it is missing at the start, which is on record, and not later.
    let mut sample = Sample::organization_at(&asked.clone().accepting_loss(), &data);
    assert_eq!(sample.store.accepted_loss(), None);
    sample.story();
    what_is_not_durable_any_more_is_noticed(&primary, &mut sample);
    a_commit_that_does_not_wait_for_it_any_more_is_not_acknowledged(&primary, &standby, &mut sample);
    let before = sample.store.size();
    drop(sample);
    let sample = until(|| Sample::open_at(&asked, &data));
    let (size, state) = (sample.store.size(), sample.state.clone());
    assert_eq!(size, before + 1, "it had happened, and now it is on both machines");
    drop((sample, primary));

    standby.promote();
    let gone = Cluster::in_a_folder();
    let both = place(&[&gone, &standby], "postgres");
    assert!(refused(&both, &data).contains("synchronous_standby_names is empty"));
    let found = Sample::open_at(&both.accepting_loss(), &data).unwrap();
    assert_eq!((found.store.size(), &found.state), (size, &state), "nothing that was acknowledged is lost");
}

/// While the connection lasts, a setting changes.
fn what_is_not_durable_any_more_is_noticed(primary: &Cluster, sample: &mut Sample) {
    assert_eq!(sample.store.undurable().unwrap(), None);
    sql(primary, "ALTER SYSTEM SET synchronous_commit = 'local'");
    sql(primary, "SELECT pg_reload_conf()");
    let said = undurable(sample);
    assert!(said.contains("synchronous_commit is local"), "{said}");
    sql(primary, "ALTER SYSTEM RESET synchronous_commit");
    sql(primary, "SELECT pg_reload_conf()");
    until(|| sample.store.undurable().unwrap().map_or(Ok(()), Err));
}

fn undurable(sample: &mut Sample) -> String {
    until(|| sample.store.undurable().unwrap().ok_or("it is durable"))
}

/// PostgreSQL answers such a commit as any other, with a warning.
fn a_commit_that_does_not_wait_for_it_any_more_is_not_acknowledged(
    primary: &Cluster,
    standby: &Cluster,
    sample: &mut Sample,
) {
    standby.stop("fast");
    let said = undurable(sample);
    assert!(said.contains("of 0 attached standbys none"), "{said}");
    let give_up = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let answer = std::thread::scope(|scope| {
        let asking = scope.spawn(|| sample.ask());
        while !asking.is_finished() {
            sql(primary, give_up);
        }
        asking.join().unwrap()
    });
    let error = answer.unwrap_err();
    assert!(matches!(error, StoreError::Unanswered { .. }), "{error}");
    standby.run_on("-c listen_addresses=''");
}
