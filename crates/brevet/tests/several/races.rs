//! Races: people who use both servers at the same moment. Whatever was answered, the ledger is then read by a checker that
//! knows the rules and nothing of the code.
//!
//! `BREVET_RACES` makes all of them so many times as long (1 unless told otherwise), `BREVET_SEED` repeats a run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::checker::TAG;
use crate::course::{Course, approve, ask, at_once, run, said, same, try_ask, wait_until};
use crate::support::PASSWORD;
use crate::support::dice::Dice;
use crate::support::http::{Answer, Connection};
use crate::support::patience::{let_pass, timed};
use crate::support::stage::text;

/// Rounds in which a right to one run is used by everybody at once.
const SINGLE_USES: u64 = 1_000;
/// How many that is, on each server.
const USERS_EACH: usize = 32;
/// Rounds in which an approver is removed while they approve.
const REMOVALS: u64 = 100;
/// Requests that wait for them, for each of their connections.
const WAITING_EACH: usize = 4;
/// How often each of many lanes waits for the end of some requests and some windows.
const EXPIRIES: u64 = 14;
/// How many lanes begin at each server.
const LANES_EACH: usize = 12;
/// Requests and windows together, in each lane; of one person there are fewer than a hundred requests at once.
const EXPIRING_EACH: usize = 8;
/// Authorizations that are revoked while somebody uses them, at once.
const REVOKED_AT_ONCE: usize = 8;
/// How often.
const REVOCATIONS: u64 = 125;
/// How often an account is disabled while it is used.
const DISABLINGS: u64 = 100;
/// How often the same thing is sent to both servers under one key.
const REPETITIONS: u64 = 300;
/// Connections of one person to each server, where there are more than one.
const EACH: usize = 4;

#[test]
fn a_single_use_is_used_once_however_many_try() {
    let course = Course::set();
    said("single uses", || course.single_use(SINGLE_USES * course.times));
    let findings = course.finish();
    let runs = findings.count("execution.started") as u64;
    assert_eq!(runs, SINGLE_USES * course.times);
}

#[test]
fn whoever_comes_first_through_either_server_comes_first_on_both() {
    let course = Course::set();
    std::thread::scope(|scope| {
        scope.spawn(|| said("removals", || course.removals(REMOVALS * course.times)));
        scope.spawn(|| said("expiries", || course.expiries(EXPIRIES * course.times)));
        scope.spawn(|| said("revocations", || course.revocations(REVOCATIONS * course.times)));
        scope.spawn(|| said("disablings", || course.disablings(DISABLINGS * course.times)));
        scope.spawn(|| said("repetitions", || course.repetitions(REPETITIONS * course.times)));
    });
    let findings = course.finish();
    for kind in ["request.decided", "request.expired", "authorization.ended", "execution.started"] {
        assert!(findings.count(kind) > 500, "{:?}", findings.seen);
    }
}

impl Course {
    /// 64 runs at once under an authorization that is for one.
    fn single_use(&self, rounds: u64) -> String {
        let policy = json!({
            "task": "Linux/Once", "approval_type": "auto", "requesters": {"users": ["bob"]}, "max_uses": 1,
        });
        self.policy(policy);
        let mut asking = self.connect("bob", 1);
        let mut using = self.connect("bob", USERS_EACH);
        for round in 0..rounds {
            let asked =
                ask(&mut asking[usize::try_from(round).unwrap() % 2], "Once", &format!("once {round}"));
            let answers = at_once(&mut using, |_, bob| run(bob, "Once", &format!("once {round}")));
            let (started, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.is_success());
            assert_eq!(started.len(), 1, "round {round}: {answers:?}");
            assert_eq!(started[0].json()["authorization"], asked["authorization"]);
            refused.iter().for_each(|answer| assert_eq!(answer.status, 403, "{answer:?}"));
        }
        format!("{rounds} of {}", using.len())
    }

