//! Decisions about runs, in the order of docs/deciding.md: the first that answers wins.

use super::{Decision, Reply, require_user};
use crate::access::Access;
use crate::actor::Origin;
use crate::authorization::{Authorization, AuthorizationState};
use crate::catalog::Task;
use crate::command::RunOrder;
use crate::directory::Uncovered;
use crate::event::Event;
use crate::execution::{Basis, ExecutionResult, Output, StopCause};
use crate::id::{AuthorizationId, ExecutionId, PolicyId, TaskId, UserId};
use crate::limit::{RUNS_MAX, RUNS_PER_USER_MAX};
use crate::name::QualifiedName;
use crate::parameter::{Parameters, Secrets, check_open, check_run};
use crate::permit::{Draft, Terms};
use crate::policy::Policy;
use crate::refusal::{Refusal, WayOut};
use crate::state::State;
use crate::time::Timestamp;

/// A yes to a run, with its terms: there is nothing to look up afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Of what.
    pub task: TaskId,
    /// The values it runs with, defaults included; secrets left out.
    pub values: Parameters,
    /// Why.
    pub basis: Basis,
    /// When it must be over, unless its task may finish.
    pub end: Option<Timestamp>,
    /// The policy that governs, and its revision.
    pub policy: Option<(PolicyId, u32)>,
}

/// Says whether `user` may run `task` with these values at `now`, on what terms, or why not.
pub fn may_run(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: &QualifiedName,
    given: &Parameters,
    secrets: &Secrets,
) -> Result<Allowed, Refusal> {
    let task = runnable(state, user, task)?;
    let values = check_run(&task.spec.parameters, given, secrets)?;
    may_run_with(state, now, user, task, values)
}

/// The same as [`may_run`] where the secrets are not at hand: they are taken as given.
pub fn may_run_open(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: &QualifiedName,
    given: &Parameters,
) -> Result<Allowed, Refusal> {
    let task = runnable(state, user, task)?;
    let values = check_open(&task.spec.parameters, given)?;
    may_run_with(state, now, user, task, values)
}

/// On what terms `user` may run `task` now with some values or other: the terms that last longest.
pub fn may_run_somehow(state: &State, now: Timestamp, user: UserId, task: &QualifiedName) -> Option<Allowed> {
    let task = runnable(state, user, task).ok()?;
    let covering = state.authorizations_of(user).filter(|held| state.catalog.covers(held.access, task.id));
    let bound = covering.map(|held| held.bound.clone());
    std::iter::once(Parameters::new())
        .chain(bound)
        .filter_map(|values| may_run_with(state, now, user, task, values).ok())
        .max_by_key(|allowed| allowed.end.unwrap_or(Timestamp::MAX))
}

/// The task, if it is defined and this account may do anything at all.
pub(crate) fn runnable<'a>(
    state: &'a State,
    user: UserId,
    task: &QualifiedName,
) -> Result<&'a Task, Refusal> {
    if !state.is_active(user) {
        return Err(Refusal::Inactive);
    }
    state.authorizations.fetch(user);
    let found = state.catalog.task_named(task).filter(|task| task.enabled);
    found.ok_or_else(|| Refusal::no_such("task", task))
}

/// The rest of the order, for values that satisfy the task.
pub(crate) fn may_run_with(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: &Task,
    values: Parameters,
) -> Result<Allowed, Refusal> {
    let now = state.at_least(now);
    let not_assigned = || Refusal::NotAssigned { task: task.spec.name.clone() };
    let allowed = |values, basis| Ok(Allowed { task: task.id, values, basis, end: None, policy: None });
    let control = &state.access_control;
    // Looked up where it decides only: most runs are decided by an authorization.
    let assigned = || state.is_assigned(user, task.id);
    if control.system_accounts.contains(&user) && assigned() {
        return allowed(values, Basis::SystemAccount);
    }
    if !control.enabled {
        return if assigned() { allowed(values, Basis::AccessControlOff) } else { Err(not_assigned()) };
    }
    let Some(policy) = state.governing(Access::Task(task.id)) else {
        return match (control.uncovered, assigned()) {
            (Uncovered::Assigned, true) => allowed(values, Basis::Uncovered),
            (Uncovered::Assigned, false) => Err(not_assigned()),
            (Uncovered::Refused, _) => Err(Refusal::Uncovered { access: task.spec.name.clone() }),
        };
    };
    match state.in_force(now, user, task.id, policy, &values) {
        Some((authorization, end)) => Ok(Allowed {
            task: task.id,
            values,
            basis: Basis::Authorization(authorization),
            end: Some(end),
            policy: Some((policy.id, policy.revision)),
        }),
        None => Err(refuse(state, now, user, task, policy, &values)),
    }
}

