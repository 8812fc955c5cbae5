//! Errors (RFC 9457), and the way out of a refusal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Parameters;

/// Reasons that readers act on. All others are the codes of `brevet_core::Refusal`.
pub mod reason {
    /// An access request is needed; the problem has a way out.
    pub const NEEDS_APPROVAL: &str = "needs-approval";
    /// No session, or one that is over.
    pub const NOT_SIGNED_IN: &str = "not-signed-in";
    /// Somebody else changed it since the caller saw it.
    pub const CHANGED: &str = "changed";
    /// Nobody knows whether it was done.
    pub const OUTCOME_UNKNOWN: &str = "outcome-unknown";
    /// This server knows less of the ledger than the caller has seen.
    pub const BEHIND: &str = "behind";
    /// The ledger never had as many entries as were asked about.
    pub const NEVER_SO_LONG: &str = "never-so-long";
}

/// Why something was refused or failed. `application/problem+json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable URI for the kind of problem.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The kind of problem, in a few words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What went wrong and what to do about it, in a sentence.
    #[serde(default)]
    pub detail: String,
    /// For refusals, a stable name of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "needs-approval")]
    pub reason: Option<String>,
    /// Where an approval is needed, how to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<WayOut>,
    /// Where parameter values are not as the definition demands, every one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<BadParameter>,
}

/// What is wrong with the value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BadParameter {
    /// Which.
    pub name: String,
    /// What, after the name, for example "must be a whole number".
    pub problem: String,
}

/// How a person can get what was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WayOut {
    /// What to ask for, as `Scope\Name`.
    pub task: String,
    /// The policy that governs it.
    pub policy: String,
    /// The groups whose members decide, by name; none where the policy approves by itself.
    pub approver_groups: Vec<String>,
    /// Why what the person already holds does not do, one sentence each.
    pub held: Vec<String>,
    /// The exact command that asks, for a POSIX shell.
    pub ask: String,
}

/// The command that asks for a task with these values, ready to be pasted into a POSIX shell.
pub fn ask_command(task: &str, parameters: &Parameters) -> String {
    use std::fmt::Write as _;

    let mut command = format!("brevet request new --task {}", quoted(&task.replace('\\', "/")));
    for (name, value) in parameters {
        let each = match value {
            super::Value::List(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in each {
            let _ = write!(command, " -p {}", quoted(&format!("{name}={value}")));
        }
    }
    command.push_str(" --reason \"WHY\"");
    command
}

/// One word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@%+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::super::{Parameters, Value};
    use super::{Problem, ask_command};

    #[test]
    fn the_command_that_asks_survives_a_shell() {
        let values = Parameters::from([
            ("hosts".to_owned(), Value::List(vec![Value::Text("a".into()), Value::Text("b c".into())])),
            ("unit".to_owned(), Value::Text("it's; rm".into())),
        ]);
        assert_eq!(
            ask_command("Linux\\Restart-Service", &values),
            r#"brevet request new --task Linux/Restart-Service -p hosts=a -p 'hosts=b c' -p 'unit=it'\''s; rm' --reason "WHY""#
        );
    }

    #[test]
    fn a_problem_of_another_maker_is_still_read() {
        let problem: Problem = serde_json::from_str(r#"{"title": "Bad Gateway", "extra": 1}"#).unwrap();
        assert_eq!(problem.title, "Bad Gateway");
        assert_eq!(problem.way_out, None);
    }
}
