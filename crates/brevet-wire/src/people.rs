//! Users and groups.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reference, SecretText, Time};

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// For example `usr-7`.
    pub id: String,
    /// Its name; the id again once the name was erased.
    pub name: String,
    /// How the person is shown.
    pub display_name: Option<String>,
    /// Where mail goes.
    pub email: Option<String>,
    /// The account of the person behind it, where it is a second account or a service's.
    pub owner: Option<Reference>,
    /// May change people, groups, policies, assignments and access control.
    pub administrator: bool,
    /// May read everything, and the ledger.
    pub auditor: bool,
    /// Whether it may do anything at all.
    pub active: bool,
    /// Until when no sign-in is tried, after too many failures.
    pub locked_until: Option<Time>,
    /// The groups it is in.
    pub groups: Vec<Reference>,
}

/// A user account to add. To sign in for the first time, its owner needs a one-time code:
/// `POST /users/{name}/code`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Its name: letters, digits, and `. _ - @`.
    pub name: String,
    /// How the person is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The account of the person behind it, by name or id, where it is a second account or a service's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// May change people, groups, policies, assignments and access control.
    #[serde(default)]
    pub administrator: bool,
    /// May read everything, and the ledger.
    #[serde(default)]
    pub auditor: bool,
}

/// A code by which the owner of an account sets a password, once.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OneTimeCode {
    /// Give it to the person, and to nobody else.
    pub code: SecretText,
    /// Until when it is good.
    pub expires_at: Time,
}

/// A group, whose members decide requests, may ask, or are assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// For example `grp-2`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The address for all of its members.
    pub email: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Who is in it. Nobody, when empty and shown; in a list of groups the first 10, by account.
    pub members: Vec<Reference>,
    /// How many are in it; 0 where that is not shown.
    #[serde(default)]
    pub member_count: usize,
    /// Whether its members and its address are shown: to members, administrators and auditors only.
    #[serde(default)]
    pub members_shown: bool,
}

/// A group to create.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Its name: letters, digits, spaces, and `. _ - @`.
    pub name: String,
    /// The address for all of its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A member to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// Who, by name or id.
    pub user: String,
}
