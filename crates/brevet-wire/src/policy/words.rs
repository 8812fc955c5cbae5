//! What a policy says, in words that every face uses.

use super::{ApprovalType, ApproverGroup, Binding, Policy, StartRule};
use crate::AccessType;

impl Policy {
    /// All that it says, field by field and always in the same order, for people to read and to compare.
    pub fn in_words(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Policy for", format!("{} {}", self.type_in_words(), self.access.name)),
            ("Approval type", self.approval_type_in_words().to_owned()),
            ("Who approves", self.approval_in_words()),
            ("Who may ask", self.requesters_in_words()),
            ("Longest duration", self.maximum_duration.clone()),
            ("A request waits", self.pending_lifetime.clone()),
            ("The clock starts", self.start_in_words()),
            ("Runs", self.uses_in_words()),
            ("Values not named", self.binding_in_words().to_owned()),
        ]
    }

    /// `task`, `role` or `role group`.
    pub const fn type_in_words(&self) -> &'static str {
        match self.access.kind {
            AccessType::Task => "task",
            AccessType::Role => "role",
            AccessType::RoleGroup => "role group",
        }
    }

    /// `Manual` or `Auto`.
    pub const fn approval_type_in_words(&self) -> &'static str {
        match self.approval_type {
            ApprovalType::Manual => "Manual",
            ApprovalType::Auto => "Auto",
        }
    }

    /// How many of whom, for example `2 of ops, security (at least 1)`.
    pub fn approval_in_words(&self) -> String {
        if self.approval_type == ApprovalType::Auto {
            return "nobody needs to".into();
        }
        let group = |ApproverGroup { group, minimum }: &ApproverGroup| match minimum {
            0 => group.name.clone(),
            minimum => format!("{} (at least {minimum})", group.name),
        };
        let groups: Vec<String> = self.approver_groups.iter().map(group).collect();
        let of = match (groups.is_empty(), self.uses_default_approver_group) {
            (true, true) => "the default approver group, which is not set".to_owned(),
            (true, false) => "no group".to_owned(),
            (false, true) => format!("{} (the default approver group)", groups.join(", ")),
            (false, false) => groups.join(", "),
        };
        format!("{} of {of}", self.approvals)
    }

    /// Who may ask, by name. There is always somebody; whom a reader may not see is not named.
    pub fn requesters_in_words(&self) -> String {
        let Some(named) = &self.requesters else { return "anyone who is active".into() };
        let groups = named.groups.iter().map(|group| format!("group {}", group.name));
        let all: Vec<String> = named.users.iter().map(|user| user.name.clone()).chain(groups).collect();
        if all.is_empty() { "others".into() } else { all.join(", ") }
    }

    /// When the clock of an authorization starts.
    pub fn start_in_words(&self) -> String {
        match (self.start, &self.claim_within) {
            (StartRule::Approval, _) => "at approval".into(),
            (StartRule::FirstUse, None) => "at the first run".into(),
            (StartRule::FirstUse, Some(within)) => {
                format!("at the first run, within {within} of the approval")
            }
        }
    }

    /// How many runs.
    pub fn uses_in_words(&self) -> String {
        self.max_uses.map_or_else(|| "any number".into(), |uses| format!("at most {uses}"))
    }

    /// What becomes of values that a request does not name.
    pub const fn binding_in_words(&self) -> &'static str {
        match self.binding {
            Binding::Open => "free within the task's limits",
            Binding::Exact => "none: a request names every value, and only those run",
        }
    }
}
