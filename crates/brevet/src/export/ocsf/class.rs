//! Which class and activity an event is. A new kind of event does not compile before it has its place here.

use brevet_core::{Assignment, Event, Principal, Verdict};

/// A class of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    AccountChange,
    Authentication,
    AuthorizeSession,
    EntityManagement,
    UserAccess,
    GroupManagement,
    ApiActivity,
}

/// "Other": an activity that the class has no number for, and that is named.
const OTHER: u8 = 99;

impl Class {
    pub(super) const fn uid(self) -> u32 {
        match self {
            Self::AccountChange => 3001,
            Self::Authentication => 3002,
            Self::AuthorizeSession => 3003,
            Self::EntityManagement => 3004,
            Self::UserAccess => 3005,
            Self::GroupManagement => 3006,
            Self::ApiActivity => 6003,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::AuthorizeSession => "Authorize Session",
            Self::EntityManagement => "Entity Management",
            Self::UserAccess => "User Access Management",
            Self::GroupManagement => "Group Management",
            Self::ApiActivity => "API Activity",
        }
    }

    pub(super) const fn category(self) -> u32 {
        self.uid() / 1_000
    }

    pub(super) const fn category_name(self) -> &'static str {
        match self {
            Self::ApiActivity => "Application Activity",
            Self::AccountChange
            | Self::Authentication
            | Self::AuthorizeSession
            | Self::EntityManagement
            | Self::UserAccess
            | Self::GroupManagement => "Identity & Access Management",
        }
    }
}

/// Class, activity and the caption of the activity.
pub(super) const fn of(event: &Event) -> (Class, u8, &'static str) {
    use Class as C;
    match event {
        Event::LedgerOpened { .. } | Event::LedgerRecovered { .. } => (C::ApiActivity, 1, "Create"),
        Event::LedgerRead { .. } => (C::ApiActivity, 2, "Read"),
        Event::KeyRotated { .. }
        | Event::ArchiveRequested { .. }
        | Event::Archived { .. }
        | Event::ArchiveCancelled {} => (C::ApiActivity, 3, "Update"),
        Event::TextsErased { .. } => (C::ApiActivity, 4, "Delete"),
        Event::ServerStarted { .. } => (C::ApiActivity, OTHER, "Start"),
        Event::ServerStopped { .. } => (C::ApiActivity, OTHER, "Stop"),
        Event::ServerLost { .. } => (C::ApiActivity, OTHER, "Lose"),
        Event::Heartbeat { .. } => (C::ApiActivity, OTHER, "Heartbeat"),
        Event::ClockStepped { .. } => (C::ApiActivity, OTHER, "Clock Step"),
        Event::UserAdded { .. } => (C::AccountChange, 1, "Create"),
        Event::UserEnabled { .. } => (C::AccountChange, 2, "Enable"),
        Event::PasswordSet { .. } => (C::AccountChange, 3, "Password Change"),
        Event::CodeIssued { .. } => (C::AccountChange, 4, "Password Reset"),
        Event::UserDisabled { .. } => (C::AccountChange, 5, "Disable"),
        Event::SignedIn { .. } | Event::SignInFailed { .. } => (C::Authentication, 1, "Logon"),
        Event::SignedOut { .. } => (C::Authentication, 2, "Logoff"),
        Event::MemberAdded { .. } => (C::GroupManagement, 3, "Add User"),
        Event::MemberRemoved { .. } => (C::GroupManagement, 4, "Remove User"),
        Event::GroupDeleted { .. } => (C::GroupManagement, 5, "Delete"),
        Event::GroupCreated { .. } => (C::GroupManagement, 6, "Create"),
        Event::AssignmentAdded { assignment: Assignment { principal: Principal::Group(_), .. } } => {
            (C::GroupManagement, 1, "Assign Privileges")
        }
        Event::AssignmentAdded { assignment: Assignment { principal: Principal::User(_), .. } }
        | Event::AuthorizationGranted { .. } => (C::UserAccess, 1, "Assign Privileges"),
        Event::AuthorizationEnded { .. } => (C::UserAccess, 2, "Revoke Privileges"),
        Event::AuthorizationExtended { .. } => (C::UserAccess, OTHER, "Extend Privileges"),
        Event::RequestSubmitted { .. } => (C::UserAccess, OTHER, "Request Privileges"),
        Event::RequestDecided { verdict: Verdict::Approve, .. } => (C::UserAccess, OTHER, "Approve Request"),
        Event::RequestDecided { verdict: Verdict::Deny, .. } => (C::UserAccess, OTHER, "Deny Request"),
        Event::RequestExpired { .. } => (C::UserAccess, OTHER, "Expire Request"),
        Event::RequestCancelled { .. } => (C::UserAccess, OTHER, "Cancel Request"),
        Event::AuthorizationStarted { .. } => (C::AuthorizeSession, 1, "Assign Privileges"),
        Event::PolicyCreated { .. } => (C::EntityManagement, 1, "Create"),
        Event::PolicyChanged { .. }
        | Event::TaskDefined { .. }
        | Event::RoleDefined { .. }
        | Event::RoleGroupDefined { .. } => (C::EntityManagement, 3, "Update"),
        Event::PolicyRemoved { .. }
        | Event::AssignmentRemoved { .. }
        | Event::TaskRemoved { .. }
        | Event::RoleRemoved { .. }
        | Event::RoleGroupRemoved { .. } => (C::EntityManagement, 4, "Delete"),
        Event::AccessControlEnabled { .. } => (C::EntityManagement, 8, "Enable"),
        Event::AccessControlDisabled {} => (C::EntityManagement, 9, "Disable"),
        Event::ExecutionStarted { .. } => (C::ApiActivity, OTHER, "Execute"),
        Event::ExecutionStopRequested { .. } => (C::ApiActivity, OTHER, "Stop Execution"),
        Event::ExecutionFinished { .. } => (C::ApiActivity, OTHER, "Finish Execution"),
        Event::RunRefused { .. } => (C::ApiActivity, OTHER, "Refuse Execution"),
    }
}
