//! `apply`: the next state. It cannot fail: what an entry says is so.
//!
//! It decides nothing. An entry that speaks of something this state does not have, creates something
//! a second time, or leaves a terminal state (which no `decide` produces) changes nothing here; the
//! check of the ledger against the rows reports it.

use crate::Access;
use crate::catalog::{Role, RoleGroup, Task};
use crate::directory::{Assignment, Group, SignInLock, User};
use crate::event::{Entry, Event};
use crate::id::{AssignmentId, GroupId, PolicyId, UserId};
use crate::name::UserName;
use crate::policy::Policy;
use crate::state::{Change, State};

mod access;
mod ledger;

impl State {
    /// Takes over one entry, and names what it changed. What has ended stays until
    /// [`State::forget`], so that its last row can be written.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Change> {
        let now = entry.time;
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        match &entry.event {
            Event::LedgerOpened { origin: _ }
            | Event::ServerStarted { server: None, .. }
            | Event::ServerStopped { server: None }
            | Event::ClockStepped { .. }
            | Event::Heartbeat { every: _ }
            | Event::KeyRotated { .. }
            | Event::CodeIssued { user: _ }
            | Event::PasswordSet { user: _ }
            | Event::SignedOut { user: _, session: _ }
            | Event::RunRefused { .. }
            | Event::LedgerRead { query: _ } => Vec::new(),
            Event::ServerStarted { server: Some(server), .. } => self.join_server(now, *server),
            Event::ServerStopped { server: Some(server) } | Event::ServerLost { server } => {
                self.servers.remove(server);
                vec![Change::Server(*server)]
            }
            Event::UserAdded { .. }
            | Event::UserDisabled { .. }
            | Event::UserEnabled { .. }
            | Event::SignedIn { .. }
            | Event::SignInFailed { .. } => self.apply_to_user(&entry.event),
            Event::GroupCreated { .. }
            | Event::MemberAdded { .. }
            | Event::MemberRemoved { .. }
            | Event::GroupDeleted { .. } => self.apply_to_group(&entry.event),
            Event::AccessControlEnabled { settings } => {
                self.access_control = settings.clone();
                vec![Change::AccessControl]
            }
            Event::AccessControlDisabled {} => {
                self.access_control.enabled = false;
                vec![Change::AccessControl]
            }
            Event::AssignmentAdded { assignment } => self.add_assignment(assignment),
            Event::AssignmentRemoved { assignment } => self.remove_assignment(*assignment),
            Event::TaskDefined { .. }
            | Event::TaskRemoved { .. }
            | Event::RoleDefined { .. }
            | Event::RoleRemoved { .. }
            | Event::RoleGroupDefined { .. }
            | Event::RoleGroupRemoved { .. } => self.apply_to_catalog(&entry.event),
            Event::PolicyCreated { policy } => self.create_policy(policy),
            Event::PolicyChanged { policy } => self.change_policy(policy),
            Event::PolicyRemoved { policy } => self.remove_policy(*policy),
            Event::RequestSubmitted { .. }
            | Event::RequestDecided { .. }
            | Event::RequestExpired { .. }
            | Event::RequestCancelled { .. } => self.apply_to_request(now, &entry.event),
            Event::AuthorizationGranted { .. }
            | Event::AuthorizationExtended { .. }
            | Event::AuthorizationStarted { .. }
            | Event::AuthorizationEnded { .. } => self.apply_to_authorization(now, &entry.event),
            Event::ExecutionStarted { .. }
            | Event::ExecutionStopRequested { .. }
            | Event::ExecutionFinished { .. } => self.apply_to_execution(now, &entry.event),
            Event::LedgerRecovered { .. }
            | Event::TextsErased { .. }
            | Event::ArchiveRequested { .. }
            | Event::Archived { .. }
            | Event::ArchiveCancelled {} => self.apply_to_ledger(entry),
        }
    }

    fn apply_to_user(&mut self, event: &Event) -> Vec<Change> {
        let id = match event {
            Event::UserAdded { user, name, display_name, email, owner, administrator, auditor } => {
                self.counters.users = self.counters.users.max(user.next());
                self.put_user(User {
                    id: *user,
                    name: name.as_str().and_then(|name| UserName::parse(name).ok()),
                    display_name: display_name.clone(),
                    email: email.clone(),
                    owner: *owner,
                    administrator: *administrator,
                    auditor: *auditor,
                    active: true,
                    sign_in: SignInLock::default(),
                    groups: Vec::new(),
                });
                *user
            }
            Event::UserDisabled { user } => self.set_active(*user, false),
            Event::UserEnabled { user } => {
                self.set_active(*user, true);
                self.with_user(*user, |user| user.sign_in = SignInLock::default())
            }
            Event::SignedIn { user, session, source: _ } => {
                self.counters.sessions = self.counters.sessions.max(session.next());
                self.with_user(*user, |user| user.sign_in = SignInLock::default())
            }
            Event::SignInFailed { user, locked_until, source: _ } => self.with_user(*user, |user| {
                let failures = match locked_until {
                    Some(_) => 0,
                    None => user.sign_in.failures.saturating_add(1),
                };
                user.sign_in = SignInLock { failures, locked_until: *locked_until };
            }),
            _ => return Vec::new(),
        };
        vec![Change::User(id)]
    }

    fn set_active(&mut self, id: UserId, active: bool) -> UserId {
        if let Some(known) = self.active.get_mut(id.index()) {
            *known = active;
        }
        self.with_user(id, |user| user.active = active)
    }

    fn with_user(&mut self, id: UserId, change: impl FnOnce(&mut User)) -> UserId {
        if let Some(user) = self.users.get_mut(id.index()) {
            change(user);
        }
        id
    }

    fn apply_to_group(&mut self, event: &Event) -> Vec<Change> {
        match event {
            Event::GroupCreated { group, name, email, description } => {
                if is_first(&mut self.counters.groups, group.number(), group.next()) {
                    self.put_group(Group {
                        id: *group,
                        name: name.clone(),
                        email: email.clone(),
                        description: description.clone(),
                        members: std::collections::BTreeSet::new(),
                    });
                }
                vec![Change::Group(*group)]
            }
            Event::MemberAdded { group, user } => {
                if let (Some(user), Some(found)) =
                    (self.users.get_mut(user.index()), self.groups.get_mut(group))
                {
                    found.members.insert(user.id);
                    user.join(*group);
                }
                vec![Change::Group(*group)]
            }
            Event::MemberRemoved { group, user } => {
                if let Some(group) = self.groups.get_mut(group) {
                    group.members.remove(user);
                }
                self.with_user(*user, |user| user.groups.retain(|id| id != group));
                vec![Change::Group(*group)]
            }
            Event::GroupDeleted { group } => self.remove_group(*group),
            _ => Vec::new(),
        }
    }

    fn remove_group(&mut self, id: GroupId) -> Vec<Change> {
        if let Some(group) = self.groups.remove(&id) {
            self.group_names.remove(&group.name.key());
            for member in group.members {
                self.with_user(member, |user| user.groups.retain(|group| *group != id));
            }
        }
        vec![Change::Group(id)]
    }

    fn add_assignment(&mut self, assignment: &Assignment) -> Vec<Change> {
        let id = assignment.id;
        if is_first(&mut self.counters.assignments, id.number(), id.next()) {
            self.put_assignment(assignment.clone());
        }
        vec![Change::Assignment(id)]
    }

    fn remove_assignment(&mut self, id: AssignmentId) -> Vec<Change> {
        if let Some(Assignment { id: _, principal, access }) = self.assignments.remove(&id)
            && let Some(accesses) = self.assigned.get_mut(&principal)
        {
            accesses.retain(|assigned| *assigned != access);
            if accesses.is_empty() {
                self.assigned.remove(&principal);
            }
        }
        vec![Change::Assignment(id)]
    }

    fn create_policy(&mut self, policy: &Policy) -> Vec<Change> {
        if is_first(&mut self.counters.policies, policy.id.number(), policy.id.next()) {
            self.put_policy(policy.clone());
        }
        vec![Change::Policy(policy.id)]
    }

    /// What a policy covers never changes.
    fn change_policy(&mut self, changed: &Policy) -> Vec<Change> {
        if let Some(policy) = self.policies.get_mut(changed.id.number())
            && policy.access == changed.access
        {
            *policy = changed.clone();
        }
        vec![Change::Policy(changed.id)]
    }

    fn remove_policy(&mut self, id: PolicyId) -> Vec<Change> {
        if let Some(policy) = self.policies.remove(id.number()) {
            self.policy_on.remove(&policy.access);
        }
        vec![Change::Policy(id)]
    }

    fn apply_to_catalog(&mut self, event: &Event) -> Vec<Change> {
        let change = match event {
            Event::TaskDefined { task, spec } => {
                self.catalog.define_task(Task { id: *task, spec: spec.clone(), enabled: true });
                Change::Task(*task)
            }
            Event::RoleDefined { role, spec } => {
                self.catalog.define_role(Role { id: *role, spec: spec.clone(), enabled: true });
                Change::Role(*role)
            }
            Event::RoleGroupDefined { role_group, spec } => {
                self.catalog.define_role_group(RoleGroup {
                    id: *role_group,
                    spec: spec.clone(),
                    enabled: true,
                });
                Change::RoleGroup(*role_group)
            }
            Event::TaskRemoved { task } => {
                self.catalog.remove(Access::Task(*task));
                Change::Task(*task)
            }
            Event::RoleRemoved { role } => {
                self.catalog.remove(Access::Role(*role));
                Change::Role(*role)
            }
            Event::RoleGroupRemoved { role_group } => {
                self.catalog.remove(Access::RoleGroup(*role_group));
                Change::RoleGroup(*role_group)
            }
            _ => return Vec::new(),
        };
        vec![change]
    }
}

/// Counts an id that was given out. `false` when it had been given out before: an id is for ever.
pub(crate) fn is_first<N: PartialOrd>(next: &mut N, number: N, following: N) -> bool {
    let first = number >= *next;
    if first {
        *next = following;
    }
    first
}
