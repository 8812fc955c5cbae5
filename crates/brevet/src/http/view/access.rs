//! The switch of the organization, and assignments.

use brevet_core::{Access, AccessControl, Assignment, Coverage, Uncovered};
use brevet_wire as wire;

use super::View;

/// The most names of tasks that no policy covers.
const UNCOVERED_SHOWN_MAX: usize = 20;

impl View<'_> {
    /// Which accounts are excluded is for those who oversee, and for such an account itself.
    pub(in crate::http) fn access_control(&self) -> wire::AccessControl {
        let AccessControl { enabled, default_approver_group, system_accounts, uncovered } =
            self.state.access_control();
        let shown = system_accounts.iter().filter(|user| self.oversees() || **user == self.viewer);
        wire::AccessControl {
            enabled: *enabled,
            default_approver_group: default_approver_group.map(|group| self.group_ref(group)),
            system_accounts: shown.map(|user| self.user_ref(*user)).collect(),
            uncovered: match uncovered {
                Uncovered::Refused => wire::Uncovered::Refused,
                Uncovered::Assigned => wire::Uncovered::Assigned,
            },
        }
    }

    /// How much of what is defined a policy covers.
    pub(in crate::http) fn coverage(&self) -> wire::Coverage {
        let Coverage { tasks, uncovered, assignments, governed_assignments } = self.state.coverage();
        let first = uncovered.iter().take(UNCOVERED_SHOWN_MAX);
        wire::Coverage {
            tasks: tasks as u64,
            uncovered_tasks: uncovered.len() as u64,
            uncovered: first.map(|task| self.access_name(Access::Task(*task))).collect(),
            assignments: assignments as u64,
            governed_assignments: governed_assignments as u64,
        }
    }

    /// Whether they see an assignment: all of them, or their own and their groups'.
    pub(in crate::http) fn sees_assignment(&self, assignment: &Assignment) -> bool {
        self.oversees() || self.state.includes(assignment.principal, self.viewer)
    }

    pub(in crate::http) fn assignment(&self, assignment: &Assignment) -> wire::Assignment {
        let Assignment { id, principal, access } = assignment;
        wire::Assignment {
            id: id.to_string(),
            principal: self.principal(*principal),
            access: self.access(*access),
        }
    }
}