fn refuse(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: &Task,
    policy: &Policy,
    values: &Parameters,
) -> Refusal {
    let name = task.spec.name.clone();
    if !state.may_ask(policy, user) {
        return Refusal::MayNotAsk { policy: policy.id, access: name };
    }
    let covering = state.authorizations_of(user).filter(|held| state.catalog.covers(held.access, task.id));
    let held = covering
        .filter_map(|held| state.why_not(now, held, policy, values).map(|why| format!("{} {why}", held.id)))
        .collect();
    let approver_groups = match policy.approval {
        crate::Approval::Auto => Vec::new(),
        crate::Approval::Manual(_) => state.approver_names(policy),
    };
    Refusal::NeedsApproval(Box::new(WayOut { task: name, policy: policy.id, approver_groups, held }))
}

impl State {
    /// The best authorization of `user` that is in force for this task and these values, and when a
    /// run under it must end. One whose clock runs comes before one that a run would start; among
    /// equals the one that lasts longest.
    fn in_force(
        &self,
        now: Timestamp,
        user: UserId,
        task: TaskId,
        policy: &Policy,
        values: &Parameters,
    ) -> Option<(AuthorizationId, Timestamp)> {
        let accesses = std::iter::once(Access::Task(task)).chain(self.catalog.above(task).iter().copied());
        let mut best: Option<(bool, Timestamp, AuthorizationId)> = None;
        for access in accesses {
            for authorization in self.authorizations.of_access(user, access) {
                if self.why_not(now, authorization, policy, values).is_some() {
                    continue;
                }
                let Some(end) = authorization.end_of_run(now) else { continue };
                let running = matches!(authorization.state, AuthorizationState::Active { .. });
                let candidate = (running, end, authorization.id);
                best = Some(best.map_or(candidate, |best| best.max(candidate)));
            }
        }
        best.map(|(_, end, id)| (id, end))
    }

    /// Why an authorization does not let its task run now with these values; `None` when it does.
    pub(crate) fn why_not(
        &self,
        now: Timestamp,
        held: &Authorization,
        governing: &Policy,
        values: &Parameters,
    ) -> Option<&'static str> {
        if held.end_of_run(now).is_none() {
            return Some(match held.state {
                AuthorizationState::Scheduled { .. } => "has not started, or was not claimed in time",
                _ => "has ended",
            });
        }
        if !held.has_uses_left() {
            return Some("has no runs left");
        }
        if held.policy != governing.id {
            return Some("was given under another policy than the one that governs this task");
        }
        if !self.may_ask(governing, held.holder) {
            return Some("is void: its holder is not among those who may ask any more");
        }
        if self.catalog.digest(held.access) != Some(held.digest) {
            return Some("is void: the definition changed since it was approved");
        }
        (!held.allows(values)).then_some("was approved for other parameter values")
    }
}

