//! Entries of the ledger: who, what, about what, in a sentence.

use brevet_core::{
    Access, Actor, Basis, Ending, Entry, Event, ExecutionResult, GroupId, UserId, Verdict, escape_for_display,
};
use brevet_store::{About, StoredEntry};
use brevet_wire as wire;

use super::{View, at};

impl View<'_> {
    pub(in crate::http) fn entry(&self, stored: &StoredEntry) -> wire::AuditEntry {
        let StoredEntry { index, entry, bytes: _, about } = stored;
        let Entry { time, actor, session, event } = entry;
        let About { request, authorization, execution, task, outcome } = about;
        let kind = event.kind();
        wire::AuditEntry {
            index: *index,
            time: at(*time),
            actor: self.actor(*actor),
            session: session.map(|session| session.to_string()),
            kind: kind.name.to_owned(),
            version: kind.version,
            summary: self.summary(*actor, event),
            request: request.map(|id| id.to_string()),
            authorization: authorization.map(|id| id.to_string()),
            execution: execution.map(|id| id.to_string()),
            task: task.as_ref().map(ToString::to_string),
            outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
            flagged: matches!(event, Event::ExecutionStarted { basis: Basis::SystemAccount, .. }),
            details: super::details::of(event),
            leaf_hash: stored.leaf_hash(),
        }
    }

    fn actor(&self, actor: Actor) -> wire::AuditActor {
        match actor {
            Actor::System => wire::AuditActor { id: None, name: "system".to_owned() },
            Actor::User(user) => {
                wire::AuditActor { id: Some(user.to_string()), name: self.user_ref(user).name }
            }
        }
    }

    fn summary(&self, actor: Actor, event: &Event) -> String {
        let by = self.actor(actor).name;
        let sentence = match event {
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
            | Event::ArchiveCancelled {} => self.of_ledger(&by, event),
            Event::AccessControlEnabled { .. }
            | Event::AccessControlDisabled {}
            | Event::TaskDefined { .. }
            | Event::TaskRemoved { .. }
            | Event::RoleDefined { .. }
            | Event::RoleRemoved { .. }
            | Event::RoleGroupDefined { .. }
            | Event::RoleGroupRemoved { .. } => self.of_the_house(&by, event),
            Event::RequestSubmitted { .. }
            | Event::RequestDecided { .. }
            | Event::RequestExpired { .. }
            | Event::RequestCancelled { .. }
            | Event::AuthorizationGranted { .. }
            | Event::AuthorizationExtended { .. }
            | Event::AuthorizationStarted { .. }
            | Event::AuthorizationEnded { .. }
            | Event::ExecutionStarted { .. }
            | Event::ExecutionStopRequested { .. }
            | Event::ExecutionFinished { .. }
            | Event::RunRefused { .. } => self.of_work(&by, event),
            _ => self.of_people(&by, event),
        };
        escape_for_display(&sentence)
    }

    fn of_ledger(&self, by: &str, event: &Event) -> String {
        match event {
            Event::LedgerOpened { origin } => format!("the ledger {origin} begins"),
            Event::LedgerRecovered { origin, previous, size, .. } => {
                format!("the ledger {origin} goes on after entry {size} of {previous}")
            }
            Event::ServerStarted { version, witnesses, server, accepted_loss } => {
                let which = server.map_or_else(|| "a server".to_owned(), |server| server.to_string());
                let witnesses = match witnesses {
                    None | Some(0) => "without witnesses".to_owned(),
                    Some(witnesses) => format!("with {witnesses} witness(es)"),
                };
                let loss = accepted_loss.as_ref().map(|loss| format!("; loss is accepted: {loss}"));
                format!("{which} of version {version} started, {witnesses}{}", loss.unwrap_or_default())
            }
            Event::ServerStopped { server: None } => "the server stopped in order".to_owned(),
            Event::ServerStopped { server: Some(server) } => format!("{server} stopped in order"),
            Event::ServerLost { server } => {
                format!("{server} gave no sign of life; the others go on without it")
            }
            Event::ClockStepped { by, back: false } => format!("the clock was moved ahead by {by}"),
            Event::ClockStepped { by, back: true } => format!("the clock was moved back by {by}"),
            Event::Heartbeat { every } => format!("nothing else happened for {every}"),
            Event::KeyRotated { overlap_until, .. } => {
                let until = super::instant(*overlap_until);
                format!("{by} rotated the signing key; the old one signs too until {until}")
            }
            Event::LedgerRead { query } => {
                format!("{by} read the ledger: {}", query.as_str().unwrap_or("(erased)"))
            }
            Event::TextsErased { user } => format!("{by} erased the personal texts of {user}"),
            Event::ArchiveRequested { size, before } => {
                let before = super::instant(*before);
                format!("{by} asks to archive the entries before {size}, all older than {before}")
            }
            Event::Archived { size, .. } => format!("{by} archived the entries before {size}"),
            Event::ArchiveCancelled {} => format!("{by} cancelled the archive that was asked for"),
            other => other.kind().name.to_owned(),
        }
    }

    fn of_the_house(&self, by: &str, event: &Event) -> String {
        match event {
            Event::AccessControlEnabled { .. } => {
                format!("{by} enabled access control, or changed its settings")
            }
            Event::AccessControlDisabled {} => format!("{by} disabled access control"),
            Event::TaskDefined { spec, .. } => format!("the task {} was defined", spec.name),
            Event::TaskRemoved { task } => {
                format!("the task {} is not defined any more", self.access_name(Access::Task(*task)))
            }
            Event::RoleDefined { spec, .. } => format!("the role {} was defined", spec.name),
            Event::RoleRemoved { role } => {
                format!("the role {} is not defined any more", self.access_name(Access::Role(*role)))
            }
            Event::RoleGroupDefined { spec, .. } => format!("the role group {} was defined", spec.name),
            Event::RoleGroupRemoved { role_group } => {
                let name = self.access_name(Access::RoleGroup(*role_group));
                format!("the role group {name} is not defined any more")
            }
            other => other.kind().name.to_owned(),
        }
    }

    fn of_people(&self, by: &str, event: &Event) -> String {
        let user = |id: &UserId| self.user_ref(*id).name;
        let group = |id: &GroupId| self.group_ref(*id).name;
        match event {
            Event::UserAdded { user: added, .. } => format!("{by} added the account {}", user(added)),
            Event::UserDisabled { user: id } => format!("{by} disabled {}", user(id)),
            Event::UserEnabled { user: id } => format!("{by} enabled {}", user(id)),
            Event::CodeIssued { user: id } => format!("{by} made a one-time code for {}", user(id)),
            Event::PasswordSet { user: id } => format!("the password of {} was set", user(id)),
            Event::SignedIn { user: id, session, .. } => format!("{} signed in ({session})", user(id)),
            Event::SignInFailed { user: id, locked_until: None, .. } => {
                format!("a sign-in as {} failed", user(id))
            }
            Event::SignInFailed { user: id, locked_until: Some(until), .. } => {
                format!("a sign-in as {} failed; it is locked until {}", user(id), super::instant(*until))
            }
            Event::SignedOut { user: id, session } => format!("{} signed out ({session})", user(id)),
            Event::GroupCreated { name, .. } => format!("{by} created the group {name}"),
            Event::MemberAdded { group: id, user: member } => {
                format!("{by} added {} to {}", user(member), group(id))
            }
            Event::MemberRemoved { group: id, user: member } => {
                format!("{by} removed {} from {}", user(member), group(id))
            }
            Event::GroupDeleted { group: id } => format!("{by} deleted {}", group(id)),
            Event::AssignmentAdded { assignment } => {
                let to = self.access_name(assignment.access);
                format!(
                    "{by} assigned {} to {to} ({})",
                    self.principal(assignment.principal).name,
                    assignment.id
                )
            }
            Event::AssignmentRemoved { assignment } => format!("{by} removed {assignment}"),
            Event::PolicyCreated { policy } => {
                format!("{by} created {} on {}", policy.id, self.access_name(policy.access))
            }
            Event::PolicyChanged { policy } => {
                let on = self.access_name(policy.access);
                format!("{by} changed {} on {on} (revision {})", policy.id, policy.revision)
            }
            Event::PolicyRemoved { policy } => format!("{by} removed {policy}"),
            other => other.kind().name.to_owned(),
        }
    }

    fn of_work(&self, by: &str, event: &Event) -> String {
        let user = |id: &UserId| self.user_ref(*id).name;
        match event {
            Event::RequestSubmitted { request, requester, access, duration, .. } => {
                let what = self.access_name(*access);
                format!("{} asks for {what} for {duration} ({request})", user(requester))
            }
            Event::RequestDecided { request, by: voter, verdict, .. } => {
                let verb = match verdict {
                    Verdict::Approve => "approved",
                    Verdict::Deny => "denied",
                };
                format!("{} {verb} {request}", user(voter))
            }
            Event::RequestExpired { request } => format!("nobody decided {request} in time"),
            Event::RequestCancelled { request } => format!("{by} cancelled {request}"),
            Event::AuthorizationGranted { authorization, holder, access, duration, .. } => {
                let what = self.access_name(*access);
                format!("{} holds {authorization} on {what} for {duration}", user(holder))
            }
            Event::AuthorizationExtended { authorization, end, .. } => {
                format!("{authorization} was extended to {}", super::instant(*end))
            }
            Event::AuthorizationStarted { authorization, end, .. } => {
                format!("{authorization} started, and ends {}", super::instant(*end))
            }
            Event::AuthorizationEnded { authorization, how, .. } => {
                format!("{authorization} {}", self.ended(*how))
            }
            Event::ExecutionStarted { execution, user: id, task, .. } => {
                format!("{} runs {} ({execution})", user(id), self.access_name(Access::Task(*task)))
            }
            Event::ExecutionStopRequested { execution, .. } => format!("{execution} is being stopped"),
            Event::ExecutionFinished { execution, result, .. } => format!("{execution} {}", finished(result)),
            Event::RunRefused { user: id, task, why, count } => {
                format!("{} was refused {task} {count} time(s): {why}", user(id))
            }
            other => other.kind().name.to_owned(),
        }
    }

    fn ended(&self, how: Ending) -> String {
        match how {
            Ending::RanOut => "ran out".to_owned(),
            Ending::GivenBack => "was given back".to_owned(),
            Ending::Revoked(by) => format!("was revoked by {}", self.user_ref(by).name),
            Ending::UsedUp => "was used up".to_owned(),
            Ending::Voided => "was voided".to_owned(),
        }
    }
}

pub(super) fn finished(result: &ExecutionResult) -> String {
    match result {
        ExecutionResult::Succeeded => "succeeded".to_owned(),
        ExecutionResult::Failed { code } => format!("failed with exit code {code}"),
        ExecutionResult::Killed { signal } => format!("was killed by signal {signal}"),
        ExecutionResult::NotStarted { why } => format!("could not be started: {why}"),
        ExecutionResult::Stopped(_) => "was stopped".to_owned(),
        ExecutionResult::Unknown => "has an unknown end: the server went down while it ran".to_owned(),
    }
}
