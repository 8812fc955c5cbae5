//! Random commands over a small organization, played on the crate and told to the naive history.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use brevet_core::{
    Access, Authorization, AuthorizationId, Basis, Change, Command, Entry, Execution, ExecutionId,
    ExecutionResult, Origin, Parameters, Refusal, Reply, Request, RequestId, RoleGroupId, RoleId, RunOrder,
    Secrets, SessionId, Span, State, StopCause, TaskId, Text, Timestamp, UserId, transact,
};
use proptest::prelude::*;

use crate::naive::{History, Org, RequestFate, What};

mod asks;
mod setup;

pub(crate) use setup::{Terms, run_values};

/// One tick. Everything lasts a few of them, so that deadlines are met often.
pub(crate) const TICK: i64 = 10;

pub(crate) fn ticks(count: i64) -> Span {
    Span::from_micros(count * TICK).unwrap()
}

/// Small numbers, read as whatever they choose from.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Wait(i64),
    ActOnDue,
    Submit { by: u8, access: u8, unit: u8, duration: u8, start: u8, uses: u8 },
    Extend { by: u8, authorization: u8, duration: u8 },
    Vote { by: u8, request: u8, yes: bool, shorter: u8 },
    Cancel { by: u8, request: u8 },
    Revoke { by: u8, authorization: u8 },
    GiveBack { by: u8, authorization: u8 },
    Run { by: u8, task: u8, unit: u8 },
    Stop { by: u8, execution: u8 },
    Finish { execution: u8, how: u8 },
    Restart,
    Toggle(u8),
    Member { group: u8, user: u8 },
    Control(u8),
    Assign { who: u8, access: u8 },
    Policy { access: u8, terms: Terms },
    RemovePolicy(u8),
    Catalog(u8),
}

/// Mostly what makes stories long: the same few people ask, approve and run.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    let n = || 0..12_u8;
    let asker = || prop_oneof![6 => Just(3_u8), 1 => Just(4), 1 => n()];
    let approver = || prop_oneof![3 => Just(1_u8), 3 => Just(2), 2 => Just(5), 1 => Just(6), 1 => n()];
    let newest = || prop_oneof![4 => Just(0_u8), 2 => Just(1), 1 => n()];
    let task = || prop_oneof![2 => Just(0_u8), 2 => Just(1), 1 => n()];
    let access = || prop_oneof![2 => Just(0_u8), 3 => Just(3), 1 => n()];
    let micros = prop_oneof![Just(1), Just(TICK - 1), Just(TICK), Just(TICK), Just(2 * TICK)];
    let submit = (asker(), access(), n(), n(), n(), n());
    prop_oneof![
        10 => micros.prop_map(Op::Wait),
        3 => Just(Op::ActOnDue),
        14 => submit.prop_map(|(by, access, unit, duration, start, uses)| {
            Op::Submit { by, access, unit, duration, start, uses }
        }),
        6 => (asker(), newest(), n()).prop_map(|(by, authorization, duration)| {
            Op::Extend { by, authorization, duration }
        }),
        24 => (approver(), newest(), 0..12_u8, n()).prop_map(|(by, request, no, shorter)| {
            Op::Vote { by, request, yes: no > 0, shorter }
        }),
        1 => (asker(), n()).prop_map(|(by, request)| Op::Cancel { by, request }),
        1 => (approver(), n()).prop_map(|(by, authorization)| Op::Revoke { by, authorization }),
        1 => (asker(), n()).prop_map(|(by, authorization)| Op::GiveBack { by, authorization }),
        22 => (asker(), task(), n()).prop_map(|(by, task, unit)| Op::Run { by, task, unit }),
        1 => (n(), n()).prop_map(|(by, execution)| Op::Stop { by, execution }),
        8 => (n(), n()).prop_map(|(execution, how)| Op::Finish { execution, how }),
        1 => Just(Op::Restart),
        2 => n().prop_map(Op::Toggle),
        2 => (n(), n()).prop_map(|(group, user)| Op::Member { group, user }),
        1 => n().prop_map(Op::Control),
        1 => (n(), n()).prop_map(|(who, access)| Op::Assign { who, access }),
        4 => (access(), setup::terms()).prop_map(|(access, terms)| Op::Policy { access, terms }),
        1 => n().prop_map(Op::RemovePolicy),
        1 => n().prop_map(Op::Catalog),
    ]
}

pub(crate) struct Game {
    pub(crate) state: State,
    /// Takes the same commands and never forgets: a batch that has not been written yet.
    pub(crate) elephant: State,
    pub(crate) now: Timestamp,
    pub(crate) entries: Vec<Entry>,
    pub(crate) requests: BTreeMap<u64, Request>,
    pub(crate) authorizations: BTreeMap<u64, Authorization>,
    pub(crate) history: History,
    pub(crate) org: Org,
}

