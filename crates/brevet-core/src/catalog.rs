//! The catalog: every task, role and role group there is or was, by dense id.
//!
//! Definitions come from files that only the owner of the target can write; this module takes them
//! as they are and never changes one.

use std::collections::HashMap;

use minicbor::{Decode, Encode};

use crate::access::{Access, Digest};
use crate::id::{RoleGroupId, RoleId, TaskId};
use crate::name::QualifiedName;
use crate::parameter::ParameterSpec;
use crate::time::Span;

/// What happens to a run when the authorization ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum OnExpiry {
    /// TERM, then KILL within 5 s.
    #[n(0)]
    Stop,
    /// It may finish. A revocation ends it all the same.
    #[n(1)]
    Finish,
}

/// A task as its definition says, as far as deciding and showing need it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TaskSpec {
    /// `Scope\Name`.
    #[n(0)]
    pub name: QualifiedName,
    /// What it does, for people.
    #[n(1)]
    pub description: String,
    /// Its inputs, in the order of their names.
    #[n(2)]
    pub parameters: Vec<ParameterSpec>,
    /// What will run, with `{placeholders}`, for approvers to read.
    #[n(3)]
    pub command: Vec<String>,
    /// The account of the target under which it runs, when it is not Brevet's own.
    #[n(4)]
    pub run_as: Option<String>,
    /// How long a run may take.
    #[n(5)]
    pub timeout: Span,
    /// What happens to a run when the authorization ends.
    #[n(6)]
    pub on_expiry: OnExpiry,
    /// SHA-256 of the whole definition.
    #[n(7)]
    pub digest: Digest,
    /// Whether a run waits until witnesses have seen that it was allowed. Missing in older entries: no.
    #[n(8)]
    pub witnessed: Option<bool>,
}

/// A role as its definition says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoleSpec {
    /// `Scope\Name`.
    #[n(0)]
    pub name: QualifiedName,
    /// What it is for.
    #[n(1)]
    pub description: String,
    /// Its tasks.
    #[n(2)]
    pub tasks: Vec<TaskId>,
    /// SHA-256 of the definition and of the definitions of all its tasks.
    #[n(3)]
    pub digest: Digest,
}

/// A role group as its definition says.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RoleGroupSpec {
    /// `Scope\Name`.
    #[n(0)]
    pub name: QualifiedName,
    /// What it is for.
    #[n(1)]
    pub description: String,
    /// Its roles.
    #[n(2)]
    pub roles: Vec<RoleId>,
    /// SHA-256 of the definition and of the definitions of all its roles.
    #[n(3)]
    pub digest: Digest,
}

macro_rules! defined {
    ($(#[$doc:meta])* $name:ident, $id:ty, $spec:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub struct $name {
            /// Its id.
            #[n(0)]
            pub id: $id,
            /// The newest definition.
            #[n(1)]
            pub spec: $spec,
            /// Whether it is still defined. What is not cannot be asked for or run.
            #[n(2)]
            pub enabled: bool,
        }
    };
}
defined!(
    /// A task and whether it is still defined.
    Task, TaskId, TaskSpec
);
defined!(
    /// A role and whether it is still defined.
    Role, RoleId, RoleSpec
);
defined!(
    /// A role group and whether it is still defined.
    RoleGroup, RoleGroupId, RoleGroupSpec
);

/// All of them, with the ways from a task up to its roles and role groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    tasks: Vec<Task>,
    roles: Vec<Role>,
    role_groups: Vec<RoleGroup>,
    task_names: HashMap<QualifiedName, TaskId>,
    role_names: HashMap<QualifiedName, RoleId>,
    role_group_names: HashMap<QualifiedName, RoleGroupId>,
    /// For each task, the roles and role groups that have it now: what else may cover it.
    above: Vec<Vec<Access>>,
}

