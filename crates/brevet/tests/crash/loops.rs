//! Start, load, kill, verify, start again, check; and again.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::books::{Books, Sent};
use crate::load::{Known, PEOPLE, TASKS, Worker};
use crate::support::BREVET;
use crate::support::dice::Dice;
use crate::support::http::Connection;
use crate::support::patience::{let_pass, timed, until};
use crate::support::person::People;
use crate::support::place::Place;
use crate::support::processes;
use crate::support::server::{self, Server};

/// How often the server is killed unless told otherwise.
const CRASHES: u64 = 300;
/// How often on one data folder: then it is checked whole, and a new one is begun.
const CRASHES_PER_FOLDER: u64 = 30;
/// Acknowledged commands that are repeated after each crash.
const REPEATED: usize = 4;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let crashes = number("BREVET_CRASHES").unwrap_or(CRASHES);
    let seed = number("BREVET_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("BREVET_CRASHES={crashes} BREVET_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut left = crashes;
    while left > 0 {
        let here = left.min(CRASHES_PER_FOLDER);
        left -= here;
        let (time, checks) = timed(|| Life::begin(dice.next()).live(here));
        println!("{here} crashes in {time:.1?}, {left} left: {checks:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the loop is, is told by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The life of one data folder.
struct Life {
    place: Place,
    people: People,
    server: Option<Server>,
    books: Books,
    known: Arc<Mutex<Known>>,
    dice: Dice,
}

type Log = Vec<(Sent, Option<(u16, Value)>)>;

impl Life {
    fn begin(seed: u64) -> Self {
        let place = Place::new();
        place.define("linux.toml", TASKS);
        let server = Server::start(&place);
        let people = People::found(&server, &place, &["bob", "carol"]);
        let mut ada = people["ada"].connect(&server);
        let known = Known::default();
        let known = Mutex::new(known);
        for task in ["Linux/Append", "Linux/Linger"] {
            let policy = json!({"task": task, "approval_type": "manual"});
            let policy = ada.post("/api/v1/policies", &policy).unwrap().ok();
            known.lock().unwrap().policies.push(policy["id"].as_str().unwrap().to_owned());
        }
        let (books, known, dice) = (Books::default(), Arc::new(known), Dice::new(seed));
        Self { place, people, server: Some(server), books, known, dice }
    }

    fn live(mut self, crashes: u64) -> String {
        for crash in 0..crashes {
            let log = self.load_until_killed(crash);
            self.verify();
            if self.dice.below(5) == 0 {
                self.kill_at_start();
            }
            self.server = Some(Server::start(&self.place));
            self.check(&log);
        }
        self.check_whole_ledger();
        let checks = format!("{:?}", self.books.checks);
        self.server.take().unwrap().stop();
        self.verify();
        checks
    }

    fn connect(&self, who: &str) -> Connection {
        self.people[who].connect(self.server.as_ref().unwrap())
    }

    /// Everybody works until the server dies in the middle of it.
    fn load_until_killed(&mut self, crash: u64) -> Log {
        let workers: Vec<_> = PEOPLE
            .iter()
            .map(|who| {
                let (known, dice) = (Arc::clone(&self.known), Dice::new(self.dice.next()));
                let worker = Worker { who, dice, known, name: format!("{who}-{crash}") };
                let connection = self.connect(who);
                std::thread::spawn(move || worker.work(connection))
            })
            .collect();
        let_pass(Duration::from_micros(1_000 + self.dice.below(149_000)));
        let left_behind = self.server.take().unwrap().crash();
        let log = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
        let site = self.place.site("lines").display().to_string();
        until("the spawner and what it runs end with their server", || {
            !left_behind.iter().any(|process| process.is_alive())
                && processes::with_argument(&site).is_empty()
        });
        log
    }

    /// A server that dies while it starts.
    fn kill_at_start(&mut self) {
        let mut child = server::command(&self.place, "warn").spawn().unwrap();
        let_pass(Duration::from_micros(self.dice.below(150_000)));
        let left_behind = processes::descendants(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        until("the spawner ends with its server", || !left_behind.iter().any(|process| process.is_alive()));
        self.verify();
    }

    fn verify(&self) {
        let mut command = Command::new(BREVET);
        let output = command
            .args(["audit", "verify", "-o", "json", "--data"])
            .arg(self.place.data())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["verified"], true, "{said}");
    }

    fn check(&mut self, log: &Log) {
        let mut seer = self.connect("ada");
        let ran_before = self.take_runs(&mut seer);
        for (sent, answer) in log {
            match answer {
                Some((200..300, answered)) => self.books.check_acknowledged(sent, answered, &mut seer),
                Some((500.., answered)) => panic!("{sent:?} broke the server: {answered}"),
                Some(_) | None => {}
            }
        }
        self.repeat(log);
        self.take_runs_again(&mut seer, &ran_before);
        let dice = &mut self.dice;
        self.books.check_long_over(|paths| dice.pick(paths).cloned(), &mut seer);
        let lines = std::fs::read_to_string(self.place.site("lines")).unwrap_or_default();
        self.books.check_lines(&lines);
    }

    /// The newest runs, all from before the crash: none of them still runs.
    fn take_runs(&mut self, seer: &mut Connection) -> BTreeSet<String> {
        let newest = newest(seer);
        let all = newest.iter().map(|execution| execution["id"].as_str().unwrap().to_owned()).collect();
        self.books.take_runs(&newest, &all);
        all
    }

    /// The newest runs again, some of them from after the crash.
    fn take_runs_again(&mut self, seer: &mut Connection, ran_before: &BTreeSet<String>) {
        let newest = newest(seer);
        self.books.take_runs(&newest, ran_before);
    }

    /// Everything that nobody knows about, and some of what was acknowledged, once more under the same key.
    fn repeat(&mut self, log: &Log) {
        for (sent, _) in log.iter().filter(|(_, answer)| answer.is_none()) {
            self.books.check_repeated(sent, None, &mut self.connect(sent.who));
        }
        let acknowledged: Vec<_> = log
            .iter()
            .filter_map(|(sent, answer)| match answer {
                Some((200..300, answered)) => Some((sent, answered)),
                _ => None,
            })
            .collect();
        for _ in 0..REPEATED {
            let Some((sent, answered)) = self.dice.pick(&acknowledged) else { return };
            self.books.check_repeated(sent, Some(answered), &mut self.connect(sent.who));
        }
    }

    /// The ledger itself: one start and one end for each run, and a start for each line.
    fn check_whole_ledger(&mut self) {
        let mut otto = self.connect("otto");
        let export = otto.get("/api/v1/audit/export").unwrap();
        let entries: Vec<Value> = export
            .body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<Value>(line).unwrap())
            .filter(|line| line.get("index").is_some())
            .collect();
        let of_kind =
            |kind: &str| -> Vec<&Value> { entries.iter().filter(|entry| entry["kind"] == kind).collect() };
        let (started, finished) = (of_kind("execution.started"), of_kind("execution.finished"));
        let lines: BTreeSet<&str> =
            started.iter().map(|entry| entry["details"]["parameters"]["line"].as_str().unwrap()).collect();
        assert_eq!(lines.len(), started.len(), "a run was started twice");
        assert!(self.books.runs().keys().all(|line| lines.contains(line.as_str())), "a run has no entry");
        let ended: BTreeSet<&str> =
            finished.iter().map(|entry| entry["execution"].as_str().unwrap()).collect();
        assert_eq!(ended.len(), finished.len(), "a run ended twice");
    }
}

/// The newest runs.
fn newest(seer: &mut Connection) -> Vec<Value> {
    seer.get("/api/v1/executions?limit=200").unwrap().ok()["items"].as_array().unwrap().clone()
}
