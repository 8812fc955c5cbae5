//! Decisions about requests and the authorizations they give.

use super::authorization::{grant, live};
use super::policy::known_access;
use super::{Decision, Reply, require_user};
use crate::access::{Access, Digest};
use crate::actor::Origin;
use crate::authorization::AuthorizationState;
use crate::command::{NewPurpose, NewRequest};
use crate::event::Event;
use crate::id::{RequestId, UserId};
use crate::limit::{AUTHORIZATIONS_PER_USER_MAX, DURATION_DEFAULT, PENDING_PER_USER_MAX, SCHEDULE_AHEAD_MAX};
use crate::name::QualifiedName;
use crate::parameter::{BadParameters, BadValue, ParameterSpec, Parameters, check_bound};
use crate::policy::{Approval, Binding, Policy, StartRule};
use crate::refusal::Refusal;
use crate::request::{Purpose, Request, RequestState, Verdict};
use crate::state::State;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// One approver's act.
pub(super) struct Ballot {
    pub(super) request: RequestId,
    pub(super) verdict: Verdict,
    pub(super) duration: Option<Span>,
    pub(super) comment: Text,
}

pub(super) fn submit(
    state: &State,
    now: Timestamp,
    origin: Origin,
    new: NewRequest,
) -> Result<Decision, Refusal> {
    let requester = require_user(origin)?;
    check_room(state, requester)?;
    let purpose = new.purpose.purpose();
    let Wanted { access, digest, bound, policy } = wanted(state, now, requester, new.purpose)?;
    let name = shown(state, access);
    if !state.may_ask(policy, requester) {
        return Err(Refusal::MayNotAsk { policy: policy.id, access: name });
    }
    let duration = check_duration(policy, new.duration)?;
    check_start(policy, purpose, now, new.not_before)?;
    let max_uses = check_uses(policy, purpose, new.max_uses)?;
    if matches!(policy.approval, Approval::Manual(_)) && !state.could_be_enough(policy, requester) {
        return Err(nobody_can_approve(state, policy));
    }
    let request = Request {
        id: RequestId::new(state.counters.requests),
        requester,
        purpose,
        access,
        digest,
        bound,
        policy: policy.id,
        duration,
        not_before: new.not_before,
        max_uses,
        submitted: now,
        state: RequestState::Pending { expires: now.plus(policy.pending_lifetime), votes: Vec::new() },
    };
    let mut events = vec![submitted(&request, policy, new.reason)];
    if policy.approval == Approval::Auto {
        events.push(grant(state, now, &request, policy, duration)?);
    }
    Decision::new(Reply::Request(request.id), events)
}

fn check_room(state: &State, requester: UserId) -> Result<(), Refusal> {
    if state.pending.get(&requester).is_some_and(|pending| *pending >= PENDING_PER_USER_MAX) {
        return Err(Refusal::TooMany { what: "pending requests of one person", max: PENDING_PER_USER_MAX });
    }
    if state.authorizations_of(requester).count() >= AUTHORIZATIONS_PER_USER_MAX {
        return Err(Refusal::TooMany {
            what: "authorizations of one person that have not ended",
            max: AUTHORIZATIONS_PER_USER_MAX,
        });
    }
    Ok(())
}

struct Wanted<'a> {
    access: Access,
    digest: Digest,
    bound: Parameters,
    policy: &'a Policy,
}

fn wanted(
    state: &State,
    now: Timestamp,
    requester: UserId,
    purpose: NewPurpose,
) -> Result<Wanted<'_>, Refusal> {
    match purpose {
        NewPurpose::Access { access, bound } => {
            let digest = known_access(state, access)?;
            let uncovered = || Refusal::Uncovered { access: shown(state, access) };
            let policy = state.governing(access).ok_or_else(uncovered)?;
            let bound = bind(state, access, policy.binding, bound)?;
            Ok(Wanted { access, digest, bound, policy })
        }
        NewPurpose::Extension(id) => {
            let held = live(state, now, id)?;
            if held.holder != requester {
                return Err(Refusal::Forbidden { who: "the holder of the authorization" });
            }
            if !matches!(held.state, AuthorizationState::Active { .. }) {
                return Err(Refusal::Invalid(format!(
                    "{id} has not started; there is nothing to extend yet"
                )));
            }
            let policy = state.policy(held.policy).ok_or_else(|| Refusal::no_such("policy", held.policy))?;
            Ok(Wanted { access: held.access, digest: held.digest, bound: held.bound.clone(), policy })
        }
    }
}

