//! What would happen if somebody ran a task now, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, AccessType, Basis, Parameters, Problem, Reference, Time};

/// Asks whether a run would be allowed; nothing runs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// `Scope\Name` or `Scope/Name`.
    pub(crate) task: String,
    /// Values by name. Secret parameters are taken as given.
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

/// A yes, and on what terms. A no is a problem, as for the run itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Permission {
    /// Always `true`.
    pub(crate) allowed: bool,
    /// Why.
    pub(crate) basis: Basis,
    /// The authorization, where the basis is one.
    pub(crate) authorization: Option<String>,
    /// Until when, where it ends by itself.
    pub(crate) until: Option<Time>,
}

/// Asks what would happen if somebody ran a task now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explain {
    /// Who, by name or id; whoever asks when left out. Others only for administrators and auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// `Scope\Name` or `Scope/Name`.
    pub(crate) task: String,
    /// Values by name. Secret parameters are taken as given.
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

/// One question of the order in which a run is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Step {
    /// The question.
    pub(crate) question: String,
    /// The answer.
    pub(crate) answer: String,
}

/// A policy that covers the task, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Considered {
    /// Which.
    pub(crate) policy: String,
    /// What it is on.
    pub(crate) access: Access,
    /// How specific it is: on the task, on a role that has it, on a role group that has such a role.
    pub(crate) rank: AccessType,
    /// Whether it is the one that governs.
    pub(crate) governs: bool,
    /// Why, or why not.
    pub(crate) why: String,
}

/// What would happen, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Explanation {
    /// Who.
    pub(crate) user: Reference,
    /// What, as `Scope\Name`.
    pub(crate) task: String,
    /// Whether it would run.
    pub(crate) allowed: bool,
    /// On what terms, when it would.
    pub(crate) permission: Option<Permission>,
    /// What the answer would be instead, when it would not.
    pub(crate) refusal: Option<Problem>,
    /// The questions in their order, up to the one that answers.
    pub(crate) steps: Vec<Step>,
    /// The policies that cover the task, the governing one first.
    pub(crate) policies: Vec<Considered>,
    /// Who could approve a request of this user.
    pub(crate) approvers: Vec<Reference>,
    /// What the user holds for this task, and what each does or why it does not.
    pub(crate) held: Vec<String>,
}
