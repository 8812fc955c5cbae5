//! All that an event says, by the names of its fields. A text that was erased, or never given, is `null`.

use brevet_core::{
    Access, AccessControl, Assignment, Basis, Binding, Ending, Event, ExecutionResult, Output, Policy,
    PolicyTerms, Principal, Purpose, RoleGroupSpec, RoleSpec, Start, StopCause, TaskSpec, Text, Timestamp,
    Uncovered, Verdict,
};
use serde_json::{Value, json};

use super::{at, parameters};

/// The details of one event.
pub(super) fn of(event: &Event) -> Value {
    match event {
        Event::LedgerOpened { .. }
        | Event::LedgerRecovered { .. }
        | Event::ServerStarted { .. }
        | Event::ServerStopped { .. }
        | Event::ServerLost { .. }
        | Event::ClockStepped { .. }
        | Event::Heartbeat { .. }
        | Event::KeyRotated { .. }
        | Event::LedgerRead { .. }
        | Event::TextsErased { .. }
        | Event::ArchiveRequested { .. }
        | Event::Archived { .. }
        | Event::ArchiveCancelled {} => of_ledger(event),
        Event::AccessControlEnabled { settings } => access_control(settings),
        Event::AccessControlDisabled {} => json!({}),
        Event::AssignmentAdded { assignment: Assignment { id, principal, access: to } } => {
            json!({"assignment": id.to_string(), "principal": self::principal(*principal), "access": access(*to)})
        }
        Event::AssignmentRemoved { assignment } => json!({"assignment": assignment.to_string()}),
        Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => self::policy(policy),
        Event::PolicyRemoved { policy } => json!({"policy": policy.to_string()}),
        Event::UserAdded { .. }
        | Event::UserDisabled { .. }
        | Event::UserEnabled { .. }
        | Event::CodeIssued { .. }
        | Event::PasswordSet { .. }
        | Event::SignedIn { .. }
        | Event::SignInFailed { .. }
        | Event::SignedOut { .. }
        | Event::GroupCreated { .. }
        | Event::MemberAdded { .. }
        | Event::MemberRemoved { .. }
        | Event::GroupDeleted { .. } => of_people(event),
        Event::TaskDefined { .. }
        | Event::TaskRemoved { .. }
        | Event::RoleDefined { .. }
        | Event::RoleRemoved { .. }
        | Event::RoleGroupDefined { .. }
        | Event::RoleGroupRemoved { .. } => of_catalog(event),
        Event::RequestSubmitted { .. }
        | Event::RequestDecided { .. }
        | Event::RequestExpired { .. }
        | Event::RequestCancelled { .. } => of_request(event),
        Event::AuthorizationGranted { .. }
        | Event::AuthorizationExtended { .. }
        | Event::AuthorizationStarted { .. }
        | Event::AuthorizationEnded { .. } => of_authorization(event),
        Event::ExecutionStarted { .. }
        | Event::ExecutionStopRequested { .. }
        | Event::ExecutionFinished { .. }
        | Event::RunRefused { .. } => of_execution(event),
    }
}

fn of_ledger(event: &Event) -> Value {
    match event {
        Event::LedgerOpened { origin } => json!({"origin": origin}),
        Event::LedgerRecovered { origin, previous, size, root, note } => json!({
            "origin": origin,
            "previous": previous,
            "previous_size": size,
            "previous_root": root.to_string(),
            "previous_checkpoint": note,
        }),
        Event::ServerStarted { version, witnesses, server, accepted_loss } => json!({
            "version": version,
            "witnesses": witnesses,
            "server": server.map(|server| server.to_string()),
            "accepted_loss": accepted_loss,
        }),
        Event::ServerStopped { server } => json!({"server": server.map(|server| server.to_string())}),
        Event::ServerLost { server } => json!({"server": server.to_string()}),
        Event::ClockStepped { by, back } => json!({"by": by.to_string(), "back": back}),
        Event::Heartbeat { every } => json!({"every": every.to_string()}),
        Event::KeyRotated { old, new, overlap_until } => {
            json!({"old": old, "new": new, "overlap_until": at(*overlap_until)})
        }
        Event::LedgerRead { query } => json!({"query": text(query)}),
        Event::TextsErased { user } => json!({"user": user.to_string()}),
        Event::ArchiveRequested { size, before } => json!({"size": size, "before": at(*before)}),
        Event::Archived { size, before, file } => {
            json!({"size": size, "before": at(*before), "file_sha256": file.to_string()})
        }
        _ => json!({}),
    }
}