impl Catalog {
    /// The task with this id.
    pub fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(id.index())
    }

    /// The role with this id.
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.get(id.index())
    }

    /// The role group with this id.
    pub fn role_group(&self, id: RoleGroupId) -> Option<&RoleGroup> {
        self.role_groups.get(id.index())
    }

    /// The task of this name, in any case.
    pub fn task_named(&self, name: &QualifiedName) -> Option<&Task> {
        self.task_names.get(name).and_then(|id| self.task(*id))
    }

    /// The role of this name, in any case.
    pub fn role_named(&self, name: &QualifiedName) -> Option<&Role> {
        self.role_names.get(name).and_then(|id| self.role(*id))
    }

    /// The role group of this name, in any case.
    pub fn role_group_named(&self, name: &QualifiedName) -> Option<&RoleGroup> {
        self.role_group_names.get(name).and_then(|id| self.role_group(*id))
    }

    /// Every task there is or was, by id.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Every role there is or was, by id.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Every role group there is or was, by id.
    pub fn role_groups(&self) -> &[RoleGroup] {
        &self.role_groups
    }

    /// The digest of what is defined now; `None` when it is not defined any more.
    pub fn digest(&self, access: Access) -> Option<Digest> {
        match access {
            Access::Task(id) => self.task(id).filter(|t| t.enabled).map(|t| t.spec.digest),
            Access::Role(id) => self.role(id).filter(|r| r.enabled).map(|r| r.spec.digest),
            Access::RoleGroup(id) => self.role_group(id).filter(|g| g.enabled).map(|g| g.spec.digest),
        }
    }

    /// The name of what can be asked for.
    pub fn name(&self, access: Access) -> Option<&QualifiedName> {
        match access {
            Access::Task(id) => self.task(id).map(|t| &t.spec.name),
            Access::Role(id) => self.role(id).map(|r| &r.spec.name),
            Access::RoleGroup(id) => self.role_group(id).map(|g| &g.spec.name),
        }
    }

    /// The roles, then the role groups, that have this task now.
    pub fn above(&self, task: TaskId) -> &[Access] {
        self.above.get(task.index()).map_or(&[], Vec::as_slice)
    }

    /// What has this access within it: for a task its roles and role groups, for a role its role groups.
    pub(crate) fn above_access(&self, access: Access) -> Vec<Access> {
        match access {
            Access::Task(task) => self.above(task).to_vec(),
            Access::Role(role) => {
                let has = |group: &&RoleGroup| group.enabled && group.spec.roles.contains(&role);
                self.role_groups.iter().filter(has).map(|group| Access::RoleGroup(group.id)).collect()
            }
            Access::RoleGroup(_) => Vec::new(),
        }
    }

    /// Whether having `access` means having `task`.
    pub fn covers(&self, access: Access, task: TaskId) -> bool {
        access == Access::Task(task) || self.above(task).contains(&access)
    }

    /// The tasks that having `access` gives.
    pub fn tasks_of(&self, access: Access) -> Vec<TaskId> {
        match access {
            Access::Task(id) => vec![id],
            Access::Role(id) => self
                .role(id)
                .filter(|role| role.enabled)
                .map(|role| role.spec.tasks.clone())
                .unwrap_or_default(),
            Access::RoleGroup(id) => {
                let roles = self.role_group(id).map(|g| g.spec.roles.as_slice()).unwrap_or_default();
                let mut tasks: Vec<TaskId> =
                    roles.iter().flat_map(|role| self.tasks_of(Access::Role(*role))).collect();
                tasks.sort_unstable();
                tasks.dedup();
                tasks
            }
        }
    }

    pub(crate) fn define_task(&mut self, task: Task) {
        if task.id.index() > self.tasks.len() {
            return;
        }
        self.task_names.insert(task.spec.name.clone(), task.id);
        let id = task.id;
        put(&mut self.tasks, id.index(), task);
        if self.above.len() < self.tasks.len() {
            self.above.push(self.having(id));
        }
    }

    /// The roles, then the role groups, that are defined and have this task.
    fn having(&self, task: TaskId) -> Vec<Access> {
        self.roles_then_groups().filter(|access| self.tasks_of(*access).contains(&task)).collect()
    }

    fn roles_then_groups(&self) -> impl Iterator<Item = Access> {
        let roles = self.roles.iter().filter(|role| role.enabled).map(|role| Access::Role(role.id));
        let groups = self.role_groups.iter().filter(|group| group.enabled);
        roles.chain(groups.map(|group| Access::RoleGroup(group.id)))
    }

    pub(crate) fn define_role(&mut self, role: Role) {
        self.role_names.insert(role.spec.name.clone(), role.id);
        put(&mut self.roles, role.id.index(), role);
        self.relink();
    }

    pub(crate) fn define_role_group(&mut self, group: RoleGroup) {
        self.role_group_names.insert(group.spec.name.clone(), group.id);
        put(&mut self.role_groups, group.id.index(), group);
        self.relink();
    }

    pub(crate) fn remove(&mut self, access: Access) {
        let enabled = match access {
            Access::Task(id) => self.tasks.get_mut(id.index()).map(|task| &mut task.enabled),
            Access::Role(id) => self.roles.get_mut(id.index()).map(|role| &mut role.enabled),
            Access::RoleGroup(id) => self.role_groups.get_mut(id.index()).map(|group| &mut group.enabled),
        };
        if let Some(enabled) = enabled {
            *enabled = false;
            self.relink();
        }
    }

    /// Puts back the roles and role groups of a stored state; their tasks are there already.
    pub(crate) fn restore(&mut self, roles: Vec<Role>, role_groups: Vec<RoleGroup>) {
        self.role_names = roles.iter().map(|role| (role.spec.name.clone(), role.id)).collect();
        self.role_group_names = role_groups.iter().map(|group| (group.spec.name.clone(), group.id)).collect();
        self.roles = roles;
        self.role_groups = role_groups;
        self.relink();
    }

    /// Rare (a file of definitions changed), so written to be right rather than fast.
    fn relink(&mut self) {
        let mut above = vec![Vec::new(); self.tasks.len()];
        for access in self.roles_then_groups() {
            for task in self.tasks_of(access) {
                if let Some(above) = above.get_mut(task.index()).filter(|above| above.last() != Some(&access))
                {
                    above.push(access);
                }
            }
        }
        self.above = above;
    }
}

/// Ids are dense: the next one is the length. Anything else is not an id that a state gave out.
fn put<T>(list: &mut Vec<T>, index: usize, value: T) {
    if index == list.len() {
        list.push(value);
    } else if let Some(slot) = list.get_mut(index) {
        *slot = value;
    }
}
