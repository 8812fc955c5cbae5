//! Users and groups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reference, SecretText, Time};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct User {
    /// For example `usr-7`.
    pub(crate) id: String,
    /// Its name; the id again once the name was erased.
    pub(crate) name: String,
    /// How the person is shown.
    pub(crate) display_name: Option<String>,
    /// Where mail goes.
    pub(crate) email: Option<String>,
    /// The account of the person behind it, where it is a second account or a service's.
    pub(crate) owner: Option<Reference>,
    /// May change people, groups, policies, assignments and access control.
    pub(crate) administrator: bool,
    /// May read everything, and the ledger.
    pub(crate) auditor: bool,
    /// Whether it may do anything at all.
    pub(crate) active: bool,
    /// Until when no sign-in is tried, after too many failures.
    pub(crate) locked_until: Option<Time>,
    /// The groups it is in.
    pub(crate) groups: Vec<Reference>,
}

/// A user account to add. To sign in for the first time, its owner needs a one-time code:
/// `POST /users/{name}/code`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// Its name: letters, digits, and `. _ - @`.
    pub(crate) name: String,
    /// How the person is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// Where mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// The account of the person behind it, by name or id, where it is a second account or a service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    /// May change people, groups, policies, assignments and access control.
    #[serde(default)]
    pub(crate) administrator: bool,
    /// May read everything, and the ledger.
    #[serde(default)]
    pub(crate) auditor: bool,
}

/// A code by which the owner of an account sets a password, once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct OneTimeCode {
    /// Give it to the person, and to nobody else.
    pub(crate) code: SecretText,
    /// Until when it is good.
    pub(crate) expires_at: Time,
}

/// A group, whose members decide requests, may ask, or are assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Group {
    /// For example `grp-2`.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The address for all of its members.
    pub(crate) email: Option<String>,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Who is in it. Nobody, when empty and shown.
    pub(crate) members: Vec<Reference>,
    /// Whether its members and its address are shown: to members, administrators and auditors only.
    #[serde(default)]
    pub(crate) members_shown: bool,
}

/// A group to create.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    /// Its name: letters, digits, spaces, and `. _ - @`.
    pub(crate) name: String,
    /// The address for all of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// A member to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMember {
    /// Who, by name or id.
    pub(crate) user: String,
}
