//! `policy explain`: what would happen if somebody ran a task now, and why, step by step.
//!
//! The verdict is [`crate::may_run`]'s own; nothing here decides a second time.

use crate::access::Access;
use crate::authorization::Authorization;
use crate::catalog::Task;
use crate::decide::{Allowed, may_run_open};
use crate::execution::Basis;
use crate::id::{PolicyId, TaskId, UserId};
use crate::name::QualifiedName;
use crate::parameter::{Parameters, check_open};
use crate::policy::{Approval, Policy};
use crate::refusal::Refusal;
use crate::state::State;
use crate::time::Timestamp;

/// How specific a policy is for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// On the task itself.
    Task,
    /// On a role that has the task.
    Role,
    /// On a role group that has such a role.
    RoleGroup,
}

/// A policy that covers the task, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Which.
    pub policy: PolicyId,
    /// What it is on.
    pub on: Access,
    /// How specific it is.
    pub rank: Rank,
    /// Whether it is the one that governs.
    pub governs: bool,
    /// Why, or why not.
    pub why: String,
}

/// One question of the order in which a run is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: String,
}

/// What would happen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What [`crate::may_run`] says.
    pub verdict: Result<Allowed, Refusal>,
    /// The questions in their order, up to the one that answers.
    pub steps: Vec<Step>,
    /// The policies that cover the task, the governing one first.
    pub considered: Vec<Considered>,
    /// Who could approve a request of this user: active, in an approver group, somebody else.
    pub approvers: Vec<UserId>,
    /// What the user holds for this task, and what each does or why it does not.
    pub held: Vec<String>,
}

/// Explains what would happen if `user` ran `task` with these values at `now`. Secret parameters are
/// taken as given.
pub fn explain(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: &QualifiedName,
    given: &Parameters,
) -> Explanation {
    let found = state.catalog().task_named(task).filter(|task| task.enabled);
    let values = found.map(|task| check_open(&task.spec.parameters, given));
    let verdict = may_run_open(state, now, user, task, given);
    let governing = found.and_then(|task| state.governing(Access::Task(task.id)));
    let values = values.and_then(Result::ok).unwrap_or_else(|| given.clone());
    let held = match (found, governing) {
        (Some(task), Some(policy)) => held(state, now, user, task.id, policy, &values),
        _ => Vec::new(),
    };
    Explanation {
        steps: steps(state, user, found, governing, &verdict),
        considered: found.map(|task| considered(state, task.id, governing)).unwrap_or_default(),
        approvers: governing.map(|policy| approvers(state, policy, user)).unwrap_or_default(),
        held,
        verdict,
    }
}

fn steps(
    state: &State,
    user: UserId,
    task: Option<&Task>,
    governing: Option<&Policy>,
    verdict: &Result<Allowed, Refusal>,
) -> Vec<Step> {
    let mut steps = vec![step("is the account active?", yes_no(state.is_active(user)))];
    match (verdict, task) {
        (Err(Refusal::Inactive), _) => {}
        (Err(Refusal::BadParameters(problems)), _) => {
            steps.push(step("is the task defined, and do the values satisfy it?", format!("no: {problems}")));
        }
        (_, None) => steps.push(step("is the task defined?", yes_no(false))),
        (_, Some(task)) => {
            steps.push(step("is the task defined, and do the values satisfy it?", yes_no(true)));
            steps.extend(steps_of_access(state, user, task, governing, verdict));
        }
    }
    steps.push(step("so?", outcome(verdict)));
    steps
}

fn steps_of_access(
    state: &State,
    user: UserId,
    task: &Task,
    governing: Option<&Policy>,
    verdict: &Result<Allowed, Refusal>,
) -> Vec<Step> {
    let control = state.access_control();
    let assigned = state.is_assigned(user, task.id);
    let system = control.system_accounts.contains(&user) && assigned;
    let mut steps = vec![step("is it a system account that is assigned?", yes_no(system))];
    if matches!(verdict, Ok(Allowed { basis: Basis::SystemAccount, .. })) {
        return steps;
    }
    let on = match (control.enabled, assigned) {
        (true, _) => "on: approval counts",
        (false, true) => "off: the assignment counts (assigned)",
        (false, false) => "off: the assignment counts (not assigned)",
    };
    steps.push(step("is access control on?", on.to_owned()));
    if control.enabled {
        let named = |policy: &Policy| format!("{} (revision {})", policy.id, policy.revision);
        steps.push(step("which policy governs?", governing.map_or_else(|| "none".to_owned(), named)));
    }
    steps
}

fn step(question: &'static str, answer: String) -> Step {
    Step { question, answer }
}

fn yes_no(yes: bool) -> String {
    String::from(if yes { "yes" } else { "no" })
}

fn outcome(verdict: &Result<Allowed, Refusal>) -> String {
    match verdict {
        Ok(allowed) => match allowed.basis {
            Basis::Authorization(id) => format!("allowed under {id}"),
            Basis::SystemAccount => "allowed, and flagged: a system account".to_owned(),
            Basis::AccessControlOff => "allowed: access control is off".to_owned(),
            Basis::Uncovered => "allowed: no policy covers the task, and assignments count then".to_owned(),
        },
        Err(refusal) => format!("refused: {refusal}"),
    }
}

fn considered(state: &State, task: TaskId, governing: Option<&Policy>) -> Vec<Considered> {
    let above = state.catalog().above(task).iter().copied();
    let policies = std::iter::once(Access::Task(task)).chain(above).filter_map(|on| state.policy_on(on));
    let mut considered: Vec<Considered> =
        policies.filter_map(|policy| governing.map(|governing| consider(policy, governing))).collect();
    considered.sort_by_key(|considered| !considered.governs);
    considered
}

fn consider(policy: &Policy, governing: &Policy) -> Considered {
    let rank = |policy: &Policy| match policy.access {
        Access::Task(_) => Rank::Task,
        Access::Role(_) => Rank::Role,
        Access::RoleGroup(_) => Rank::RoleGroup,
    };
    let governs = policy.id == governing.id;
    let why = match (governs, rank(governing) == rank(policy)) {
        (true, _) => "it is the most specific, and of those the strictest".to_owned(),
        (false, true) => format!("{} is stricter: {}", governing.id, governing.stricter_because(policy)),
        (false, false) => format!("{} is more specific", governing.id),
    };
    Considered { policy: policy.id, on: policy.access, rank: rank(policy), governs, why }
}

fn approvers(state: &State, policy: &Policy, requester: UserId) -> Vec<UserId> {
    if policy.approval == Approval::Auto {
        return Vec::new();
    }
    let own = state.person(requester);
    let groups = state.approver_groups(policy);
    let members = groups.iter().filter_map(|group| state.group(group.group)).flat_map(|group| &group.members);
    let mut able: Vec<UserId> =
        members.copied().filter(|user| state.is_active(*user) && state.person(*user) != own).collect();
    able.sort_unstable();
    able.dedup();
    able
}

fn held(
    state: &State,
    now: Timestamp,
    user: UserId,
    task: TaskId,
    policy: &Policy,
    values: &Parameters,
) -> Vec<String> {
    let covering = state.authorizations_of(user).filter(|held| state.catalog().covers(held.access, task));
    let line = |held: &Authorization| match state.why_not(now, held, policy, values) {
        None => format!("{} is in force", held.id),
        Some(why) => format!("{} {why}", held.id),
    };
    covering.map(line).collect()
}
