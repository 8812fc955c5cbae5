//! What is kept of a state over a restart, and the way back.

use crate::archive::Archive;
use crate::authorization::Authorization;
use crate::catalog::{Role, RoleGroup, Task};
use crate::directory::{AccessControl, Assignment, Group, User};
use crate::execution::Execution;
use crate::policy::Policy;
use crate::request::{Request, RequestState};
use crate::server::Server;
use crate::state::{Counters, Due, State};
use crate::time::Timestamp;

/// Everything that a state is made of again after a restart.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// The switch of the organization.
    pub access_control: AccessControl,
    /// Which entries are in archive files, or are to be.
    pub archive: Archive,
    /// The next ids.
    pub counters: Counters,
    /// The time of the last entry.
    pub last: Option<Timestamp>,
    /// All accounts, by id.
    pub users: Vec<User>,
    /// All groups.
    pub groups: Vec<Group>,
    /// All assignments.
    pub assignments: Vec<Assignment>,
    /// All tasks there are or were, by id.
    pub tasks: Vec<Task>,
    /// All roles there are or were, by id.
    pub roles: Vec<Role>,
    /// All role groups there are or were, by id.
    pub role_groups: Vec<RoleGroup>,
    /// All policies.
    pub policies: Vec<Policy>,
    /// Those that are pending.
    pub requests: Vec<Request>,
    /// Those that have not ended.
    pub authorizations: Vec<Authorization>,
    /// Those that run.
    pub executions: Vec<Execution>,
    /// Those of several servers that are there.
    pub servers: Vec<Server>,
}

impl State {
    /// All that a state is made of again after a restart, in the order of ids.
    pub fn live(&self) -> Live {
        let mut requests: Vec<Request> = self.requests().cloned().collect();
        requests.sort_unstable_by_key(|request| request.id);
        let mut authorizations: Vec<Authorization> = self.authorizations().cloned().collect();
        authorizations.sort_unstable_by_key(|authorization| authorization.id);
        Live {
            access_control: self.access_control.clone(),
            archive: self.archive.clone(),
            counters: self.counters,
            last: self.last,
            users: self.users.clone(),
            groups: self.groups.values().cloned().collect(),
            assignments: self.assignments.values().cloned().collect(),
            tasks: self.catalog.tasks().to_vec(),
            roles: self.catalog.roles().to_vec(),
            role_groups: self.catalog.role_groups().to_vec(),
            policies: self.policies.values().cloned().collect(),
            requests,
            authorizations,
            executions: self.executions().cloned().collect(),
            servers: self.servers.values().cloned().collect(),
        }
    }

    /// Puts a state together again from what was live.
    pub fn from_live(live: Live) -> Self {
        let mut state = Self {
            access_control: live.access_control,
            archive: live.archive,
            counters: live.counters,
            last: live.last,
            ..Self::default()
        };
        for user in live.users {
            state.put_user(User { groups: Vec::new(), ..user });
        }
        live.groups.into_iter().for_each(|group| state.put_group(group));
        live.tasks.into_iter().for_each(|task| state.catalog.define_task(task));
        state.catalog.restore(live.roles, live.role_groups);
        live.assignments.into_iter().for_each(|assignment| state.put_assignment(assignment));
        live.policies.into_iter().for_each(|policy| state.put_policy(policy));
        live.requests.into_iter().for_each(|request| state.put_request(request));
        live.authorizations.into_iter().for_each(|authorization| state.put_authorization(authorization));
        state.executions = live.executions.into_iter().map(|execution| (execution.id, execution)).collect();
        state.servers = live.servers.into_iter().map(|server| (server.id, server)).collect();
        state
    }

    /// Ids of users are places in the list: one that has no place here is nobody, never somebody else.
    pub(crate) fn put_user(&mut self, user: User) {
        if user.id.index() != self.users.len() {
            return;
        }
        if let Some(name) = &user.name {
            self.user_names.insert(name.clone(), user.id);
        }
        self.active.push(user.active);
        self.users.push(user);
        self.authorizations.grow(self.users.len());
    }

    pub(crate) fn put_group(&mut self, group: Group) {
        self.group_names.insert(group.name.key(), group.id);
        for member in &group.members {
            if let Some(user) = self.users.get_mut(member.index()) {
                user.join(group.id);
            }
        }
        self.groups.insert(group.id, group);
    }

    pub(crate) fn put_assignment(&mut self, assignment: Assignment) {
        self.assigned.entry(assignment.principal).or_default().push(assignment.access);
        self.assignments.insert(assignment.id, assignment);
    }

    pub(crate) fn put_policy(&mut self, policy: Policy) {
        self.policy_on.insert(policy.access, policy.id);
        self.policies.insert(policy.id.number(), policy);
    }

    pub(crate) fn put_request(&mut self, request: Request) {
        if let RequestState::Pending { expires, .. } = request.state {
            self.due.insert((expires, Due::Request(request.id)));
            *self.pending.entry(request.requester).or_default() += 1;
            *self.pending_under.entry(request.policy).or_default() += 1;
        }
        self.requests.insert(request.id, request);
    }

    pub(crate) fn put_authorization(&mut self, authorization: Authorization) {
        if let Some(due) = authorization.due() {
            self.due.insert((due, Due::Authorization(authorization.id)));
        }
        self.authorizations.insert(authorization);
    }
}