    /// An approver approves through many connections while they are removed from the group.
    fn removals(&self, rounds: u64) -> String {
        let mut ada = self.connect("ada", 1);
        ada[0].post("/api/v1/groups", &json!({"name": "Deciders"})).unwrap().ok();
        ada[0].post("/api/v1/groups/Deciders/members", &json!({"user": "anna"})).unwrap().ok();
        self.policy(json!({
            "task": "Linux/Grouped", "approval_type": "manual", "approver_groups": [{"group": "Deciders"}],
            "maximum_duration": "1s",
        }));
        let mut dice = self.dice(1);
        let mut asking = self.connect("carol", EACH);
        let mut approving = self.connect("alice", EACH);
        let mut pending: Vec<String> = Vec::new();
        let (mut approved, mut refused) = (0, 0);
        for round in 0..rounds {
            ada[0].post("/api/v1/groups/Deciders/members", &json!({"user": "alice"})).unwrap().ok();
            let missing = (approving.len() * WAITING_EACH).saturating_sub(pending.len()) / asking.len();
            let asked = at_once(&mut asking, |number, carol| {
                let reason = |turn| format!("grouped {round} {number} {turn}");
                (0..missing).map(|turn| text(&ask(carol, "Grouped", &reason(turn)), "id")).collect::<Vec<_>>()
            });
            pending.extend(asked.into_iter().flatten());
            let pause = Duration::from_micros(dice.below(60_000));
            let remover = usize::try_from(round).unwrap() % 2;
            let each = pending.len().div_ceil(approving.len());
            let shares: Vec<&[String]> = pending.chunks(each).collect();
            let answers = std::thread::scope(|scope| {
                let ada = &mut ada[remover];
                let remove = scope.spawn(move || {
                    let_pass(pause);
                    let removed = ada.call("DELETE", "/api/v1/groups/Deciders/members/alice", None, None);
                    assert!(removed.unwrap().is_success());
                });
                let answers = at_once(&mut approving, |number, alice| {
                    let share = shares.get(number).copied().unwrap_or_default();
                    share.iter().map(|request| approve(alice, request)).collect::<Vec<_>>()
                });
                remove.join().unwrap();
                answers.into_iter().flatten().collect::<Vec<_>>()
            });
            let left = pending.iter().zip(&answers).filter(|(_, answer)| !answer.is_success());
            let left: Vec<String> = left.map(|(request, _)| request.clone()).collect();
            answers.iter().for_each(|answer| assert!([200, 403, 404].contains(&answer.status), "{answer:?}"));
            if let Some(request) = left.first() {
                // It was acknowledged; the other server may not have heard of it.
                assert!(!approve(&mut approving[1 - remover], request).is_success(), "round {round}");
            }
            (approved, refused) = (approved + pending.len() - left.len(), refused + left.len());
            pending = left;
        }
        assert!(approved > 0 && refused > 0, "nobody raced: {approved} approved, {refused} refused");
        format!("{rounds} removals, {approved} approved and {refused} refused")
    }

    /// Decisions in the instants around the end of many requests, and runs around the end of many windows.
    fn expiries(&self, rounds: u64) -> String {
        self.policy(json!({
            "task": "Linux/Brief", "approval_type": "manual", "pending_lifetime": "2s", "maximum_duration": "1s",
        }));
        self.policy(json!({
            "task": "Linux/Window", "approval_type": "auto", "requesters": {"users": ["dora"]},
            "maximum_duration": "2s",
        }));
        let mut dice = self.dice(2);
        let dora = self.connect("dora", LANES_EACH);
        let approvers = self
            .connect("alice", LANES_EACH)
            .into_iter()
            .zip(self.connect("anna", LANES_EACH).into_iter().rev());
        let mut lanes: Vec<Lane> = dora
            .into_iter()
            .zip(approvers)
            .map(|(dora, (alice, anna))| Lane {
                dora,
                approvers: [alice, anna],
                dice: Dice::new(dice.next()),
            })
            .collect();
        let results = at_once(&mut lanes, |number, lane| {
            let results = (0..rounds).flat_map(|round| lane.expire(&format!("{round} {number}")));
            results.collect::<Vec<_>>()
        });
        let count = |task: &str, was_in_time: bool| {
            results.iter().flatten().filter(|result| **result == (task.to_owned(), was_in_time)).count()
        };
        let counts =
            [true, false].map(|in_time| ["Linux\\Brief", "Linux\\Window"].map(|task| count(task, in_time)));
        assert!(counts.iter().flatten().all(|count| *count > 0), "nobody raced: {counts:?}");
        format!("of requests and windows {:?} were used in time and {:?} not", counts[0], counts[1])
    }

