//! How an event went, and how much it matters to somebody who watches.

use brevet_core::{Basis, Event, ExecutionResult};

/// Severity of the schema: number and caption.
pub(super) const fn severity(event: &Event) -> (u8, &'static str) {
    match event {
        // Somebody worked without an approval, or the protection itself changed.
        Event::ExecutionStarted { basis: Basis::SystemAccount, .. }
        | Event::AccessControlDisabled {}
        | Event::LedgerRecovered { .. } => (4, "High"),
        Event::RunRefused { .. }
        | Event::SignInFailed { locked_until: Some(_), .. }
        | Event::ExecutionFinished { result: ExecutionResult::Unknown, .. }
        | Event::KeyRotated { .. }
        | Event::TextsErased { .. }
        | Event::Archived { .. }
        | Event::ClockStepped { .. } => (3, "Medium"),
        Event::SignInFailed { .. }
        | Event::ArchiveRequested { .. }
        | Event::AccessControlEnabled { .. }
        | Event::PolicyCreated { .. }
        | Event::PolicyChanged { .. }
        | Event::PolicyRemoved { .. } => (2, "Low"),
        _ => (1, "Informational"),
    }
}

/// Severity of syslog (RFC 5424, section 6.2.1): 4 warning, 5 notice, 6 informational.
pub(crate) const fn syslog_severity(event: &Event) -> u8 {
    match severity(event).0 {
        1 => 6,
        2 => 5,
        _ => 4,
    }
}

/// Status of the schema: number and caption.
pub(super) const fn status(event: &Event) -> (u8, &'static str) {
    match event {
        Event::SignInFailed { .. } | Event::RunRefused { .. } => (2, "Failure"),
        Event::ExecutionFinished { result, .. } => match result {
            ExecutionResult::Succeeded => (1, "Success"),
            ExecutionResult::Unknown => (0, "Unknown"),
            ExecutionResult::Failed { .. }
            | ExecutionResult::Killed { .. }
            | ExecutionResult::NotStarted { .. }
            | ExecutionResult::Stopped(_) => (2, "Failure"),
        },
        _ => (1, "Success"),
    }
}

/// Why it failed, where the event says so.
pub(super) fn status_detail(event: &Event) -> Option<&str> {
    match event {
        Event::SignInFailed { locked_until: Some(_), .. } => Some("ACCOUNT_LOCKED_OUT"),
        Event::SignInFailed { locked_until: None, .. } => Some("INVALID_CREDENTIALS"),
        Event::RunRefused { why, .. } => Some(why),
        Event::ExecutionFinished { result: ExecutionResult::NotStarted { why }, .. } => Some(why),
        _ => None,
    }
}
