//! What would happen if somebody ran a task now, and why.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, AccessType, Basis, Parameters, Problem, Reference, Time};

/// Asks whether a run would be allowed; nothing runs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// `Scope\Name` or `Scope/Name`.
    pub task: String,
    /// Values by name. Secret parameters are taken as given.
    #[serde(default)]
    pub parameters: Parameters,
}

/// A yes, and on what terms. A no is a problem, as for the run itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Permission {
    /// Always `true`.
    pub allowed: bool,
    /// Why.
    pub basis: Basis,
    /// The authorization, where the basis is one.
    pub authorization: Option<String>,
    /// Until when, where it ends by itself.
    pub until: Option<Time>,
}

/// Asks what would happen if somebody ran a task now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// Who, by name or id; whoever asks when left out. Others only for administrators and auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `Scope\Name` or `Scope/Name`.
    pub task: String,
    /// Values by name. Secret parameters are taken as given.
    #[serde(default)]
    pub parameters: Parameters,
}

/// One question of the order in which a run is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// A policy that covers the task, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Considered {
    /// Which.
    pub policy: String,
    /// What it is on.
    pub access: Access,
    /// How specific it is: on the task, on a role that has it, on a role group that has such a role.
    pub rank: AccessType,
    /// Whether it is the one that governs.
    pub governs: bool,
    /// Why, or why not.
    pub why: String,
}

/// What would happen, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Who.
    pub user: Reference,
    /// What, as `Scope\Name`.
    pub task: String,
    /// Whether it would run.
    pub allowed: bool,
    /// On what terms, when it would.
    pub permission: Option<Permission>,
    /// What the answer would be instead, when it would not.
    pub refusal: Option<Problem>,
    /// The questions in their order, up to the one that answers.
    pub steps: Vec<Step>,
    /// The policies that cover the task, the governing one first.
    pub policies: Vec<Considered>,
    /// Who could approve a request of this user.
    pub approvers: Vec<Reference>,
    /// What the user holds for this task, and what each does or why it does not.
    pub held: Vec<String>,
}
