//! Executions: one run of a task each.
//!
//! # The stream of an execution
//! `POST /executions` with `Accept: text/event-stream`, and `GET /executions/{id}/output`, answer with
//! server-sent events, each with one line of JSON as its data:
//!
//! | event | data | when |
//! |---|---|---|
//! | `started` | [`Execution`] | first, once |
//! | `output` | [`OutputChunk`] | any number of times, in the order in which the bytes were read |
//! | `finished` | [`Execution`] | last, once |
//! | `problem` | [`super::Problem`] | last, instead of `finished`, when the server cannot go on |
//!
//! The stream of `GET …/output` begins with the first byte of the output, and follows while the task runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Parameters, Reference, SecretText, Time};

/// Why a run was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// An authorization that was in force.
    Authorization,
    /// A system account, excluded from access control: flagged.
    SystemAccount,
    /// Access control was off, and the person assigned.
    AccessControlOff,
    /// No policy covers the task, and the organization lets those assigned run such tasks.
    Uncovered,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionState {
    /// It runs.
    Running,
    /// It exited with 0.
    Succeeded,
    /// It exited with another code, was killed, or could not be started.
    Failed,
    /// Brevet ended it.
    Stopped,
    /// The server went down while it ran; it is never run again by itself.
    Unknown,
}

/// Why a run was, or is being, ended before its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopCause {
    /// The authorization was revoked, given back or voided.
    Revoked,
    /// The window ended.
    Expired,
    /// It took longer than its definition allows.
    TimedOut,
    /// Somebody stopped it.
    ByUser,
    /// Brevet was stopped.
    Shutdown,
    /// Nothing could be put on record any more, so that nobody could have revoked it.
    LedgerUnavailable,
}

/// What a run wrote, by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutputDigest {
    /// SHA-256 of the recording, in hexadecimal.
    pub digest: String,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes that the program wrote beyond the limit and that were not kept.
    pub dropped: u64,
}

/// One run of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    /// For example `exe-9`.
    pub id: String,
    /// For whom.
    pub user: Reference,
    /// Of what, as `Scope\Name`.
    pub task: String,
    /// SHA-256 of the definition that runs, in hexadecimal.
    pub digest: String,
    /// The values it runs with, defaults included; secrets left out.
    pub parameters: Parameters,
    /// What runs, or ran: one string per argument, with `{placeholders}` for secrets; empty where the definition is
    /// not what it was.
    #[serde(default)]
    pub command: Vec<String>,
    /// The account of the target under which it runs, when it is not Brevet's own.
    pub run_as: Option<String>,
    /// Why it was allowed.
    pub basis: Basis,
    /// The authorization, where the basis is one.
    pub authorization: Option<String>,
    /// Whether an account excluded from access control ran it.
    pub flagged: bool,
    /// Where it stands.
    pub state: ExecutionState,
    /// When it started.
    pub started_at: Time,
    /// When it was over.
    pub finished_at: Option<Time>,
    /// Its exit code, when it exited.
    pub exit_code: Option<i32>,
    /// The signal that ended it, when Brevet did not send it.
    pub signal: Option<i32>,
    /// Why it was, or is being, stopped.
    pub stop_cause: Option<StopCause>,
    /// Who stopped it, where somebody did.
    pub stopped_by: Option<Reference>,
    /// What went wrong, in a sentence, when it could not be started.
    pub problem: Option<String>,
    /// What it wrote, once it is over and wrote anything.
    pub output: Option<OutputDigest>,
    /// Whether whoever asks may stop it.
    pub may_stop: bool,
    /// Which of several servers ran it.
    pub server: Option<String>,
}

/// A run to start.
///
/// With `Accept: text/event-stream` the answer is the stream of the execution. Otherwise it is `201` with the
/// execution as soon as it has started; the run goes on by itself, and `GET /executions/{id}/output` follows it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExecution {
    /// `Scope\Name` or `Scope/Name`.
    #[schema(example = "Linux/Restart-Service")]
    pub task: String,
    /// Values by name.
    #[serde(default)]
    pub parameters: Parameters,
    /// Values of secret parameters by name; written down nowhere.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretText>,
}

/// Where a program wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    /// Its output.
    Stdout,
    /// Its errors.
    Stderr,
}

/// A piece of what a program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutputChunk {
    /// Where.
    pub stream: Stream,
    /// When it was read, in microseconds since the start of the run; never less than in the piece before.
    #[serde(default)]
    pub after_micros: u64,
    /// The bytes, in base64 (RFC 4648, section 4, with padding).
    pub data: String,
}
