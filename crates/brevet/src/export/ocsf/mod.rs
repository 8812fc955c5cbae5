//! Events of the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io/1.8.0), in seven of its classes.
//! docs/exporting.md has the table of what becomes which.
//!
//! Everything that the schema requires of a class is there, nothing is there that the class does not know, and what
//! an entry says beyond the schema stands under `unmapped`.

mod class;
mod fields;
mod weight;

use brevet_wire::AuditEntry;
use serde_json::{Map, Value, json};

use super::names::{Names, Who};
use super::record::Record;
use class::Class;

pub(crate) use weight::syslog_severity;

/// The version of the schema that this is written after.
const VERSION: &str = "1.8.0";
/// How Brevet is called in it.
const PRODUCT: &str = "Brevet";

/// One event.
pub(super) fn event(entry: &AuditEntry, record: &Record, names: &Names<'_>) -> Value {
    let event = record.event();
    let (class, activity, activity_name) = class::of(event);
    let (severity_id, severity) = weight::severity(event);
    let (status_id, status) = weight::status(event);
    let mut said = json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": class.category(),
        "category_name": class.category_name(),
        "class_uid": class.uid(),
        "class_name": class.name(),
        "type_uid": u64::from(class.uid()) * 100 + u64::from(activity),
        "type_name": format!("{}: {activity_name}", class.name()),
        "time": record.exported.stored.entry.time.micros().div_euclid(1_000),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_detail": weight::status_detail(event),
        "message": entry.summary,
        "metadata": metadata(entry, record, names),
        "actor": actor(entry, record, names),
        "src_endpoint": source(class, record),
        "unmapped": unmapped(entry, record, names),
    });
    if let Value::Object(said) = &mut said {
        said.extend(fields::of(class, event, entry, record, names));
    }
    without_nulls(said)
}

fn metadata(entry: &AuditEntry, record: &Record, names: &Names<'_>) -> Value {
    let request = record.exported.stored.about.request.map(|id| id.to_string());
    json!({
        "version": VERSION,
        "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION")},
        "uid": format!("{}/{}", names.origin, entry.index),
        "sequence": entry.index,
        "event_code": entry.kind,
        "log_name": "ledger",
        "log_provider": names.origin,
        "log_version": entry.version.to_string(),
        "original_time": entry.time.0.to_string(),
        "correlation_uid": entry.request.clone().or(request),
    })
}

/// Who caused it, and under which approval.
fn actor(entry: &AuditEntry, record: &Record, names: &Names<'_>) -> Value {
    let who = names.actor(record.exported.stored.entry.actor);
    let authorizations = record.elevation().map(|elevation| {
        let by: Vec<String> = elevation.approvers.iter().map(|id| names.user(*id).shown()).collect();
        let decision = match by.is_empty() {
            true => "approved automatically".to_owned(),
            false => format!("approved by {}", by.join(", ")),
        };
        let policy = elevation.authorization.policy;
        let version = names.policy_revision(policy).map(|revision| revision.to_string());
        json!([{"decision": decision, "policy": {"uid": policy.to_string(), "version": version}}])
    });
    json!({
        "user": user(&who),
        "session": entry.session.as_ref().map(|session| json!({"uid": session})),
        "authorizations": authorizations,
        "app_name": who.is_system.then_some(PRODUCT),
    })
}

fn user(who: &Who) -> Value {
    let (kind_id, kind) = match (who.is_system, who.administrator) {
        (true, _) => (3, "System"),
        (false, true) => (2, "Admin"),
        (false, false) => (1, "User"),
    };
    json!({"uid": who.id, "name": who.name, "type_id": kind_id, "type": kind})
}

/// From where it came. A class that requires it has one also where nobody knows any more.
fn source(class: Class, record: &Record) -> Value {
    let is_ip = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    match record.source.as_deref() {
        Some(source) if is_ip(source) => json!({"ip": source}),
        Some(source) => json!({"name": source}),
        None if record.exported.person().is_none() => json!({"svc_name": PRODUCT}),
        None if class == Class::ApiActivity => json!({"name": "unknown"}),
        None => Value::Null,
    }
}

/// What the schema has no place for.
fn unmapped(entry: &AuditEntry, record: &Record, names: &Names<'_>) -> Value {
    let elevation = record.elevation().map(|elevation| {
        let approvers = elevation.approvers.iter().map(|id| names.user(*id).shown()).collect::<Vec<_>>();
        json!({
            "request": elevation.request.id.to_string(),
            "authorization": elevation.authorization.id.to_string(),
            "approvers": approvers,
            "access": names.access(elevation.authorization.access),
        })
    });
    json!({
        "index": entry.index,
        "kind": entry.kind,
        "leaf_hash": entry.leaf_hash,
        "flagged": entry.flagged,
        "details": entry.details,
        "elevation": elevation,
    })
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(without_nulls).collect()),
        value => value,
    }
}
