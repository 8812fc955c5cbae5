//! Requests, and what was decided on them.

use std::collections::BTreeSet;

use brevet_core::{
    Access, Approval, Command, Event, ParameterSpec, Parameters, Policy, PolicyId, Purpose, Refusal, Request,
    RequestState, Task, Text, Timestamp, UserId, Verdict, decide,
};
use brevet_store::{Reader, RequestRow, StoreError, StoredEntry};
use brevet_wire as wire;

use super::rendered::{arguments, command};
use super::{View, at, parameters, span, text};
use crate::http::limit::{STORY_ENTRIES_MAX, WAITING_COUNTED_MAX, WAITING_LOOKED_AT_MAX};

/// A request, with what only the ledger tells about it.
pub(in crate::http) struct RequestTold {
    pub(in crate::http) row: RequestRow,
    story: Vec<StoredEntry>,
}

impl RequestTold {
    /// Looks its story up.
    pub(in crate::http) fn of(reader: &Reader, row: RequestRow) -> Result<Self, StoreError> {
        let story = reader.story(row.request.id, STORY_ENTRIES_MAX)?;
        Ok(Self { row, story })
    }

    fn expired_or_expires(&self) -> Timestamp {
        let expires = self.story.iter().find_map(|stored| match &stored.entry.event {
            Event::RequestSubmitted { request, expires, .. } if *request == self.row.request.id => {
                Some(*expires)
            }
            _ => None,
        });
        expires.unwrap_or(self.row.request.submitted)
    }

    /// Who denied it, if somebody did, and how it ended.
    pub(in crate::http) fn ended(&self, view: &View<'_>) -> Option<(String, Timestamp)> {
        let by = |user| view.user_ref(user).name;
        match &self.row.request.state {
            RequestState::Pending { .. } => None,
            RequestState::Approved { authorization, at, .. } => {
                Some((format!("was approved and gave {authorization}"), *at))
            }
            RequestState::Denied { by: who, at } => Some((format!("was denied by {}", by(*who)), *at)),
            RequestState::Expired { at } => Some(("expired".to_owned(), *at)),
            RequestState::Cancelled { at } => Some(("was cancelled".to_owned(), *at)),
        }
    }
}

