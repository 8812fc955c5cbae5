//! Authorizations: what an approved request gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, Binding, Parameters, Reference, Time};

/// Where an authorization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum AuthorizationState {
    /// Not started
    Scheduled,
    /// In its window
    Active,
    /// Over, for good
    Ended,
}

/// How an authorization ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Its time was over, or it was not claimed in time.
    RanOut,
    /// Its holder needed it no more.
    GivenBack,
    /// Somebody took it away.
    Revoked,
    /// Its last run was used.
    UsedUp,
    /// What it was given for is not so any more: person, policy or definition.
    Voided,
}

/// What an approved request gives: the access, its window, its uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Authorization {
    /// For example `aut-7`.
    pub id: String,
    /// Who may use it.
    pub holder: Reference,
    /// What for.
    pub access: Access,
    /// The request it came from.
    pub request: String,
    /// The policy it was given under.
    pub policy: String,
    /// Who approved; nobody where the policy approves by itself.
    pub approved_by: Vec<Reference>,
    /// Parameter values that are the only ones.
    pub parameters: Parameters,
    /// Whether the values not named are free.
    pub binding: Binding,
    /// SHA-256 of the definition that was approved, in hexadecimal.
    pub digest: String,
    /// Where it stands.
    pub state: AuthorizationState,
    /// When it was given.
    pub granted_at: Time,
    /// When its window starts or started; `null` while it waits for its first use.
    pub starts_at: Option<Time>,
    /// When its window ends, or ended; `null` while it waits for its first use.
    pub ends_at: Option<Time>,
    /// Until when the first use must come, where the clock starts at first use.
    pub claim_by: Option<Time>,
    /// How long its window is.
    #[schema(example = "4h")]
    pub duration: String,
    /// The same in seconds.
    pub duration_seconds: i64,
    /// Runs so far.
    pub uses: u32,
    /// Runs in all; any number when `null`.
    pub max_uses: Option<u32>,
    /// When it was over, once it is.
    pub ended_at: Option<Time>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// Who revoked it, if somebody did.
    pub revoked_by: Option<Reference>,
    /// What they said about it.
    pub revocation_comment: Option<String>,
    /// Whether whoever asks may revoke it.
    pub may_revoke: bool,
    /// Whether whoever asks may give it back.
    pub may_give_back: bool,
}

/// Takes an authorization away; what runs under it ends within seconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// Why, for its holder and the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
