//! Two servers made ready for races, and what their people do on connections that stay open.

#![expect(clippy::print_stdout, reason = "what came of a race, and how long it took, is told")]

use std::sync::Barrier;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::checker::Findings;
use crate::pair::Pair;
use crate::support::dice::Dice;
use crate::support::http::{Answer, Connection};
use crate::support::patience::{let_pass, timed, until};

/// Besides the stage's.
const PEOPLE: [&str; 6] = ["dora", "emil", "fred", "gina", "hugo", "ines"];

/// One for each race, so that none gets in the way of another.
const NAMES: [&str; 8] = ["Once", "Grouped", "Brief", "Window", "Revoked", "Guarded", "Watched", "Same"];

const WORKLOAD: &str = r#"
[workload]
name = "Linux"
kind = "command"
"#;

const TASK: &str = r#"
[[task]]
name = "NAME"
description = "Says something"
run = ["PRINTF", "%s %s", "{text}", "{tag}"]
timeout = "10s"

[task.parameters.text]
type = "string"

[task.parameters.tag]
type = "string"
required = false
"#;

/// Two servers, and all that is needed for races.
pub(crate) struct Course {
    pub(crate) pair: Pair,
    /// How many times as long as by default the races are.
    pub(crate) times: u64,
    seed: u64,
}

impl Course {
    pub(crate) fn set() -> Self {
        let times = number("BREVET_RACES").unwrap_or(1);
        let seed = number("BREVET_SEED").unwrap_or_else(|| u64::from(std::process::id()));
        println!("BREVET_RACES={times} BREVET_SEED={seed}");
        let tasks = WORKLOAD.to_owned() + &NAMES.map(|name| TASK.replace("NAME", name)).concat();
        let mut pair = told("the stage", || Pair::set(&tasks));
        told("the people", || PEOPLE.iter().for_each(|name| pair.stage.add(json!({"name": name}))));
        Self { pair, times, seed }
    }

    /// The ledger is held against itself, and everything that happened against the rules.
    pub(crate) fn finish(&self) -> Findings {
        let mut ada = self.connect("ada", 1);
        until("all that was started is over", || {
            let running = ada[0].get("/api/v1/executions?running=true").unwrap().ok();
            running["items"].as_array().unwrap().is_empty()
        });
        for number in 0..2 {
            let errors = self.pair.server(number).errors();
            assert!(errors.is_empty(), "server {number} says: {errors}");
        }
        told("the verification", || self.pair.verifies());
        let findings = told("the check", || Findings::of(&self.entries()));
        println!("{:?}", findings.seen);
        assert!(findings.violations.is_empty(), "{}", findings.violations.join("\n"));
        findings
    }

    /// Every entry of the ledger that was just verified.
    fn entries(&self) -> Vec<Value> {
        let export = std::fs::read_to_string(self.pair.stage.place.site("export.jsonl")).unwrap();
        let lines = export.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line.get("index").is_some()).collect()
    }

    /// Connections of one person, in turn to one server and to the other.
    pub(crate) fn connect(&self, who: &str, each: usize) -> Vec<Connection> {
        (0..2 * each).map(|number| self.pair.stage.person(who).connect(self.pair.server(number))).collect()
    }

    pub(crate) fn policy(&self, policy: Value) {
        self.connect("ada", 1)[0].post("/api/v1/policies", &policy).unwrap().ok();
    }

    /// A group of these people.
    pub(crate) fn group(&self, name: &str, members: &[&str]) {
        let ada = &mut self.connect("ada", 1)[0];
        ada.post("/api/v1/groups", &json!({"name": name})).unwrap().ok();
        for member in members {
            ada.post(&format!("/api/v1/groups/{name}/members"), &json!({"user": member})).unwrap().ok();
        }
    }

    pub(crate) fn dice(&self, scene: u64) -> Dice {
        Dice::new(self.seed.wrapping_mul(64).wrapping_add(scene))
    }
}

/// Says what came of a race, and how long it took.
pub(crate) fn said(race: &str, work: impl FnOnce() -> String) {
    let said = told(race, work);
    println!("{race}: {said}");
}

/// Says how long something took.
fn told<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (time, done) = timed(work);
    println!("{what}: {time:.1?}");
    done
}

/// Everybody does something on a connection of their own, that stays open, at the same moment.
pub(crate) fn at_once<C: Send, T: Send>(
    connections: &mut [C],
    work: impl Fn(usize, &mut C) -> T + Sync,
) -> Vec<T> {
    let start = Barrier::new(connections.len());
    let (start, work) = (&start, &work);
    std::thread::scope(|scope| {
        let begin = |(number, connection)| {
            scope.spawn(move || {
                start.wait();
                work(number, connection)
            })
        };
        let threads: Vec<_> = connections.iter_mut().enumerate().map(begin).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The same under the same key by everybody at once: it is done once, and everybody hears so.
pub(crate) fn same(connections: &mut [Connection], path: &str, key: &str, body: &Value) -> Value {
    let answers = at_once(connections, |_, connection| connection.call("POST", path, Some(key), Some(body)));
    let mut answers = answers.into_iter().map(|answer| {
        let mut answer = answer.unwrap().ok();
        // A run goes on while it is looked at.
        for later in ["state", "finished_at", "exit_code", "output", "may_stop"] {
            answer.as_object_mut().unwrap().remove(later);
        }
        answer
    });
    let first = answers.next().unwrap();
    answers.for_each(|answer| assert_eq!(answer, first));
    first
}

/// Asks for a task with one value, which is the reason too.
pub(crate) fn ask(connection: &mut Connection, task: &str, reason: &str) -> Value {
    try_ask(connection, task, reason, reason).ok()
}

pub(crate) fn try_ask(connection: &mut Connection, task: &str, reason: &str, bound: &str) -> Answer {
    let new = json!({"task": format!("Linux/{task}"), "reason": reason, "parameters": {"text": bound}});
    connection.post("/api/v1/requests", &new).unwrap()
}

pub(crate) fn approve(connection: &mut Connection, request: &str) -> Answer {
    connection.post(&format!("/api/v1/requests/{request}/approve"), &json!({})).unwrap()
}

pub(crate) fn revoke(connection: &mut Connection, authorization: &str) -> Answer {
    connection.post(&format!("/api/v1/authorizations/{authorization}/revoke"), &json!({})).unwrap()
}

pub(crate) fn run(connection: &mut Connection, task: &str, value: &str) -> Answer {
    let order = json!({"task": format!("Linux/{task}"), "parameters": {"text": value}});
    connection.post("/api/v1/executions", &order).unwrap()
}

pub(crate) fn wait_until(instant: Timestamp) {
    let left = instant.duration_since(Timestamp::now());
    let_pass(Duration::try_from(left).unwrap_or_default());
}

#[expect(clippy::disallowed_methods, reason = "how long the races are, is told by the environment")]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
