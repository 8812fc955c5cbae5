//! Approval policies.

use brevet_core::{
    Approval, Binding, GroupMinimum, MaximumDuration, Policy, Principal, Quorum, Requesters, StartRule,
};
use brevet_wire as wire;

use super::{View, span};

impl View<'_> {
    pub(in crate::http) fn policy(&self, policy: &Policy) -> wire::Policy {
        let Policy {
            id,
            revision,
            access,
            approval,
            requesters,
            maximum_duration,
            pending_lifetime,
            start,
            max_uses,
            binding,
        } = policy;
        let (approval_type, approvals, uses_default_approver_group) = approval_type(approval);
        let groups = match approval {
            Approval::Auto => Vec::new(),
            Approval::Manual(_) => self.state.approver_groups(policy),
        };
        let (maximum_duration, maximum_duration_seconds) = match maximum_duration {
            MaximumDuration::Limited(limit) => (limit.to_string(), Some(limit.whole_seconds())),
            MaximumDuration::Unlimited => ("unlimited".to_owned(), None),
        };
        let (pending_lifetime, pending_lifetime_seconds) = span(*pending_lifetime);
        let (start, claim_within) = match start {
            StartRule::AtApproval => (wire::StartRule::Approval, None),
            StartRule::AtFirstUse(within) => (wire::StartRule::FirstUse, Some(*within)),
        };
        wire::Policy {
            id: id.to_string(),
            revision: *revision,
            access: self.access(*access),
            approval_type,
            approvals,
            approver_groups: groups.into_iter().map(|group| self.approver_group(group)).collect(),
            uses_default_approver_group,
            requesters: self.requesters(requesters),
            maximum_duration,
            maximum_duration_seconds,
            pending_lifetime,
            pending_lifetime_seconds,
            start,
            claim_within: claim_within.map(|within| within.to_string()),
            claim_within_seconds: claim_within.map(brevet_core::Span::whole_seconds),
            max_uses: *max_uses,
            binding: self::binding(*binding),
        }
    }

    fn approver_group(&self, GroupMinimum { group, minimum }: GroupMinimum) -> wire::ApproverGroup {
        wire::ApproverGroup { group: self.group_ref(group), minimum }
    }

    /// Who else may ask is for those who oversee: others see themselves and groups.
    fn requesters(&self, requesters: &Requesters) -> Option<wire::Requesters> {
        let Requesters::Named(principals) = requesters else { return None };
        let mut named = wire::Requesters { users: Vec::new(), groups: Vec::new() };
        for principal in principals {
            match *principal {
                Principal::User(id) if self.oversees() || id == self.viewer => {
                    named.users.push(self.user_ref(id));
                }
                Principal::User(_) => {}
                Principal::Group(id) => named.groups.push(self.group_ref(id)),
            }
        }
        Some(named)
    }

    /// How many people must approve under a policy.
    pub(super) fn approvals_needed(policy: &Policy) -> u32 {
        approval_type(&policy.approval).1
    }
}

const fn approval_type(approval: &Approval) -> (wire::ApprovalType, u32, bool) {
    match approval {
        Approval::Auto => (wire::ApprovalType::Auto, 0, false),
        Approval::Manual(Quorum { total, groups }) => (wire::ApprovalType::Manual, *total, groups.is_empty()),
    }
}

pub(super) const fn binding(binding: Binding) -> wire::Binding {
    match binding {
        Binding::Open => wire::Binding::Open,
        Binding::Exact => wire::Binding::Exact,
    }
}
