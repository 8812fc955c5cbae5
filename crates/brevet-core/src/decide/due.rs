//! What happens by itself: a request expires, an authorization starts or runs out.

use super::{Decision, Reply};
use crate::authorization::{AuthorizationState, Ending, Start};
use crate::event::Event;
use crate::id::AuthorizationId;
use crate::limit::DUE_PER_PASS_MAX;
use crate::refusal::Refusal;
use crate::state::{Due, State};
use crate::text::Text;
use crate::time::Timestamp;

/// Everything due at `now`, at most [`DUE_PER_PASS_MAX`]; more is left for the next pass.
pub(super) fn act(state: &State, now: Timestamp) -> Result<Decision, Refusal> {
    let due = state.due.iter().take_while(|(at, _)| *at <= now).take(DUE_PER_PASS_MAX);
    let events = due.filter_map(|(_, due)| match due {
        Due::Request(request) => Some(Event::RequestExpired { request: *request }),
        Due::Authorization(authorization) => for_authorization(state, now, *authorization),
    });
    Decision::new(Reply::Done, events.collect())
}

fn for_authorization(state: &State, now: Timestamp, id: AuthorizationId) -> Option<Event> {
    let ran_out =
        Event::AuthorizationEnded { authorization: id, how: Ending::RanOut, comment: Text::default() };
    let authorization = state.authorization(id)?;
    match authorization.state {
        // A server that was down over the whole window finds nothing left to start.
        _ if authorization.has_run_out(now) => Some(ran_out),
        AuthorizationState::Scheduled { start: Start::At(start), duration } => {
            Some(Event::AuthorizationStarted { authorization: id, start, end: start.plus(duration) })
        }
        AuthorizationState::Scheduled { .. }
        | AuthorizationState::Active { .. }
        | AuthorizationState::Ended { .. } => None,
    }
}
