//! Decisions about authorizations: what a request gives, and how its holder or others end it.

use super::{Decision, Reply, require_user};
use crate::actor::Origin;
use crate::authorization::{Authorization, AuthorizationState, Ending, Start};
use crate::event::Event;
use crate::id::AuthorizationId;
use crate::policy::{Policy, StartRule};
use crate::refusal::Refusal;
use crate::request::{Purpose, Request};
use crate::state::State;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// What an approved request gives: an authorization, or more time on one.
pub(super) fn grant(
    state: &State,
    now: Timestamp,
    request: &Request,
    policy: &Policy,
    duration: Span,
) -> Result<Event, Refusal> {
    if let Purpose::Extension(id) = request.purpose {
        let held = live(state, now, id)?;
        let AuthorizationState::Active { end, .. } = held.state else {
            return Err(Refusal::over("authorization", id));
        };
        // However often it is extended, no more than the policy's maximum lies ahead.
        let end = end.plus(duration).min(now.plus(policy.maximum_duration.span())).max(end);
        return Ok(Event::AuthorizationExtended { authorization: id, request: request.id, end });
    }
    let start = match (request.not_before, policy.start) {
        (Some(at), _) if at > now => Start::At(at),
        (_, StartRule::AtApproval) => Start::Now,
        (_, StartRule::AtFirstUse(window)) => Start::AtFirstUse { claim_by: now.plus(window) },
    };
    Ok(Event::AuthorizationGranted {
        authorization: AuthorizationId::new(state.counters.authorizations),
        request: request.id,
        holder: request.requester,
        access: request.access,
        digest: request.digest,
        bound: request.bound.clone(),
        binding: policy.binding,
        policy: policy.id,
        policy_revision: policy.revision,
        max_uses: fewer(request.max_uses, policy.max_uses),
        start,
        duration,
    })
}

/// The policy may allow fewer runs by now than it did when it was asked.
fn fewer(asked: Option<u32>, allowed: Option<u32>) -> Option<u32> {
    match (asked, allowed) {
        (Some(asked), Some(allowed)) => Some(asked.min(allowed)),
        (asked, allowed) => asked.or(allowed),
    }
}

pub(super) fn revoke(
    state: &State,
    now: Timestamp,
    origin: Origin,
    id: AuthorizationId,
    comment: Text,
) -> Result<Decision, Refusal> {
    let by = require_user(origin)?;
    let authorization = live(state, now, id)?;
    let administers = state.user(by).is_some_and(|user| user.administrator);
    let approves = state.policy(authorization.policy).is_some_and(|policy| state.is_approver(policy, by));
    if !administers && !approves {
        return Err(Refusal::Forbidden { who: "an approver of this access or an administrator" });
    }
    let ended = Event::AuthorizationEnded { authorization: id, how: Ending::Revoked(by), comment };
    Decision::new(Reply::Authorization(id), vec![ended])
}

pub(super) fn give_back(
    state: &State,
    now: Timestamp,
    origin: Origin,
    id: AuthorizationId,
) -> Result<Decision, Refusal> {
    let by = require_user(origin)?;
    if live(state, now, id)?.holder != by {
        return Err(Refusal::Forbidden { who: "the holder of the authorization" });
    }
    let ended =
        Event::AuthorizationEnded { authorization: id, how: Ending::GivenBack, comment: Text::default() };
    Decision::new(Reply::Authorization(id), vec![ended])
}

/// An authorization that is not over, also by the clock.
pub(super) fn live(state: &State, now: Timestamp, id: AuthorizationId) -> Result<&Authorization, Refusal> {
    let over = || Refusal::over("authorization", id);
    match state.authorization(id) {
        Some(held) if held.has_ended() || held.has_run_out(now) => Err(over()),
        Some(held) => Ok(held),
        None if (1..state.counters.authorizations).contains(&id.number()) => Err(over()),
        None => Err(Refusal::no_such("authorization", id)),
    }
}
