//! The words that pages use for what the API's types say.

use brevet_wire::{Access, AccessType, AuthorizationState, RequestStatus};

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
