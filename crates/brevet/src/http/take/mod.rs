//! From the wire's types to the core's: names become ids, texts become checked texts, or a sentence says why not.

mod parameters;
mod policy;

use brevet_core::{
    Access, GroupId, GroupName, Principal, QualifiedName, Secret, Span, State, Text, TextKind, Timestamp,
    UserId, UserName,
};
use brevet_wire as wire;

use super::problem::Failure;

pub(super) use parameters::{bound, plain_parameters, secrets};
pub(super) use policy::{change, terms};

/// A user, by id (`usr-7`) or by name.
pub(super) fn user(state: &State, given: &str) -> Result<UserId, Failure> {
    let named =
        |name: &str| UserName::parse(name).ok().and_then(|name| state.user_named(&name)).map(|user| user.id);
    let numbered = || UserId::parse(given).ok().filter(|id| state.user(*id).is_some());
    let found = match given.contains('-') && UserId::parse(given).is_ok() {
        true => numbered(),
        false => named(given).or_else(numbered),
    };
    found.ok_or_else(|| Failure::no_such("user", shortened(given)))
}

/// A group, by id (`grp-2`) or by name.
pub(super) fn group(state: &State, given: &str) -> Result<GroupId, Failure> {
    let named = |name: &str| {
        GroupName::parse(name).ok().and_then(|name| state.group_named(&name)).map(|group| group.id)
    };
    let numbered = || GroupId::parse(given).ok().filter(|id| state.group(*id).is_some());
    let found = match given.contains('-') && GroupId::parse(given).is_ok() {
        true => numbered(),
        false => named(given).or_else(numbered),
    };
    found.ok_or_else(|| Failure::no_such("group", shortened(given)))
}

/// Exactly one of three fields, and what it names.
pub(super) fn access(
    state: &State,
    task: Option<&str>,
    role: Option<&str>,
    role_group: Option<&str>,
) -> Result<Access, Failure> {
    let one = wire::Access::exactly_one(task, role, role_group);
    let wire::Access { kind, name } = one.map_err(|error| Failure::field("access", error))?;
    let catalog = state.catalog();
    let found = |what: &'static str, found: Option<Access>| {
        found.ok_or_else(|| Failure::no_such(what, shortened(&name)))
    };
    match kind {
        wire::AccessType::Task => {
            let name = qualified("task", &name)?;
            found("task", catalog.task_named(&name).map(|task| Access::Task(task.id)))
        }
        wire::AccessType::Role => {
            let name = qualified("role", &name)?;
            found("role", catalog.role_named(&name).map(|role| Access::Role(role.id)))
        }
        wire::AccessType::RoleGroup => {
            let name = qualified("role_group", &name)?;
            found("role group", catalog.role_group_named(&name).map(|group| Access::RoleGroup(group.id)))
        }
    }
}

/// Exactly one of two fields, and whom it names.
pub(super) fn principal(
    state: &State,
    user: Option<&str>,
    group: Option<&str>,
) -> Result<Principal, Failure> {
    match (user, group) {
        (Some(name), None) => self::user(state, name).map(Principal::User),
        (None, Some(name)) => self::group(state, name).map(Principal::Group),
        _ => Err(Failure::field("principal", "name exactly one of user and group")),
    }
}

/// `Scope\Name` or `Scope/Name`.
pub(super) fn qualified(field: &str, given: &str) -> Result<QualifiedName, Failure> {
    QualifiedName::parse(given).map_err(|error| Failure::field(field, error))
}

/// A text of this kind; none when left out.
pub(super) fn text(field: &str, kind: TextKind, given: Option<&str>) -> Result<Text, Failure> {
    Text::parse(kind, given.unwrap_or_default()).map_err(|error| Failure::field(field, error))
}

/// A length of time, where one is given.
pub(super) fn span(field: &str, given: Option<&str>) -> Result<Option<Span>, Failure> {
    given.map(Span::parse).transpose().map_err(|error| Failure::field(field, error))
}

pub(super) fn timestamp(time: wire::Time) -> Timestamp {
    Timestamp::from_micros(time.micros())
}

pub(super) fn secret(given: &wire::SecretText) -> Secret {
    given.reveal(|text| Secret::new(text.to_owned()))
}

/// What was given, no longer than a sentence can bear.
fn shortened(given: &str) -> String {
    given.chars().take(80).collect()
}
