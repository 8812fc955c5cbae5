//! Races: people who use both servers at the same moment. Whatever was answered, the ledger is then read by a checker that
//! knows the rules and nothing of the code.
//!
//! `BREVET_RACES` makes all of them so many times as long (1 unless told otherwise), `BREVET_SEED` repeats a run.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::checker::TAG;
use crate::course::{Course, approve, ask, at_once, revoke, run, said, same, try_ask, wait_until};
use crate::pair::Pair;
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
/// How many lanes.
const LANES: usize = 24;
/// How long what they get lasts.
const WINDOW: Duration = Duration::from_secs(2);
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
        self.group("Deciders", &["anna"]);
        self.policy(json!({
            "task": "Linux/Grouped", "approval_type": "manual", "approver_groups": [{"group": "Deciders"}],
            "maximum_duration": "1s",
        }));
        let mut dice = self.dice(1);
        let mut ada = self.connect("ada", 1);
        let mut asking = self.connect("carol", EACH);
        let mut approving = self.connect("alice", EACH);
        let mut pending: Vec<String> = Vec::new();
        let (mut approved, mut refused) = (0, 0);
        for round in 0..rounds {
            let remover = usize::try_from(round).unwrap() % 2;
            ada[remover].post("/api/v1/groups/Deciders/members", &json!({"user": "alice"})).unwrap().ok();
            let missing = (approving.len() * WAITING_EACH).saturating_sub(pending.len()) / asking.len();
            let asked = at_once(&mut asking, |number, carol| {
                let reason = |turn| format!("grouped {round} {number} {turn}");
                (0..missing).map(|turn| text(&ask(carol, "Grouped", &reason(turn)), "id")).collect::<Vec<_>>()
            });
            pending.extend(asked.into_iter().flatten());
            let pause = Duration::from_micros(dice.below(60_000));
            let left = remove_while_approving(&mut ada[remover], pause, &mut approving, &pending);
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
        let lane = |number| Lane { course: self, number, dice: Dice::new(dice.next()) };
        let mut lanes: Vec<Lane<'_>> = (0..LANES).map(lane).collect();
        let results = at_once(&mut lanes, |_, lane| {
            (0..rounds).flat_map(|round| lane.expire(round)).collect::<Vec<_>>()
        });
        let count = |task: &str, was_in_time: bool| {
            results.iter().flatten().filter(|result| **result == (task, was_in_time)).count()
        };
        let counts = [true, false].map(|in_time| ["Brief", "Window"].map(|task| count(task, in_time)));
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
                    revoke(ada, authorization).ok();
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
        self.group("Watchers", &["fred", "anna"]);
        self.policy(json!({
            "task": "Linux/Guarded", "approval_type": "auto", "requesters": {"users": ["fred"]}, "maximum_duration": "1s",
        }));
        self.policy(json!({
            "task": "Linux/Watched", "approval_type": "manual", "approver_groups": [{"group": "Watchers"}],
            "maximum_duration": "2s",
        }));
        let mut dice = self.dice(4);
        let mut ada = self.connect("ada", 1);
        let (mut acts, mut pending) = (0, Vec::new());
        for round in 0..rounds {
            let at = usize::try_from(round).unwrap() % 2;
            let mut gina = self.connect("gina", EACH);
            let missing = gina.len() - pending.len();
            pending.extend(at_once(&mut gina[..missing], |number, gina| {
                text(&ask(gina, "Watched", &format!("watched {round} {number}")), "id")
            }));
            let mut freds = self.sign_in_fred(at, &format!("guarded {round}"), &pending);
            let pause = Duration::from_micros(20_000 + dice.below(180_000));
            acts += disable_while_acting(&mut ada[at], pause, &mut freds, 1 - at);
            pending = freds.into_iter().filter_map(|fred| fred.pending).collect();
            ada[1 - at].post("/api/v1/users/fred/enable", &json!({})).unwrap().ok();
        }
        format!("{rounds} disablings, {acts} acts before them")
    }

    /// Fred at many connections, each with a request that he can approve.
    fn sign_in_fred(&self, at: usize, name: &str, pending: &[String]) -> Vec<Fred> {
        let sign_in = json!({"name": "fred", "password": PASSWORD});
        let session = self.pair.server(at).connect("").post("/api/v1/sessions", &sign_in).unwrap().ok();
        let token = text(&session, "token");
        let fred = |(number, request): (usize, &String)| Fred {
            connection: self.pair.server(number).connect(&token),
            name: format!("{name} {number}"),
            pending: Some(request.clone()),
            held: None,
        };
        pending.iter().enumerate().map(fred).collect()
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
    pending: Option<String>,
    held: Option<String>,
}

