//! Who may run what where no approval is demanded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Access;

/// The kinds of principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalType {
    /// One account.
    User,
    /// Every member of a group.
    Group,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Principal {
    /// Which of them.
    #[serde(rename = "type")]
    pub kind: PrincipalType,
    /// Its id.
    pub id: String,
    /// Its name; the id again once the name was erased.
    pub name: String,
}

/// Says that a user or group may run something where no approval is demanded: with access control off, as a
/// system account, or where no policy covers the task and `uncovered` is `assigned`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    /// For example `asg-5`.
    pub id: String,
    /// Who.
    pub principal: Principal,
    /// What.
    pub access: Access,
}

/// An assignment to add: exactly one of `user`, `group`, and exactly one of `task`, `role`, `role_group`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    /// A user, by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A group, by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// A task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A role group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_group: Option<String>,
}
