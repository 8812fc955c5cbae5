//! From the core's types to the wire's, as one person sees them. Each conversion destructures what it shows,
//! so that a new field stops the build until someone decides.

mod access;
mod authorization;
mod catalog;
mod details;
mod entry;
mod execution;
mod explanation;
mod people;
mod policy;
mod preview;
mod rendered;
mod request;
mod way;

use brevet_core::{
    Access, Command, GroupId, Origin, Parameters, Principal, Span, State, Text, Timestamp, UserId, Value,
    decide,
};
use brevet_wire as wire;

use axum::http::StatusCode;

use super::problem::Failure;
use super::route::Caller;

pub(super) use authorization::{AuthorizationTold, told_of_authorization};
pub(super) use execution::finished_how as finished;
pub(super) use explanation::permission;
pub(super) use request::RequestTold;

/// The state as one person sees it at one instant.
pub(super) struct View<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    origin: Origin,
    viewer: UserId,
    pub(super) administrator: bool,
    pub(super) auditor: bool,
}

impl<'a> View<'a> {
    pub(super) fn of(caller: &Caller, state: &'a State) -> Self {
        let viewer = caller.user();
        let user = state.user(viewer);
        Self {
            state,
            now: caller.app.now(),
            origin: caller.origin(),
            viewer,
            administrator: user.is_some_and(|user| user.administrator),
            auditor: user.is_some_and(|user| user.auditor),
        }
    }

    /// The state as nobody in particular sees it: for the record itself, written elsewhere.
    pub(super) fn of_record(state: &'a State, now: Timestamp) -> Self {
        let viewer = UserId::new(0);
        Self { state, now, origin: Origin::SYSTEM, viewer, administrator: true, auditor: true }
    }

    /// The same person's view of another state.
    pub(super) const fn of_state<'b>(&self, state: &'b State) -> View<'b> {
        let Self { state: _, now, origin, viewer, administrator, auditor } = *self;
        View { state, now, origin, viewer, administrator, auditor }
    }

    /// Whether they see everything but outputs.
    pub(super) const fn oversees(&self) -> bool {
        self.administrator || self.auditor
    }

    /// Whether of requests, authorizations and runs only their own are theirs to see: they oversee nothing, and decide under
    /// no policy.
    pub(in crate::http) fn sees_only_own(&self) -> bool {
        !self.oversees() && !self.decides_at_all()
    }

    /// Whether they are an approver under any policy.
    pub(in crate::http) fn decides_at_all(&self) -> bool {
        self.state.policies().any(|policy| self.state.is_approver(policy, self.viewer))
    }

    pub(super) const fn viewer(&self) -> UserId {
        self.viewer
    }

    /// Whether Brevet would carry this out for them now: asked of the core itself, never judged again here.
    fn could(&self, command: Command) -> bool {
        decide(self.state, self.now, self.origin, command).is_ok()
    }

    pub(super) fn user_ref(&self, id: UserId) -> wire::Reference {
        let name = self.state.user(id).and_then(|user| user.name.as_ref());
        wire::Reference { id: id.to_string(), name: name.map_or_else(|| id.to_string(), ToString::to_string) }
    }

    pub(super) fn group_ref(&self, id: GroupId) -> wire::Reference {
        let name = self.state.group(id).map(|group| group.name.to_string());
        wire::Reference { id: id.to_string(), name: name.unwrap_or_else(|| id.to_string()) }
    }

    fn principal(&self, principal: Principal) -> wire::Principal {
        let (kind, wire::Reference { id, name }) = match principal {
            Principal::User(id) => (wire::PrincipalType::User, self.user_ref(id)),
            Principal::Group(id) => (wire::PrincipalType::Group, self.group_ref(id)),
        };
        wire::Principal { kind, id, name }
    }

    pub(super) fn access(&self, access: Access) -> wire::Access {
        let kind = match access {
            Access::Task(_) => wire::AccessType::Task,
            Access::Role(_) => wire::AccessType::Role,
            Access::RoleGroup(_) => wire::AccessType::RoleGroup,
        };
        wire::Access { kind, name: self.access_name(access) }
    }

    fn access_name(&self, access: Access) -> String {
        let name = self.state.catalog().name(access).map(ToString::to_string);
        name.unwrap_or_else(|| match access {
            Access::Task(id) => id.to_string(),
            Access::Role(id) => id.to_string(),
            Access::RoleGroup(id) => id.to_string(),
        })
    }
}

pub(super) fn at(at: Timestamp) -> wire::Time {
    wire::Time::from_micros(at.micros())
}

fn text(text: &Text) -> Option<String> {
    text.as_str().map(str::to_owned)
}

fn span(span: Span) -> (String, i64) {
    (span.to_string(), span.whole_seconds())
}

fn value(value: &Value) -> wire::Value {
    match value {
        Value::Text(text) => wire::Value::Text(text.clone()),
        Value::Integer(number) => wire::Value::Integer(*number),
        Value::Boolean(yes) => wire::Value::Boolean(*yes),
        Value::List(values) => wire::Value::List(values.iter().map(self::value).collect()),
    }
}

fn parameters(parameters: &Parameters) -> wire::Parameters {
    parameters.iter().map(|(name, given)| (name.to_string(), value(given))).collect()
}

/// An instant for people to read.
pub(super) fn instant(when: Timestamp) -> String {
    at(when).0.to_string()
}

/// What is said to whoever comes too late: how it ended, by whom and when.
pub(super) fn ended(what: &'static str, id: &str, how: Option<(String, Timestamp)>) -> Failure {
    let detail = match how {
        Some((how, when)) => format!("{what} {id} {how} at {}, and does not change any more", instant(when)),
        None => format!("the time of {what} {id} is over, and it does not change any more"),
    };
    Failure::new(StatusCode::CONFLICT, "ended", detail)
}
