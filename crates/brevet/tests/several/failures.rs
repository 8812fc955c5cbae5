//! What breaks, breaks alone: servers that die or are paused, a wire that is cut, a database that goes away.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::pair::Pair;
use crate::siege::{self, Siege};
use crate::standby::with_standby;
use crate::support::http::Answer;
use crate::support::patience::{let_pass, timed, until, within};
use crate::support::stage::{TASKS, text};
use crate::wire_cutter::{Cut, WireCutter};

/// How long there is load before something breaks.
const A_WHILE: Duration = Duration::from_millis(1_500);
/// How soon the other server answers when one dies.
const NEXT_ANSWER: Duration = Duration::from_secs(2);
/// How soon it answers when one is paused in the middle of a transaction: when PostgreSQL has ended that.
const NEXT_ANSWER_AFTER_PAUSE: Duration = Duration::from_secs(2);
/// A server that was silent for so long is lost.
const TOO_LONG: Duration = Duration::from_secs(9);

/// How PostgreSQL is reached through the socket in this folder.
pub(crate) fn address_in(folder: &Path) -> String {
    let host = folder.display().to_string().replace('/', "%2F");
    format!("postgresql://postgres@{host}/brevet")
}

/// The entries of a kind.
fn of_kind<'e>(entries: &'e [Value], kind: &str) -> Vec<&'e Value> {
    entries.iter().filter(|entry| entry["kind"] == kind).collect()
}

/// Waits until the other servers have given this one up; answers the index of the entry that says so.
pub(crate) fn lost(pair: &Pair, number: usize, server: &str) -> u64 {
    let mut otto = pair.stage.person("otto").connect(pair.server(number));
    within(Duration::from_secs(30), "the other server is given up", || {
        let found = otto.get("/api/v1/audit/entries?kind=server.lost&limit=5").unwrap().ok();
        let is_lost = |entry: &&Value| entry["details"]["server"] == server;
        found["items"].as_array().unwrap().iter().find(is_lost).and_then(|entry| entry["index"].as_u64())
    })
}

/// Makes a group of this name through one of both servers, once however often it is asked for; says how long that took.
pub(crate) fn writes(pair: &Pair, number: usize, name: &str) -> (Duration, Answer) {
    let body = json!({ "name": name });
    let mut ada = pair.stage.person("ada").connect(pair.server(number));
    timed(|| ada.call("POST", "/api/v1/groups", Some(name), Some(&body)).unwrap())
}

#[test]
fn a_server_that_is_killed_under_load_takes_nothing_with_it() {
    let mut pair = Pair::set(siege::TASKS);
    let mut siege = Siege::begin(&pair);
    let (on_first, on_second) = (siege.besiege(&pair, 0), siege.besiege(&pair, 1));
    let_pass(A_WHILE);
    pair.stage.server.kill();
    let (took, answer) = writes(&pair, 1, "right-after-the-kill");
    println!("the next answer came after {took:?}");
    assert!(answer.is_success() && took < NEXT_ANSWER, "{took:?}: {answer:?}");
    lost(&pair, 1, "srv-1");
    let logs = [on_first.stop(), on_second.stop()];
    siege.check(&pair, 1, &logs);
    pair.stage.server.start_again(&pair.stage.place);
    siege.check(&pair, 0, &[]);
    let entries = pair.stage.entries();
    let runs = of_kind(&entries, "execution.started");
    let of = |server: &str| runs.iter().filter(|run| run["details"]["server"] == server).count();
    assert!(of("srv-1") > 0 && of("srv-2") > 0, "both were at work");
    siege.check_lines(&pair);
    pair.verifies();
}

