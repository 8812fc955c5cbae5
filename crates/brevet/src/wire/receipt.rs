//! Proofs about the ledger, for those who do not trust who wrote it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That the ledger of one size is the beginning of that of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Consistency {
    /// The smaller size.
    pub(crate) old: u64,
    /// The larger size.
    pub(crate) new: u64,
    /// The consistency proof of RFC 6962 section 2.1.2, each hash in base64.
    pub(crate) hashes: Vec<String>,
    /// The checkpoint over the larger size, a signed note, where that is the newest.
    pub(crate) checkpoint: Option<String>,
}

/// That an entry is in the ledger, and what it takes to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Receipt {
    /// The entry.
    pub(crate) index: u64,
    /// The bytes of the entry, in base64; `null` once it was archived.
    pub(crate) entry: Option<String>,
    /// The receipt, with the checkpoint it leads to (C2SP tlog-proof). Its extra data are the bytes of the entry.
    pub(crate) proof: String,
    /// The size that was asked about, where the ledger ever had it.
    pub(crate) kept: Option<u64>,
    /// The consistency proof between that size and the size of the checkpoint of the receipt, from the smaller to the
    /// larger; `null` where the ledger never had that size, or nothing was asked.
    pub(crate) consistency: Option<Vec<String>>,
    /// The name of the ledger.
    pub(crate) origin: String,
    /// The verifier keys by which its checkpoints are signed now.
    pub(crate) keys: Vec<String>,
    /// How earlier keys handed over to these, the oldest first.
    pub(crate) handovers: Vec<KeyHandover>,
}

/// One change of the signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct KeyHandover {
    /// The bytes of the entry `ledger.key-rotated`, in base64.
    pub(crate) entry: String,
    /// Its receipt, under a checkpoint that both keys signed.
    pub(crate) proof: String,
}
