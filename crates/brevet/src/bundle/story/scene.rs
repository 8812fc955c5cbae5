//! What was in force: accounts, memberships, policies, definitions and the switch of the organization, as far as the
//! bundle shows them.

use std::collections::{BTreeMap, BTreeSet};

use brevet_core::{
    Access, AccessControl, Approval, Digest, Entry, Event, GroupId, GroupMinimum, Policy, PolicyId,
    Principal, Requesters, RoleGroupId, RoleGroupSpec, RoleId, RoleSpec, TaskId, TaskSpec, UserId,
    escape_for_display,
};

use crate::bundle::fault::BundleFault;

/// The most accounts behind one another, so that a circle ends.
const OWNERS_MAX: usize = brevet_core::OWNER_CHAIN_MAX;

/// An account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: Option<String>,
    owner: Option<UserId>,
    active: bool,
}

/// What the context entries add up to.
#[derive(Debug, Default)]
pub(super) struct Scene {
    accounts: BTreeMap<UserId, Account>,
    groups: BTreeMap<GroupId, String>,
    members: BTreeSet<(GroupId, UserId)>,
    policies: BTreeMap<(PolicyId, u32), Policy>,
    tasks: BTreeMap<(TaskId, Digest), TaskSpec>,
    roles: BTreeMap<(RoleId, Digest), RoleSpec>,
    role_groups: BTreeMap<(RoleGroupId, Digest), RoleGroupSpec>,
    control: Option<AccessControl>,
}

impl Scene {
    /// Takes over an entry that is context; `false` for one that is a part of the story itself.
    pub(super) fn take(&mut self, index: u64, entry: &Entry) -> Result<bool, BundleFault> {
        match &entry.event {
            Event::UserAdded { user, name, owner, .. } => {
                let name = name.as_str().map(escape_for_display);
                let account = Account { name, owner: *owner, active: true };
                if self.accounts.insert(*user, account).is_some() {
                    return Err(BundleFault::contradicts(index, format!("{user} was added before")));
                }
            }
            Event::UserDisabled { user } => self.set_active(*user, false),
            Event::UserEnabled { user } => self.set_active(*user, true),
            Event::GroupCreated { group, name, .. } => drop(self.groups.insert(*group, name.to_string())),
            Event::GroupDeleted { group } => self.members.retain(|(of, _)| of != group),
            Event::MemberAdded { group, user } => drop(self.members.insert((*group, *user))),
            Event::MemberRemoved { group, user } => drop(self.members.remove(&(*group, *user))),
            Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => {
                self.policies.insert((policy.id, policy.revision), policy.clone());
            }
            Event::PolicyRemoved { policy } => self.policies.retain(|(id, _), _| id != policy),
            Event::TaskDefined { task, spec } => {
                self.tasks.insert((*task, spec.digest), spec.clone());
            }
            Event::RoleDefined { role, spec } => drop(self.roles.insert((*role, spec.digest), spec.clone())),
            Event::RoleGroupDefined { role_group, spec } => {
                self.role_groups.insert((*role_group, spec.digest), spec.clone());
            }
            Event::AccessControlEnabled { settings } => self.control = Some(settings.clone()),
            Event::AccessControlDisabled {} => {
                if let Some(control) = &mut self.control {
                    control.enabled = false;
                }
            }
            // It says why a name or a reason is not there any more.
            Event::TextsErased { .. } => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set_active(&mut self, user: UserId, active: bool) {
        if let Some(account) = self.accounts.get_mut(&user) {
            account.active = active;
        }
    }

    /// The name and id of an account; the id alone once the name was erased.
    pub(super) fn name(&self, user: UserId) -> String {
        match self.accounts.get(&user).and_then(|account| account.name.as_ref()) {
            Some(name) => format!("{name} ({user})"),
            None => format!("{user} (name erased)"),
        }
    }

    pub(super) fn is_active(&self, user: UserId) -> bool {
        self.accounts.get(&user).is_some_and(|account| account.active)
    }

    /// The account of the person behind an account, if every account on the way is shown.
    pub(super) fn person(&self, user: UserId) -> Result<UserId, BundleFault> {
        let mut person = user;
        for _ in 0..OWNERS_MAX {
            match self.accounts.get(&person) {
                None => {
                    return Err(BundleFault::missing(format!("the entry that added the account {person}")));
                }
                Some(Account { owner: Some(owner), .. }) => person = *owner,
                Some(Account { owner: None, .. }) => break,
            }
        }
        Ok(person)
    }

    pub(super) fn is_member(&self, group: GroupId, user: UserId) -> bool {
        self.members.contains(&(group, user))
    }

    pub(super) fn policy(&self, id: PolicyId, revision: u32) -> Result<&Policy, BundleFault> {
        let missing = || BundleFault::missing(format!("the entry of revision {revision} of the policy {id}"));
        self.policies.get(&(id, revision)).ok_or_else(missing)
    }

    /// Whether a policy lets somebody ask, as far as the bundle shows.
    pub(super) fn may_ask(&self, policy: &Policy, user: UserId) -> bool {
        let is_named = |principal: &Principal| match principal {
            Principal::User(id) => *id == user,
            Principal::Group(group) => self.is_member(*group, user),
        };
        match &policy.requesters {
            Requesters::Anyone => true,
            Requesters::Named(named) => named.iter().any(is_named),
        }
    }

    /// The groups that approve under a policy: its own, or the default one.
    pub(super) fn approver_groups(&self, policy: &Policy) -> Result<Vec<GroupMinimum>, BundleFault> {
        match &policy.approval {
            Approval::Manual(quorum) if !quorum.groups.is_empty() => Ok(quorum.groups.clone()),
            Approval::Manual(_) | Approval::Auto => {
                let control = self.control.as_ref().ok_or_else(|| {
                    BundleFault::missing("the entry of access control that names the default approver group")
                })?;
                let default = control.default_approver_group.into_iter();
                Ok(default.map(|group| GroupMinimum { group, minimum: 0 }).collect())
            }
        }
    }

    /// The name of an access whose definition of this digest is shown.
    pub(super) fn defined(&self, access: Access, digest: Digest) -> Result<String, BundleFault> {
        let name = match access {
            Access::Task(id) => self.tasks.get(&(id, digest)).map(|spec| &spec.name),
            Access::Role(id) => self.roles.get(&(id, digest)).map(|spec| &spec.name),
            Access::RoleGroup(id) => self.role_groups.get(&(id, digest)).map(|spec| &spec.name),
        };
        let missing = || {
            let what = match access {
                Access::Task(id) => id.to_string(),
                Access::Role(id) => id.to_string(),
                Access::RoleGroup(id) => id.to_string(),
            };
            BundleFault::missing(format!("the entry of the definition {digest} of {what}"))
        };
        name.map(ToString::to_string).ok_or_else(missing)
    }

    /// Whether an access, as defined with this digest, has the task.
    pub(super) fn covers(&self, access: Access, digest: Digest, task: TaskId) -> bool {
        let has_task = |role: &RoleId| {
            self.roles
                .range((*role, Digest([0; 32]))..=(*role, Digest([0xff; 32])))
                .any(|(_, spec)| spec.tasks.contains(&task))
        };
        match access {
            Access::Task(id) => id == task,
            Access::Role(id) => self.roles.get(&(id, digest)).is_some_and(|spec| spec.tasks.contains(&task)),
            Access::RoleGroup(id) => {
                self.role_groups.get(&(id, digest)).is_some_and(|spec| spec.roles.iter().any(has_task))
            }
        }
    }
}
