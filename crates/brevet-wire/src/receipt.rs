//! Proofs about the ledger, for those who do not trust who wrote it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That the ledger of one size is the beginning of that of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consistency {
    /// The smaller size.
    pub old: u64,
    /// The larger size.
    pub new: u64,
    /// The consistency proof of RFC 6962 section 2.1.2, each hash in base64.
    pub hashes: Vec<String>,
    /// The checkpoint over the larger size, a signed note, where that is the newest.
    pub checkpoint: Option<String>,
}

/// How long the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// How many entries it has.
    pub size: u64,
}

/// That an entry is in the ledger, and what it takes to check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The entry.
    pub index: u64,
    /// The bytes of the entry, in base64; `null` once it was archived.
    pub entry: Option<String>,
    /// The receipt, with the checkpoint it leads to (C2SP tlog-proof). Its extra data are the bytes of the entry.
    pub proof: String,
    /// The size that was asked about, where the ledger ever had it.
    pub kept: Option<u64>,
    /// The consistency proof between that size and the size of the checkpoint of the receipt, from the smaller to the
    /// larger; `null` where the ledger never had that size, or nothing was asked.
    pub consistency: Option<Vec<String>>,
    /// The name of the ledger.
    pub origin: String,
    /// The verifier keys by which its checkpoints are signed now.
    pub keys: Vec<String>,
    /// How earlier keys handed over to these, the oldest first.
    pub handovers: Vec<KeyHandover>,
}

/// One change of the signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyHandover {
    /// The bytes of the entry `ledger.key-rotated`, in base64.
    pub entry: String,
    /// Its receipt, under a checkpoint that both keys signed.
    pub proof: String,
}