pub(super) fn start(
    state: &State,
    now: Timestamp,
    origin: Origin,
    order: RunOrder,
) -> Result<Decision, Refusal> {
    let user = require_user(origin)?;
    let RunOrder { task, parameters, secrets } = order;
    let Allowed { task, values, basis, end, policy } =
        may_run(state, now, user, &task, &parameters, &secrets)?;
    check_room(state, user)?;
    let task = state.catalog.task(task).ok_or_else(|| Refusal::no_such("task", task))?;
    let execution = ExecutionId::new(state.counters.executions);
    let mut events = Vec::with_capacity(2);
    let authorization = basis.authorization();
    if let (Some(id), Some(end)) = (authorization, end) {
        events.extend(begins(state, now, id, end));
    }
    events.push(Event::ExecutionStarted {
        execution,
        user,
        task: task.id,
        digest: task.spec.digest,
        parameters: values.clone(),
        basis,
        policy,
        server: origin.server,
    });
    let draft = Draft {
        terms: Terms {
            execution,
            task: task.spec.name.clone(),
            digest: task.spec.digest,
            parameters: values,
            secrets,
            authorization,
            end,
            witnessed: task.spec.witnessed == Some(true),
        },
    };
    Ok(Decision { events, reply: Reply::Execution(execution), draft: Some(draft) })
}

/// Nobody keeps others from running, or the server from answering, by starting more and more.
fn check_room(state: &State, user: UserId) -> Result<(), Refusal> {
    let (mut all, mut own) = (0, 0);
    for run in state.executions() {
        all += 1;
        own += usize::from(run.user == user);
    }
    if own >= RUNS_PER_USER_MAX {
        return Err(Refusal::TooMany { what: "runs of one person at once", max: RUNS_PER_USER_MAX });
    }
    if all >= RUNS_MAX {
        return Err(Refusal::TooMany { what: "runs at once", max: RUNS_MAX });
    }
    Ok(())
}

/// The start of a clock that this run is the first to need.
fn begins(state: &State, now: Timestamp, id: AuthorizationId, end: Timestamp) -> Option<Event> {
    match state.authorization(id)?.state {
        AuthorizationState::Scheduled { start: crate::Start::At(at), .. } => {
            Some(Event::AuthorizationStarted { authorization: id, start: at, end })
        }
        AuthorizationState::Scheduled { .. } => {
            Some(Event::AuthorizationStarted { authorization: id, start: now, end })
        }
        _ => None,
    }
}

pub(super) fn stop(
    state: &State,
    origin: Origin,
    id: ExecutionId,
    cause: StopCause,
) -> Result<Decision, Refusal> {
    let execution = running(state, id)?;
    if matches!(execution.state, crate::ExecutionState::Running { stopping: Some(_) }) {
        return Err(Refusal::NoChange("it is being stopped already"));
    }
    let cause = match origin.user_id() {
        None => cause,
        Some(by) if may_stop(state, by, execution) => StopCause::ByUser(by),
        Some(_) => {
            return Err(Refusal::Forbidden { who: "who runs it, an approver of it, or an administrator" });
        }
    };
    Decision::new(Reply::Execution(id), vec![Event::ExecutionStopRequested { execution: id, cause }])
}

/// A run that is not over.
fn running(state: &State, id: ExecutionId) -> Result<&crate::Execution, Refusal> {
    match state.execution(id) {
        Some(execution) if !execution.has_finished() => Ok(execution),
        None if !(1..state.counters.executions).contains(&id.number()) => {
            Err(Refusal::no_such("execution", id))
        }
        _ => Err(Refusal::over("execution", id)),
    }
}

/// Who runs it, administrators, and who approves under the policy of its authorization; where that
/// has run out and the task may finish, under the policy that governs the task now.
fn may_stop(state: &State, by: UserId, execution: &crate::Execution) -> bool {
    let administers = state.user(by).is_some_and(|user| user.administrator);
    let approves = match execution.basis {
        Basis::Authorization(id) => state
            .authorization(id)
            .and_then(|held| state.policy(held.policy))
            .or_else(|| state.governing(Access::Task(execution.task)))
            .is_some_and(|policy| state.is_approver(policy, by)),
        Basis::SystemAccount | Basis::AccessControlOff | Basis::Uncovered => false,
    };
    execution.user == by || administers || approves
}

pub(super) fn finish(
    state: &State,
    execution: ExecutionId,
    result: ExecutionResult,
    output: Option<Output>,
) -> Result<Decision, Refusal> {
    running(state, execution)?;
    let finished = Event::ExecutionFinished { execution, result, output };
    Decision::new(Reply::Execution(execution), vec![finished])
}
