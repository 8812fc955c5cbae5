//! Tasks, roles and role groups, as their definitions say.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Time, Value};

/// The type of a parameter, or of each value of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterType {
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// A typed, constrained input of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type, or the type of each value of the list.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Whether it is a list.
    pub list: bool,
    /// Whether a run without it is refused.
    pub required: bool,
    /// The value when none is given.
    #[schema(value_type = Option<Value>)]
    pub default: Option<Value>,
    /// Whether its value is written down nowhere.
    pub secret: bool,
    /// What it is, for people.
    pub description: String,
    /// The only values there are; any when empty.
    pub one_of: Vec<Value>,
    /// A pattern that a whole string must match.
    pub pattern: Option<String>,
    /// The least integer.
    pub min: Option<i64>,
    /// The greatest integer.
    pub max: Option<i64>,
    /// The shortest string, in characters.
    pub min_length: Option<u32>,
    /// The longest string, in characters.
    pub max_length: Option<u32>,
    /// Whether a string may begin with `-`.
    pub allow_leading_dash: bool,
}

/// What happens to a run when the authorization ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnExpiry {
    /// It is ended.
    Stop,
    /// It may finish.
    Finish,
}

/// One privileged operation of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// For example `tsk-3`.
    pub id: String,
    /// `Scope\Name`.
    #[schema(example = "Linux\\Restart-Service")]
    pub name: String,
    /// The workload.
    pub scope: String,
    /// What it does, for people.
    pub description: String,
    /// Its inputs.
    pub parameters: Vec<Parameter>,
    /// What will run, one string per argument, with `{placeholders}` for the values.
    pub command: Vec<String>,
    /// The account of the target under which it runs, when it is not Brevet's own.
    pub run_as: Option<String>,
    /// How long a run may take.
    pub timeout: String,
    /// The same in seconds.
    pub timeout_seconds: i64,
    /// What happens to a run when the authorization ends.
    pub on_expiry: OnExpiry,
    /// Whether a run waits until witnesses have seen that it was allowed.
    pub witnessed: bool,
    /// SHA-256 of the whole definition, in hexadecimal.
    pub digest: String,
    /// Whether it is still defined. What is not cannot be asked for or run.
    pub enabled: bool,
    /// The roles that have it.
    pub roles: Vec<String>,
    /// The policy that governs it, if one covers it.
    pub policy: Option<String>,
    /// Whether whoever asks may run it now, with some values.
    pub may_run: bool,
    /// Whether whoever asks may raise an access request for it.
    pub may_ask: bool,
    /// The authorization under which they may run it, if it is one.
    pub authorization: Option<String>,
    /// Every authorization under which they may run it, for one set of values or another, by id.
    #[serde(default)]
    pub authorizations: Vec<String>,
    /// Until when, if that is known.
    pub until: Option<Time>,
}

/// A named set of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// For example `rol-1`.
    pub id: String,
    /// `Scope\Name`.
    pub name: String,
    /// The workload.
    pub scope: String,
    /// What it is for.
    pub description: String,
    /// Its tasks, as `Scope\Name`.
    pub tasks: Vec<String>,
    /// SHA-256 of the definition and of all its tasks, in hexadecimal.
    pub digest: String,
    /// Whether it is still defined.
    pub enabled: bool,
    /// The policy on it, if there is one.
    pub policy: Option<String>,
    /// Whether whoever asks may raise an access request for it.
    pub may_ask: bool,
}

/// A named set of roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleGroup {
    /// For example `rgr-1`.
    pub id: String,
    /// `Scope\Name`.
    pub name: String,
    /// The workload.
    pub scope: String,
    /// What it is for.
    pub description: String,
    /// Its roles, as `Scope\Name`.
    pub roles: Vec<String>,
    /// SHA-256 of the definition and of all its roles, in hexadecimal.
    pub digest: String,
    /// Whether it is still defined.
    pub enabled: bool,
    /// The policy on it, if there is one.
    pub policy: Option<String>,
    /// Whether whoever asks may raise an access request for it.
    pub may_ask: bool,
}
