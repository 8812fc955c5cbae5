//! In which ways somebody may run a task: the gate's own answer, once for each thing that would let them.

use super::run::{Allowed, may_run_with, runnable};
use crate::access::Access;
use crate::execution::Basis;
use crate::id::{TaskId, UserId};
use crate::parameter::Parameters;
use crate::state::State;
use crate::time::Timestamp;

/// Everything under which `user` may run `task` at `now` with some values or other; nothing when they may not. An
/// authorization each, in the order of their ids, with the values that it binds; or the one basis that needs none.
///
/// [`super::may_run`] answers with one of these for values that one of them allows, and refuses all others.
pub fn ways_to_run(state: &State, now: Timestamp, user: UserId, task: TaskId) -> Vec<Allowed> {
    let now = state.at_least(now);
    let Some(task) = state.catalog.task(task) else { return Vec::new() };
    let Ok(task) = runnable(state, user, &task.spec.name) else { return Vec::new() };
    if let Ok(allowed) = may_run_with(state, now, user, task, Parameters::new())
        && !matches!(allowed.basis, Basis::Authorization(_))
    {
        return vec![allowed];
    }
    // Authorizations count where a policy governs and access control is on, and nowhere else.
    let Some(policy) = state.governing(Access::Task(task.id)).filter(|_| state.access_control.enabled) else {
        return Vec::new();
    };
    let covering = state.authorizations_of(user).filter(|held| state.catalog.covers(held.access, task.id));
    let in_force = covering.filter(|held| state.why_not(now, held, policy, &held.bound).is_none());
    let mut ways: Vec<Allowed> = in_force
        .map(|held| Allowed {
            task: task.id,
            values: held.bound.clone(),
            basis: Basis::Authorization(held.id),
            end: held.end_of_run(now),
            policy: Some((policy.id, policy.revision)),
        })
        .collect();
    ways.sort_unstable_by_key(|way| way.basis.authorization());
    ways
}
