//! Signing in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SecretText, Time, User};

/// Whether the server is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`; a server that cannot work answers with a problem.
    pub(crate) status: String,
    /// Its version.
    pub(crate) version: String,
    /// Whether the first administrator is still to be created, with the one-time code that the server
    /// printed at its start.
    pub(crate) needs_setup: bool,
    /// Whether enough witnesses outside the server have seen its ledger: `none` asked, `waiting` or `ok`.
    pub(crate) witnesses: String,
}

/// Creates the first administrator, and signs in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetUp {
    /// The one-time code that the server printed at its first start.
    pub(crate) code: SecretText,
    /// The name of the account.
    pub(crate) name: String,
    /// Its password.
    pub(crate) password: SecretText,
    /// How the person is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
    /// Where mail goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
}

/// Signs in; with a one-time code, `password` is the new password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The name of the account.
    pub(crate) name: String,
    /// Its password; with a code, the one that it shall have from now on.
    pub(crate) password: SecretText,
    /// A one-time code from an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<SecretText>,
}

/// A session that has begun.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(crate) struct Session {
    /// For `Authorization: Bearer`.
    pub(crate) token: SecretText,
    /// Who is signed in.
    pub(crate) user: User,
    /// When it ends in any case.
    pub(crate) expires_at: Time,
    /// It ends earlier when nothing is asked for so long, in seconds.
    pub(crate) idle_seconds: i64,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct WhoAmI {
    /// The account.
    pub(crate) user: User,
    /// The session, for example `ses-12`.
    pub(crate) session: String,
    /// When the session ends in any case.
    pub(crate) expires_at: Time,
    /// It ends earlier when nothing is asked for so long, in seconds.
    pub(crate) idle_seconds: i64,
    /// What the server cannot prove to somebody who does not trust its operator.
    pub(crate) warning: Option<String>,
}

/// Sets another password.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The password as it is.
    pub(crate) current: SecretText,
    /// The password as it shall be.
    pub(crate) new: SecretText,
}
