//! What a policy shall say.

use brevet_core::{
    Approval, Binding, GroupMinimum, MaximumDuration, Policy, PolicyTerms, Principal, Quorum, Requesters,
    Span, StartRule, State,
};
use brevet_wire as wire;

use super::super::problem::Failure;

/// The terms of a new policy.
pub(in crate::http) fn terms(state: &State, new: &wire::NewPolicy) -> Result<PolicyTerms, Failure> {
    let approval = approval(state, new.approval_type, new.approvals, &new.approver_groups)?;
    let requesters = match &new.requesters {
        Some(named) => requesters(state, named)?,
        None => Requesters::Anyone,
    };
    let mut terms = PolicyTerms::new(approval, requesters);
    if let Some(maximum) = &new.maximum_duration {
        terms.maximum_duration = maximum_duration(maximum)?;
    }
    if let Some(lifetime) = super::span("pending_lifetime", new.pending_lifetime.as_deref())? {
        terms.pending_lifetime = lifetime;
    }
    let within = super::span("claim_within", new.claim_within.as_deref())?;
    terms.start = start(new.start.unwrap_or(wire::StartRule::Approval), within)?;
    terms.max_uses = new.max_uses;
    terms.binding = binding(new.binding.unwrap_or(wire::Binding::Open));
    Ok(terms)
}

/// The terms of a policy after a change.
pub(in crate::http) fn change(
    state: &State,
    policy: &Policy,
    change: &wire::PolicyChange,
) -> Result<PolicyTerms, Failure> {
    let wire::PolicyChange {
        revision: _,
        approval_type,
        approvals,
        approver_groups,
        requesters: named,
        maximum_duration: maximum,
        pending_lifetime,
        start: rule,
        claim_within,
        max_uses,
        binding: bound,
    } = change;
    let mut terms = PolicyTerms::of(policy);
    if approval_type.is_some() || approvals.is_some() || approver_groups.is_some() {
        terms.approval =
            changed_approval(state, &terms.approval, *approval_type, *approvals, approver_groups.as_deref())?;
    }
    match named {
        None => {}
        Some(None) => terms.requesters = Requesters::Anyone,
        Some(Some(named)) => terms.requesters = requesters(state, named)?,
    }
    if let Some(maximum) = maximum {
        terms.maximum_duration = maximum_duration(maximum)?;
    }
    if let Some(lifetime) = super::span("pending_lifetime", pending_lifetime.as_deref())? {
        terms.pending_lifetime = lifetime;
    }
    let within = super::span("claim_within", claim_within.as_deref())?;
    if rule.is_some() || within.is_some() {
        terms.start = changed_start(terms.start, *rule, within)?;
    }
    terms.max_uses = max_uses.unwrap_or(terms.max_uses);
    terms.binding = bound.map_or(terms.binding, binding);
    Ok(terms)
}

fn approval(
    state: &State,
    kind: wire::ApprovalType,
    approvals: Option<u32>,
    groups: &[wire::NewApproverGroup],
) -> Result<Approval, Failure> {
    match kind {
        wire::ApprovalType::Auto if approvals.unwrap_or(0) == 0 && groups.is_empty() => Ok(Approval::Auto),
        wire::ApprovalType::Auto => Err(Failure::field(
            "approval_type",
            "with auto nobody approves: leave approvals and approver_groups out",
        )),
        wire::ApprovalType::Manual => {
            let groups = minimums(state, groups)?;
            let sum = groups.iter().fold(0, |sum: u32, group| sum.saturating_add(group.minimum));
            Ok(Approval::Manual(Quorum { total: approvals.unwrap_or(sum.max(1)), groups }))
        }
    }
}

fn minimums(state: &State, groups: &[wire::NewApproverGroup]) -> Result<Vec<GroupMinimum>, Failure> {
    let minimum = |named: &wire::NewApproverGroup| {
        let wire::NewApproverGroup { group, minimum } = named;
        Ok(GroupMinimum { group: super::group(state, group)?, minimum: *minimum })
    };
    groups.iter().map(minimum).collect()
}

fn changed_approval(
    state: &State,
    now: &Approval,
    kind: Option<wire::ApprovalType>,
    approvals: Option<u32>,
    groups: Option<&[wire::NewApproverGroup]>,
) -> Result<Approval, Failure> {
    let (kind_now, quorum) = match now {
        Approval::Auto => (wire::ApprovalType::Auto, Quorum::default_group()),
        Approval::Manual(quorum) => (wire::ApprovalType::Manual, quorum.clone()),
    };
    if kind.unwrap_or(kind_now) == wire::ApprovalType::Auto {
        return approval(state, wire::ApprovalType::Auto, approvals, groups.unwrap_or_default());
    }
    let groups = groups.map(|groups| minimums(state, groups)).transpose()?.unwrap_or(quorum.groups);
    Ok(Approval::Manual(Quorum { total: approvals.unwrap_or(quorum.total), groups }))
}

fn requesters(state: &State, named: &wire::NewRequesters) -> Result<Requesters, Failure> {
    let wire::NewRequesters { users, groups } = named;
    let users = users.iter().map(|user| super::user(state, user).map(Principal::User));
    let groups = groups.iter().map(|group| super::group(state, group).map(Principal::Group));
    users.chain(groups).collect::<Result<_, _>>().map(Requesters::Named)
}

fn maximum_duration(given: &str) -> Result<MaximumDuration, Failure> {
    if given.trim().eq_ignore_ascii_case("unlimited") {
        return Ok(MaximumDuration::Unlimited);
    }
    let limit = Span::parse(given)
        .map_err(|error| Failure::field("maximum_duration", format!("{error}, or 'unlimited'")))?;
    Ok(MaximumDuration::Limited(limit))
}

fn start(rule: wire::StartRule, within: Option<Span>) -> Result<StartRule, Failure> {
    match (rule, within) {
        (wire::StartRule::Approval, None) => Ok(StartRule::AtApproval),
        (wire::StartRule::FirstUse, Some(within)) => Ok(StartRule::AtFirstUse(within)),
        (wire::StartRule::Approval, Some(_)) => {
            Err(Failure::field("claim_within", "goes with start first-use only"))
        }
        (wire::StartRule::FirstUse, None) => Err(Failure::field(
            "claim_within",
            "is needed with start first-use: how long after its approval the first run may come",
        )),
    }
}

fn changed_start(
    now: StartRule,
    rule: Option<wire::StartRule>,
    within: Option<Span>,
) -> Result<StartRule, Failure> {
    let (rule_now, within_now) = match now {
        StartRule::AtApproval => (wire::StartRule::Approval, None),
        StartRule::AtFirstUse(within) => (wire::StartRule::FirstUse, Some(within)),
    };
    match rule.unwrap_or(rule_now) {
        wire::StartRule::Approval => start(wire::StartRule::Approval, within),
        wire::StartRule::FirstUse => start(wire::StartRule::FirstUse, within.or(within_now)),
    }
}

const fn binding(given: wire::Binding) -> Binding {
    match given {
        wire::Binding::Open => Binding::Open,
        wire::Binding::Exact => Binding::Exact,
    }
}
