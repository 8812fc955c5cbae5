//! What would happen, and why.

use brevet_core::{Allowed, Considered, Explanation, QualifiedName, Rank, Step, UserId};
use brevet_wire as wire;

use super::{View, at};
use crate::http::problem::Failure;

/// A yes, and on what terms.
pub(in crate::http) fn permission(allowed: &Allowed) -> wire::Permission {
    let Allowed { task: _, values: _, basis, end, policy: _ } = allowed;
    let (basis, authorization) = super::execution::basis(*basis);
    wire::Permission { allowed: true, basis, authorization, until: end.map(at) }
}

impl View<'_> {
    pub(in crate::http) fn explanation(
        &self,
        user: UserId,
        task: &QualifiedName,
        asked_with: &wire::Parameters,
        explanation: Explanation,
    ) -> wire::Explanation {
        let Explanation { verdict, steps, considered, approvers, held } = explanation;
        let known = self.state.catalog().task_named(task).map(|task| task.spec.name.to_string());
        let (permission, refusal) = match verdict {
            Ok(allowed) => (Some(self::permission(&allowed)), None),
            Err(refusal) => (None, Some(Failure::from(refusal).asking_with(asked_with).into_problem())),
        };
        wire::Explanation {
            user: self.user_ref(user),
            task: known.unwrap_or_else(|| task.to_string()),
            allowed: permission.is_some(),
            permission,
            refusal,
            steps: steps.into_iter().map(step).collect(),
            policies: considered.into_iter().map(|considered| self.considered(considered)).collect(),
            approvers: approvers.into_iter().map(|approver| self.user_ref(approver)).collect(),
            held,
        }
    }

    fn considered(&self, considered: Considered) -> wire::Considered {
        let Considered { policy, on, rank, governs, why } = considered;
        let rank = match rank {
            Rank::Task => wire::AccessType::Task,
            Rank::Role => wire::AccessType::Role,
            Rank::RoleGroup => wire::AccessType::RoleGroup,
        };
        wire::Considered { policy: policy.to_string(), access: self.access(on), rank, governs, why }
    }
}

fn step(Step { question, answer }: Step) -> wire::Step {
    wire::Step { question: question.to_owned(), answer }
}
