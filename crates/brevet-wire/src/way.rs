//! Who could run what at an instant, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, Basis, Parameters, Reference, Time};

/// One way in which somebody could run a task at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Way {
    /// Who.
    pub user: Reference,
    /// What, as `Scope\Name`.
    #[schema(example = "Linux\\Restart-Service")]
    pub task: String,
    /// Why: an authorization, or what needs none.
    pub basis: Basis,
    /// Whether the account is excluded from access control.
    pub flagged: bool,
    /// The authorization, where the basis is one.
    pub authorization: Option<String>,
    /// What the authorization is for: this task, or a role or role group that has it.
    pub access: Option<Access>,
    /// The request that gave the authorization.
    #[schema(example = "req-42")]
    pub request: Option<String>,
    /// Who approved it, or more time on it. Nobody where the policy approves by itself.
    pub approvers: Vec<Reference>,
    /// Until when a run that started at that instant might last.
    pub until: Option<Time>,
    /// The values that a run must have.
    pub parameters: Parameters,
    /// Whether these are the only values, or others are free.
    pub exact: bool,
    /// How many more runs; `null` for any number.
    pub uses_left: Option<u32>,
    /// The policy that governed the task, where one decided.
    pub policy: Option<String>,
    /// In which revision.
    pub policy_revision: Option<u32>,
}