/// Checks the values that a request names and, where the policy binds exactly, completes them with
/// the defaults: what is still not there then must not be given to a run either.
fn bind(
    state: &State,
    access: Access,
    binding: Binding,
    mut bound: Parameters,
) -> Result<Parameters, Refusal> {
    let Access::Task(task) = access else {
        return match (bound.is_empty(), binding) {
            (false, _) => {
                Err(Refusal::Invalid("a role has no parameters; ask for one task to bind values".into()))
            }
            (true, Binding::Exact) => {
                Err(Refusal::Invalid("this policy binds parameters exactly; ask for one task".into()))
            }
            (true, Binding::Open) => Ok(bound),
        };
    };
    let specs = state.catalog.task(task).map_or(&[][..], |task| task.spec.parameters.as_slice());
    check_bound(specs, &bound)?;
    if binding == Binding::Exact {
        let missing: Vec<_> = specs.iter().filter(|spec| must_be_named(spec, &bound)).collect();
        if !missing.is_empty() {
            let problems = missing.iter().map(|spec| (spec.name.to_string(), BadValue::Missing)).collect();
            return Err(BadParameters(problems).into());
        }
        for spec in specs {
            if let (false, Some(default)) = (bound.contains_key(&spec.name), &spec.default) {
                bound.insert(spec.name.clone(), default.clone());
            }
        }
    }
    Ok(bound)
}

fn must_be_named(spec: &ParameterSpec, bound: &Parameters) -> bool {
    spec.required && !spec.secret && spec.default.is_none() && !bound.contains_key(&spec.name)
}

fn check_duration(policy: &Policy, asked: Option<Span>) -> Result<Span, Refusal> {
    let max = policy.maximum_duration.span();
    match asked {
        None => Ok(DURATION_DEFAULT.min(max)),
        Some(asked) if asked > max => Err(Refusal::TooLong { asked, max, policy: policy.id }),
        Some(asked) => Ok(asked),
    }
}

fn check_start(
    policy: &Policy,
    purpose: Purpose,
    now: Timestamp,
    at: Option<Timestamp>,
) -> Result<(), Refusal> {
    let invalid = |why: &str| Err(Refusal::Invalid(why.to_owned()));
    match at {
        None => Ok(()),
        Some(_) if purpose != Purpose::New => {
            invalid("an extension goes on where the authorization ends; it has no start")
        }
        Some(_) if policy.start != StartRule::AtApproval => {
            invalid("under this policy the clock starts at the first run; a start cannot be scheduled")
        }
        Some(at) if at <= now => invalid("the start lies in the past; leave it out to start at approval"),
        Some(at) if at > now.plus(SCHEDULE_AHEAD_MAX) => invalid("the start lies more than a year ahead"),
        Some(_) => Ok(()),
    }
}

fn check_uses(policy: &Policy, purpose: Purpose, asked: Option<u32>) -> Result<Option<u32>, Refusal> {
    match (asked, policy.max_uses) {
        (None, _) if purpose != Purpose::New => Ok(None),
        (Some(_), _) if purpose != Purpose::New => {
            Err(Refusal::Invalid("an extension gives more time, not more runs; ask anew".into()))
        }
        (Some(0), _) => Err(Refusal::Invalid("the number of uses is at least 1".into())),
        (Some(asked), Some(max)) if asked > max => {
            Err(Refusal::Invalid(format!("{} allows at most {max} uses", policy.id)))
        }
        (asked, max) => Ok(asked.or(max)),
    }
}

fn nobody_can_approve(state: &State, policy: &Policy) -> Refusal {
    let names = state.approver_names(policy);
    let groups =
        if names.is_empty() { "a default approver group that is not set".into() } else { names.join(", ") };
    Refusal::NobodyCanApprove { policy: policy.id, needed: state.quorum(policy).total, groups }
}