#[test]
fn a_server_that_is_paused_for_long_is_given_up_and_ends_when_it_goes_on() {
    let mut pair = Pair::set(siege::TASKS);
    let mut siege = Siege::begin(&pair);
    let (on_first, on_second) = (siege.besiege(&pair, 0), siege.besiege(&pair, 1));
    let_pass(A_WHILE);
    pair.second.signal(Signal::STOP);
    let (took, answer) = writes(&pair, 0, "right-after-the-pause");
    println!("the next answer came after {took:?}");
    assert!(answer.is_success() && took < NEXT_ANSWER_AFTER_PAUSE, "{took:?}: {answer:?}");
    let_pass(TOO_LONG);
    let index = lost(&pair, 0, "srv-2");
    pair.second.signal(Signal::CONT);
    let (status, said) = pair.second.ends();
    pair.second.start_again(&pair.other);
    assert!(!status.success() && said.contains("took this one for gone"), "{status}: {said}");
    let logs = [on_first.stop(), on_second.stop()];
    siege.check(&pair, 1, &logs);
    let entries = pair.stage.entries();
    let is_late =
        |entry: &&Value| entry["details"]["server"] == "srv-2" && entry["index"].as_u64() > Some(index);
    let late: Vec<&Value> = entries.iter().filter(is_late).collect();
    assert!(late.is_empty(), "a server that was given up still acted: {late:?}");
    siege.check_lines(&pair);
    pair.verifies();
}

#[test]
fn a_server_that_was_paused_for_a_moment_acts_on_nothing_old() {
    let pair = Pair::set(TASKS);
    let stage = &pair.stage;
    stage.policy("Linux/Say", "");
    let mut bob = stage.person("bob").connect(&pair.second);
    let run = json!({"task": "Linux/Say", "parameters": {"text": "hello"}});
    for round in 0..5 {
        let authorization = stage.grant("bob", "--task Linux/Say");
        until("the second server knows of it", || {
            bob.get(&format!("/api/v1/authorizations/{authorization}")).unwrap().is_success()
        });
        pair.second.signal(Signal::STOP);
        stage.asks("alice", &format!("authorization revoke {authorization}"));
        let_pass(Duration::from_millis(2_200));
        // Both are there before it goes on; it answers none of them from what it knew.
        let mut second = stage.person("bob").connect(&pair.second);
        let shown = std::thread::spawn(move || {
            second.get(&format!("/api/v1/authorizations/{authorization}")).unwrap()
        });
        let runs = std::thread::spawn({
            let (mut bob, run) = (stage.person("bob").connect(&pair.second), run.clone());
            move || bob.post("/api/v1/executions", &run).unwrap()
        });
        let_pass(Duration::from_millis(50));
        pair.second.signal(Signal::CONT);
        let (shown, runs) = (shown.join().unwrap(), runs.join().unwrap());
        let is_new = shown.status == 503 || shown.json()["state"] == "ended";
        assert!(is_new, "round {round}: {} {}", shown.status, shown.json());
        assert!(matches!(runs.status, 403 | 503), "round {round}: {} {}", runs.status, runs.json());
    }
    pair.verifies();
}

#[test]
fn a_commit_without_an_answer_is_looked_up_and_done_once() {
    let cluster = Cluster::start();
    drop(cluster.database("brevet"));
    let wire = WireCutter::before(cluster.folder());
    let address = address_in(wire.folder());
    let pair = Pair::set_on(cluster, &address, siege::TASKS);
    let (mut done, mut found) = (0, 0);
    for round in 0..42 {
        let cut = [Cut::Behind, Cut::Before, Cut::Panic][round % 3];
        let (name, before) = (format!("Group-{round}"), wire.cuts());
        wire.arm(cut);
        let (took, first) = writes(&pair, 0, &name);
        within(Duration::from_secs(5), "the wire was cut", || (wire.cuts() > before).then_some(()));
        let (_, again) = writes(&pair, 0, &name);
        println!("{cut:?}: {} after {took:.1?}, then {}", first.status, again.status);
        if first.is_success() {
            assert_eq!(again.json()["id"], first.json()["id"], "it is not done again");
        } else {
            assert_eq!(first.status, 503, "{}", first.json());
            assert!(again.is_success(), "{}", again.json());
        }
        done += usize::from(again.is_success());
        found += usize::from(cut != Cut::Before && first.is_success());
    }
    // A cut may have hit what the server writes for itself, and then the command before its COMMIT.
    assert!(found >= 14, "what was kept is found: {found} of 28");
    let entries = pair.stage.entries();
    assert_eq!(of_kind(&entries, "group.created").len(), done + 1, "each once, and that of the approvers");
    pair.verifies();
}

