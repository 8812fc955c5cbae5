//! The common schema of the Office 365 Management Activity API, with the elevation fields of its Data Center
//! Security schema where something ran under an approval. docs/exporting.md has the tables.
//!
//! A program that reads the audit log of Microsoft 365 reads this: the operations have the names they have there.
//! What has no counterpart there has the name of Brevet's kind. Microsoft's own records of a run do not say which
//! request allowed it; these do, and name the person who approved.

use brevet_core::{Ending, Event, ExecutionResult, Timestamp, Verdict};
use brevet_wire::{AuditEntry, Time};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::names::{Names, Who};
use super::record::{Elevation, Record};
use crate::plain;

/// Members of `AuditLogRecordType`.
const EXCHANGE_ADMIN: u32 = 1;
const AZURE_ACTIVE_DIRECTORY: u32 = 8;
const DATA_CENTER_SECURITY_CMDLET: u32 = 10;
const AZURE_ACTIVE_DIRECTORY_STS_LOGON: u32 = 15;
const SECURITY_COMPLIANCE_RBAC: u32 = 87;
const AUDIT_SEARCH: u32 = 295;
const AUDIT_RETENTION_POLICY: u32 = 296;
const AUDIT_CONFIG: u32 = 297;

/// Members of `UserType`.
const REGULAR: u32 = 0;
const ADMIN: u32 = 2;
const SYSTEM: u32 = 4;

/// Member of `AuditLogScope`: not in Microsoft's cloud.
const ON_PREMISES: u32 = 1;
/// Member of `DataCenterSecurityEventType`: `DataCenterSecurityCmdletAuditEvent`.
const CMDLET_AUDIT_EVENT: u32 = 0;

/// What an entry is called over there.
struct Called {
    record_type: u32,
    operation: String,
    /// `None`: it neither succeeds nor fails.
    succeeded: Option<bool>,
}

/// One record.
pub(super) fn record(entry: &AuditEntry, record: &Record, names: &Names<'_>) -> Value {
    let event = record.event();
    let elevation = is_run(event).then(|| record.elevation()).flatten();
    let Called { record_type, operation, succeeded } = called(event, entry);
    let who = names.actor(record.exported.stored.entry.actor);
    let record_type = if elevation.is_some() { DATA_CENTER_SECURITY_CMDLET } else { record_type };
    let scope = entry.task.as_ref().filter(|_| is_run(event)).and_then(|task| task.split_once('\\'));
    let mut fields = json!({
        "Id": guid(names.origin, &format!("entry {}", entry.index)),
        "RecordType": record_type,
        "CreationTime": instant(record.exported.stored.entry.time),
        "Operation": operation,
        "OrganizationId": guid(names.origin, "organization"),
        "UserType": user_type(&who),
        "UserKey": who.id,
        "UserId": who.shown(),
        "Workload": scope.map_or("Brevet", |(scope, _)| scope),
        "ResultStatus": succeeded.map(|succeeded| result_status(record_type, succeeded)),
        "ObjectId": object(entry),
        "ClientIP": record.source.as_deref().unwrap_or_default(),
        "Scope": ON_PREMISES,
        "AppAccessContext": {"AADSessionId": entry.session, "CorrelationId": request(entry, record)},
        "Parameters": parameters(event, entry),
        "ExternalAccess": entry.flagged,
        "BrevetIndex": entry.index,
        "BrevetKind": entry.kind,
        "BrevetSummary": entry.summary,
        "BrevetLeafHash": entry.leaf_hash,
    });
    if let (Some(elevation), Value::Object(fields)) = (&elevation, &mut fields) {
        elevated(fields, entry, record, elevation, names);
    }
    without_nulls(fields)
}

/// The Data Center Security schema: what was executed under elevation, and who had approved it.
fn elevated(
    fields: &mut Map<String, Value>,
    entry: &AuditEntry,
    record: &Record,
    elevation: &Elevation<'_>,
    names: &Names<'_>,
) {
    let Elevation { authorization, request, approvers, approved, began, duration } = elevation;
    let started = record.execution.as_ref().map_or(record.exported.stored.entry.time, |run| run.started);
    let approver = match approvers.is_empty() {
        true => format!("{} (automatic)", authorization.policy),
        false => approvers.iter().map(|id| names.user(*id).shown()).collect::<Vec<_>>().join("; "),
    };
    let said = [
        ("DataCenterSecurityEventType", json!(CMDLET_AUDIT_EVENT)),
        ("StartTime", json!(instant(started))),
        ("EffectiveOrganization", json!(names.origin)),
        ("ElevationTime", json!(instant(*began))),
        ("ElevationApprover", json!(approver)),
        ("ElevationApprovedTime", json!(instant(*approved))),
        ("ElevationRequestId", json!(guid(names.origin, &request.id.to_string()))),
        ("ElevationRole", json!(names.access(authorization.access))),
        // Minutes, like the hours that are asked for there, so that no window is rounded away.
        ("ElevationDuration", json!(duration.whole_seconds().max(60) / 60)),
        ("GenericInfo", json!(format!("{} under {}, {}", entry.summary, authorization.id, request.id))),
        ("BrevetAuthorization", json!(authorization.id.to_string())),
    ];
    fields.extend(said.map(|(name, value)| (name.to_owned(), value)));
}