fn of_people(event: &Event) -> Value {
    match event {
        Event::UserAdded { user, name, display_name, email, owner, administrator, auditor } => json!({
            "user": user.to_string(),
            "name": text(name),
            "display_name": text(display_name),
            "email": text(email),
            "owner": owner.map(|owner| owner.to_string()),
            "administrator": administrator,
            "auditor": auditor,
        }),
        Event::UserDisabled { user }
        | Event::UserEnabled { user }
        | Event::CodeIssued { user }
        | Event::PasswordSet { user } => json!({"user": user.to_string()}),
        Event::SignedIn { user, session, source } => {
            json!({"user": user.to_string(), "session": session.to_string(), "source": text(source)})
        }
        Event::SignInFailed { user, source, locked_until } => {
            json!({"user": user.to_string(), "source": text(source), "locked_until": locked_until.map(at)})
        }
        Event::SignedOut { user, session } => {
            json!({"user": user.to_string(), "session": session.to_string()})
        }
        Event::GroupCreated { group, name, email, description } => json!({
            "group": group.to_string(),
            "name": name.to_string(),
            "email": text(email),
            "description": text(description),
        }),
        Event::MemberAdded { group, user } | Event::MemberRemoved { group, user } => {
            json!({"group": group.to_string(), "user": user.to_string()})
        }
        Event::GroupDeleted { group } => json!({"group": group.to_string()}),
        _ => Value::Null,
    }
}

fn of_catalog(event: &Event) -> Value {
    match event {
        Event::TaskDefined { task, spec } => {
            let TaskSpec {
                name,
                description,
                parameters,
                command,
                run_as,
                timeout,
                on_expiry: _,
                digest,
                witnessed,
            } = spec;
            json!({
                "task": task.to_string(),
                "name": name.to_string(),
                "description": description,
                "parameters": parameters.iter().map(|spec| spec.name.to_string()).collect::<Vec<_>>(),
                "command": command,
                "run_as": run_as,
                "timeout": timeout.to_string(),
                "digest": digest.to_string(),
                "witnessed": *witnessed == Some(true),
            })
        }
        Event::TaskRemoved { task } => json!({"task": task.to_string()}),
        Event::RoleDefined { role, spec: RoleSpec { name, description, tasks, digest } } => json!({
            "role": role.to_string(),
            "name": name.to_string(),
            "description": description,
            "tasks": tasks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "digest": digest.to_string(),
        }),
        Event::RoleRemoved { role } => json!({"role": role.to_string()}),
        Event::RoleGroupDefined { role_group, spec: RoleGroupSpec { name, description, roles, digest } } => {
            json!({
                "role_group": role_group.to_string(),
                "name": name.to_string(),
                "description": description,
                "roles": roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "digest": digest.to_string(),
            })
        }
        Event::RoleGroupRemoved { role_group } => json!({"role_group": role_group.to_string()}),
        _ => Value::Null,
    }
}

