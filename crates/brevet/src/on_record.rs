//! What a call of the API puts on record, and whether an entry says that: with it, who acted holds the entry that a
//! server names against what they did.
//!
//! Entries name what is new by numbers and commit to texts by salted hashes, so of something new only the kind is
//! compared: which task was asked for, or why, is not.

use brevet_core::{Ending, Event, Verdict};
use brevet_store::decode_entry;

/// Each call that changes something, and the kind of the entry about it. `{}` is any one segment, and `{id}` is what
/// the entry is about.
const RECORDED: [(&str, &str, &str); 28] = [
    ("POST", "/access-control/disable", "access-control.disabled"),
    ("POST", "/access-control/enable", "access-control.enabled"),
    ("POST", "/assignments", "assignment.added"),
    ("DELETE", "/assignments/{id}", "assignment.removed"),
    ("POST", "/authorizations/{id}/give-back", "authorization.ended"),
    ("POST", "/authorizations/{id}/revoke", "authorization.ended"),
    ("POST", "/executions", "execution.started"),
    ("POST", "/executions/{id}/stop", "execution.stop-requested"),
    ("POST", "/groups", "group.created"),
    ("DELETE", "/groups/{}", "group.deleted"),
    ("POST", "/groups/{}/members", "group.member-added"),
    ("DELETE", "/groups/{}/members/{}", "group.member-removed"),
    ("POST", "/ledger/archives", "ledger.archive-requested"),
    ("POST", "/ledger/archives/agree", "ledger.archived"),
    ("POST", "/ledger/archives/cancel", "ledger.archive-cancelled"),
    ("POST", "/ledger/erasures", "ledger.texts-erased"),
    ("POST", "/ledger/rotate-key", "ledger.key-rotated"),
    ("POST", "/policies", "policy.created"),
    ("PATCH", "/policies/{id}", "policy.changed"),
    ("DELETE", "/policies/{id}", "policy.removed"),
    ("POST", "/requests", "request.submitted"),
    ("POST", "/requests/{id}/approve", "request.decided"),
    ("POST", "/requests/{id}/cancel", "request.cancelled"),
    ("POST", "/requests/{id}/deny", "request.decided"),
    ("POST", "/users", "user.added"),
    ("POST", "/users/{}/code", "user.code-issued"),
    ("POST", "/users/{}/disable", "user.disabled"),
    ("POST", "/users/{}/enable", "user.enabled"),
];

/// Calls that are no GET and are not held against an entry: three only ask, and the others begin or end the session that
/// would have to ask for the receipt.
#[cfg(test)]
const NOT_RECORDED: [(&str, &str); 7] = [
    ("POST", "/check"),
    ("POST", "/policies/explain"),
    ("POST", "/policies/preview"),
    ("POST", "/password"),
    ("POST", "/sessions"),
    ("DELETE", "/sessions/current"),
    ("POST", "/setup"),
];

/// Something that was asked of a server and has to be on record when it says that it did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    kind: &'static str,
    /// The number of what it is about, where the call names one.
    about: Option<u64>,
    /// The last segment of the path.
    verb: String,
}

/// As whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct By {
    /// For example `usr-7`.
    pub(crate) user: String,
    /// For example `ses-12`.
    pub(crate) session: String,
}

impl Asked {
    /// What this call below `/api/v1` puts on record; `None` for one that changes nothing.
    pub(crate) fn of(method: &str, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let called: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &str| {
            let pattern = pattern.split('/');
            pattern.clone().count() == called.len()
                && pattern.zip(&called).all(|(one, other)| one.starts_with('{') || one == *other)
        };
        let (_, pattern, kind) = RECORDED.iter().find(|row| row.0 == method && fits(row.1))?;
        let place = pattern.split('/').position(|segment| segment == "{id}");
        let about = place.and_then(|place| number(called.get(place)?));
        Some(Self { kind, about, verb: (*called.last()?).to_owned() })
    }

    /// The kind of the entry.
    pub(crate) const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether the entry with these bytes says that this was done, by them.
    ///
    /// # Errors
    /// A sentence that says what the entry says instead.
    pub(crate) fn check(&self, by: &By, bytes: &[u8]) -> Result<(), String> {
        let (_, entry) = decode_entry(bytes, Vec::new()).map_err(|error| error.to_string())?;
        let (kind, actor) = (entry.event.kind().name, entry.actor.to_string());
        if kind != self.kind {
            return Err(format!("it says {kind}, and what you did is {}", self.kind));
        }
        let session = entry.session.map(|session| session.to_string()).unwrap_or_default();
        if (actor.as_str(), session.as_str()) != (by.user.as_str(), by.session.as_str()) {
            let By { user, session: yours } = by;
            return Err(format!("{actor} in {session} did it, and you are {user} in {yours}"));
        }
        let (about, verb) = (about(&entry.event), verb(&entry.event));
        if let (Some(asked), Some(says)) = (self.about, about)
            && asked != says
        {
            return Err(format!("it is about number {says}, and what you did about number {asked}"));
        }
        match verb {
            Some(verb) if verb != self.verb => Err(format!("it says {verb}, and you said {}", self.verb)),
            _ => Ok(()),
        }
    }
}

/// The number in an id, as the API takes it: `req-7`, or `7`.
fn number(id: &str) -> Option<u64> {
    id.rsplit('-').next()?.parse().ok()
}

/// The number of what an entry is about, of those that a call names.
fn about(event: &Event) -> Option<u64> {
    match event {
        Event::RequestDecided { request, .. } | Event::RequestCancelled { request } => Some(request.number()),
        Event::AuthorizationEnded { authorization, .. } => Some(authorization.number()),
        Event::ExecutionStopRequested { execution, .. } => Some(execution.number()),
        Event::PolicyChanged { policy } => Some(policy.id.number().into()),
        Event::PolicyRemoved { policy } => Some(policy.number().into()),
        Event::AssignmentRemoved { assignment } => Some(assignment.number().into()),
        _ => None,
    }
}

/// What was asked for, where two calls have entries of one kind.
const fn verb(event: &Event) -> Option<&'static str> {
    match event {
        Event::RequestDecided { verdict: Verdict::Approve, .. } => Some("approve"),
        Event::RequestDecided { verdict: Verdict::Deny, .. } => Some("deny"),
        Event::AuthorizationEnded { how: Ending::Revoked(_), .. } => Some("revoke"),
        Event::AuthorizationEnded { how: Ending::GivenBack, .. } => Some("give-back"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