const fn is_run(event: &Event) -> bool {
    matches!(
        event,
        Event::ExecutionStarted { .. }
            | Event::ExecutionStopRequested { .. }
            | Event::ExecutionFinished { .. }
    )
}

/// A new kind of event does not compile before it has its place here.
fn called(event: &Event, entry: &AuditEntry) -> Called {
    let (record_type, operation, succeeded) = match event {
        Event::LedgerRead { .. } => (AUDIT_SEARCH, "AuditSearchCreated", Some(true)),
        Event::ArchiveRequested { .. } | Event::Archived { .. } | Event::ArchiveCancelled {} => {
            (AUDIT_RETENTION_POLICY, entry.kind.as_str(), Some(true))
        }
        Event::LedgerOpened { .. }
        | Event::LedgerRecovered { .. }
        | Event::KeyRotated { .. }
        | Event::TextsErased { .. }
        | Event::ServerStarted { .. }
        | Event::ServerStopped { .. }
        | Event::ServerLost { .. }
        | Event::Heartbeat { .. }
        | Event::ClockStepped { .. } => (AUDIT_CONFIG, entry.kind.as_str(), None),
        Event::SignedIn { .. } => (AZURE_ACTIVE_DIRECTORY_STS_LOGON, "UserLoggedIn", Some(true)),
        Event::SignInFailed { .. } => (AZURE_ACTIVE_DIRECTORY_STS_LOGON, "UserLoginFailed", Some(false)),
        Event::SignedOut { .. } => (AZURE_ACTIVE_DIRECTORY_STS_LOGON, "UserSignedOut", Some(true)),
        Event::UserAdded { .. } => (AZURE_ACTIVE_DIRECTORY, "Add user.", Some(true)),
        Event::UserDisabled { .. } => (AZURE_ACTIVE_DIRECTORY, "Disable account.", Some(true)),
        Event::UserEnabled { .. } => (AZURE_ACTIVE_DIRECTORY, "Enable account.", Some(true)),
        Event::CodeIssued { .. } => (AZURE_ACTIVE_DIRECTORY, "Reset user password.", Some(true)),
        Event::PasswordSet { .. } => (AZURE_ACTIVE_DIRECTORY, "Change user password.", Some(true)),
        Event::GroupCreated { .. } => (AZURE_ACTIVE_DIRECTORY, "Add group.", Some(true)),
        Event::MemberAdded { .. } => (AZURE_ACTIVE_DIRECTORY, "Add member to group.", Some(true)),
        Event::MemberRemoved { .. } => (AZURE_ACTIVE_DIRECTORY, "Remove member from group.", Some(true)),
        Event::GroupDeleted { .. } => (AZURE_ACTIVE_DIRECTORY, "Delete group.", Some(true)),
        Event::AssignmentAdded { .. }
        | Event::AssignmentRemoved { .. }
        | Event::TaskDefined { .. }
        | Event::TaskRemoved { .. }
        | Event::RoleDefined { .. }
        | Event::RoleRemoved { .. }
        | Event::RoleGroupDefined { .. }
        | Event::RoleGroupRemoved { .. } => (SECURITY_COMPLIANCE_RBAC, entry.kind.as_str(), Some(true)),
        Event::AccessControlEnabled { .. }
        | Event::AccessControlDisabled {}
        | Event::PolicyCreated { .. }
        | Event::PolicyChanged { .. }
        | Event::PolicyRemoved { .. }
        | Event::RequestSubmitted { .. }
        | Event::RequestDecided { .. }
        | Event::RequestExpired { .. }
        | Event::RequestCancelled { .. }
        | Event::AuthorizationGranted { .. }
        | Event::AuthorizationExtended { .. }
        | Event::AuthorizationStarted { .. }
        | Event::AuthorizationEnded { .. } => (EXCHANGE_ADMIN, privileged_access(event, entry), Some(true)),
        Event::ExecutionStarted { .. } | Event::ExecutionStopRequested { .. } => {
            (EXCHANGE_ADMIN, task_name(entry), None)
        }
        Event::ExecutionFinished { result, .. } => (EXCHANGE_ADMIN, task_name(entry), outcome(result)),
        Event::RunRefused { .. } => (EXCHANGE_ADMIN, task_name(entry), Some(false)),
    };
    Called { record_type, operation: operation.to_owned(), succeeded }
}

