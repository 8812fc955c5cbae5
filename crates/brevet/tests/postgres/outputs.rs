//! What a run wrote, on a server that did not run it.

use std::path::Path;
use std::process::Command;

use brevet_store::DatabasePlace;

use super::cluster::Cluster;
use super::support::patience::{SOON, until, within};
use super::support::place::Place;
use super::support::stage::{Stage, TASKS, text};
use super::{copy_keys, settings};

/// Longer than a few pieces.
const BLOB_BYTES: usize = 1_500_000;

/// What the database answers to a statement of somebody who owns it.
fn sql(database: &DatabasePlace, statement: &str) -> String {
    let DatabasePlace::Postgres { address, .. } = database else { panic!("{database:?}") };
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
    let said = psql.arg("--command").arg(statement).arg(address).output().unwrap();
    assert!(said.status.success(), "{statement}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// A server on this database where Bob may run some tasks, and an empty place for another one.
fn two_places(database: &DatabasePlace, tasks: &[&str]) -> (Stage, Place) {
    let (place, other) = (Place::new(), Place::new());
    let settings = settings(database, &place.site("anchor"));
    place.settings(&settings);
    other.settings(&settings);
    other.define("linux.toml", TASKS);
    let stage = Stage::set_in(place, TASKS);
    for task in tasks {
        stage.policy(task, "");
        stage.grant("bob", &format!("--task {task}"));
    }
    (stage, other)
}

#[test]
fn a_server_shows_what_another_one_ran_before() {
    let cluster = Cluster::start();
    let database = cluster.database("brevet");
    let (mut stage, other) = two_places(&database, &["Linux/Say", "Linux/Blob", "Linux/Linger"]);
    let blob: Vec<u8> = (0..BLOB_BYTES).map(|at| u8::try_from(at % 251).unwrap()).collect();
    std::fs::write(stage.place.site("blob"), &blob).unwrap();
    stage.types("bob", "run Linux/Say --param text=hello", 0);
    stage.types("bob", "run Linux/Say --param text=changed", 0);
    stage.types("bob", "run Linux/Say --param text=lost", 0);
    let wrote = stage.person("bob").types(&stage.server, "run Linux/Blob --raw", 0);
    assert!(wrote.stdout == blob);
    let mut lingers = stage.person("bob").begins(&stage.server, "run Linux/Linger");
    let is_shared = || sql(&database, "SELECT count(*) FROM recording WHERE execution = 5") == "1";
    until("the first words of a run that goes on are shared", is_shared);
    copy_keys(&stage.place, &other);
    stage.server.kill();
    lingers.kill().and_then(|()| lingers.wait()).unwrap();
    stage.server.start_again(&other);

    assert_eq!(recordings(&other), 0, "nothing is here before somebody asks for it");
    for again in ["taken over", "from the folder"] {
        let shown = stage.person("bob").types(&stage.server, "execution output exe-4 --raw", 0);
        assert!(shown.stdout == blob, "{again}: {} bytes", shown.stdout.len());
        assert_eq!(stage.types("bob", "execution output exe-1", 0).0, "hello\n", "{again}");
        assert_eq!(recordings(&other), 2, "{again}");
    }
    sql(&database, "UPDATE recording SET bytes = set_byte(bytes, 40, 64) WHERE execution = 2");
    sql(&database, "DELETE FROM recording WHERE execution = 3");
    for (execution, sentence) in
        [("exe-2", "the recording is not the one in the ledger"), ("exe-3", "the recording is missing")]
    {
        let typed = stage.person("bob").run(&stage.server, &["execution", "output", execution, "--raw"]);
        assert!(typed.code != 0 && typed.stdout.is_empty(), "{execution}: {}", typed.code);
        assert!(typed.stderr.contains(sentence), "{execution}: {}", typed.stderr);
    }
    let lingered = within(SOON, "the first server is given up", || {
        let shown = stage.asks("bob", "execution show exe-5");
        (shown["state"] == "unknown").then_some(shown)
    });
    assert_eq!(lingered["output"], serde_json::Value::Null);
    let shown = stage.person("bob").run(&stage.server, &["execution", "output", "exe-5", "--raw"]);
    assert!(shown.stdout.is_empty(), "an unknown run has no output");
    assert_eq!(recordings(&other), 2, "nothing else is kept");
}

/// How many files are below the folder of recordings.
fn recordings(place: &Place) -> usize {
    fn files(folder: &Path) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
    }
    files(&place.data().join("blobs"))
}

#[test]
fn a_bundle_holds_what_another_server_recorded() {
    let cluster = Cluster::start();
    let database = cluster.database("brevet");
    let (mut stage, other) = two_places(&database, &["Linux/Say"]);
    stage.types("bob", "run Linux/Say --param text=hello", 0);
    copy_keys(&stage.place, &other);
    stage.server.kill();
    stage.server.start_again(&other);
    let file = stage.place.site("bundle.json");
    stage.types("otto", &format!("audit bundle req-1 --with-outputs --out {}", file.display()), 0);
    let bundle: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(bundle["outputs"].as_array().map(Vec::len), Some(1), "{}", bundle["outputs"]);
}

#[test]
fn a_run_is_over_when_all_that_it_wrote_is_shared_and_not_before() {
    let cluster = Cluster::start();
    let database = cluster.database("brevet");
    let (stage, _) = two_places(&database, &["Linux/Finish"]);
    let running = stage.person("bob").begins(&stage.server, "run Linux/Finish");
    let pieces = || sql(&database, "SELECT count(*) FROM recording");
    until("the first words are shared", || pieces() == "1");
    // The connection breaks, and then the database takes nothing for a while.
    let broken = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE query LIKE 'INSERT INTO recording%' AND pid <> pg_backend_pid()";
    assert_eq!(sql(&database, broken), "1", "one connection is for recordings");
    sql(&database, "ALTER TABLE recording ADD CONSTRAINT closed CHECK (place < 0) NOT VALID");
    std::fs::write(stage.place.site("go"), "").unwrap();
    until("it is tried again", || stage.server.errors().matches("cannot see yet").count() > 1);
    assert_eq!(stage.asks("bob", "execution show exe-1")["state"], "running");
    assert_eq!(pieces(), "1");
    sql(&database, "ALTER TABLE recording DROP CONSTRAINT closed");
    let ended = running.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), &b"started\nfinished\n"[..]));
    let over =
        || Some(stage.asks("bob", "execution show exe-1")).filter(|shown| shown["state"] == "succeeded");
    let shown = within(SOON, "the end is on record", over);
    let shared =
        sql(&database, "SELECT encode(sha256(string_agg(bytes, '' ORDER BY place)), 'hex') FROM recording");
    assert_eq!(text(&shown["output"], "digest").trim_start_matches("sha256:"), shared);
}
