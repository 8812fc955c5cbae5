//! `policy explain`: what would happen if somebody ran a task now, and why, step by step.
//!
//! The verdict is [`may_run`]'s own; nothing here decides a second time.

use crate::access::Access;
use crate::decide::{Allowed, may_run};
use crate::id::{PolicyId, UserId};
use crate::name::QualifiedName;
use crate::parameter::{Parameters, Secrets};
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
    pub why: &'static str,
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
    /// What [`may_run`] says.
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
    let verdict = may_run(state, now, user, task, given, &Secrets::new());
    let found = state.catalog().task_named(task).filter(|task| task.enabled);
    let access = found.map(|task| Access::Task(task.id));
    let governing = access.and_then(|access| state.governing(access));
    let held = match (access, governing, &verdict) {
        (Some(Access::Task(id)), Some(policy), _) => held(state, now, user, id, policy, given),
        _ => Vec::new(),
    };
    Explanation {
        steps: steps(state, user, task, governing, &verdict),
        considered: access.map(|access| considered(state, access, governing)).unwrap_or_default(),
        approvers: governing.map(|policy| approvers(state, policy, user)).unwrap_or_default(),
        held,
        verdict,
    }
}

fn steps(
    state: &State,
    user: UserId,
    task: &QualifiedName,
    governing: Option<&Policy>,
    verdict: &Result<Allowed, Refusal>,
) -> Vec<Step> {
    let yes_no = |yes: bool| String::from(if yes { "yes" } else { "no" });
    let mut steps = vec![Step { question: "is the account active?", answer: yes_no(state.is_active(user)) }];
    let Some(task) = state.catalog().task_named(task).filter(|task| task.enabled) else {
        steps.push(Step { question: "is the task defined?", answer: yes_no(false) });
        return steps;
    };
    let fits = match verdict {
        Err(Refusal::BadParameters(problems)) => format!("no: {problems}"),
        _ => yes_no(true),
    };
    steps.push(Step { question: "is the task defined, and do the values satisfy it?", answer: fits });
    let control = state.access_control();
    let assigned = state.is_assigned(user, task.id);
    let system = control.system_accounts.contains(&user);
    steps.push(Step {
        question: "is it a system account that is assigned?",
        answer: yes_no(system && assigned),
    });
    let on = match (control.enabled, assigned) {
        (true, _) => "on: approval counts".to_owned(),
        (false, assigned) => {
            format!("off: the assignment counts ({})", if assigned { "assigned" } else { "not assigned" })
        }
    };
    steps.push(Step { question: "is access control on?", answer: on });
    if control.enabled {
        let which = governing
            .map_or("none".to_owned(), |policy| format!("{} (revision {})", policy.id, policy.revision));
        steps.push(Step { question: "which policy governs?", answer: which });
    }
    let last = match verdict {
        Ok(allowed) => match allowed.basis {
            crate::Basis::Authorization(id) => format!("allowed under {id}"),
            crate::Basis::SystemAccount => "allowed, and flagged: a system account".to_owned(),
            crate::Basis::AccessControlOff => "allowed: access control is off".to_owned(),
            crate::Basis::Uncovered => {
                "allowed: no policy covers the task, and assignments count then".to_owned()
            }
        },
        Err(refusal) => format!("refused: {refusal}"),
    };
    steps.push(Step { question: "so?", answer: last });
    steps
}

fn considered(state: &State, access: Access, governing: Option<&Policy>) -> Vec<Considered> {
    let above = state.catalog().above_access(access);
    let policies = std::iter::once(access).chain(above).filter_map(|on| state.policy_on(on));
    let rank = |policy: &Policy| match policy.access {
        Access::Task(_) => Rank::Task,
        Access::Role(_) => Rank::Role,
        Access::RoleGroup(_) => Rank::RoleGroup,
    };
    let mut considered: Vec<Considered> = policies
        .map(|policy| {
            let governs = governing.is_some_and(|governing| governing.id == policy.id);
            let same_rank = governing.is_some_and(|governing| rank(governing) == rank(policy));
            let why = match (governs, same_rank) {
                (true, _) => "the most specific, and of those the strictest",
                (false, true) => "another of the same rank is stricter",
                (false, false) => "another is more specific",
            };
            Considered { policy: policy.id, on: policy.access, rank: rank(policy), governs, why }
        })
        .collect();
    considered.sort_by_key(|considered| !considered.governs);
    considered
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
    task: crate::TaskId,
    policy: &Policy,
    given: &Parameters,
) -> Vec<String> {
    let specs = state.catalog().task(task).map_or(&[][..], |task| task.spec.parameters.as_slice());
    let values = crate::parameter::check_run(specs, given, &Secrets::new()).unwrap_or_else(|_| given.clone());
    let covering = state.authorizations_of(user).filter(|held| state.catalog().covers(held.access, task));
    let line = |held: &crate::Authorization| match state.why_not(now, held, policy, &values) {
        None => format!("{} is in force", held.id),
        Some(why) => format!("{} {why}", held.id),
    };
    covering.map(line).collect()
}
