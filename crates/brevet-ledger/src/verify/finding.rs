//! What can be wrong with a ledger.

use super::Fork;
use crate::Error;

/// Something that the verifier found wrong.
///
/// Entries are checked first, in order; then the stored nodes and the stored head; then what was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// The bytes of an entry are not those that its stored leaf hash was made of.
    #[error("entry {index} was changed: its bytes do not have the leaf hash stored with it")]
    Changed {
        /// Which entry.
        index: u64,
    },
    /// The bytes of an entry have the stored hash and are no entry.
    #[error("entry {index} was changed: {reason}")]
    Unreadable {
        /// Which entry.
        index: u64,
        /// What is wrong with its bytes.
        reason: Error,
    },
    /// The entry is not there, though a later one, or the head, says that it was.
    #[error("entry {index} is missing")]
    Missing {
        /// The first entry that is missing.
        index: u64,
    },
    /// A position comes twice, or after a larger one.
    #[error("an entry was inserted: position {index} comes a second time, or after a later one")]
    Duplicate {
        /// The position.
        index: u64,
    },
    /// The entry lies beyond the end that the head states.
    #[error("entry {index} was inserted: the head of the ledger says that there are {size} entries")]
    BeyondHead {
        /// Which entry.
        index: u64,
        /// The size in the head.
        size: u64,
    },
    /// The entry was made for another position.
    #[error("entry {index} was moved: it says of itself that it is entry {claimed}")]
    Reordered {
        /// The position it is stored at.
        index: u64,
        /// The position it was made for.
        claimed: u64,
    },
    /// The entry is older than the one before it.
    #[error("entry {index} has a time before that of the entry in front of it")]
    TimeWentBack {
        /// Which entry.
        index: u64,
    },
    /// A text beside the entry is not the one that it commits to, or has no commitment, or is neither there
    /// nor marked as erased.
    #[error("text {slot} beside entry {index} is not the one that the entry commits to")]
    TextDiffers {
        /// Which entry.
        index: u64,
        /// Which of its commitments, from 0.
        slot: usize,
    },
    /// A stored node is not the hash of the entries below it.
    #[error("the stored node {index} of tile level {tile_level} does not fit the entries below it")]
    NodeDiffers {
        /// The tile level.
        tile_level: u8,
        /// The number of the node.
        index: u64,
    },
    /// A node that the entries call for is not stored.
    #[error("the node {index} of tile level {tile_level} is missing")]
    NodeMissing {
        /// The tile level.
        tile_level: u8,
        /// The number of the node.
        index: u64,
    },
    /// A node is stored that no complete block of entries calls for, or out of order.
    #[error("the stored node {index} of tile level {tile_level} belongs to no complete block of entries")]
    NodeSurplus {
        /// The tile level.
        tile_level: u8,
        /// The number of the node.
        index: u64,
    },
    /// The stored right edge is not that of the entries.
    #[error("the stored head does not fit the {size} entries")]
    HeadDiffers {
        /// How many entries there are.
        size: u64,
    },
    /// A checkpoint or receipt that cannot be believed: not by a known key, not of this ledger, not proving anything.
    #[error("{by} cannot be believed: {reason}")]
    Claim {
        /// Which.
        by: String,
        /// Why not.
        reason: Error,
    },
    /// The entries have another root than the one signed.
    #[error("the ledger was rewritten: its first {size} entries are not those that {by} signs")]
    Rewritten {
        /// The size of the checkpoint.
        size: u64,
        /// Which checkpoint.
        by: String,
    },
    /// The holder of the key signed two histories.
    #[error(
        "the ledger was forked: its first {size} entries are not those that {by} signs, and the same ledger signed \
         both",
        size = .0.size, by = .0.source
    )]
    Forked(Box<Fork>),
    /// There are fewer entries than were signed.
    #[error("the ledger was cut short: it has {size} entries, and {by} signs {signed}")]
    Truncated {
        /// How many entries there are.
        size: u64,
        /// How many were signed.
        signed: u64,
        /// By which checkpoint.
        by: String,
    },
}

impl Finding {
    /// The entry that is concerned, where it is a single one. For a ledger cut short it is the first one
    /// gone.
    #[must_use]
    pub const fn index(&self) -> Option<u64> {
        match *self {
            Self::Changed { index }
            | Self::Unreadable { index, .. }
            | Self::Missing { index }
            | Self::Duplicate { index }
            | Self::BeyondHead { index, .. }
            | Self::Reordered { index, .. }
            | Self::TimeWentBack { index }
            | Self::TextDiffers { index, .. }
            | Self::Truncated { size: index, .. } => Some(index),
            Self::NodeDiffers { .. }
            | Self::NodeMissing { .. }
            | Self::NodeSurplus { .. }
            | Self::HeadDiffers { .. }
            | Self::Claim { .. }
            | Self::Forked(_)
            | Self::Rewritten { .. } => None,
        }
    }

    /// How severe it is: the smallest comes first. A proof that two histories were signed outweighs all else; what
    /// cannot be believed says the least.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::Forked(_) => 0,
            Self::Truncated { .. } => 2,
            Self::Claim { .. } => 3,
            _ => 1,
        }
    }
}