#[test]
fn a_database_that_is_away_makes_everybody_wait_and_loses_nothing() {
    let pair = Pair::set(siege::TASKS);
    let mut siege = Siege::begin(&pair);
    let (on_first, on_second) = (siege.besiege(&pair, 0), siege.besiege(&pair, 1));
    let_pass(A_WHILE);
    pair.cluster.stop("immediate");
    let logs = [on_first.stop(), on_second.stop()];
    for number in 0..2 {
        let mut anybody = pair.server(number).connect("");
        until("it says in health that it is behind", || anybody.get("/api/v1/health").unwrap().status == 503);
        let mut bob = pair.stage.person("bob").connect(pair.server(number));
        let answer = bob.get("/api/v1/whoami").unwrap();
        assert_eq!(answer.status, 503, "nothing is answered from memory: {}", answer.json());
    }
    pair.cluster.run_on("-c listen_addresses=''");
    for number in 0..2 {
        let mut anybody = pair.server(number).connect("");
        until("it is well again", || anybody.get("/api/v1/health").unwrap().is_success());
        let (_, answer) = writes(&pair, number, &format!("after-{number}"));
        assert!(answer.is_success(), "{}", answer.json());
    }
    siege.check(&pair, 0, &logs);
    siege.check_lines(&pair);
    pair.verifies();
}

#[test]
fn a_primary_that_dies_takes_nothing_acknowledged_with_it() {
    let (cluster, standby, address) = with_standby();
    let pair = Pair::set_on(cluster, &address, siege::TASKS);
    let mut siege = Siege::begin(&pair);
    let (on_first, on_second) = (siege.besiege(&pair, 0), siege.besiege(&pair, 1));
    let_pass(A_WHILE);
    pair.cluster.stop("immediate");
    standby.promote();
    let (took, answer) = timed(|| {
        within(Duration::from_secs(30), "the promoted one is found", || {
            let (_, answer) = writes(&pair, 1, "After-promotion");
            answer.is_success().then_some(answer)
        })
    });
    println!("the first answer of the promoted one came after {took:?}: {}", answer.status);
    let logs = [on_first.stop(), on_second.stop()];
    for number in 0..2 {
        siege.check(&pair, number, &logs);
    }
    siege.check_lines(&pair);
    pair.verifies();
}

#[test]
fn servers_and_database_start_again_in_every_order() {
    let mut pair = Pair::set(TASKS);
    pair.stage.policy("Linux/Say", "");
    let authorization = pair.stage.grant("bob", "--task Linux/Say");
    // F and S are the servers, D is the database; each is stopped, and then they start in this order.
    for order in ["FSD", "FDS", "SFD", "SDF", "DFS", "DSF"] {
        pair.stage.server.kill();
        pair.second.kill();
        pair.cluster.stop("fast");
        let mut started = String::new();
        for what in order.chars() {
            let refused = |place| crate::support::server::refused(place).stderr.contains("PostgreSQL");
            match what {
                'D' => pair.cluster.run_on("-c listen_addresses=''"),
                // Without its database a server does not start; whoever runs it tries again.
                'F' if started.contains('D') => pair.stage.server.start_again(&pair.stage.place),
                'S' if started.contains('D') => pair.second.start_again(&pair.other),
                'F' => assert!(refused(&pair.stage.place)),
                _ => assert!(refused(&pair.other)),
            }
            started.push(what);
        }
        if order.find('F') < order.find('D') {
            pair.stage.server.start_again(&pair.stage.place);
        }
        if order.find('S') < order.find('D') {
            pair.second.start_again(&pair.other);
        }
        for number in 0..2 {
            let bob = pair.stage.person("bob");
            bob.types(pair.server(number), "run Linux/Say --param text=hello", 0);
            let shown = bob.asks(pair.server(number), &format!("authorization show {authorization}"));
            assert_eq!(text(&shown, "id"), authorization, "{order}");
        }
        pair.verifies();
    }
}
