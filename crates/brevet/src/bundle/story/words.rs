//! Small sentences.

use brevet_core::{ExecutionResult, Parameters, Text, escape_for_display};

/// A text in quotes; what was erased or never given is said so.
pub(super) fn quoted(text: &Text) -> String {
    match (text.as_str(), text.was_given()) {
        (Some(text), _) => format!("\"{}\"", escape_for_display(text)),
        (None, true) => "(erased)".to_owned(),
        (None, false) => "(no comment)".to_owned(),
    }
}

/// Values by name, behind some words; nothing when there are none.
pub(super) fn values(before: &str, values: &Parameters) -> String {
    if values.is_empty() {
        return String::new();
    }
    let shown =
        values.iter().map(|(name, value)| format!("{name}={}", escape_for_display(&value.to_string())));
    format!("{before}{}", shown.collect::<Vec<_>>().join(", "))
}

pub(super) fn result(how: &ExecutionResult) -> String {
    match how {
        ExecutionResult::Succeeded => "succeeded".to_owned(),
        ExecutionResult::Failed { code } => format!("failed with exit code {code}"),
        ExecutionResult::Killed { signal } => format!("was ended by signal {signal}"),
        ExecutionResult::NotStarted { why } => format!("could not be started: {}", escape_for_display(why)),
        ExecutionResult::Stopped(_) => "was stopped".to_owned(),
        ExecutionResult::Unknown => "has an unknown end: the server went down while it ran".to_owned(),
    }
}
