//! Access requests and the decisions on them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, Binding, Parameters, Reference, Time};

/// Where a request stands. All but `pending` are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestStatus {
    /// Waits for decisions.
    Pending,
    /// Enough said yes.
    Approved,
    /// Somebody said no.
    Denied,
    /// Nobody decided in time.
    Expired,
    /// Withdrawn: by the requester, or because they or the policy are gone.
    Cancelled,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A new authorization.
    New,
    /// More time on one that is in force.
    Extension,
}

/// Approve or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No; one is enough.
    Deny,
}

/// What one approver decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestDecision {
    /// Who.
    pub by: Reference,
    /// Yes or no.
    pub verdict: Verdict,
    /// When.
    pub at: Time,
    /// A shorter duration than was asked for.
    pub duration: Option<String>,
    /// The same in seconds.
    pub duration_seconds: Option<i64>,
    /// What they said about it.
    pub comment: Option<String>,
}

/// A part of one argument of what would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Piece {
    /// As it will be handed over; `{name}` where the value is not bound.
    pub text: String,
    /// Whose value it is; of none where the definition itself says it.
    pub parameter: Option<String>,
    /// Whether the value is still free.
    pub is_free: bool,
}

/// A person asks for an access, with a reason and a duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Request {
    /// For example `req-42`.
    pub id: String,
    /// Who asks.
    pub requester: Reference,
    /// What for.
    pub access: Access,
    /// A new authorization, or more time.
    pub purpose: Purpose,
    /// The authorization to extend, where it is that.
    pub extends: Option<String>,
    /// Why; `null` once erased, or in an archive file.
    pub reason: Option<String>,
    /// Parameter values that will be the only ones.
    pub parameters: Parameters,
    /// The parameters that stay free within the task's constraints; secrets are among them.
    pub free_parameters: Vec<String>,
    /// Whether the values not named are free at all.
    pub binding: Binding,
    /// For a task, what would run: one string per argument, with the values that are bound put in and
    /// `{placeholders}` for the others.
    pub command: Vec<String>,
    /// The same, each argument piece by piece: what the definition says, and what stands for a parameter.
    #[serde(default)]
    pub arguments: Vec<Vec<Piece>>,
    /// For a task, the account of the target under which it runs, when it is not Brevet's own.
    pub run_as: Option<String>,
    /// SHA-256 of the definition that is asked for, in hexadecimal.
    pub digest: String,
    /// The policy that governs it.
    pub policy: String,
    /// How long.
    #[schema(example = "4h")]
    pub duration: String,
    /// The same in seconds.
    pub duration_seconds: i64,
    /// Not before; at approval when `null`.
    pub start_at: Option<Time>,
    /// Runs asked for; the policy's number when `null`.
    pub max_uses: Option<u32>,
    /// When it was submitted.
    pub submitted_at: Time,
    /// Where it stands.
    pub status: RequestStatus,
    /// Until when it waits, or waited, for decisions.
    pub expires_at: Time,
    /// When it was decided, expired or was cancelled.
    pub ended_at: Option<Time>,
    /// What was decided so far, in order.
    pub decisions: Vec<RequestDecision>,
    /// How many distinct people must approve; 0 where the policy approves by itself.
    pub approvals_needed: u32,
    /// The groups whose members decide.
    pub approver_groups: Vec<Reference>,
    /// What it gave, once approved.
    pub authorization: Option<String>,
    /// Whether whoever asks may decide on it.
    pub may_decide: bool,
    /// Why they may not, while it is pending.
    #[serde(default)]
    pub may_not_decide: Option<String>,
    /// Whether whoever asks may cancel it.
    pub may_cancel: bool,
}

/// A request to submit: exactly one of `task`, `role`, `role_group` and `extend`, with a reason.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequest {
    /// A task.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Linux/Restart-Service")]
    pub task: Option<String>,
    /// A role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A role group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_group: Option<String>,
    /// An authorization to extend.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "aut-7")]
    pub extend: Option<String>,
    /// Parameter values that will be the only ones, for a task.
    #[serde(default)]
    pub parameters: Parameters,
    /// Why.
    pub reason: String,
    /// How long; `4h` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2h")]
    pub duration: Option<String>,
    /// Not before; at approval when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Time>,
    /// Runs in all; the policy's number when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
}

/// Approves a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// For the requester and the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// A shorter duration than was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

/// Denies a request.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deny {
    /// For the requester and the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
