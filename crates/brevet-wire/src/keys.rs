//! The keys that sign the ledger.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{KeyHandover, Time};

/// Changes the key that signs the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// For how long the old key signs too: a day when left out, at most 90 days, 0 when it was stolen.
    pub overlap_seconds: Option<u64>,
    /// The label of the new key on the token; the one in the settings when left out.
    pub token_key: Option<String>,
    /// Whether the new key is made in a file of the data folder although the settings have a token. Not together with
    /// `token_key`.
    #[serde(default)]
    pub to_file: bool,
}

/// The keys that sign the ledger, and how they came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerKeys {
    /// The name of the ledger.
    pub origin: String,
    /// The verifier keys that sign checkpoints now, the current one first.
    pub keys: Vec<String>,
    /// Until when others than the first one do.
    pub overlap_until: Option<Time>,
    /// Every change of the key, the oldest first, each with its proof.
    pub handovers: Vec<KeyHandover>,
}