    /// Runs while their authorization is revoked, and at once afterwards through the other server.
    fn revocations(&self, rounds: u64) -> String {
        self.policy(
            json!({"task": "Linux/Revoked", "approval_type": "auto", "requesters": {"users": ["emil"]}}),
        );
        let mut dice = self.dice(3);
        let (mut before, started) = (0, AtomicUsize::new(0));
        let mut asking = self.connect("emil", REVOKED_AT_ONCE / 2);
        let mut ada = self.connect("ada", REVOKED_AT_ONCE / 2);
        let mut emil = self.connect("emil", REVOKED_AT_ONCE / 2);
        let mut running = self.connect("emil", REVOKED_AT_ONCE);
        for round in 0..rounds {
            let held = at_once(&mut asking, |number, emil| {
                let reason = format!("revoked {round} {number}");
                (text(&ask(emil, "Revoked", &reason), "authorization"), reason)
            });
            let pauses: Vec<Duration> =
                held.iter().map(|_| Duration::from_micros(dice.below(15_000))).collect();
            std::thread::scope(|scope| {
                let runs = scope.spawn(|| {
                    at_once(&mut running, |number, emil| {
                        let (_, bound) = &held[number % held.len()];
                        while run(emil, "Revoked", bound).is_success() {
                            started.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                });
                // Each revokes through one server and runs through the other.
                let mut both: Vec<_> = ada.iter_mut().zip(emil.iter_mut().rev()).collect();
                at_once(&mut both, |number, (ada, emil)| {
                    let (authorization, bound) = &held[number];
                    let_pass(pauses[number]);
                    ada.post(&format!("/api/v1/authorizations/{authorization}/revoke"), &json!({}))
                        .unwrap()
                        .ok();
                    let after = run(emil, "Revoked", bound);
                    assert_eq!(after.status, 403, "{authorization} was revoked: {after:?}");
                });
                runs.join().unwrap();
            });
            before += held.len();
        }
        let started = started.into_inner();
        assert!(started > 0, "nobody raced");
        format!("{before} revocations, {started} runs before them")
    }

    /// An account does everything through many connections while it is disabled.
    fn disablings(&self, rounds: u64) -> String {
        let mut ada = self.connect("ada", 1);
        ada[0].post("/api/v1/groups", &json!({"name": "Watchers"})).unwrap().ok();
        for user in ["fred", "anna"] {
            ada[0].post("/api/v1/groups/Watchers/members", &json!({"user": user})).unwrap().ok();
        }
        self.policy(json!({
            "task": "Linux/Guarded", "approval_type": "auto", "requesters": {"users": ["fred"]}, "maximum_duration": "1s",
        }));
        self.policy(json!({
            "task": "Linux/Watched", "approval_type": "manual", "approver_groups": [{"group": "Watchers"}],
            "maximum_duration": "2s",
        }));
        let mut dice = self.dice(4);
        let (done, mut pending) = (AtomicUsize::new(0), Vec::new());
        for round in 0..rounds {
            let (at, other) = (usize::try_from(round).unwrap() % 2, usize::try_from(round + 1).unwrap() % 2);
            let sign_in = json!({"name": "fred", "password": PASSWORD});
            let session = self.pair.server(at).connect("").post("/api/v1/sessions", &sign_in).unwrap().ok();
            let token = text(&session, "token");
            let mut gina = self.connect("gina", EACH);
            let missing = gina.len() - pending.len();
            pending.extend(at_once(&mut gina[..missing], |number, gina| {
                text(&ask(gina, "Watched", &format!("watched {round} {number}")), "id")
            }));
            let fred = |number: usize, pending: &[String]| {
                let connection = self.pair.server(number).connect(&token);
                let (name, pending) = (format!("guarded {round} {number}"), pending.to_vec());
                Fred { connection, name, pending, held: None }
            };
            let mut last = fred(other + 2 * EACH, &pending);
            let mut freds: Vec<Fred> = pending
                .iter()
                .enumerate()
                .map(|(number, one)| fred(number, std::slice::from_ref(one)))
                .collect();
            let pause = Duration::from_micros(20_000 + dice.below(180_000));
            std::thread::scope(|scope| {
                let ada = &mut ada[at];
                scope.spawn(move || {
                    let_pass(pause);
                    ada.post("/api/v1/users/fred/disable", &json!({})).unwrap().ok();
                    let answers = (0..4).map(|turn| last.act(turn)).collect::<Vec<_>>();
                    assert!(!answers.iter().any(Answer::is_success), "fred was disabled: {answers:?}");
                });
                at_once(&mut freds, |_, fred| {
                    let acts = (0..).take_while(|turn| !is_disabled(&fred.act(*turn))).count();
                    done.fetch_add(acts, Ordering::Relaxed);
                });
            });
            pending = freds.into_iter().flat_map(|fred| fred.pending).collect();
            ada[other].post("/api/v1/users/fred/enable", &json!({})).unwrap().ok();
        }
        format!("{rounds} disablings, {} acts before them", done.into_inner())
    }

    /// The same, under the same key, to both servers.
    fn repetitions(&self, rounds: u64) -> String {
        self.policy(json!({"task": "Linux/Same", "approval_type": "manual", "maximum_duration": "1s"}));
        std::thread::scope(|scope| {
            for who in ["hugo", "ines"] {
                scope.spawn(move || {
                    let (mut asking, mut approving) = (self.connect(who, 2), self.connect("alice", 2));
                    (0..rounds / 2)
                        .for_each(|round| repeat(&format!("{who}-{round}"), &mut asking, &mut approving));
                });
            }
        });
        format!("{rounds} requests, approvals and runs by 4 each")
    }
}

/// A request, its approval and a run, each of them by everybody at once and under one key.
fn repeat(key: &str, asking: &mut [Connection], approving: &mut [Connection]) {
    let new = json!({"task": "Linux/Same", "reason": key, "parameters": {"text": key}});
    let asked = same(asking, "/api/v1/requests", key, &new);
    let path = format!("/api/v1/requests/{}/approve", text(&asked, "id"));
    let approved = same(approving, &path, key, &json!({}));
    let order = json!({"task": "Linux/Same", "parameters": {"text": key, TAG: key}});
    let ran = same(asking, "/api/v1/executions", &format!("run-{key}"), &order);
    assert_eq!(ran["authorization"], approved["authorization"]);
}

/// Who does everything that an account can do.
struct Fred {
    connection: Connection,
    name: String,
    pending: Vec<String>,
    held: Option<String>,
}

impl Fred {
    fn act(&mut self, turn: usize) -> Answer {
        let Self { connection, name, pending, held } = self;
        match (turn % 4, pending.last().cloned(), held.clone()) {
            (1, _, _) => run(connection, "Guarded", name),
            (2, Some(request), _) => {
                let answer = approve(connection, &request);
                if answer.is_success() {
                    pending.pop();
                    *held = Some(text(&answer.json(), "authorization"));
                }
                answer
            }
            (3, _, Some(authorization)) => {
                *held = None;
                connection
                    .post(&format!("/api/v1/authorizations/{authorization}/revoke"), &json!({}))
                    .unwrap()
            }
            _ => try_ask(connection, "Guarded", &format!("{name} {turn}"), name),
        }
    }
}

/// Whether somebody is told that their account, or with it their session, is no more.
fn is_disabled(answer: &Answer) -> bool {
    answer.status == 401 || answer.json()["reason"] == "inactive"
}

/// Connections of those who try something just before and just after its time is over.
struct Lane {
    dora: Connection,
    approvers: [Connection; 2],
    dice: Dice,
}

impl Lane {
    /// Asks for something several times, and tries each at its end; answers of each what it was, and whether that was in
    /// time.
    fn expire(&mut self, name: &str) -> Vec<(String, bool)> {
        let one = |turn: usize| {
            let task = if turn.is_multiple_of(2) { "Brief" } else { "Window" };
            timed(|| ask(&mut self.dora, task, &format!("{task} {name} {turn}")))
        };
        let asked: Vec<(Duration, Value)> = (0..EXPIRING_EACH).map(one).collect();
        let tried =
            asked.iter().map(|(time, one)| (text(&one["access"], "name"), self.try_near_end(one, *time)));
        tried.collect()
    }

    /// Two approve what waits, each through another server, or one runs what was given; answers whether that was in time.
    /// It is on its way about as long as the question was.
    fn try_near_end(&mut self, asked: &Value, on_its_way: Duration) -> bool {
        let is_pending = asked["status"] == "pending";
        let end: Timestamp = match is_pending {
            true => text(asked, "expires_at").parse().unwrap(),
            false => text(asked, "submitted_at").parse::<Timestamp>().unwrap() + Duration::from_secs(2),
        };
        let early = on_its_way.mul_f64(self.dice.below(1_000) as f64 / 500.0);
        wait_until(end - early);
        if !is_pending {
            return run(&mut self.dora, "Window", &text(asked, "reason")).is_success();
        }
        let request = text(asked, "id");
        let answers = at_once(&mut self.approvers, |_, approver| approve(approver, &request));
        let approved = answers.iter().filter(|answer| answer.is_success()).count();
        assert!(approved <= 1, "{request} was approved twice: {answers:?}");
        approved == 1
    }
}
