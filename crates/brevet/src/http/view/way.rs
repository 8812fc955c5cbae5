//! Who could run what at an instant. Names are those of today: one that was erased since is an id.

use brevet_core::{Access, Allowed, Authorization, Binding, Past, Way};
use brevet_wire as wire;

use super::{View, at, parameters};

impl View<'_> {
    /// One way, in the state of its instant. `self` is the view of today.
    pub(in crate::http) fn way(&self, past: &Past, way: &Way) -> wire::Way {
        let then = self.of_state(past.state());
        let held = past.authorization(way);
        let Way { user, allowed } = way;
        let Allowed { task, values, basis, end, policy } = allowed;
        let (basis, authorization) = super::execution::basis(*basis);
        let approvers = held.map(|held| past.approvers(held.id)).unwrap_or_default();
        wire::Way {
            user: self.user_ref(*user),
            task: then.access_name(Access::Task(*task)),
            basis,
            flagged: basis == wire::Basis::SystemAccount,
            authorization,
            access: held.map(|held| then.access(held.access)),
            request: held.map(|held| held.request.to_string()),
            approvers: approvers.iter().map(|approver| self.user_ref(*approver)).collect(),
            until: end.map(at),
            parameters: parameters(values),
            exact: held.is_some_and(|held| held.binding == Binding::Exact),
            uses_left: held.and_then(uses_left),
            policy: policy.map(|(policy, _)| policy.to_string()),
            policy_revision: policy.map(|(_, revision)| revision),
        }
    }
}

fn uses_left(held: &Authorization) -> Option<u32> {
    held.max_uses.map(|max| max.saturating_sub(held.uses))
}
