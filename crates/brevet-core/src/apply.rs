//! `apply`: the next state. It cannot fail: what an entry says is so.
//!
//! It decides nothing. An entry that speaks of something this state never had (which no `decide`
//! produces) changes nothing here; the check of the ledger against the rows reports it.

use crate::authorization::{Authorization, AuthorizationState, Ending, Start};
use crate::catalog::{Role, RoleGroup, Task};
use crate::directory::{Group, SignInLock, User};
use crate::event::{Entry, Event};
use crate::execution::{Basis, Execution, ExecutionResult, ExecutionState};
use crate::id::{AssignmentId, AuthorizationId, GroupId, PolicyId, RequestId, UserId};
use crate::name::UserName;
use crate::request::{Request, RequestState, Verdict, Vote};
use crate::state::{Change, Due, Held, State};
use crate::time::Timestamp;
use crate::{Access, ExecutionId};

impl State {
    /// Takes over one entry, and names what it changed. What has ended stays until
    /// [`State::forget`], so that its last row can be written.
    pub fn apply(&mut self, entry: &Entry) -> Vec<Change> {
        let now = entry.time;
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        match &entry.event {
            Event::LedgerOpened { origin: _ }
            | Event::ServerStarted { version: _ }
            | Event::CodeIssued { user: _ }
            | Event::PasswordSet { user: _ }
            | Event::SignedOut { user: _, session: _ }
            | Event::RunRefused { .. }
            | Event::LedgerRead { query: _ } => Vec::new(),
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
            Event::AssignmentAdded { assignment } => {
                self.counters.assignments = self.counters.assignments.max(assignment.id.number() + 1);
                self.put_assignment(assignment.clone());
                vec![Change::Assignment(assignment.id)]
            }
            Event::AssignmentRemoved { assignment } => self.remove_assignment(*assignment),
            Event::TaskDefined { .. }
            | Event::TaskRemoved { .. }
            | Event::RoleDefined { .. }
            | Event::RoleRemoved { .. }
            | Event::RoleGroupDefined { .. }
            | Event::RoleGroupRemoved { .. } => self.apply_to_catalog(&entry.event),
            Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => {
                self.counters.policies = self.counters.policies.max(policy.id.number() + 1);
                self.put_policy(policy.clone());
                vec![Change::Policy(policy.id)]
            }
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
        }
    }