/// The cmdlets of privileged access management.
fn privileged_access<'a>(event: &Event, entry: &'a AuditEntry) -> &'a str {
    match event {
        Event::AccessControlEnabled { .. } => "Enable-ElevatedAccessControl",
        Event::AccessControlDisabled {} => "Disable-ElevatedAccessControl",
        Event::PolicyCreated { .. } => "New-ElevatedAccessApprovalPolicy",
        Event::PolicyChanged { .. } => "Set-ElevatedAccessApprovalPolicy",
        Event::PolicyRemoved { .. } => "Remove-ElevatedAccessApprovalPolicy",
        Event::RequestSubmitted { .. } => "New-ElevatedAccessRequest",
        Event::RequestDecided { verdict: Verdict::Approve, .. } => "Approve-ElevatedAccessRequest",
        Event::RequestDecided { verdict: Verdict::Deny, .. } => "Deny-ElevatedAccessRequest",
        Event::AuthorizationEnded { how: Ending::Revoked(_), .. } => "Revoke-ElevatedAccessAuthorization",
        _ => &entry.kind,
    }
}

/// A run has the name of its task, as a cmdlet has its own.
fn task_name(entry: &AuditEntry) -> &str {
    let task = entry.task.as_deref().and_then(|task| task.split_once('\\'));
    task.map_or(entry.kind.as_str(), |(_, name)| name)
}

const fn outcome(result: &ExecutionResult) -> Option<bool> {
    match result {
        ExecutionResult::Succeeded => Some(true),
        ExecutionResult::Failed { .. }
        | ExecutionResult::Killed { .. }
        | ExecutionResult::NotStarted { .. }
        | ExecutionResult::Stopped(_) => Some(false),
        ExecutionResult::Unknown => None,
    }
}

const fn result_status(record_type: u32, succeeded: bool) -> &'static str {
    match (record_type, succeeded) {
        (EXCHANGE_ADMIN, true) => "True",
        (EXCHANGE_ADMIN, false) => "False",
        (_, true) => "Succeeded",
        (_, false) => "Failed",
    }
}

const fn user_type(who: &Who) -> u32 {
    match (who.is_system, who.administrator) {
        (true, _) => SYSTEM,
        (false, true) => ADMIN,
        (false, false) => REGULAR,
    }
}

/// What was acted on, from the nearest to the widest.
fn object(entry: &AuditEntry) -> Option<String> {
    let details = ["user", "group", "policy", "assignment", "role", "role_group"];
    let detail = || details.iter().find_map(|name| entry.details.get(name)?.as_str().map(str::to_owned));
    let of = |text: &Option<String>| text.clone();
    of(&entry.execution)
        .or_else(|| of(&entry.authorization))
        .or_else(|| of(&entry.request))
        .or_else(|| of(&entry.task))
        .or_else(detail)
}

fn request(entry: &AuditEntry, record: &Record) -> Option<String> {
    entry.request.clone().or_else(|| record.exported.stored.about.request.map(|id| id.to_string()))
}

/// Names and values: of a run the parameters it ran with, otherwise all that the entry says.
fn parameters(event: &Event, entry: &AuditEntry) -> Value {
    let said = match event {
        Event::ExecutionStarted { .. } => &entry.details["parameters"],
        _ => &entry.details,
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => plain::json_line(value),
    };
    let pairs = said.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    pairs.map(|(name, value)| json!({"Name": name, "Value": text(value)})).collect()
}

/// UTC, to the microsecond.
fn instant(time: Timestamp) -> String {
    Time::from_micros(time.micros()).0.to_string()
}

/// A GUID that is the same whenever the same thing of the same ledger is exported: a UUID of version 8 (RFC 9562,
/// section 5.8) from SHA-256.
fn guid(origin: &str, thing: &str) -> String {
    let hash = Sha256::digest(format!("brevet/guid/v1\n{origin}\n{thing}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_guid_is_one_and_stays_the_same() {
        let guid = super::guid("example.org/log", "req-42");
        assert_eq!(guid, super::guid("example.org/log", "req-42"));
        assert_ne!(guid, super::guid("example.org/log", "req-43"));
        let parts: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!((&guid[14..15], guid.len()), ("8", 36));
    }
}
