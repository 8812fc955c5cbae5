//! `apply` for requests, authorizations and executions. Terminal states are terminal here too,
//! whatever an entry says: what has ended may have left memory already, and both ways must agree.

use std::hash::Hash;

use crate::ExecutionId;
use crate::apply::is_first;
use crate::authorization::{Authorization, AuthorizationState, Ending, Start};
use crate::event::Event;
use crate::execution::{Basis, Execution, ExecutionResult, ExecutionState};
use crate::hash::IdMap;
use crate::id::{AuthorizationId, RequestId};
use crate::request::{Request, RequestState, Verdict, Vote};
use crate::state::{Change, Due, State};
use crate::time::Timestamp;

impl State {
    pub(super) fn apply_to_request(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::RequestSubmitted { request, .. } => {
                if is_first(&mut self.counters.requests, request.number(), request.next()) {
                    self.put_request_of(now, event);
                }
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
        if let Some(request) = self.requests.get_mut(&id)
            && let RequestState::Pending { expires, .. } = request.state
        {
            request.state = state;
            let (requester, policy) = (request.requester, request.policy);
            self.due.remove(&(expires, Due::Request(id)));
            count_less(&mut self.pending, requester);
            count_less(&mut self.pending_under, policy);
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

    pub(super) fn apply_to_authorization(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::AuthorizationGranted { authorization, request, .. } => {
                let (number, next) = (authorization.number(), authorization.next());
                if is_first(&mut self.counters.authorizations, number, next) {
                    self.grant(now, event);
                }
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
                self.set_authorization(*authorization, |state| {
                    if matches!(state, AuthorizationState::Scheduled { .. }) {
                        *state = active;
                    }
                });
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
        let Some(authorization) = self.authorizations.get_mut(id) else { return };
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
                AuthorizationState::Scheduled { .. } => None,
                AuthorizationState::Ended { .. } => return,
            };
            *state = AuthorizationState::Ended { at: now, how, start };
        });
    }

    pub(super) fn apply_to_execution(&mut self, now: Timestamp, event: &Event) -> Vec<Change> {
        match event {
            Event::ExecutionStarted {
                execution,
                user,
                task,
                digest,
                parameters,
                basis,
                policy: _,
                server,
            } => {
                if !is_first(&mut self.counters.executions, execution.number(), execution.next()) {
                    return Vec::new();
                }
                let started = Execution {
                    id: *execution,
                    user: *user,
                    task: *task,
                    digest: *digest,
                    parameters: parameters.clone(),
                    basis: *basis,
                    started: now,
                    state: ExecutionState::Running { stopping: None },
                    server: *server,
                };
                self.executions.insert(*execution, started);
                self.count_use(*execution, *basis)
            }
            Event::ExecutionStopRequested { execution, cause } => {
                if let Some(Execution { state: ExecutionState::Running { stopping }, .. }) =
                    self.executions.get_mut(execution)
                {
                    *stopping = Some(*cause);
                }
                vec![Change::Execution(*execution)]
            }
            Event::ExecutionFinished { execution, result, output } => {
                let finished = ExecutionState::Finished { at: now, result: result.clone(), output: *output };
                let Some(run) = self.executions.get_mut(execution).filter(|run| !run.has_finished()) else {
                    return Vec::new();
                };
                run.state = finished;
                let basis = run.basis;
                self.give_use_back(now, *execution, basis, result)
            }
            _ => Vec::new(),
        }
    }

    /// A run that could not start has used nothing up.
    fn give_use_back(
        &mut self,
        now: Timestamp,
        execution: ExecutionId,
        basis: Basis,
        result: &ExecutionResult,
    ) -> Vec<Change> {
        let mut changes = vec![Change::Execution(execution)];
        if let (Basis::Authorization(id), ExecutionResult::NotStarted { .. }) = (basis, result)
            && let Some(authorization) =
                self.authorizations.get_mut(id).filter(|held| !held.has_ended() && !held.has_run_out(now))
        {
            authorization.uses = authorization.uses.saturating_sub(1);
            changes.push(Change::Authorization(id));
        }
        changes
    }

    fn count_use(&mut self, execution: ExecutionId, basis: Basis) -> Vec<Change> {
        let mut changes = vec![Change::Execution(execution)];
        if let Basis::Authorization(id) = basis {
            if let Some(authorization) = self.authorizations.get_mut(id) {
                authorization.uses = authorization.uses.saturating_add(1);
            }
            changes.push(Change::Authorization(id));
        }
        changes
    }
}

fn count_less<K: Hash + Eq>(counts: &mut IdMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(&key);
        }
    }
}
