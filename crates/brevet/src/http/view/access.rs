//! The switch of the organization, and assignments.

use brevet_core::{Access, AccessControl, Assignment, Task, Uncovered};
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
        let is_covered = |task| self.state.governing(Access::Task(task)).is_some();
        let defined = || self.state.catalog().tasks().iter().filter(|task| task.enabled);
        let uncovered: Vec<&Task> = defined().filter(|task| !is_covered(task.id)).collect();
        let governed = |assignment: &&Assignment| {
            self.state.catalog().tasks_of(assignment.access).into_iter().any(is_covered)
        };
        wire::Coverage {
            tasks: defined().count() as u64,
            uncovered_tasks: uncovered.len() as u64,
            uncovered: uncovered
                .iter()
                .take(UNCOVERED_SHOWN_MAX)
                .map(|task| task.spec.name.to_string())
                .collect(),
            assignments: self.state.assignments().count() as u64,
            governed_assignments: self.state.assignments().filter(governed).count() as u64,
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
