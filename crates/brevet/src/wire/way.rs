//! Who could run what at an instant, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, Basis, Parameters, Reference, Time};

/// One way in which somebody could run a task at an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Way {
    /// Who.
    pub(crate) user: Reference,
    /// What, as `Scope\Name`.
    #[schema(example = "Linux\\Restart-Service")]
    pub(crate) task: String,
    /// Why: an authorization, or what needs none.
    pub(crate) basis: Basis,
    /// Whether the account is excluded from access control.
    pub(crate) flagged: bool,
    /// The authorization, where the basis is one.
    pub(crate) authorization: Option<String>,
    /// What the authorization is for: this task, or a role or role group that has it.
    pub(crate) access: Option<Access>,
    /// The request that gave the authorization.
    #[schema(example = "req-42")]
    pub(crate) request: Option<String>,
    /// Who approved it, or more time on it. Nobody where the policy approves by itself.
    pub(crate) approvers: Vec<Reference>,
    /// Until when a run that started at that instant might last.
    pub(crate) until: Option<Time>,
    /// The values that a run must have.
    pub(crate) parameters: Parameters,
    /// Whether these are the only values, or others are free.
    pub(crate) exact: bool,
    /// How many more runs; `null` for any number.
    pub(crate) uses_left: Option<u32>,
    /// The policy that governed the task, where one decided.
    pub(crate) policy: Option<String>,
    /// In which revision.
    pub(crate) policy_revision: Option<u32>,
}