impl Game {
    pub(crate) fn run_ids(&self) -> u64 {
        self.state.counters().executions - 1
    }

    /// The runs that go on, from the list.
    pub(crate) fn runs(&self) -> Vec<u64> {
        let mut runs = Vec::new();
        for step in &self.history.steps {
            match step.what {
                What::Started { execution, .. } => runs.push(execution),
                What::Finished { execution, .. } => runs.retain(|run| *run != execution),
                _ => {}
            }
        }
        runs
    }

    fn user(&self, number: u8) -> UserId {
        UserId::new(u32::from(number) % u32::try_from(self.org.users.len()).unwrap() + 1)
    }

    fn access(number: u8) -> Access {
        match number % 8 {
            0..=2 => Access::Task(TaskId::new(1)),
            3 => Access::Task(TaskId::new(2)),
            4 => Access::Task(TaskId::new(3)),
            5 => Access::Role(RoleId::new(1)),
            6 => Access::Role(RoleId::new(2)),
            _ => Access::RoleGroup(RoleGroupId::new(1)),
        }
    }

    fn send(&mut self, origin: Origin, again: impl Fn() -> Command) -> Result<Reply, Refusal> {
        let outcome = transact(&mut self.state, self.now, origin, again());
        let twin = transact(&mut self.elephant, self.now, origin, again());
        match (&outcome, &twin) {
            (Ok(one), Ok(other)) => assert_eq!(one.entries, other.entries, "forgetting changed a decision"),
            (Err(one), Err(other)) => assert_eq!(one, other, "forgetting changed a refusal"),
            _ => panic!("forgetting changed {outcome:?} to {twin:?}"),
        }
        let outcome = outcome?;
        for change in &outcome.changes {
            match change {
                Change::Request(id) => {
                    self.requests.extend(self.state.request(*id).map(|row| (id.number(), row.clone())));
                }
                Change::Authorization(id) => {
                    let row = self.state.authorization(*id).map(|row| (id.number(), row.clone()));
                    self.authorizations.extend(row);
                }
                _ => {}
            }
        }
        self.state.forget(&outcome.changes);
        self.entries.extend(outcome.entries);
        Ok(outcome.reply)
    }

    fn by(user: UserId) -> Origin {
        Origin::user(user, SessionId::new(1))
    }

    fn tell(&mut self, what: What) {
        self.history.push(self.now, self.org.clone(), what);
    }

    pub(crate) fn play(&mut self, op: &Op) {
        match op {
            Op::Wait(micros) => self.now = self.now.plus(Span::from_micros(*micros).unwrap()),
            Op::ActOnDue => drop(self.send(Origin::SYSTEM, || Command::ActOnDue).unwrap()),
            Op::Submit { .. } | Op::Extend { .. } => self.play_ask(op),
            Op::Vote { by, request, yes, shorter } => {
                let shorter = (shorter % 4 == 0).then(|| ticks(i64::from(shorter / 4) + 1));
                self.play_vote(self.user(*by), u64::from(*request), *yes, shorter);
            }
            Op::Cancel { .. } | Op::Revoke { .. } | Op::GiveBack { .. } => self.play_end(op),
            Op::Run { by, task, unit } => self.play_run(self.user(*by), *task % 3, *unit),
            Op::Stop { by, execution } => self.play_stop(self.user(*by), *execution),
            Op::Finish { execution, how } => self.play_finish(*execution, *how),
            Op::Restart => {
                self.send(Origin::SYSTEM, || {
                    Command::StartServer(brevet_core::ServerStart {
                        version: "2".into(),
                        ..brevet_core::ServerStart::default()
                    })
                })
                .unwrap();
                for execution in self.runs() {
                    self.tell(What::Finished { execution, started: true });
                }
            }
            _ => self.play_setup(op),
        }
    }

    fn play_end(&mut self, op: &Op) {
        let count = self.history.given().len() as u64;
        let (says, reply, what) = match op {
            Op::Cancel { by, request } => {
                let (by, request) = (self.user(*by), u64::from(*request));
                if request == 0 || request > self.history.asks().len() as u64 {
                    return;
                }
                let ask = self.history.ask(request).1;
                let pending = self.history.request(request, self.now) == RequestFate::Pending;
                let may = ask.by == by || self.org.administers(by);
                let says = self.org.active(by) && pending && may;
                let command = || Command::Cancel(RequestId::new(request));
                (says, self.send(Self::by(by), command), What::Cancelled { request })
            }
            Op::Revoke { by, authorization } | Op::GiveBack { by, authorization } => {
                let (by, id) = (self.user(*by), u64::from(*authorization) % 8);
                if id == 0 || id > count {
                    return;
                }
                let stand = self.history.stand(id, self.history.steps.len(), self.now);
                let ask = self.history.grant(id).1.ask.clone();
                let live = self.org.active(by) && !stand.fate.is_over();
                let approves =
                    self.org.policy(ask.policy).is_some_and(|terms| self.org.is_approver(terms, by));
                let held = AuthorizationId::new(id);
                if matches!(op, Op::GiveBack { .. }) {
                    let reply = self.send(Self::by(by), || Command::GiveBack(held));
                    (live && ask.by == by, reply, What::GivenBack { authorization: id })
                } else {
                    let reply = self.send(Self::by(by), || Command::Revoke {
                        authorization: held,
                        comment: Text::default(),
                    });
                    let says = live && (approves || self.org.administers(by));
                    (says, reply, What::Revoked { authorization: id })
                }
            }
            _ => unreachable!(),
        };
        assert_eq!(reply.is_ok(), says, "{op:?} {reply:?}");
        if says {
            self.tell(what);
        }
    }

