//! What each class has beyond what all events have.

use brevet_core::{Access, Event, Policy, Principal, UserId};
use brevet_wire::AuditEntry;
use serde_json::{Map, Value, json};

use super::super::names::{Names, access_id};
use super::class::Class;
use super::{PRODUCT, Record, user};

pub(super) fn of(
    class: Class,
    event: &Event,
    entry: &AuditEntry,
    record: &Record,
    names: &Names<'_>,
) -> Map<String, Value> {
    let fields = match class {
        Class::AccountChange => json!({"user": account(event, names)}),
        Class::Authentication => json!({
            "user": account(event, names),
            "service": {"name": PRODUCT, "uid": names.origin},
            "session": entry.details.get("session").map(|session| json!({"uid": session})),
            "is_mfa": false,
            "is_remote": record.source.as_deref().map(|source| !is_loopback(source)),
        }),
        Class::AuthorizeSession => {
            let (holder, access) = held(event, record);
            json!({
                "user": holder.map_or_else(unknown_user, |id| user(&names.user(id))),
                "privileges": [privilege(access, names)],
                "session": {"uid": entry.details["authorization"]},
            })
        }
        Class::UserAccess => {
            let (holder, access) = held(event, record);
            let who = holder.map_or_else(unknown_user, |id| user(&names.user(id)));
            json!({
                "user": who,
                "privileges": [privilege(access, names)],
                "resources": access.map(|access| json!([resource(access, names)])),
            })
        }
        Class::GroupManagement => group(event, names),
        Class::EntityManagement => json!({"entity": entity(event, names), "comment": entry.summary}),
        Class::ApiActivity => api(event, entry, names),
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The account that an event is about.
fn account(event: &Event, names: &Names<'_>) -> Value {
    let Some(id) = about(event) else { return unknown_user() };
    let mut who = user(&names.user(id));
    if let Event::UserAdded { name, display_name, email, administrator, .. } = event {
        // As it was when the account was added, not as it is now.
        who["name"] = json!(name.as_str());
        who["full_name"] = json!(display_name.as_str());
        who["email_addr"] = json!(email.as_str());
        who["type_id"] = json!(if *administrator { 2 } else { 1 });
        who["type"] = json!(if *administrator { "Admin" } else { "User" });
    }
    who
}

const fn about(event: &Event) -> Option<UserId> {
    match event {
        Event::UserAdded { user, .. }
        | Event::UserDisabled { user }
        | Event::UserEnabled { user }
        | Event::CodeIssued { user }
        | Event::PasswordSet { user }
        | Event::SignedIn { user, .. }
        | Event::SignInFailed { user, .. }
        | Event::SignedOut { user, .. } => Some(*user),
        _ => None,
    }
}

/// Only where the row that would say who it was is gone: the schema wants a name.
fn unknown_user() -> Value {
    json!({"uid": "unknown", "type_id": 0, "type": "Unknown"})
}

fn is_loopback(source: &str) -> bool {
    source.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Who gets or has what.
fn held(event: &Event, record: &Record) -> (Option<UserId>, Option<Access>) {
    match event {
        Event::AssignmentAdded { assignment } => match assignment.principal {
            Principal::User(user) => (Some(user), Some(assignment.access)),
            Principal::Group(_) => (None, Some(assignment.access)),
        },
        Event::RequestSubmitted { requester, access, .. } => (Some(*requester), Some(*access)),
        Event::AuthorizationGranted { holder, access, .. } => (Some(*holder), Some(*access)),
        _ => match (&record.authorization, &record.request) {
            (Some(authorization), _) => (Some(authorization.holder), Some(authorization.access)),
            (None, Some(request)) => (Some(request.requester), Some(request.access)),
            (None, None) => (None, None),
        },
    }
}

fn privilege(access: Option<Access>, names: &Names<'_>) -> String {
    access.map_or_else(|| "unknown".to_owned(), |access| names.access(access))
}

fn resource(access: Access, names: &Names<'_>) -> Value {
    let kind = match access {
        Access::Task(_) => "Task",
        Access::Role(_) => "Role",
        Access::RoleGroup(_) => "Role Group",
    };
    json!({"uid": access_id(access), "name": names.access(access), "type": kind})
}

fn group(event: &Event, names: &Names<'_>) -> Value {
    match event {
        Event::GroupCreated { group, name, description, .. } => json!({
            "group": {"uid": group.to_string(), "name": name.to_string(), "desc": description.as_str()},
        }),
        Event::GroupDeleted { group } => json!({"group": {"uid": group.to_string()}}),
        Event::MemberAdded { group, user: id } | Event::MemberRemoved { group, user: id } => json!({
            "group": {"uid": group.to_string(), "name": names.group(*group)},
            "user": user(&names.user(*id)),
        }),
        Event::AssignmentAdded { assignment } => match assignment.principal {
            Principal::Group(group) => json!({
                "group": {"uid": group.to_string(), "name": names.group(group)},
                "privileges": [names.access(assignment.access)],
                "resource": resource(assignment.access, names),
            }),
            Principal::User(_) => Value::Null,
        },
        _ => Value::Null,
    }
}

fn entity(event: &Event, names: &Names<'_>) -> Value {
    let named =
        |uid: String, name: Option<String>, kind: &str| json!({"uid": uid, "name": name, "type": kind});
    match event {
        Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => policy_entity(policy, names),
        Event::PolicyRemoved { policy } => {
            let uid = policy.to_string();
            json!({"uid": uid, "type": "Policy", "type_id": 5, "policy": {"uid": uid}})
        }
        Event::AssignmentRemoved { assignment } => named(assignment.to_string(), None, "Assignment"),
        Event::TaskDefined { task, spec } => named(task.to_string(), Some(spec.name.to_string()), "Task"),
        Event::RoleDefined { role, spec } => named(role.to_string(), Some(spec.name.to_string()), "Role"),
        Event::RoleGroupDefined { role_group, spec } => {
            named(role_group.to_string(), Some(spec.name.to_string()), "Role Group")
        }
        Event::TaskRemoved { task } => {
            named(task.to_string(), Some(names.access(Access::Task(*task))), "Task")
        }
        Event::RoleRemoved { role } => {
            named(role.to_string(), Some(names.access(Access::Role(*role))), "Role")
        }
        Event::RoleGroupRemoved { role_group } => {
            named(role_group.to_string(), Some(names.access(Access::RoleGroup(*role_group))), "Role Group")
        }
        _ => named("access-control".to_owned(), Some("Access control".to_owned()), "Access Control"),
    }
}

fn policy_entity(policy: &Policy, names: &Names<'_>) -> Value {
    let uid = policy.id.to_string();
    let name = names.access(policy.access);
    let version = policy.revision.to_string();
    json!({
        "uid": uid, "name": name, "type": "Policy", "type_id": 5,
        "policy": {"uid": uid, "name": name, "version": version},
    })
}

/// A run is a call of its task; what concerns the ledger and the server is a call of Brevet itself.
fn api(event: &Event, entry: &AuditEntry, names: &Names<'_>) -> Value {
    let task =
        entry.task.clone().filter(|_| entry.execution.is_some() || matches!(event, Event::RunRefused { .. }));
    let scope = task.as_deref().and_then(|task| task.split_once('\\')).map(|(scope, _)| scope.to_owned());
    let uid = entry.execution.clone().unwrap_or_else(|| format!("{}/{}", names.origin, entry.index));
    let kind = if task.is_some() { "Task" } else { "Ledger" };
    let resource = task.clone().unwrap_or_else(|| names.origin.to_owned());
    json!({
        "api": {
            "operation": task.unwrap_or_else(|| entry.kind.clone()),
            "request": {"uid": uid},
            "service": {"name": scope.as_deref().unwrap_or(PRODUCT)},
        },
        "resources": [{"name": resource, "type": kind}],
    })
}
