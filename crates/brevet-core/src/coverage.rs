//! How much of what is defined needs an approval while access control is on.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Access;
use crate::id::TaskId;
use crate::state::State;

/// What the switch of the organization changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Tasks that are enabled.
    pub tasks: usize,
    /// Those of them that no policy covers, by id.
    pub uncovered: Vec<TaskId>,
    /// Assignments there are.
    pub assignments: usize,
    /// Those of them that have a task which a policy covers.
    pub governed_assignments: usize,
}

impl State {
    /// How much of what is defined a policy covers. Each task is looked at once, and each access once however many are
    /// assigned to it.
    pub fn coverage(&self) -> Coverage {
        let all = self.catalog.tasks().iter();
        let covered: BTreeSet<TaskId> =
            all.map(|task| task.id).filter(|task| self.governing(Access::Task(*task)).is_some()).collect();
        let enabled = || self.catalog.tasks().iter().filter(|task| task.enabled).map(|task| task.id);
        let mut governed: BTreeMap<Access, bool> = BTreeMap::new();
        let mut is_governed = |access: Access| {
            let has_covered = || self.catalog.tasks_of(access).iter().any(|task| covered.contains(task));
            *governed.entry(access).or_insert_with(has_covered)
        };
        Coverage {
            tasks: enabled().count(),
            uncovered: enabled().filter(|task| !covered.contains(task)).collect(),
            assignments: self.assignments.len(),
            governed_assignments: self.assignments().filter(|assigned| is_governed(assigned.access)).count(),
        }
    }
}
