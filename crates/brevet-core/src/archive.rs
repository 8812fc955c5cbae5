//! Which entries have left the database for an archive file, and which somebody wants to.

use minicbor::{Decode, Encode};

use crate::id::UserId;
use crate::time::Timestamp;

/// How far the ledger is in archive files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Archive {
    /// The entries before this index are.
    #[n(0)]
    pub size: u64,
    /// What somebody asked for, until a second person agrees.
    #[n(1)]
    pub asked: Option<ArchiveRequest>,
}

/// An archive that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ArchiveRequest {
    /// By whom.
    #[n(0)]
    pub by: UserId,
    /// The entries before this index.
    #[n(1)]
    pub size: u64,
    /// All of them older than this.
    #[n(2)]
    pub before: Timestamp,
    /// When it was asked for.
    #[n(3)]
    pub at: Timestamp,
}
