//! The switch of the whole organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Reference;

/// What happens to tasks that no policy covers while access control is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Uncovered {
    /// Nobody may run them
    Refused,
    /// Those assigned may run them
    Assigned,
}

/// The switch of the whole organization, and its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessControl {
    /// On or off. Policies and groups are kept either way.
    pub enabled: bool,
    /// Who approves where a policy names no group; `null` before access control was first enabled.
    pub default_approver_group: Option<Reference>,
    /// Accounts excluded from access control; every use is logged and flagged.
    pub system_accounts: Vec<Reference>,
    /// What happens to tasks that no policy covers.
    pub uncovered: Uncovered,
}

/// How much of what is defined needs an approval while access control is on: what the switch changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Coverage {
    /// Tasks that are defined.
    pub tasks: u64,
    /// Those of them that no policy covers.
    pub uncovered_tasks: u64,
    /// The first of these by id, as `Scope\Name`: 20 at most.
    pub uncovered: Vec<String>,
    /// Assignments there are.
    pub assignments: u64,
    /// Those of them that have a task which a policy covers: it needs an approval, whoever is assigned.
    pub governed_assignments: u64,
}

/// Switches access control on, or changes its settings while it is on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnableAccessControl {
    /// Who approves where a policy names no group, by name or id.
    pub default_approver_group: String,
    /// Accounts to exclude from access control, by name or id: all of them, none when left out.
    #[serde(default)]
    pub system_accounts: Vec<String>,
    /// What happens to tasks that no policy covers; `refused` when left out.
    pub uncovered: Option<Uncovered>,
    /// The switch and its settings as the changer saw them; the change is refused when they are others now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<AccessControlSeen>,
}

/// The switch of the whole organization, and its settings, as somebody saw them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessControlSeen {
    /// On or off.
    pub enabled: bool,
    /// Who approves where a policy names no group, by name or id; `null` where there was none.
    pub default_approver_group: Option<String>,
    /// Every account that was excluded from access control, by name or id.
    pub system_accounts: Vec<String>,
    /// What happened to tasks that no policy covers.
    pub uncovered: Uncovered,
}

impl From<&AccessControl> for AccessControlSeen {
    fn from(control: &AccessControl) -> Self {
        let AccessControl { enabled, default_approver_group, system_accounts, uncovered } = control;
        Self {
            enabled: *enabled,
            default_approver_group: default_approver_group.as_ref().map(|group| group.id.clone()),
            system_accounts: system_accounts.iter().map(|user| user.id.clone()).collect(),
            uncovered: *uncovered,
        }
    }
}