fn submitted(request: &Request, policy: &Policy, reason: Text) -> Event {
    let Request {
        id,
        requester,
        purpose,
        access,
        digest,
        bound,
        duration,
        not_before,
        max_uses,
        submitted,
        ..
    } = request.clone();
    Event::RequestSubmitted {
        request: id,
        requester,
        purpose,
        access,
        digest,
        bound,
        policy: policy.id,
        policy_revision: policy.revision,
        duration,
        not_before,
        max_uses,
        expires: submitted.plus(policy.pending_lifetime),
        reason,
    }
}

pub(super) fn vote(
    state: &State,
    now: Timestamp,
    origin: Origin,
    ballot: Ballot,
) -> Result<Decision, Refusal> {
    let Ballot { request, verdict, duration, comment } = ballot;
    let by = require_user(origin)?;
    let request = pending(state, now, request)?;
    if state.person(by) == state.person(request.requester) {
        return Err(Refusal::SelfApproval);
    }
    let policy = state.policy(request.policy).ok_or_else(|| Refusal::no_such("policy", request.policy))?;
    if !state.is_approver(policy, by) {
        let groups = state.approver_names(policy).join(", ");
        return Err(Refusal::NotAnApprover { request: request.id, groups });
    }
    let decided = Event::RequestDecided {
        request: request.id,
        by,
        verdict,
        duration,
        policy_revision: policy.revision,
        comment,
    };
    let mut events = vec![decided];
    if verdict == Verdict::Approve {
        events.extend(approve(state, now, request, policy, by, duration)?);
    }
    Decision::new(Reply::Request(request.id), events)
}

/// What a yes adds to the vote itself: the authorization, once it is enough.
fn approve(
    state: &State,
    now: Timestamp,
    request: &Request,
    policy: &Policy,
    by: UserId,
    shorter: Option<Span>,
) -> Result<Option<Event>, Refusal> {
    let votes = match &request.state {
        RequestState::Pending { votes, .. } => votes.as_slice(),
        _ => &[],
    };
    if votes.iter().any(|vote| state.person(vote.by) == state.person(by)) {
        return Err(Refusal::AlreadyVoted { request: request.id });
    }
    if state.catalog.digest(request.access) != Some(request.digest) {
        return Err(Refusal::Drifted { access: shown(state, request.access) });
    }
    if !state.may_ask(policy, request.requester) {
        return Err(Refusal::Invalid(format!(
            "the requester is not among those who may ask under {} any more",
            policy.id
        )));
    }
    if shorter.is_some_and(|shorter| shorter > request.duration) {
        return Err(Refusal::Invalid(format!(
            "an approver can shorten the {} asked for, not lengthen it",
            request.duration
        )));
    }
    if !state.is_enough(policy, request.requester, votes.iter().map(|vote| vote.by).chain([by])) {
        return Ok(None);
    }
    let shortened = votes.iter().filter_map(|vote| vote.duration).chain(shorter);
    let duration = shortened.fold(request.duration, Span::min).min(policy.maximum_duration.span());
    grant(state, now, request, policy, duration).map(Some)
}

pub(super) fn cancel(
    state: &State,
    now: Timestamp,
    origin: Origin,
    id: RequestId,
) -> Result<Decision, Refusal> {
    let by = require_user(origin)?;
    let request = pending(state, now, id)?;
    let administers = state.user(by).is_some_and(|user| user.administrator);
    if request.requester != by && !administers {
        return Err(Refusal::Forbidden { who: "the requester or an administrator" });
    }
    Decision::new(Reply::Request(id), vec![Event::RequestCancelled { request: id }])
}

/// A request that still takes decisions. Expiry beats everything at or after its instant, whether or
/// not it has been acted on: its own, and that of the authorization on which it asks for more time.
fn pending(state: &State, now: Timestamp, id: RequestId) -> Result<&Request, Refusal> {
    let over = || Refusal::over("request", id);
    let Some(request) = state.request(id) else {
        let existed = (1..state.counters.requests).contains(&id.number());
        return Err(if existed { over() } else { Refusal::no_such("request", id) });
    };
    if let Purpose::Extension(authorization) = request.purpose {
        live(state, now, authorization).map_err(|_| over())?;
    }
    match request.state {
        RequestState::Pending { expires, .. } if now < expires => Ok(request),
        _ => Err(over()),
    }
}

pub(super) fn shown(state: &State, access: Access) -> QualifiedName {
    state.catalog.name(access).cloned().unwrap_or_else(QualifiedName::unknown)
}
