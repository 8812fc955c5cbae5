//! The words that pages use for what the API's types say.

use brevet_wire::{
    Access, AccessType, AuthorizationState, Basis, Ending, Execution, ExecutionState, RequestStatus,
    StopCause, Uncovered, User,
};

/// A word and how it looks: `good`, `wait`, `bad`, or nothing of these.
pub(crate) struct Status {
    pub(crate) word: &'static str,
    pub(crate) tone: &'static str,
}

/// Where a request stands.
pub(crate) const fn request_status(status: &RequestStatus) -> Status {
    let (word, tone) = match status {
        RequestStatus::Pending => ("Pending", "wait"),
        RequestStatus::Approved => ("Approved", "good"),
        RequestStatus::Denied => ("Denied", "bad"),
        RequestStatus::Expired => ("Expired", ""),
        RequestStatus::Cancelled => ("Cancelled", ""),
    };
    Status { word, tone }
}

/// Where an authorization stands.
pub(crate) const fn authorization_state(state: &AuthorizationState) -> Status {
    let (word, tone) = match state {
        AuthorizationState::Scheduled => ("Scheduled", "wait"),
        AuthorizationState::Active => ("Active", "good"),
        AuthorizationState::Ended => ("Ended", ""),
    };
    Status { word, tone }
}

/// What kind of thing can be asked for.
pub(crate) const fn access_type(access: &Access) -> &'static str {
    match access.kind {
        AccessType::Task => "Task",
        AccessType::Role => "Role",
        AccessType::RoleGroup => "Role group",
    }
}

/// How a run stands, or ended.
pub(crate) const fn outcome(execution: &Execution) -> Status {
    let (word, tone) = match execution.state {
        ExecutionState::Running if execution.stop_cause.is_some() => ("Stopping", "wait"),
        ExecutionState::Running => ("Running", "wait"),
        ExecutionState::Succeeded => ("Succeeded", "good"),
        ExecutionState::Failed => ("Failed", "bad"),
        ExecutionState::Stopped => ("Stopped", "bad"),
        ExecutionState::Unknown => ("Unknown", "bad"),
    };
    Status { word, tone }
}

/// Why a run was, or is being, ended before its own end.
pub(crate) const fn stop_cause(cause: &StopCause) -> &'static str {
    match cause {
        StopCause::Revoked => "its authorization was taken away",
        StopCause::Expired => "its window ended",
        StopCause::TimedOut => "it took longer than its task allows",
        StopCause::ByUser => "somebody stopped it",
        StopCause::Shutdown => "the server was stopped",
        StopCause::LedgerUnavailable => "nothing could be put on record any more",
    }
}

/// Why a run was allowed.
pub(crate) const fn basis(basis: &Basis) -> &'static str {
    match basis {
        Basis::Authorization => "An authorization",
        Basis::SystemAccount => "A system account, excluded from access control",
        Basis::AccessControlOff => "Access control was off, and the person assigned",
        Basis::Uncovered => "No policy covers the task, and the person is assigned",
    }
}

/// How an authorization ended.
pub(crate) const fn ending(ending: &Ending) -> &'static str {
    match ending {
        Ending::RanOut => "It ran out",
        Ending::GivenBack => "Given back",
        Ending::Revoked => "Revoked",
        Ending::UsedUp => "Its last run was used",
        Ending::Voided => "Voided: person, policy or definition is not what it was",
    }
}

/// Below which path the kind of thing has its pages.
pub(crate) const fn access_path(access: &Access) -> &'static str {
    match access.kind {
        AccessType::Task => "tasks",
        AccessType::Role => "roles",
        AccessType::RoleGroup => "role-groups",
    }
}

/// Whether an account may do anything.
pub(crate) const fn account_state(user: &User) -> Status {
    let (word, tone) = match (user.active, &user.locked_until) {
        (false, _) => ("Disabled", "bad"),
        (true, Some(_)) => ("Locked", "wait"),
        (true, None) => ("Active", "good"),
    };
    Status { word, tone }
}

/// What an account may do without asking.
pub(crate) const fn standing(user: &User) -> &'static str {
    match (user.administrator, user.auditor) {
        (true, true) => "Administrator and auditor",
        (true, false) => "Administrator",
        (false, true) => "Auditor",
        (false, false) => "None",
    }
}

/// What happens to tasks that no policy covers.
pub(crate) const fn uncovered(uncovered: &Uncovered) -> &'static str {
    match uncovered {
        Uncovered::Refused => "nobody may run them",
        Uncovered::Assigned => "those assigned may run them",
    }
}