fn of_request(event: &Event) -> Value {
    match event {
        Event::RequestSubmitted {
            request,
            requester,
            purpose,
            access: what,
            digest,
            bound,
            policy,
            policy_revision,
            duration,
            not_before,
            max_uses,
            expires,
            reason,
        } => json!({
            "request": request.to_string(),
            "requester": requester.to_string(),
            "extends": match purpose {
                Purpose::New => None,
                Purpose::Extension(authorization) => Some(authorization.to_string()),
            },
            "access": access(*what),
            "digest": digest.to_string(),
            "parameters": parameters(bound),
            "policy": policy.to_string(),
            "policy_revision": policy_revision,
            "duration": duration.to_string(),
            "start_at": not_before.map(at),
            "max_uses": max_uses,
            "expires_at": at(*expires),
            "reason": text(reason),
        }),
        Event::RequestDecided { request, by, verdict, duration, policy_revision, comment } => json!({
            "request": request.to_string(),
            "by": by.to_string(),
            "verdict": match verdict { Verdict::Approve => "approve", Verdict::Deny => "deny" },
            "duration": duration.map(|duration| duration.to_string()),
            "policy_revision": policy_revision,
            "comment": text(comment),
        }),
        Event::RequestExpired { request } | Event::RequestCancelled { request } => {
            json!({"request": request.to_string()})
        }
        _ => Value::Null,
    }
}

fn of_authorization(event: &Event) -> Value {
    match event {
        Event::AuthorizationGranted {
            authorization,
            request,
            holder,
            access: what,
            digest,
            bound,
            binding,
            policy,
            policy_revision,
            max_uses,
            start,
            duration,
        } => json!({
            "authorization": authorization.to_string(),
            "request": request.to_string(),
            "holder": holder.to_string(),
            "access": access(*what),
            "digest": digest.to_string(),
            "parameters": parameters(bound),
            "binding": match binding { Binding::Open => "open", Binding::Exact => "exact" },
            "policy": policy.to_string(),
            "policy_revision": policy_revision,
            "max_uses": max_uses,
            "start": self::start(*start),
            "duration": duration.to_string(),
        }),
        Event::AuthorizationExtended { authorization, request, end } => json!({
            "authorization": authorization.to_string(), "request": request.to_string(), "end": at(*end),
        }),
        Event::AuthorizationStarted { authorization, start, end } => {
            json!({"authorization": authorization.to_string(), "start": at(*start), "end": at(*end)})
        }
        Event::AuthorizationEnded { authorization, how, comment } => {
            let (how, by) = ending(*how);
            json!({"authorization": authorization.to_string(), "how": how, "by": by, "comment": text(comment)})
        }
        _ => Value::Null,
    }
}

fn of_execution(event: &Event) -> Value {
    match event {
        Event::ExecutionStarted {
            execution,
            user,
            task,
            digest,
            parameters: values,
            basis,
            policy,
            server,
        } => {
            json!({
                "execution": execution.to_string(),
                "user": user.to_string(),
                "task": task.to_string(),
                "digest": digest.to_string(),
                "parameters": parameters(values),
                "basis": self::basis(*basis),
                "policy": policy.map(|(policy, _)| policy.to_string()),
                "policy_revision": policy.map(|(_, revision)| revision),
                "server": server.map(|server| server.to_string()),
            })
        }
        Event::ExecutionStopRequested { execution, cause } => {
            json!({"execution": execution.to_string(), "cause": stop_cause(*cause)})
        }
        Event::ExecutionFinished { execution, result, output } => json!({
            "execution": execution.to_string(),
            "result": self::result(result),
            "output": output.map(|Output { digest, bytes, dropped }| {
                json!({"digest": digest.to_string(), "bytes": bytes, "dropped": dropped})
            }),
        }),
        Event::RunRefused { user, task, why, count } => {
            json!({"user": user.to_string(), "task": task.to_string(), "why": why, "count": count})
        }
        _ => Value::Null,
    }
}

fn text(text: &Text) -> Option<&str> {
    text.as_str()
}

fn access(access: Access) -> String {
    match access {
        Access::Task(id) => id.to_string(),
        Access::Role(id) => id.to_string(),
        Access::RoleGroup(id) => id.to_string(),
    }
}

fn principal(principal: Principal) -> String {
    match principal {
        Principal::User(id) => id.to_string(),
        Principal::Group(id) => id.to_string(),
    }
}

