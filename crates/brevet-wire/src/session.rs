//! Signing in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SecretText, Time, User};

/// Whether the server is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `ok`; a server that cannot work answers with a problem.
    pub status: String,
    /// Its version.
    pub version: String,
    /// Whether the first administrator is still to be created, with the one-time code that the server
    /// printed at its start.
    pub needs_setup: bool,
    /// Whether enough witnesses outside the server have seen its ledger: `none` asked, `waiting` or `ok`.
    pub witnesses: String,
}

/// Creates the first administrator, and signs in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The one-time code that the server printed at its first start.
    pub code: SecretText,
    /// The name of the account.
    pub name: String,
    /// Its password.
    pub password: SecretText,
    /// How the person is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Signs in; with a one-time code, `password` is the new password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The name of the account.
    pub name: String,
    /// Its password; with a code, the one that it shall have from now on.
    pub password: SecretText,
    /// A one-time code from an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<SecretText>,
}

/// A session that has begun.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// For `Authorization: Bearer`.
    pub token: SecretText,
    /// Who is signed in.
    pub user: User,
    /// When it ends in any case.
    pub expires_at: Time,
    /// It ends earlier when nothing is asked for so long, in seconds.
    pub idle_seconds: i64,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// The account.
    pub user: User,
    /// The session, for example `ses-12`.
    pub session: String,
    /// When the session ends in any case.
    pub expires_at: Time,
    /// It ends earlier when nothing is asked for so long, in seconds.
    pub idle_seconds: i64,
    /// How many requests wait for their decision; counted up to 100.
    #[serde(default)]
    pub waiting: usize,
    /// What the server cannot prove to somebody who does not trust its operator.
    pub warning: Option<String>,
}

/// Sets another password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The password as it is.
    pub current: SecretText,
    /// The password as it shall be.
    pub new: SecretText,
}
