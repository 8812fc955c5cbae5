//! The consequences of a change: what cannot stand any more ends in the same transaction.

use crate::access::{Access, Digest};
use crate::authorization::{Authorization, AuthorizationState, Ending};
use crate::catalog::OnExpiry;
use crate::event::Event;
use crate::execution::{Basis, Execution, ExecutionState, StopCause};
use crate::id::{AuthorizationId, ExecutionId, PolicyId, UserId};
use crate::request::{Purpose, Request, RequestState};
use crate::state::State;
use crate::text::Text;
use crate::time::Timestamp;

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
pub(super) fn consequences(state: &State, now: Timestamp, causes: &[Event]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut everybody = false;
    for cause in causes {
        match cause {
            Event::UserDisabled { user } => {
                end_untenable(state, now, |holder| holder == *user, &mut events);
                stop_runs(state, |run| run.user == *user, StopCause::Revoked, &mut events);
            }
            Event::MemberRemoved { user, .. } => {
                end_untenable(state, now, |holder| holder == *user, &mut events);
            }
            Event::AuthorizationEnded { authorization, how, .. } => {
                of_ending(state, now, *authorization, *how, &mut events);
            }
            Event::ExecutionFinished { execution, .. } => of_finishing(state, now, *execution, &mut events),
            cause => everybody |= has_consequences(cause),
        }
    }
    if everybody {
        end_untenable(state, now, |_| true, &mut events);
    }
    events
}

/// Ends the requests and authorizations of these people that nobody could give any more. One rule
/// for both: who is not among those who may ask, or asks for what is defined otherwise now, has
/// nothing to wait for.
fn end_untenable(state: &State, now: Timestamp, whose: impl Fn(UserId) -> bool, events: &mut Vec<Event>) {
    let tenable = |policy: PolicyId, holder: UserId, access: Access, digest: Digest| {
        state.policy(policy).is_some_and(|policy| state.may_ask(policy, holder))
            && state.catalog.digest(access) == Some(digest)
    };
    let moot = |request: &&Request| {
        whose(request.requester)
            && !tenable(request.policy, request.requester, request.access, request.digest)
    };
    close(state.requests().filter(moot), now, events);
    let void = |held: &&Authorization| {
        whose(held.holder) && !tenable(held.policy, held.holder, held.access, held.digest)
    };
    let mut void: Vec<&Authorization> = state.authorizations().filter(void).collect();
    void.sort_unstable_by_key(|held| held.id);
    events.extend(void.into_iter().map(|held| ended(held, now, Ending::Voided)));
}

/// Ends every request and every authorization.
pub(super) fn end_all(state: &State, now: Timestamp, events: &mut Vec<Event>) {
    close(state.requests(), now, events);
    let mut live: Vec<&Authorization> = state.authorizations().collect();
    live.sort_unstable_by_key(|held| held.id);
    events.extend(live.into_iter().map(|held| ended(held, now, Ending::Voided)));
}

/// Closes requests that nobody decides on any more; those whose time is over have expired.
fn close<'a>(requests: impl Iterator<Item = &'a Request>, now: Timestamp, events: &mut Vec<Event>) {
    let mut gone: Vec<&Request> = requests.collect();
    gone.sort_unstable_by_key(|request| request.id);
    events.extend(gone.into_iter().map(|request| match request.state {
        RequestState::Pending { expires, .. } if expires <= now => {
            Event::RequestExpired { request: request.id }
        }
        _ => Event::RequestCancelled { request: request.id },
    }));
}

/// The end of an authorization, unless its time was over before: expiry beats every other end.
fn ended(held: &Authorization, now: Timestamp, how: Ending) -> Event {
    let how = if held.has_run_out(now) { Ending::RanOut } else { how };
    Event::AuthorizationEnded { authorization: held.id, how, comment: Text::default() }
}

/// An authorization that ended takes its runs with it, unless their task may finish when the time is
/// up; and requests for more time on it are moot.
fn of_ending(state: &State, now: Timestamp, id: AuthorizationId, how: Ending, events: &mut Vec<Event>) {
    close(state.requests().filter(|request| request.purpose == Purpose::Extension(id)), now, events);
    let under = |run: &Execution| run.basis == Basis::Authorization(id);
    match how {
        Ending::RanOut => {
            stop_runs(state, |run| under(run) && !may_finish(state, run), StopCause::Expired, events);
        }
        Ending::GivenBack | Ending::Revoked(_) | Ending::Voided => {
            stop_runs(state, under, StopCause::Revoked, events);
        }
        // Its last run is over.
        Ending::UsedUp => {}
    }
}

fn stop_runs(state: &State, which: impl Fn(&Execution) -> bool, cause: StopCause, events: &mut Vec<Event>) {
    let running = |run: &&Execution| run.state == ExecutionState::Running { stopping: None };
    let stopped = state.executions().filter(running).filter(|run| which(run));
    events.extend(stopped.map(|run| Event::ExecutionStopRequested { execution: run.id, cause }));
}

fn may_finish(state: &State, execution: &Execution) -> bool {
    state.catalog.task(execution.task).is_some_and(|task| task.spec.on_expiry == OnExpiry::Finish)
}

/// The last run of a counted authorization is over: so is the authorization. Not before, because its
/// window still bounds that run.
fn of_finishing(state: &State, now: Timestamp, id: ExecutionId, events: &mut Vec<Event>) {
    let Some(Execution { basis: Basis::Authorization(id), .. }) = state.execution(id) else { return };
    let Some(held) = state.authorization(*id) else { return };
    let active = matches!(held.state, AuthorizationState::Active { .. });
    let still_runs = state.executions().any(|run| run.basis == Basis::Authorization(*id));
    if active && !held.has_uses_left() && !still_runs {
        events.push(ended(held, now, Ending::UsedUp));
    }
}
