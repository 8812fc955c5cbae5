//! Random commands over a small organization, played on the crate and told to the naive history.

use std::collections::BTreeMap;

use brevet_core::{
    Access, Authorization, AuthorizationId, Change, Command, Entry, Execution, ExecutionId, ExecutionResult,
    GroupId, NewPurpose, NewRequest, Origin, Parameters, PolicyId, Refusal, Reply, Request, RequestId,
    RoleGroupId, RoleId, SessionId, Span, State, StopCause, TaskId, Text, Timestamp, UserId, Verdict,
    transact,
};
use proptest::prelude::*;

use crate::naive::{Ask, Fate, Given, History, Org, Person, RequestFate, What};
use crate::world::T0;

mod setup;

pub(crate) use setup::Terms;

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

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let n = || 0..12_u8;
    prop_oneof![
        10 => prop_oneof![Just(1), Just(TICK - 1), Just(TICK), Just(TICK), Just(2 * TICK)].prop_map(Op::Wait),
        3 => Just(Op::ActOnDue),
        14 => (n(), n(), n(), n(), n(), n()).prop_map(|(by, access, unit, duration, start, uses)| {
            Op::Submit { by, access, unit, duration, start, uses }
        }),
        4 => (n(), n(), n()).prop_map(|(by, authorization, duration)| Op::Extend { by, authorization, duration }),
        22 => (n(), n(), 0..8_u8, n()).prop_map(|(by, request, no, shorter)| {
            Op::Vote { by, request, yes: no > 0, shorter }
        }),
        1 => (n(), n()).prop_map(|(by, request)| Op::Cancel { by, request }),
        1 => (n(), n()).prop_map(|(by, authorization)| Op::Revoke { by, authorization }),
        1 => (n(), n()).prop_map(|(by, authorization)| Op::GiveBack { by, authorization }),
        18 => (n(), n(), n()).prop_map(|(by, task, unit)| Op::Run { by, task, unit }),
        2 => (n(), n()).prop_map(|(by, execution)| Op::Stop { by, execution }),
        6 => (n(), n()).prop_map(|(execution, how)| Op::Finish { execution, how }),
        1 => Just(Op::Restart),
        2 => n().prop_map(Op::Toggle),
        3 => (n(), n()).prop_map(|(group, user)| Op::Member { group, user }),
        2 => n().prop_map(Op::Control),
        2 => (n(), n()).prop_map(|(who, access)| Op::Assign { who, access }),
        4 => (n(), setup::terms()).prop_map(|(access, terms)| Op::Policy { access, terms }),
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
        UserId::new(u32::from(number) % (self.org.users.len() as u32) + 1)
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
                self.send(Origin::SYSTEM, || Command::StartServer { version: "2".into() }).unwrap();
                for execution in self.runs() {
                    self.tell(What::Finished { execution, started: true });
                }
            }
            _ => self.play_setup(op),
        }
    }

    fn play_ask(&mut self, op: &Op) {
        let (new, by) = match op {
            Op::Submit { by, access, unit, duration, start, uses } => {
                let purpose =
                    NewPurpose::Access { access: Self::access(*access), bound: setup::bound(*unit, *access) };
                let new = NewRequest {
                    purpose,
                    reason: Text::default(),
                    duration: (duration % 6 > 0).then(|| ticks(i64::from(duration % 6))),
                    not_before: (start % 4 == 0).then(|| self.now.plus(ticks(i64::from(start / 4) + 1))),
                    max_uses: (uses % 3 == 0).then_some(u32::from(uses % 4)),
                };
                (new, self.user(*by))
            }
            Op::Extend { by, authorization, duration } => {
                let count = self.history.given().len().max(1) as u64;
                let id = AuthorizationId::new(u64::from(*authorization) % count + 1);
                let duration = (duration % 4 > 0).then(|| ticks(i64::from(duration % 4)));
                let purpose = NewPurpose::Extension(id);
                let new = NewRequest {
                    purpose,
                    reason: Text::default(),
                    duration,
                    not_before: None,
                    max_uses: None,
                };
                (new, self.user(*by))
            }
            _ => unreachable!(),
        };
        let ask = self.naive_ask(by, &new);
        let reply = self.send(Self::by(by), || Command::Submit(new.clone()));
        assert_eq!(reply.is_ok(), ask.is_some(), "{op:?} {reply:?}");
        if let (Some(ask), Ok(Reply::Request(id))) = (ask, reply) {
            assert_eq!(id.number(), self.history.asks().len() as u64 + 1);
            let row = &self.requests[&id.number()];
            assert_eq!(
                (row.policy.number(), row.duration, &row.bound),
                (ask.policy, ask.duration, &ask.bound)
            );
            let auto = self.org.policy(ask.policy).unwrap().approval == brevet_core::Approval::Auto;
            let duration = ask.duration;
            self.tell(What::Asked(ask));
            if auto {
                self.give(id.number(), duration);
            }
        }
    }

    /// What would be asked for, if it may be.
    fn naive_ask(&self, by: UserId, new: &NewRequest) -> Option<Ask> {
        let (now, org) = (self.now, &self.org);
        let (policy, access, bound, extends) = match &new.purpose {
            NewPurpose::Access { access, bound } => {
                let policy = org.governing(*access)?;
                let exact = policy.2.binding == brevet_core::Binding::Exact;
                let bound = setup::naive_bound(org, *access, bound, exact)?;
                (policy.0, *access, bound, None)
            }
            NewPurpose::Extension(id) => {
                let (_, given) = self.history.given().get(id.number() as usize - 1).copied()?;
                let stand = self.history.stand(id.number(), self.history.steps.len(), now);
                let mine = given.ask.by == by && matches!(stand.fate, Fate::Active { .. });
                // Until somebody acted on its start, a scheduled authorization has nothing to extend.
                let begun = matches!(
                    self.authorizations[&id.number()].state,
                    brevet_core::AuthorizationState::Active { .. }
                );
                (mine && begun).then_some(())?;
                (given.ask.policy, given.ask.access, given.ask.bound.clone(), Some(*id))
            }
        };
        let terms = org.policy(policy)?;
        let max = terms.maximum_duration.span();
        let duration = new.duration.unwrap_or(Span::hours(4).min(max));
        let starts_well = new.not_before.is_none_or(|at| {
            at > now && extends.is_none() && terms.start == brevet_core::StartRule::AtApproval
        });
        let uses_well =
            new.max_uses.is_none_or(|uses| uses > 0 && terms.max_uses.is_none_or(|max| uses <= max));
        let approvable = terms.approval == brevet_core::Approval::Auto || org.could_be_enough(terms, by);
        let may = org.version(access).is_some() && org.may_ask(terms, by);
        (may && duration <= max && starts_well && uses_well && approvable).then(|| Ask {
            by,
            extends,
            access,
            version: org.version(access),
            bound,
            policy,
            duration,
            not_before: new.not_before,
            uses: new.max_uses.or(terms.max_uses),
            expires: now.plus(terms.pending_lifetime),
        })
    }

    fn give(&mut self, request: u64, duration: Span) {
        let ask = self.history.asks()[request as usize - 1].1.clone();
        let terms = self.org.policy(ask.policy).unwrap().clone();
        let what = match ask.extends {
            Some(id) => What::Extended {
                request,
                authorization: id.number(),
                more: duration,
                ahead: terms.maximum_duration.span(),
            },
            None => What::Granted(Given {
                request,
                granted: self.now,
                duration,
                uses: [ask.uses, terms.max_uses].into_iter().flatten().min(),
                binding: terms.binding,
                start: terms.start,
                ask,
            }),
        };
        self.tell(what);
    }

    fn play_vote(&mut self, by: UserId, number: u64, yes: bool, shorter: Option<Span>) {
        let asked = self.history.asks().len() as u64;
        // The newest ones are the likeliest to be pending.
        let request = asked.saturating_sub(number % 5);
        let says = self.naive_vote(by, request, yes, shorter);
        let verdict = if yes { Verdict::Approve } else { Verdict::Deny };
        let reply = self.send(Self::by(by), || Command::Decide {
            request: RequestId::new(request),
            verdict,
            duration: shorter,
            comment: Text::default(),
        });
        let code = reply.map_or_else(|refusal| refusal.code(), |_| "ok");
        assert_eq!(code, says, "{by} votes on req-{request}");
        if code == "ok" {
            self.tell(What::Voted { request, by, yes, shorter });
            let ask = self.history.asks()[request as usize - 1].1.clone();
            let votes = self.history.votes(request);
            let people: Vec<UserId> = votes.iter().map(|(by, _)| *by).collect();
            let terms = self.org.policy(ask.policy).unwrap().clone();
            if yes && self.org.is_enough(&terms, ask.by, &people) {
                let shortest = votes.iter().filter_map(|(_, shorter)| *shorter).min().unwrap_or(ask.duration);
                self.give(request, shortest.min(ask.duration).min(terms.maximum_duration.span()));
            }
        }
    }

    fn naive_vote(&self, by: UserId, request: u64, yes: bool, shorter: Option<Span>) -> &'static str {
        if !self.org.active(by) {
            return "inactive";
        }
        if request == 0 {
            return "not-found";
        }
        let fate = self.history.request(request, self.now);
        let ask = self.history.asks()[request as usize - 1].1;
        if fate != RequestFate::Pending {
            return "ended";
        }
        if self.org.person(by) == self.org.person(ask.by) {
            return "self-approval";
        }
        let terms = self.org.policy(ask.policy).unwrap();
        let votes = self.history.votes(request);
        let voted = votes.iter().any(|(voter, _)| self.org.person(*voter) == self.org.person(by));
        match () {
            () if !self.org.is_approver(terms, by) => "not-an-approver",
            () if !yes => "ok",
            () if voted => "already-voted",
            () if shorter.is_some_and(|shorter| shorter > ask.duration) => "invalid",
            () => "ok",
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
                let ask = self.history.asks()[request as usize - 1].1;
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
                let ask = self.history.given()[id as usize - 1].1.ask.clone();
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
        let order = || brevet_core::RunOrder {
            task: setup::TASKS.map(crate::world::task)[usize::from(task)].clone(),
            parameters: given.clone(),
            secrets: brevet_core::Secrets::new(),
        };
        let reply = self.send(Self::by(by), || Command::Run(order()));
        let code = reply.as_ref().map_or_else(Refusal::code, |_| "ok");
        assert_eq!(code, says, "{by} runs {} with {given:?}: {reply:?}", order().task);
        if let Ok(Reply::Execution(execution)) = reply {
            let run: &Execution = self.state.execution(execution).unwrap();
            let under = match run.basis {
                brevet_core::Basis::Authorization(id) => Some(id.number()),
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
        let mine = (1..=given.len() as u64).filter(|id| given[*id as usize - 1].1.ask.by == by);
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
