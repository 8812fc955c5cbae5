//! Authorizations.

use brevet_core::{
    Authorization, AuthorizationState, Command, Ending, Event, Request, RequestState, Span, Start, Text,
    Timestamp,
};
use brevet_store::{EntryFilter, Reader, StoreError};
use brevet_wire as wire;

use super::{View, at, parameters, span, text};

/// An authorization, with what only the ledger tells about it.
pub(in crate::http) struct AuthorizationTold {
    pub(in crate::http) authorization: Authorization,
    request: Option<Request>,
    granted: Option<(Start, Span)>,
    comment: Option<String>,
}

/// Looks up what only the ledger tells.
pub(in crate::http) fn told_of_authorization(
    reader: &Reader,
    authorization: Authorization,
) -> Result<AuthorizationTold, StoreError> {
    let entries = |kind: &str| {
        let filter = EntryFilter {
            kind: Some(kind.into()),
            request: Some(authorization.request),
            ..EntryFilter::default()
        };
        reader.entries(&filter, None, 1)
    };
    let granted =
        entries("authorization.granted")?.items.into_iter().find_map(|stored| match stored.entry.event {
            Event::AuthorizationGranted { start, duration, .. } => Some((start, duration)),
            _ => None,
        });
    let comment = match authorization.has_ended() {
        false => None,
        true => {
            entries("authorization.ended")?.items.into_iter().find_map(|stored| match stored.entry.event {
                Event::AuthorizationEnded { comment, .. } => text(&comment),
                _ => None,
            })
        }
    };
    let request = reader.request(authorization.request)?.map(|row| row.request);
    Ok(AuthorizationTold { authorization, request, granted, comment })
}

impl AuthorizationTold {
    /// How and when it ended.
    pub(in crate::http) fn ended(&self, view: &View<'_>) -> Option<(String, Timestamp)> {
        let AuthorizationState::Ended { at, how, start: _ } = self.authorization.state else { return None };
        let how = match how {
            Ending::RanOut => "ran out".to_owned(),
            Ending::GivenBack => "was given back".to_owned(),
            Ending::Revoked(by) => format!("was revoked by {}", view.user_ref(by).name),
            Ending::UsedUp => "was used up".to_owned(),
            Ending::Voided => "was voided: person, policy or definition is not what it was".to_owned(),
        };
        Some((how, at))
    }
}

struct Window {
    state: wire::AuthorizationState,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    claim_by: Option<Timestamp>,
    duration: Option<Span>,
}

impl View<'_> {
    /// Who may see an authorization: those who oversee, its holder, and who approves such.
    pub(in crate::http) fn sees_authorization(&self, authorization: &Authorization) -> bool {
        let policy = self.state.policy(authorization.policy);
        let approves = policy.is_some_and(|policy| self.state.is_approver(policy, self.viewer));
        self.oversees() || authorization.holder == self.viewer || approves
    }

    pub(in crate::http) fn authorization(&self, told: &AuthorizationTold) -> wire::Authorization {
        let AuthorizationTold { authorization, request, granted, comment } = told;
        let Authorization {
            id,
            holder,
            access,
            digest,
            bound,
            policy,
            request: request_id,
            granted: granted_at,
            uses,
            max_uses,
            state,
            binding,
        } = authorization;
        let Window { state, starts_at, ends_at, claim_by, duration } = window(*state, *granted);
        let (duration, duration_seconds) = duration.map(span).unwrap_or_default();
        let ended = match authorization.state {
            AuthorizationState::Ended { at, how, start: _ } => Some((at, how)),
            AuthorizationState::Scheduled { .. } | AuthorizationState::Active { .. } => None,
        };
        wire::Authorization {
            id: id.to_string(),
            holder: self.user_ref(*holder),
            access: self.access(*access),
            request: request_id.to_string(),
            policy: policy.to_string(),
            approved_by: request.as_ref().map(|request| self.approvers(request)).unwrap_or_default(),
            parameters: parameters(bound),
            binding: super::policy::binding(*binding),
            digest: digest.to_string(),
            state,
            granted_at: at(*granted_at),
            starts_at: starts_at.map(at),
            ends_at: ends_at.map(at),
            claim_by: claim_by.map(at),
            duration,
            duration_seconds,
            uses: *uses,
            max_uses: *max_uses,
            ended_at: ended.map(|(when, _)| at(when)),
            ending: ended.map(|(_, how)| ending(how)),
            revoked_by: ended.and_then(|(_, how)| match how {
                Ending::Revoked(by) => Some(self.user_ref(by)),
                Ending::RanOut | Ending::GivenBack | Ending::UsedUp | Ending::Voided => None,
            }),
            revocation_comment: comment.clone(),
            may_revoke: self.could(Command::Revoke { authorization: *id, comment: Text::default() }),
            may_give_back: self.could(Command::GiveBack(*id)),
        }
    }

    fn approvers(&self, request: &Request) -> Vec<wire::Reference> {
        match &request.state {
            RequestState::Approved { votes, .. } => votes.iter().map(|vote| self.user_ref(vote.by)).collect(),
            RequestState::Pending { .. }
            | RequestState::Denied { .. }
            | RequestState::Expired { .. }
            | RequestState::Cancelled { .. } => Vec::new(),
        }
    }
}

fn window(state: AuthorizationState, granted: Option<(Start, Span)>) -> Window {
    let claim_by = granted.and_then(|(start, _)| match start {
        Start::AtFirstUse { claim_by } => Some(claim_by),
        Start::Now | Start::At(_) => None,
    });
    match state {
        AuthorizationState::Scheduled { start, duration } => {
            let starts_at = match start {
                Start::At(at) => Some(at),
                Start::Now | Start::AtFirstUse { .. } => None,
            };
            let ends_at = starts_at.map(|start| start.plus(duration));
            let state = wire::AuthorizationState::Scheduled;
            Window { state, starts_at, ends_at, claim_by, duration: Some(duration) }
        }
        AuthorizationState::Active { start, end } => Window {
            state: wire::AuthorizationState::Active,
            starts_at: Some(start),
            ends_at: Some(end),
            claim_by,
            duration: start.until(end),
        },
        AuthorizationState::Ended { at, how: _, start } => Window {
            state: wire::AuthorizationState::Ended,
            starts_at: start,
            ends_at: Some(at),
            claim_by,
            duration: granted.map(|(_, duration)| duration),
        },
    }
}

const fn ending(how: Ending) -> wire::Ending {
    match how {
        Ending::RanOut => wire::Ending::RanOut,
        Ending::GivenBack => wire::Ending::GivenBack,
        Ending::Revoked(_) => wire::Ending::Revoked,
        Ending::UsedUp => wire::Ending::UsedUp,
        Ending::Voided => wire::Ending::Voided,
    }
}
