//! What a change of the policies would do, before it is done: the command carried out on a copy of the state, and the two
//! compared.
//!
//! The copy is never kept, and what is said of it comes from the gate's own rules; nothing here decides a second time.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::actor::Origin;
use crate::authorization::{Authorization, Ending};
use crate::command::{Command, NewPolicy, PolicyTerms};
use crate::decide::{Reply, transact, ways_to_run};
use crate::event::{Entry, Event};
use crate::execution::Basis;
use crate::id::{AuthorizationId, PolicyId, TaskId, UserId};
use crate::limit::PREVIEW_PAIRS_MAX;
use crate::policy::{Approval, Policy};
use crate::refusal::Refusal;
use crate::state::State;
use crate::time::Timestamp;

/// A change of the policies.
#[derive(Debug, Clone)]
pub enum PolicyStep {
    /// A new one.
    Create(NewPolicy),
    /// Other terms.
    Set {
        /// Of which.
        policy: PolicyId,
        /// The revision that the changer saw.
        seen: u32,
        /// The terms after it.
        terms: PolicyTerms,
    },
    /// One less.
    Remove(PolicyId),
}

/// What a step would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The policy as it is; `None` where there is none yet.
    pub before: Option<Policy>,
    /// The policy as it would be; `None` where there would be none.
    pub after: Option<Policy>,
    /// The enabled tasks of its access, by id.
    pub tasks: Vec<TaskId>,
    /// Those of them that it governs now, and those that it would govern; others have a policy that comes before it.
    pub governs: Turn,
    /// Active accounts that may ask under it, now and then.
    pub may_ask: Turn,
    /// Requests that wait under it.
    pub pending: u32,
    /// Requests that the step would end.
    pub requests_ended: u32,
    /// Authorizations that have not ended and were given under it.
    pub authorizations: u32,
    /// Authorizations that the step would end.
    pub authorizations_voided: u32,
    /// Authorizations in force for one of the tasks that stay, and let their holder run fewer of them.
    pub authorizations_narrowed: u32,
    /// Runs that the step would stop.
    pub runs_stopped: u32,
    /// How people come to its tasks; `None` where there are more pairs of a person and a task than
    /// [`PREVIEW_PAIRS_MAX`].
    pub people: Option<People>,
}

/// How many, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// As it is.
    pub before: u32,
    /// As it would be.
    pub after: u32,
}

/// Active accounts for whom one of the tasks would be reached in another way, each counted once in each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People {
    /// Could run without anybody's approval, and would need one.
    pub need_approval: u32,
    /// Would run without anybody's approval, and could not.
    pub need_none: u32,
    /// Could not come to it at all, and may ask somebody then.
    pub may_ask: u32,
    /// Could run it or ask for it, and would be refused.
    pub shut_out: u32,
}

/// How somebody comes to a task, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Refused,
    /// Somebody says yes first.
    ByApproval,
    /// Nobody needs to: the policy approves by itself, or none is needed.
    ByItself,
}

/// What is looked at before and after.
struct Seen {
    governs: BTreeSet<TaskId>,
    reach: Option<Vec<Reach>>,
    /// What each authorization in force lets its holder run.
    in_force: Vec<(AuthorizationId, usize)>,
}

impl PolicyStep {
    fn policy(&self) -> Option<PolicyId> {
        match self {
            Self::Create(_) => None,
            Self::Set { policy, .. } | Self::Remove(policy) => Some(*policy),
        }
    }

    fn command(self) -> Command {
        match self {
            Self::Create(new) => Command::CreatePolicy(new),
            Self::Set { policy, seen, terms } => Command::SetPolicy { policy, seen, terms },
            Self::Remove(policy) => Command::RemovePolicy { policy, seen: None },
        }
    }
}

/// Says what a step would do at `now`, or why it would be refused. `copy` is used up: what is done to it is nowhere else.
pub fn preview(
    mut copy: State,
    now: Timestamp,
    origin: Origin,
    step: PolicyStep,
) -> Result<Preview, Refusal> {
    let before = step.policy().and_then(|id| copy.policy(id)).cloned();
    let access = match (&step, &before) {
        (PolicyStep::Create(new), _) => Some(new.access),
        (_, Some(policy)) => Some(policy.access),
        (_, None) => None,
    };
    let is_enabled = |task: &TaskId| copy.catalog.task(*task).is_some_and(|task| task.enabled);
    let mut tasks = access.map(|access| copy.catalog.tasks_of(access)).unwrap_or_default();
    tasks.retain(is_enabled);
    let was = Seen::of(&copy, now, before.as_ref(), &tasks);
    let before_asks = before.as_ref().map_or(0, |policy| count_may_ask(&copy, policy));
    let (pending, authorizations) = before.as_ref().map_or((0, 0), |policy| under(&copy, policy.id));
    let outcome = transact(&mut copy, now, origin, step.command())?;
    let after = match outcome.reply {
        Reply::Policy(id) => copy.policy(id).cloned(),
        _ => None,
    };
    let will = Seen::of(&copy, now, after.as_ref(), &tasks);
    let ended = |counts: fn(&Event) -> bool| {
        number(outcome.entries.iter().filter(|Entry { event, .. }| counts(event)).count())
    };
    Ok(Preview {
        governs: Turn { before: number(was.governs.len()), after: number(will.governs.len()) },
        may_ask: Turn {
            before: before_asks,
            after: after.as_ref().map_or(0, |policy| count_may_ask(&copy, policy)),
        },
        pending,
        requests_ended: ended(|event| {
            matches!(event, Event::RequestCancelled { .. } | Event::RequestExpired { .. })
        }),
        authorizations,
        authorizations_voided: ended(|event| {
            matches!(event, Event::AuthorizationEnded { how: Ending::Voided | Ending::RanOut, .. })
        }),
        authorizations_narrowed: narrowed(&copy, &was.in_force, &will.in_force),
        runs_stopped: ended(|event| matches!(event, Event::ExecutionStopRequested { .. })),
        people: people(&copy, tasks.len(), was.reach.as_deref(), will.reach.as_deref()),
        before,
        after,
        tasks,
    })
}

