//! Tasks, roles and role groups, as their definitions say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Time, Value};

/// The type of a parameter, or of each value of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ParameterType {
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// A typed, constrained input of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: String,
    /// Its type, or the type of each value of the list.
    #[serde(rename = "type")]
    pub(crate) kind: ParameterType,
    /// Whether it is a list.
    pub(crate) list: bool,
    /// Whether a run without it is refused.
    pub(crate) required: bool,
    /// The value when none is given.
    #[schema(value_type = Option<Value>)]
    pub(crate) default: Option<Value>,
    /// Whether its value is written down nowhere.
    pub(crate) secret: bool,
    /// What it is, for people.
    pub(crate) description: String,
    /// The only values there are; any when empty.
    pub(crate) one_of: Vec<Value>,
    /// A pattern that a whole string must match.
    pub(crate) pattern: Option<String>,
    /// The least integer.
    pub(crate) min: Option<i64>,
    /// The greatest integer.
    pub(crate) max: Option<i64>,
    /// The shortest string, in characters.
    pub(crate) min_length: Option<u32>,
    /// The longest string, in characters.
    pub(crate) max_length: Option<u32>,
    /// Whether a string may begin with `-`.
    pub(crate) allow_leading_dash: bool,
}

/// What happens to a run when the authorization ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnExpiry {
    /// It is ended.
    Stop,
    /// It may finish.
    Finish,
}

/// One privileged operation of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Task {
    /// For example `tsk-3`.
    pub(crate) id: String,
    /// `Scope\Name`.
    #[schema(example = "Linux\\Restart-Service")]
    pub(crate) name: String,
    /// The workload.
    pub(crate) scope: String,
    /// What it does, for people.
    pub(crate) description: String,
    /// Its inputs.
    pub(crate) parameters: Vec<Parameter>,
    /// What will run, one string per argument, with `{placeholders}` for the values.
    pub(crate) command: Vec<String>,
    /// The account of the target under which it runs, when it is not Brevet's own.
    pub(crate) run_as: Option<String>,
    /// How long a run may take.
    pub(crate) timeout: String,
    /// The same in seconds.
    pub(crate) timeout_seconds: i64,
    /// What happens to a run when the authorization ends.
    pub(crate) on_expiry: OnExpiry,
    /// Whether a run waits until witnesses have seen that it was allowed.
    pub(crate) witnessed: bool,
    /// SHA-256 of the whole definition, in hexadecimal.
    pub(crate) digest: String,
    /// Whether it is still defined. What is not cannot be asked for or run.
    pub(crate) enabled: bool,
    /// The roles that have it.
    pub(crate) roles: Vec<String>,
    /// The policy that governs it, if one covers it.
    pub(crate) policy: Option<String>,
    /// Whether whoever asks may run it now, with some values.
    pub(crate) may_run: bool,
    /// Whether whoever asks may raise an access request for it.
    pub(crate) may_ask: bool,
    /// The authorization under which they may run it, if it is one.
    pub(crate) authorization: Option<String>,
    /// Until when, if that is known.
    pub(crate) until: Option<Time>,
}

/// A named set of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Role {
    /// For example `rol-1`.
    pub(crate) id: String,
    /// `Scope\Name`.
    pub(crate) name: String,
    /// The workload.
    pub(crate) scope: String,
    /// What it is for.
    pub(crate) description: String,
    /// Its tasks, as `Scope\Name`.
    pub(crate) tasks: Vec<String>,
    /// SHA-256 of the definition and of all its tasks, in hexadecimal.
    pub(crate) digest: String,
    /// Whether it is still defined.
    pub(crate) enabled: bool,
    /// The policy on it, if there is one.
    pub(crate) policy: Option<String>,
    /// Whether whoever asks may raise an access request for it.
    pub(crate) may_ask: bool,
}

/// A named set of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct RoleGroup {
    /// For example `rgr-1`.
    pub(crate) id: String,
    /// `Scope\Name`.
    pub(crate) name: String,
    /// The workload.
    pub(crate) scope: String,
    /// What it is for.
    pub(crate) description: String,
    /// Its roles, as `Scope\Name`.
    pub(crate) roles: Vec<String>,
    /// SHA-256 of the definition and of all its roles, in hexadecimal.
    pub(crate) digest: String,
    /// Whether it is still defined.
    pub(crate) enabled: bool,
    /// The policy on it, if there is one.
    pub(crate) policy: Option<String>,
    /// Whether whoever asks may raise an access request for it.
    pub(crate) may_ask: bool,
}