impl View<'_> {
    /// Who may see a request: those who oversee, whoever asked, and who decides on it.
    pub(in crate::http) fn sees_request(&self, request: &Request) -> bool {
        let decides = || {
            self.state
                .policy(request.policy)
                .is_some_and(|policy| self.state.is_approver(policy, self.viewer))
        };
        self.oversees() || request.requester == self.viewer || decides()
    }

    /// Whether a request waits for their decision.
    pub(in crate::http) fn may_decide(&self, request: &Request) -> bool {
        request.is_pending() && self.may_not_decide(request).is_none()
    }

    /// Why a pending request does not wait for their decision; `None` where it does, and once it is over.
    fn may_not_decide(&self, request: &Request) -> Option<Refusal> {
        let RequestState::Pending { votes, .. } = &request.state else { return None };
        let person = self.state.person(self.viewer);
        if votes.iter().any(|vote| self.state.person(vote.by) == person) {
            return Some(Refusal::AlreadyVoted { request: request.id });
        }
        let (request, comment) = (request.id, Text::default());
        let deny = Command::Decide { request, verdict: Verdict::Deny, duration: None, comment };
        decide(self.state, self.now, self.origin, deny).err()
    }

    /// How many pending requests wait for their decision: exact below [`WAITING_COUNTED_MAX`], as long as no more than
    /// [`WAITING_LOOKED_AT_MAX`] are pending in all.
    pub(in crate::http) fn waiting(&self) -> usize {
        let policies = self.policies_with_waiting();
        let routed: usize = policies.iter().map(|policy| self.state.pending_under(*policy)).sum();
        if routed == 0 {
            return 0;
        }
        let pending = self.state.requests().take(WAITING_LOOKED_AT_MAX);
        let routed = pending.filter(|request| policies.contains(&request.policy)).take(routed);
        routed.filter(|request| self.may_decide(request)).take(WAITING_COUNTED_MAX).count()
    }

    /// The policies under which requests wait, and they are among those who approve.
    pub(in crate::http) fn policies_with_waiting(&self) -> BTreeSet<PolicyId> {
        let waiting = self.state.policies().filter(|policy| self.state.pending_under(policy.id) > 0);
        waiting.filter(|policy| self.state.is_approver(policy, self.viewer)).map(|policy| policy.id).collect()
    }

    /// Whether a request is, or was, routed to them.
    pub(in crate::http) fn decides_on(&self, request: &Request) -> bool {
        let own = self.state.person(self.viewer) == self.state.person(request.requester);
        let approves = || {
            self.state
                .policy(request.policy)
                .is_some_and(|policy| self.state.is_approver(policy, self.viewer))
        };
        match request.is_pending() {
            true => self.may_decide(request),
            false => !own && approves(),
        }
    }

    pub(in crate::http) fn request(&self, told: &RequestTold) -> wire::Request {
        let Request {
            id,
            requester,
            purpose,
            access,
            digest,
            bound,
            policy: policy_id,
            duration,
            not_before,
            max_uses,
            submitted,
            state,
        } = &told.row.request;
        let policy = self.state.policy(*policy_id);
        let binding = policy.map_or(wire::Binding::Exact, |policy| super::policy::binding(policy.binding));
        let (status, ended_at, authorization) = status(state);
        let (purpose, extends) = match purpose {
            Purpose::New => (wire::Purpose::New, None),
            Purpose::Extension(authorization) => (wire::Purpose::Extension, Some(authorization.to_string())),
        };
        let task = self.same_task(&told.row.request);
        let (duration, duration_seconds) = span(*duration);
        wire::Request {
            id: id.to_string(),
            requester: self.user_ref(*requester),
            access: self.access(*access),
            purpose,
            extends,
            reason: told.row.reason.clone(),
            parameters: parameters(bound),
            free_parameters: task.map(|task| free(task, bound, binding)).unwrap_or_default(),
            binding,
            command: task.map(|task| command(&task.spec, bound)).unwrap_or_default(),
            arguments: task.map(|task| arguments(&task.spec, bound)).unwrap_or_default(),
            run_as: task.and_then(|task| task.spec.run_as.clone()),
            digest: digest.to_string(),
            policy: policy_id.to_string(),
            duration,
            duration_seconds,
            start_at: not_before.map(at),
            max_uses: *max_uses,
            submitted_at: at(*submitted),
            status,
            expires_at: at(told.expired_or_expires()),
            ended_at: ended_at.map(at),
            decisions: self.decisions(told),
            approvals_needed: policy.map_or(0, Self::approvals_needed),
            approver_groups: policy.map(|policy| self.deciding_groups(policy)).unwrap_or_default(),
            authorization,
            may_decide: self.may_decide(&told.row.request),
            may_not_decide: self.may_not_decide(&told.row.request).map(|refusal| refusal.to_string()),
            may_cancel: self.could(Command::Cancel(*id)),
        }
    }

    /// The task that is asked for, while its definition is the one that was asked for: what is shown to an
    /// approver is what runs, or nothing.
    fn same_task(&self, request: &Request) -> Option<&Task> {
        let Access::Task(task) = request.access else { return None };
        self.state.catalog().task(task).filter(|task| task.spec.digest == request.digest)
    }

    fn deciding_groups(&self, policy: &Policy) -> Vec<wire::Reference> {
        match policy.approval {
            Approval::Auto => Vec::new(),
            Approval::Manual(_) => {
                let groups = self.state.approver_groups(policy);
                groups.into_iter().map(|group| self.group_ref(group.group)).collect()
            }
        }
    }

    fn decisions(&self, told: &RequestTold) -> Vec<wire::RequestDecision> {
        let id = told.row.request.id;
        let decided = told.story.iter().filter_map(|stored| match &stored.entry.event {
            Event::RequestDecided { request, by, verdict, duration, policy_revision: _, comment }
                if *request == id =>
            {
                Some(self.decision(*by, *verdict, *duration, comment, stored.entry.time))
            }
            _ => None,
        });
        decided.collect()
    }

    fn decision(
        &self,
        by: UserId,
        verdict: Verdict,
        duration: Option<brevet_core::Span>,
        comment: &Text,
        when: Timestamp,
    ) -> wire::RequestDecision {
        wire::RequestDecision {
            by: self.user_ref(by),
            verdict: match verdict {
                Verdict::Approve => wire::Verdict::Approve,
                Verdict::Deny => wire::Verdict::Deny,
            },
            at: at(when),
            duration: duration.map(|duration| duration.to_string()),
            duration_seconds: duration.map(brevet_core::Span::whole_seconds),
            comment: text(comment),
        }
    }
}

fn status(state: &RequestState) -> (wire::RequestStatus, Option<Timestamp>, Option<String>) {
    match state {
        RequestState::Pending { expires: _, votes: _ } => (wire::RequestStatus::Pending, None, None),
        RequestState::Approved { authorization, at, votes: _ } => {
            (wire::RequestStatus::Approved, Some(*at), Some(authorization.to_string()))
        }
        RequestState::Denied { by: _, at } => (wire::RequestStatus::Denied, Some(*at), None),
        RequestState::Expired { at } => (wire::RequestStatus::Expired, Some(*at), None),
        RequestState::Cancelled { at } => (wire::RequestStatus::Cancelled, Some(*at), None),
    }
}

/// What a run may still choose. Where the policy binds exactly that is secrets alone: what was not given then must not be.
fn free(task: &Task, bound: &Parameters, binding: wire::Binding) -> Vec<String> {
    let is_free = |spec: &&ParameterSpec| {
        !bound.contains_key(&spec.name) && (spec.secret || binding == wire::Binding::Open)
    };
    task.spec.parameters.iter().filter(is_free).map(|spec| spec.name.to_string()).collect()
}
