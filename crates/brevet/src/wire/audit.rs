//! The ledger, for those who read it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;

/// Who caused an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditActor {
    /// For example `usr-7`; `null` for Brevet itself.
    pub(crate) id: Option<String>,
    /// The name of the account, its id once the name was erased; `system` for Brevet itself.
    pub(crate) name: String,
}

/// One record of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditEntry {
    /// Its place in the ledger, from 0.
    pub(crate) index: u64,
    /// When; never before the entry before it.
    pub(crate) time: Time,
    /// Who caused it.
    pub(crate) actor: AuditActor,
    /// In which session, for people.
    pub(crate) session: Option<String>,
    /// What happened, for example `request.submitted`.
    #[schema(example = "request.submitted")]
    pub(crate) kind: String,
    /// The version of the kind.
    pub(crate) version: u16,
    /// What happened, in a sentence.
    pub(crate) summary: String,
    /// The request it is about, if it is about one.
    pub(crate) request: Option<String>,
    /// The authorization it is about.
    pub(crate) authorization: Option<String>,
    /// The execution it is about.
    pub(crate) execution: Option<String>,
    /// The task it is about, as `Scope\Name`.
    pub(crate) task: Option<String>,
    /// How what it tells of came out, where it says so: `approved`, `denied`, `expired`, `cancelled`, `granted`,
    /// `ran-out`, `given-back`, `revoked`, `used-up`, `voided`, `succeeded`, `failed`, `stopped`, `unknown` or
    /// `refused`.
    #[schema(example = "approved")]
    pub(crate) outcome: Option<String>,
    /// Whether an account excluded from access control acted.
    pub(crate) flagged: bool,
    /// All that the entry says, by the names of its fields. A text that was erased is `null`.
    #[schema(value_type = Object)]
    pub(crate) details: serde_json::Value,
    /// The hash of its leaf in the Merkle tree, in hexadecimal.
    pub(crate) leaf_hash: String,
}

/// The newest signed statement of how long the ledger is and what its root hash is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Checkpoint {
    /// The name of the ledger.
    pub(crate) origin: String,
    /// How many entries it covers.
    pub(crate) size: u64,
    /// The root hash of the tree of these entries, in base64 as in the note.
    pub(crate) root: String,
    /// When it was signed, where that is known.
    pub(crate) time: Option<Time>,
    /// The signed note itself (C2SP tlog-checkpoint), to keep and to give to others.
    pub(crate) note: String,
}

/// A proof that an entry is in the ledger, which verifies offline (C2SP tlog-proof).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditProof {
    /// The entry.
    pub(crate) index: u64,
    /// The proof, with the checkpoint it leads to.
    pub(crate) proof: String,
    /// The bytes of the entry, in base64: what the proof is about.
    pub(crate) entry: String,
}