    fn apply_to_user(&mut self, event: &Event) -> Vec<Change> {
        let id = match event {
            Event::UserAdded { user, name, display_name, email, owner, administrator, auditor } => {
                self.counters.users = self.counters.users.max(user.number() + 1);
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
            Event::UserDisabled { user } => self.with_user(*user, |user| user.active = false),
            Event::UserEnabled { user } => self.with_user(*user, |user| {
                user.active = true;
                user.sign_in = SignInLock::default();
            }),
            Event::SignedIn { user, session, source: _ } => {
                self.counters.sessions = self.counters.sessions.max(session.number() + 1);
                self.with_user(*user, |user| user.sign_in = SignInLock::default())
            }
            Event::SignInFailed { user, locked_until, source: _ } => self.with_user(*user, |user| {
                let failures = if locked_until.is_some() { 0 } else { user.sign_in.failures + 1 };
                user.sign_in = SignInLock { failures, locked_until: *locked_until };
            }),
            _ => return Vec::new(),
        };
        vec![Change::User(id)]
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
                self.counters.groups = self.counters.groups.max(group.number() + 1);
                self.put_group(Group {
                    id: *group,
                    name: name.clone(),
                    email: email.clone(),
                    description: description.clone(),
                    members: std::collections::BTreeSet::new(),
                });
                vec![Change::Group(*group)]
            }
            Event::MemberAdded { group, user } => {
                let added = self.groups.get_mut(group).is_some_and(|group| group.members.insert(*user));
                if added {
                    self.with_user(*user, |user| user.groups.push(*group));
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

    fn remove_assignment(&mut self, id: AssignmentId) -> Vec<Change> {
        if let Some(assignment) = self.assignments.remove(&id) {
            if let Some(accesses) = self.assigned.get_mut(&assignment.principal) {
                if let Some(place) = accesses.iter().position(|access| *access == assignment.access) {
                    accesses.remove(place);
                }
            }
        }
        vec![Change::Assignment(id)]
    }

    fn remove_policy(&mut self, id: PolicyId) -> Vec<Change> {
        if let Some(policy) = self.policies.remove(&id) {
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

    fn apply_to_request(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::RequestSubmitted { request, .. } => {
                self.counters.requests = self.counters.requests.max(request.number() + 1);
                self.put_request_of(now, event);
                vec![Change::Request(*request)]
            }
            Event::RequestDecided { request, by, verdict: Verdict::Approve, duration, .. } => {
                let vote = Vote { by: *by, at: now, duration: *duration };
                if let Some(Request { state: RequestState::Pending { votes, .. }, .. }) =
                    self.requests.get_mut(request)
                {
                    votes.push(vote);
                }
                vec![Change::Request(*request)]
            }
            Event::RequestDecided { request, by, verdict: Verdict::Deny, .. } => {
                self.close_request(*request, RequestState::Denied { by: *by, at: now })
            }
            Event::RequestExpired { request } => {
                self.close_request(*request, RequestState::Expired { at: now })
            }
            Event::RequestCancelled { request } => {
                self.close_request(*request, RequestState::Cancelled { at: now })
            }
            _ => Vec::new(),
        }
    }

    fn put_request_of(&mut self, now: Timestamp, event: &Event) {
        let Event::RequestSubmitted {
            request,
            requester,
            purpose,
            access,
            digest,
            bound,
            policy,
            policy_revision: _,
            duration,
            not_before,
            max_uses,
            expires,
            reason: _,
        } = event
        else {
            return;
        };
        self.put_request(Request {
            id: *request,
            requester: *requester,
            purpose: *purpose,
            access: *access,
            digest: *digest,
            bound: bound.clone(),
            policy: *policy,
            duration: *duration,
            not_before: *not_before,
            max_uses: *max_uses,
            submitted: now,
            state: RequestState::Pending { expires: *expires, votes: Vec::new() },
        });
    }

    fn close_request(&mut self, id: RequestId, state: RequestState) -> Vec<Change> {
        if let Some(request) = self.requests.get_mut(&id) {
            if let RequestState::Pending { expires, .. } = request.state {
                self.due.remove(&(expires, Due::Request(id)));
                if let Some(pending) = self.pending.get_mut(&request.requester) {
                    *pending -= 1;
                    if *pending == 0 {
                        self.pending.remove(&request.requester);
                    }
                }
            }
            request.state = state;
        }
        vec![Change::Request(id)]
    }

    fn approve_request(
        &mut self,
        now: Timestamp,
        id: RequestId,
        authorization: AuthorizationId,
    ) -> Vec<Change> {
        let votes = match self.requests.get_mut(&id).map(|request| &mut request.state) {
            Some(RequestState::Pending { votes, .. }) => std::mem::take(votes),
            _ => Vec::new(),
        };
        self.close_request(id, RequestState::Approved { authorization, at: now, votes })
    }

    fn apply_to_authorization(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::AuthorizationGranted { authorization, request, .. } => {
                self.counters.authorizations = self.counters.authorizations.max(authorization.number() + 1);
                self.grant(now, event);
                let mut changes = self.approve_request(now, *request, *authorization);
                changes.push(Change::Authorization(*authorization));
                changes
            }
            Event::AuthorizationExtended { authorization, request, end } => {
                self.set_authorization(*authorization, |state| {
                    if let AuthorizationState::Active { end: old, .. } = state {
                        *old = *end;
                    }
                });
                let mut changes = self.approve_request(now, *request, *authorization);
                changes.push(Change::Authorization(*authorization));
                changes
            }
            Event::AuthorizationStarted { authorization, start, end } => {
                let active = AuthorizationState::Active { start: *start, end: *end };
                self.set_authorization(*authorization, |state| *state = active);
                vec![Change::Authorization(*authorization)]
            }
            Event::AuthorizationEnded { authorization, how, comment: _ } => {
                self.end_authorization(now, *authorization, *how);
                vec![Change::Authorization(*authorization)]
            }
            _ => Vec::new(),
        }
    }

    fn grant(&mut self, now: Timestamp, event: &Event) {
        let Event::AuthorizationGranted {
            authorization,
            request,
            holder,
            access,
            digest,
            bound,
            binding,
            policy,
            policy_revision: _,
            max_uses,
            start,
            duration,
        } = event
        else {
            return;
        };
        let state = match start {
            Start::Now => AuthorizationState::Active { start: now, end: now.plus(*duration) },
            Start::At(_) | Start::AtFirstUse { .. } => {
                AuthorizationState::Scheduled { start: *start, duration: *duration }
            }
        };
        self.put_authorization(Authorization {
            id: *authorization,
            holder: *holder,
            access: *access,
            digest: *digest,
            bound: bound.clone(),
            policy: *policy,
            request: *request,
            granted: now,
            uses: 0,
            max_uses: *max_uses,
            state,
            binding: *binding,
        });
    }

    fn set_authorization(&mut self, id: AuthorizationId, change: impl FnOnce(&mut AuthorizationState)) {
        let Some(authorization) = self.authorizations.get_mut(&id) else { return };
        if let Some(due) = authorization.due() {
            self.due.remove(&(due, Due::Authorization(id)));
        }
        change(&mut authorization.state);
        if let Some(due) = authorization.due() {
            self.due.insert((due, Due::Authorization(id)));
        }
    }

    fn end_authorization(&mut self, now: Timestamp, id: AuthorizationId, how: Ending) {
        self.set_authorization(id, |state| {
            let start = match *state {
                AuthorizationState::Active { start, .. } => Some(start),
                AuthorizationState::Ended { start, .. } => start,
                AuthorizationState::Scheduled { .. } => None,
            };
            *state = AuthorizationState::Ended { at: now, how, start };
        });
        let Some(authorization) = self.authorizations.get(&id) else { return };
        let gone = Held { access: authorization.access, id };
        if let Some(held) = self.held.get_mut(authorization.holder.index()) {
            held.retain(|held| *held != gone);
        }
    }

    fn apply_to_execution(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::ExecutionStarted { execution, user, task, digest, parameters, basis, policy: _ } => {
                self.counters.executions = self.counters.executions.max(execution.number() + 1);
                let started = Execution {
                    id: *execution,
                    user: *user,
                    task: *task,
                    digest: *digest,
                    parameters: parameters.clone(),
                    basis: *basis,
                    started: now,
                    state: ExecutionState::Running { stopping: None },
                };
                self.executions.insert(*execution, started);
                self.count_use(*execution, *basis)
            }
            Event::ExecutionStopRequested { execution, cause } => {
                if let Some(execution) = self.executions.get_mut(execution) {
                    execution.state = ExecutionState::Running { stopping: Some(*cause) };
                }
                vec![Change::Execution(*execution)]
            }
            Event::ExecutionFinished { execution, result, output } => {
                let finished = ExecutionState::Finished { at: now, result: result.clone(), output: *output };
                let Some(run) = self.executions.get_mut(execution) else { return Vec::new() };
                run.state = finished;
                let basis = run.basis;
                self.give_use_back(*execution, basis, result)
            }
            _ => Vec::new(),
        }
    }

    /// A run that could not start has used nothing up.
    fn give_use_back(
        &mut self,
        execution: ExecutionId,
        basis: Basis,
        result: &ExecutionResult,
    ) -> Vec<Change> {
        let mut changes = vec![Change::Execution(execution)];
        if let (Basis::Authorization(id), ExecutionResult::NotStarted { .. }) = (basis, result) {
            if let Some(authorization) = self.authorizations.get_mut(&id) {
                authorization.uses = authorization.uses.saturating_sub(1);
                changes.push(Change::Authorization(id));
            }
        }
        changes
    }

    fn count_use(&mut self, execution: ExecutionId, basis: Basis) -> Vec<Change> {
        let mut changes = vec![Change::Execution(execution)];
        if let Basis::Authorization(id) = basis {
            if let Some(authorization) = self.authorizations.get_mut(&id) {
                authorization.uses += 1;
            }
            changes.push(Change::Authorization(id));
        }
        changes
    }
}
