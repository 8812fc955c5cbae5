//! What is so now: the fold of all entries, as far as it can still matter.
//!
//! Ended requests, authorizations and executions leave this state (see [`State::forget`]); whoever
//! keeps rows has them. Everything here is reached by a few look-ups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use minicbor::{Decode, Encode};

use crate::access::Access;
use crate::archive::Archive;
use crate::authorization::Authorization;
use crate::catalog::Catalog;
use crate::directory::{AccessControl, Assignment, Group, Principal, User};
use crate::execution::Execution;
use crate::hash::IdMap;
use crate::holding::Holdings;
use crate::id::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, RequestId, RoleGroupId, RoleId, ServerId,
    TaskId, UserId,
};
use crate::name::{GroupName, UserName};
use crate::numbered::Numbered;
use crate::policy::Policy;
use crate::request::Request;
use crate::server::Server;
use crate::time::Timestamp;

/// The next number of each kind of id, from one, which also says what has existed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Counters {
    /// Of users.
    #[n(0)]
    pub users: u32,
    /// Of groups.
    #[n(1)]
    pub groups: u32,
    /// Of assignments.
    #[n(2)]
    pub assignments: u32,
    /// Of policies.
    #[n(3)]
    pub policies: u32,
    /// Of requests.
    #[n(4)]
    pub requests: u64,
    /// Of authorizations.
    #[n(5)]
    pub authorizations: u64,
    /// Of executions.
    #[n(6)]
    pub executions: u64,
    /// Of sessions.
    #[n(7)]
    pub sessions: u64,
    /// Of servers, where there was ever more than one at a time.
    #[n(8)]
    pub servers: Option<u32>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            users: 1,
            groups: 1,
            assignments: 1,
            policies: 1,
            requests: 1,
            authorizations: 1,
            executions: 1,
            sessions: 1,
            servers: None,
        }
    }
}

/// Something whose row an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The switch of the organization.
    AccessControl,
    /// Which entries are in archive files, or are to be.
    Archive,
    /// A user account.
    User(UserId),
    /// A group.
    Group(GroupId),
    /// An assignment.
    Assignment(AssignmentId),
    /// A task.
    Task(TaskId),
    /// A role.
    Role(RoleId),
    /// A role group.
    RoleGroup(RoleGroupId),
    /// A policy.
    Policy(PolicyId),
    /// A request.
    Request(RequestId),
    /// An authorization.
    Authorization(AuthorizationId),
    /// An execution.
    Execution(ExecutionId),
    /// One of several servers.
    Server(ServerId),
}

/// Something that happens by itself at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Request(RequestId),
    Authorization(AuthorizationId),
}

/// The state. Cheap to read, changed only by [`State::apply`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub(crate) access_control: AccessControl,
    pub(crate) archive: Archive,
    pub(crate) counters: Counters,
    pub(crate) last: Option<Timestamp>,
    pub(crate) users: Vec<User>,
    /// By user id: [`User::active`] once more, so that all of them fit beside the processor.
    /// INVARIANT: changed together with it, by [`State::put_user`] and [`State::set_active`] alone.
    pub(crate) active: Vec<bool>,
    pub(crate) user_names: HashMap<UserName, UserId>,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) group_names: HashMap<Box<str>, GroupId>,
    pub(crate) assignments: BTreeMap<AssignmentId, Assignment>,
    pub(crate) assigned: IdMap<Principal, Vec<Access>>,
    pub(crate) catalog: Catalog,
    pub(crate) policies: Numbered<Policy>,
    pub(crate) policy_on: IdMap<Access, PolicyId>,
    pub(crate) requests: IdMap<RequestId, Request>,
    /// By user: how many of their requests are pending.
    pub(crate) pending: IdMap<UserId, usize>,
    /// By policy: how many requests wait under it.
    pub(crate) pending_under: IdMap<PolicyId, usize>,
    /// Those that have not ended, and those that have and were not yet forgotten.
    pub(crate) authorizations: Holdings,
    pub(crate) executions: BTreeMap<ExecutionId, Execution>,
    pub(crate) due: BTreeSet<(Timestamp, Due)>,
    pub(crate) servers: BTreeMap<ServerId, Server>,
}

impl State {
    /// The switch of the organization.
    pub const fn access_control(&self) -> &AccessControl {
        &self.access_control
    }

    /// Which entries are in archive files, or are to be.
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The next ids.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// The time of the last entry; `None` before the first.
    pub const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Forgets the time of the last entry, for a ledger that goes on where another one cannot: it begins its own
    /// time, also where the other one was dated far ahead.
    pub const fn before_first_entry(&mut self) {
        self.last = None;
    }

