//! The ledger, for those who read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

/// Who caused an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// For example `usr-7`; `null` for Brevet itself.
    pub id: Option<String>,
    /// The name of the account, its id once the name was erased; `system` for Brevet itself.
    pub name: String,
}

/// One record of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its place in the ledger, from 0.
    pub index: u64,
    /// When; never before the entry before it.
    pub time: Time,
    /// Who caused it.
    pub actor: AuditActor,
    /// In which session, for people.
    pub session: Option<String>,
    /// What happened, for example `request.submitted`.
    #[schema(example = "request.submitted")]
    pub kind: String,
    /// The version of the kind.
    pub version: u16,
    /// What happened, in a sentence.
    pub summary: String,
    /// The request it is about, if it is about one.
    pub request: Option<String>,
    /// The authorization it is about.
    pub authorization: Option<String>,
    /// The execution it is about.
    pub execution: Option<String>,
    /// The task it is about, as `Scope\Name`.
    pub task: Option<String>,
    /// How what it tells of came out, where it says so: `approved`, `denied`, `expired`, `cancelled`, `granted`,
    /// `ran-out`, `given-back`, `revoked`, `used-up`, `voided`, `succeeded`, `failed`, `stopped`, `unknown` or
    /// `refused`.
    #[schema(example = "approved")]
    pub outcome: Option<String>,
    /// Whether an account excluded from access control acted.
    pub flagged: bool,
    /// All that the entry says, by the names of its fields. A text that was erased is `null`.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// The hash of its leaf in the Merkle tree, in hexadecimal.
    pub leaf_hash: String,
}

/// The newest signed statement of how long the ledger is and what its root hash is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checkpoint {
    /// The name of the ledger.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// The root hash of the tree of these entries, in base64 as in the note.
    pub root: String,
    /// When it was signed, where that is known.
    pub time: Option<Time>,
    /// The signed note itself (C2SP tlog-checkpoint), to keep and to give to others.
    pub note: String,
}

/// A proof that an entry is in the ledger, which verifies offline (C2SP tlog-proof).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditProof {
    /// The entry.
    pub index: u64,
    /// The proof, with the checkpoint it leads to.
    pub proof: String,
    /// The bytes of the entry, in base64: what the proof is about.
    pub entry: String,
}