impl Seen {
    fn of(state: &State, now: Timestamp, policy: Option<&Policy>, tasks: &[TaskId]) -> Self {
        let governs = |task: &&TaskId| {
            let governing = state.governing(Access::Task(**task));
            policy.is_some_and(|policy| governing.is_some_and(|governing| governing.id == policy.id))
        };
        let pairs = state.users.len().saturating_mul(tasks.len());
        let each = || {
            let of_user = |user: UserId| tasks.iter().map(move |task| reach(state, now, user, *task));
            state.users.iter().flat_map(|user| of_user(user.id)).collect()
        };
        Self {
            governs: tasks.iter().filter(governs).copied().collect(),
            reach: (pairs <= PREVIEW_PAIRS_MAX).then(each),
            in_force: in_force(state, now, tasks),
        }
    }
}

/// Whoever may run under an authorization had to ask for it: only what needs none counts as running by itself.
fn reach(state: &State, now: Timestamp, user: UserId, task: TaskId) -> Reach {
    let ways = ways_to_run(state, now, user, task);
    if ways.iter().any(|way| !matches!(way.basis, Basis::Authorization(_))) {
        return Reach::ByItself;
    }
    let governing = state.governing(Access::Task(task)).filter(|_| state.access_control.enabled);
    match governing.filter(|policy| state.may_ask(policy, user)).map(|policy| &policy.approval) {
        Some(Approval::Auto) => Reach::ByItself,
        Some(Approval::Manual(_)) => Reach::ByApproval,
        None => Reach::Refused,
    }
}

/// An authorization runs what is governed by the policy that it was given under, and nothing else: so its tasks are counted
/// once for each access and policy, and not for each authorization.
fn in_force(state: &State, now: Timestamp, tasks: &[TaskId]) -> Vec<(AuthorizationId, usize)> {
    let mut governed: BTreeMap<(Access, PolicyId), usize> = BTreeMap::new();
    for task in tasks {
        let Some(policy) = state.governing(Access::Task(*task)) else { continue };
        for access in [Access::Task(*task)].iter().chain(state.catalog.above(*task)) {
            *governed.entry((*access, policy.id)).or_default() += 1;
        }
    }
    let runs = |held: &Authorization| {
        let tasks = *governed.get(&(held.access, held.policy))?;
        let policy = state.policy(held.policy)?;
        state.why_not(now, held, policy, &held.bound).is_none().then_some((held.id, tasks))
    };
    let mut found: Vec<_> = state.authorizations().filter_map(runs).collect();
    found.sort_unstable();
    found
}

fn narrowed(after: &State, was: &[(AuthorizationId, usize)], will: &[(AuthorizationId, usize)]) -> u32 {
    let stays = |id: AuthorizationId| after.authorization(id).is_some_and(|held| !held.has_ended());
    let runs_then = |id: AuthorizationId| {
        will.binary_search_by_key(&id, |(id, _)| *id).ok().map_or(0, |place| will[place].1)
    };
    number(was.iter().filter(|(id, tasks)| stays(*id) && runs_then(*id) < *tasks).count())
}

fn people(state: &State, tasks: usize, was: Option<&[Reach]>, will: Option<&[Reach]>) -> Option<People> {
    let (was, will) = (was?, will?);
    let mut people = People::default();
    let turns: Vec<_> = was.iter().copied().zip(will.iter().copied()).collect();
    let of_users = turns.chunks(tasks.max(1)).zip(&state.users);
    for (turns, _) in of_users.filter(|(_, user)| user.active) {
        let any = |counts: fn(Reach, Reach) -> bool| {
            u32::from(turns.iter().any(|(before, after)| counts(*before, *after)))
        };
        people.need_approval += any(|before, after| before == Reach::ByItself && after == Reach::ByApproval);
        people.need_none += any(|before, after| before < Reach::ByItself && after == Reach::ByItself);
        people.may_ask += any(|before, after| before == Reach::Refused && after == Reach::ByApproval);
        people.shut_out += any(|before, after| before != Reach::Refused && after == Reach::Refused);
    }
    Some(people)
}

fn count_may_ask(state: &State, policy: &Policy) -> u32 {
    number(state.users.iter().filter(|user| state.may_ask(policy, user.id)).count())
}

fn under(state: &State, policy: PolicyId) -> (u32, u32) {
    let given = state.authorizations().filter(|held| held.policy == policy).count();
    (number(state.pending_under(policy)), number(given))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