    /// Tasks, roles and role groups.
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// All accounts, by id.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The account with this id.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(id.index())
    }

    /// The account of this name.
    pub fn user_named(&self, name: &UserName) -> Option<&User> {
        self.user_names.get(name).and_then(|id| self.user(*id))
    }

    /// All groups, by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The group with this id.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// The group of this name, in any case.
    pub fn group_named(&self, name: &GroupName) -> Option<&Group> {
        self.group_names.get(&name.key()).and_then(|id| self.group(*id))
    }

    /// All assignments, by id.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.assignments.values()
    }

    /// The assignment with this id.
    pub fn assignment(&self, id: AssignmentId) -> Option<&Assignment> {
        self.assignments.get(&id)
    }

    /// All policies, by id.
    pub fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.values()
    }

    /// The policy with this id.
    pub fn policy(&self, id: PolicyId) -> Option<&Policy> {
        self.policies.get(id.number())
    }

    /// The policy on exactly this access.
    pub fn policy_on(&self, access: Access) -> Option<&Policy> {
        self.policy_on.get(&access).and_then(|id| self.policy(*id))
    }

    /// The request with this id, unless it has ended and left memory.
    pub fn request(&self, id: RequestId) -> Option<&Request> {
        self.requests.get(&id)
    }

    /// How many requests are pending under a policy.
    pub fn pending_under(&self, policy: PolicyId) -> usize {
        self.pending_under.get(&policy).copied().unwrap_or_default()
    }

    /// All pending requests, in no order.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values().filter(|request| request.is_pending())
    }

    /// The authorization with this id, unless it has ended and left memory.
    pub fn authorization(&self, id: AuthorizationId) -> Option<&Authorization> {
        self.authorizations.get(id)
    }

    /// All authorizations that have not ended, in no order.
    pub fn authorizations(&self) -> impl Iterator<Item = &Authorization> {
        self.authorizations.all().filter(|authorization| !authorization.has_ended())
    }

    /// What this user holds that has not ended, by access.
    pub fn authorizations_of(&self, user: UserId) -> impl Iterator<Item = &Authorization> {
        self.authorizations.of(user).iter().filter(|authorization| !authorization.has_ended())
    }

    /// The execution with this id, unless it is over and has left memory.
    pub fn execution(&self, id: ExecutionId) -> Option<&Execution> {
        self.executions.get(&id)
    }

    /// All that run, by id.
    pub fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.executions.values().filter(|execution| !execution.has_finished())
    }

    /// Those of several servers that are there, by id; none where the ledger has one server at a time.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.values()
    }

    /// Whether one of several servers is there, as far as the ledger knows.
    pub fn has_server(&self, id: ServerId) -> bool {
        self.servers.contains_key(&id)
    }

    /// When something next happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The account of the person behind an account: the end of the chain of owners.
    pub fn person(&self, user: UserId) -> UserId {
        let mut person = user;
        for _ in 0..crate::OWNER_CHAIN_MAX {
            match self.user(person).and_then(|user| user.owner) {
                Some(owner) => person = owner,
                None => break,
            }
        }
        person
    }

    /// Whether this account may do anything.
    pub fn is_active(&self, user: UserId) -> bool {
        self.active.get(user.index()).is_some_and(|active| *active)
    }

    /// Whether a principal is this user or a group they are in.
    pub fn includes(&self, principal: Principal, user: UserId) -> bool {
        match principal {
            Principal::User(id) => id == user,
            Principal::Group(id) => self.group(id).is_some_and(|group| group.members.contains(&user)),
        }
    }

    /// Whether an assignment of the user, or of a group of theirs, covers the task.
    pub fn is_assigned(&self, user: UserId, task: TaskId) -> bool {
        let groups = self.user(user).map_or(&[][..], |user| user.groups.as_slice());
        let principals =
            std::iter::once(Principal::User(user)).chain(groups.iter().copied().map(Principal::Group));
        principals
            .filter_map(|principal| self.assigned.get(&principal))
            .flatten()
            .any(|access| self.catalog.covers(*access, task))
    }

    /// Drops from memory what has ended among these changes. Their rows have been written.
    pub fn forget(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Request(id) if self.request(*id).is_some_and(|request| !request.is_pending()) => {
                    self.requests.remove(id);
                }
                Change::Authorization(id)
                    if self.authorization(*id).is_some_and(Authorization::has_ended) =>
                {
                    self.authorizations.remove(*id);
                }
                Change::Execution(id) if self.execution(*id).is_some_and(Execution::has_finished) => {
                    self.executions.remove(id);
                }
                _ => {}
            }
        }
    }

    /// `now`, but never before the last entry: a clock that went back revives nothing.
    pub(crate) fn at_least(&self, now: Timestamp) -> Timestamp {
        self.last.map_or(now, |last| last.max(now))
    }
}