fn access_control(settings: &AccessControl) -> Value {
    let AccessControl { enabled, default_approver_group, system_accounts, uncovered } = settings;
    json!({
        "enabled": enabled,
        "default_approver_group": default_approver_group.map(|group| group.to_string()),
        "system_accounts": system_accounts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "uncovered": match uncovered { Uncovered::Refused => "refused", Uncovered::Assigned => "assigned" },
    })
}

fn policy(policy: &Policy) -> Value {
    let Policy { id, revision, access: on, .. } = policy;
    let PolicyTerms { approval, requesters, maximum_duration, pending_lifetime, start, max_uses, binding } =
        PolicyTerms::of(policy);
    let groups = |quorum: &brevet_core::Quorum| {
        let groups = quorum.groups.iter();
        groups
            .map(|group| json!({"group": group.group.to_string(), "minimum": group.minimum}))
            .collect::<Vec<_>>()
    };
    json!({
        "policy": id.to_string(),
        "revision": revision,
        "access": access(*on),
        "approval": match &approval {
            brevet_core::Approval::Auto => json!("auto"),
            brevet_core::Approval::Manual(quorum) => json!({"approvals": quorum.total, "groups": groups(quorum)}),
        },
        "requesters": match &requesters {
            brevet_core::Requesters::Anyone => Value::Null,
            brevet_core::Requesters::Named(named) => {
                json!(named.iter().map(|principal| self::principal(*principal)).collect::<Vec<_>>())
            }
        },
        "maximum_duration": match maximum_duration {
            brevet_core::MaximumDuration::Limited(limit) => limit.to_string(),
            brevet_core::MaximumDuration::Unlimited => "unlimited".to_owned(),
        },
        "pending_lifetime": pending_lifetime.to_string(),
        "claim_within": match start {
            brevet_core::StartRule::AtApproval => None,
            brevet_core::StartRule::AtFirstUse(within) => Some(within.to_string()),
        },
        "max_uses": max_uses,
        "binding": match binding { Binding::Open => "open", Binding::Exact => "exact" },
    })
}

fn start(start: Start) -> Value {
    let instant = |when: Timestamp| at(when);
    match start {
        Start::Now => json!("now"),
        Start::At(when) => json!({"at": instant(when)}),
        Start::AtFirstUse { claim_by } => json!({"claim_by": instant(claim_by)}),
    }
}

fn ending(how: Ending) -> (&'static str, Option<String>) {
    match how {
        Ending::RanOut => ("ran-out", None),
        Ending::GivenBack => ("given-back", None),
        Ending::Revoked(by) => ("revoked", Some(by.to_string())),
        Ending::UsedUp => ("used-up", None),
        Ending::Voided => ("voided", None),
    }
}

fn basis(basis: Basis) -> String {
    match basis {
        Basis::Authorization(id) => id.to_string(),
        Basis::SystemAccount => "system-account".to_owned(),
        Basis::AccessControlOff => "access-control-off".to_owned(),
        Basis::Uncovered => "uncovered".to_owned(),
    }
}

fn stop_cause(cause: StopCause) -> String {
    match cause {
        StopCause::Revoked => "revoked".to_owned(),
        StopCause::Expired => "expired".to_owned(),
        StopCause::TimedOut => "timed-out".to_owned(),
        StopCause::ByUser(by) => format!("by {by}"),
        StopCause::Shutdown => "shutdown".to_owned(),
        StopCause::LedgerUnavailable => "ledger-unavailable".to_owned(),
    }
}

fn result(result: &ExecutionResult) -> Value {
    match result {
        ExecutionResult::Succeeded => json!({"exit_code": 0}),
        ExecutionResult::Failed { code } => json!({"exit_code": code}),
        ExecutionResult::Killed { signal } => json!({"signal": signal}),
        ExecutionResult::NotStarted { why } => json!({"not_started": why}),
        ExecutionResult::Stopped(cause) => json!({"stopped": stop_cause(*cause)}),
        ExecutionResult::Unknown => json!("unknown"),
    }
}