    fn play_run(&mut self, by: UserId, task: u8, unit: u8) {
        let id = u32::from(task) + 1;
        let given = setup::run_values(task, unit);
        let (says, bases) = self.naive_run(by, id, &given);
        let order = || RunOrder {
            task: setup::TASKS.map(crate::world::task)[usize::from(task)].clone(),
            parameters: given.clone(),
            secrets: Secrets::new(),
        };
        let reply = self.send(Self::by(by), || Command::Run(order()));
        let code = reply.as_ref().map_or_else(Refusal::code, |_| "ok");
        assert_eq!(code, says, "{by} runs {} with {given:?}: {reply:?}", order().task);
        if let Ok(Reply::Execution(execution)) = reply {
            let run: &Execution = self.state.execution(execution).unwrap();
            let under = match run.basis {
                Basis::Authorization(id) => Some(id.number()),
                _ => None,
            };
            assert!(bases.contains(&under), "{execution} under {under:?}, in force are {bases:?}");
            let execution = execution.number();
            self.tell(What::Started { execution, under });
        }
    }

    /// What a run must answer, and under what it may run.
    fn naive_run(&self, by: UserId, task: u32, given: &Parameters) -> (&'static str, Vec<Option<u64>>) {
        let org = &self.org;
        if !org.active(by) {
            return ("inactive", vec![]);
        }
        if !org.defined_task(TaskId::new(task)) {
            return ("not-found", vec![]);
        }
        let Some(values) = org.completed(task, given) else { return ("bad-parameters", vec![]) };
        let assigned = org.assigned(by, task);
        let by_assignment = |refusal| if assigned { ("ok", vec![None]) } else { (refusal, vec![]) };
        if org.system.contains(&by) && assigned {
            return ("ok", vec![None]);
        }
        if !org.on {
            return by_assignment("not-assigned");
        }
        let Some(policy) = org.governing(Access::Task(TaskId::new(task))) else {
            return match org.uncovered_assigned {
                true => by_assignment("not-assigned"),
                false => ("uncovered", vec![]),
            };
        };
        let given = self.history.given();
        let mine = (1..=given.len() as u64).filter(|id| self.history.grant(*id).1.ask.by == by);
        let good: Vec<Option<u64>> =
            mine.filter(|id| self.history.in_force(*id, org, self.now, task, &values)).map(Some).collect();
        match good.is_empty() {
            false => ("ok", good),
            true if org.may_ask(&policy.2, by) => ("needs-approval", vec![]),
            true => ("may-not-ask", vec![]),
        }
    }

    fn play_stop(&mut self, by: UserId, execution: u8) {
        let execution = u64::from(execution);
        if execution == 0 || execution > self.run_ids() {
            return;
        }
        let id = ExecutionId::new(execution);
        let stop = || Command::StopRun { execution: id, cause: StopCause::Shutdown };
        let running = self.runs().contains(&execution);
        match self.send(Self::by(by), stop) {
            Ok(_) => {
                assert!(running && self.org.active(by));
                self.tell(What::StopAsked);
            }
            Err(refusal) => assert!(running || ["ended", "inactive"].contains(&refusal.code()), "{refusal}"),
        }
    }

    fn play_finish(&mut self, execution: u8, how: u8) {
        let runs = self.runs();
        let execution = runs.get(usize::from(execution) % runs.len().max(1)).copied().unwrap_or(1);
        let result = match how % 4 {
            0 => ExecutionResult::NotStarted { why: "no".into() },
            1 => ExecutionResult::Failed { code: 1 },
            _ => ExecutionResult::Succeeded,
        };
        let started = !matches!(result, ExecutionResult::NotStarted { .. });
        let reply = self.send(Origin::SYSTEM, || Command::FinishRun {
            execution: ExecutionId::new(execution),
            result: result.clone(),
            output: None,
        });
        assert_eq!(reply.is_ok(), runs.contains(&execution), "{reply:?}");
        if reply.is_ok() {
            self.tell(What::Finished { execution, started });
        }
    }
}
