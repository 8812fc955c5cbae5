//! The consequences of a change: what cannot stand any more ends in the same transaction.

use crate::authorization::{Authorization, AuthorizationState, Ending};
use crate::catalog::OnExpiry;
use crate::event::Event;
use crate::execution::{Basis, Execution, ExecutionState, StopCause};
use crate::id::{AuthorizationId, ExecutionId, PolicyId, UserId};
use crate::request::Purpose;
use crate::state::State;
use crate::text::Text;

/// Whether an event can make something else untenable. Most cannot, and cost nothing.
pub(super) fn has_consequences(event: &Event) -> bool {
    matches!(
        event,
        Event::UserDisabled { .. }
            | Event::MemberRemoved { .. }
            | Event::GroupDeleted { .. }
            | Event::PolicyChanged { .. }
            | Event::PolicyRemoved { .. }
            | Event::TaskDefined { .. }
            | Event::TaskRemoved { .. }
            | Event::RoleDefined { .. }
            | Event::RoleRemoved { .. }
            | Event::RoleGroupDefined { .. }
            | Event::RoleGroupRemoved { .. }
            | Event::AuthorizationEnded { .. }
            | Event::ExecutionFinished { .. }
    )
}

/// What follows from these events, which `state` has taken over already.
pub(super) fn consequences(state: &State, causes: &[Event]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut everybody = false;
    for cause in causes {
        match cause {
            Event::UserDisabled { user } => of_disabling(state, *user, &mut events),
            Event::MemberRemoved { user, .. } => {
                void_untenable(state, state.authorizations_of(*user), &mut events)
            }
            Event::PolicyRemoved { policy } => {
                cancel_requests(state, |request| request.policy == *policy, &mut events);
                everybody = true;
            }
            Event::AuthorizationEnded { authorization, how, .. } => {
                of_ending(state, *authorization, *how, &mut events);
            }
            Event::ExecutionFinished { execution, .. } => of_finishing(state, *execution, &mut events),
            cause => everybody |= has_consequences(cause),
        }
    }
    if everybody {
        void_untenable(state, state.authorizations.values(), &mut events);
    }
    events
}

fn of_disabling(state: &State, user: UserId, events: &mut Vec<Event>) {
    cancel_requests(state, |request| request.requester == user, events);
    void_untenable(state, state.authorizations_of(user), events);
    let unauthorized = |execution: &&Execution| {
        execution.user == user && !matches!(execution.basis, Basis::Authorization(_))
    };
    let runs = state.executions.values().filter(unauthorized);
    events.extend(runs.filter_map(|execution| stop(execution, StopCause::Revoked)));
}

fn cancel_requests(state: &State, which: impl Fn(&crate::Request) -> bool, events: &mut Vec<Event>) {
    let mut gone: Vec<_> =
        state.requests.values().filter(|request| request.is_pending() && which(request)).collect();
    gone.sort_unstable_by_key(|request| request.id);
    events.extend(gone.iter().map(|request| Event::RequestCancelled { request: request.id }));
}

fn void_untenable<'a>(
    state: &State,
    candidates: impl Iterator<Item = &'a Authorization>,
    events: &mut Vec<Event>,
) {
    let mut void: Vec<AuthorizationId> =
        candidates.filter(|held| !held.has_ended() && !tenable(state, held)).map(|held| held.id).collect();
    void.sort_unstable();
    events.extend(void.into_iter().map(|authorization| Event::AuthorizationEnded {
        authorization,
        how: Ending::Voided,
        comment: Text::default(),
    }));
}

fn tenable(state: &State, held: &Authorization) -> bool {
    let may_still_ask =
        |policy: PolicyId| state.policy(policy).is_some_and(|policy| state.may_ask(policy, held.holder));
    may_still_ask(held.policy) && state.catalog.digest(held.access) == Some(held.digest)
}

/// An authorization that ended takes its runs with it, unless their task may finish when the time is
/// up; and requests for more time on it are moot.
fn of_ending(state: &State, id: AuthorizationId, how: Ending, events: &mut Vec<Event>) {
    let cause = match how {
        Ending::RanOut => StopCause::Expired,
        Ending::UsedUp => return,
        Ending::GivenBack | Ending::Revoked(_) | Ending::Voided => StopCause::Revoked,
    };
    cancel_requests(state, |request| request.purpose == Purpose::Extension(id), events);
    let under = state.executions.values().filter(|execution| execution.basis == Basis::Authorization(id));
    let stays = |execution: &&Execution| cause == StopCause::Expired && may_finish(state, execution);
    events.extend(under.filter(|execution| !stays(execution)).filter_map(|execution| stop(execution, cause)));
}

fn may_finish(state: &State, execution: &Execution) -> bool {
    state.catalog.task(execution.task).is_some_and(|task| task.spec.on_expiry == OnExpiry::Finish)
}

fn stop(execution: &Execution, cause: StopCause) -> Option<Event> {
    let running = execution.state == ExecutionState::Running { stopping: None };
    running.then_some(Event::ExecutionStopRequested { execution: execution.id, cause })
}

/// The last run of a counted authorization is over: so is the authorization. Not before, because its
/// window still bounds that run.
fn of_finishing(state: &State, id: ExecutionId, events: &mut Vec<Event>) {
    let Some(Execution { basis: Basis::Authorization(id), .. }) = state.executions.get(&id) else { return };
    let Some(held) = state.authorizations.get(id) else { return };
    let still_runs =
        |execution: &Execution| execution.basis == Basis::Authorization(*id) && !execution.has_finished();
    let active = matches!(held.state, AuthorizationState::Active { .. });
    if active && !held.has_uses_left() && !state.executions.values().any(still_runs) {
        let ended =
            Event::AuthorizationEnded { authorization: *id, how: Ending::UsedUp, comment: Text::default() };
        events.push(ended);
    }
}