impl Fred {
    fn act(&mut self, turn: usize) -> Answer {
        let Self { connection, name, pending, held } = self;
        match (turn % 4, pending.clone(), held.clone()) {
            (1, _, _) => run(connection, "Guarded", name),
            (2, Some(request), _) => {
                let answer = approve(connection, &request);
                if answer.is_success() {
                    (*pending, *held) = (None, Some(text(&answer.json(), "authorization")));
                }
                answer
            }
            (3, _, Some(authorization)) => {
                *held = None;
                revoke(connection, &authorization)
            }
            _ => try_ask(connection, "Guarded", &format!("{name} {turn}"), name),
        }
    }
}

/// Somebody disables Fred while he does everything, until every connection of his is told so; answers what he could do.
/// Once it is acknowledged he can do nothing through the other server either.
fn disable_while_acting(ada: &mut Connection, pause: Duration, freds: &mut [Fred], other: usize) -> usize {
    let is_disabled = AtomicBool::new(false);
    let acts = std::thread::scope(|scope| {
        scope.spawn(|| {
            let_pass(pause);
            ada.post("/api/v1/users/fred/disable", &json!({})).unwrap().ok();
            is_disabled.store(true, Ordering::SeqCst);
        });
        at_once(freds, |_, fred| {
            let mut acts = 0;
            loop {
                let was_disabled = is_disabled.load(Ordering::SeqCst);
                let answer = fred.act(acts);
                match answer.is_success() {
                    true => assert!(!was_disabled, "fred was disabled: {answer:?}"),
                    false if was_disabled => return acts,
                    false => {}
                }
                acts += 1;
            }
        })
    });
    let all = (0..4).map(|turn| freds[other].act(turn)).filter(Answer::is_success).count();
    assert_eq!(all, 0, "fred was disabled");
    acts.into_iter().sum()
}

/// Where somebody asks again and again, and tries what they asked for just before or just after its time is over.
struct Lane<'a> {
    course: &'a Course,
    number: usize,
    dice: Dice,
}

impl Lane<'_> {
    /// Asks for something several times, and tries each at its end; answers of each what it was, and whether that was in
    /// time.
    fn expire(&mut self, round: u64) -> Vec<(&'static str, bool)> {
        // An idle connection is closed after a while.
        let mut dora = self.open("dora", 0);
        let asked = ["Brief", "Window"].into_iter().cycle().take(EXPIRING_EACH).enumerate();
        let asked = asked.map(|(turn, task)| {
            let reason = format!("{task} {round} {} {turn}", self.number);
            (task, timed(|| ask(&mut dora, task, &reason)))
        });
        let asked: Vec<_> = asked.collect();
        let mut approvers = [self.open("alice", 0), self.open("anna", 1)];
        let tried = asked.into_iter().map(|(task, (time, asked))| {
            // On its way about as long as the question was.
            let early = time.mul_f64(self.dice.below(1_000) as f64 / 500.0);
            let is_in_time = match task {
                "Brief" => approved_near_end(&mut approvers, &asked, early),
                _ => ran_near_end(&mut dora, &asked, early),
            };
            (task, is_in_time)
        });
        tried.collect()
    }

    fn open(&self, who: &str, turn: usize) -> Connection {
        let Pair { stage, .. } = &self.course.pair;
        stage.person(who).connect(self.course.pair.server(self.number + turn))
    }
}

/// Two approve what waits, each through another server; answers whether that was in time.
fn approved_near_end(approvers: &mut [Connection], asked: &Value, early: Duration) -> bool {
    let end: Timestamp = text(asked, "expires_at").parse().unwrap();
    wait_until(end - early);
    let request = text(asked, "id");
    let answers = at_once(approvers, |_, approver| approve(approver, &request));
    let approved = answers.iter().filter(|answer| answer.is_success()).count();
    assert!(approved <= 1, "{request} was approved twice: {answers:?}");
    approved == 1
}

/// Somebody runs what was given; answers whether that was in time.
fn ran_near_end(dora: &mut Connection, asked: &Value, early: Duration) -> bool {
    let given: Timestamp = text(asked, "submitted_at").parse().unwrap();
    wait_until(given + WINDOW - early);
    run(dora, "Window", &text(asked, "reason")).is_success()
}

/// Somebody takes Alice out of the group while she approves; answers which requests she could not approve.
fn remove_while_approving(
    ada: &mut Connection,
    pause: Duration,
    alices: &mut [Connection],
    pending: &[String],
) -> Vec<String> {
    let shares: Vec<&[String]> = pending.chunks(pending.len().div_ceil(alices.len())).collect();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let_pass(pause);
            let removed = ada.call("DELETE", "/api/v1/groups/Deciders/members/alice", None, None).unwrap();
            assert!(removed.is_success(), "{removed:?}");
        });
        let left = at_once(alices, |number, alice| {
            let share = shares.get(number).copied().unwrap_or_default();
            let refused = |request: &&String| {
                let answer = approve(alice, request);
                assert!([200, 403, 404].contains(&answer.status), "{answer:?}");
                !answer.is_success()
            };
            share.iter().filter(refused).cloned().collect::<Vec<_>>()
        });
        left.concat()
    })
}
