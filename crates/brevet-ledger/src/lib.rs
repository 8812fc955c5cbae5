//! The ledger, verifiable by code that has nothing else in it.
//!
//! An entry is bytes in a fixed layout ([`EntryRef`]); its leaf hash goes into a Merkle tree as in RFC 6962
//! section 2.1 ([`RightEdge`]); a checkpoint ([`Checkpoint`]) signs the size and root of that tree; proofs
//! ([`prove_inclusion`], [`prove_consistency`]) tie one entry, or an older tree, to a checkpoint; and
//! [`Verifier`] derives everything again from what was stored and names the first thing that is wrong.
//!
//! The crate does no I/O, reads no clock, draws no randomness and does not know what an entry's body means:
//! time, salts and key seeds come in as values. `docs/ledger-format.md` describes every byte for those who
//! write another verifier.
//!
//! # Architecture invariants
//! - What is decoded encodes to the same bytes, and what is parsed prints to the same text: there is one way
//!   to write each thing, so a hash or a signature over it has one meaning.
//! - Nothing here recovers from a malformed value. It is refused, with the reason.

#![forbid(unsafe_code)]

mod add_checkpoint;
mod base64;
mod checkpoint;
mod commitment;
mod cosignature;
mod entry;
mod error;
mod fetched;
mod handover;
mod hash;
mod key;
mod note;
mod policy;
mod proof;
mod subtree;
mod tile;
mod tlog_proof;
mod tree;
mod verify;

#[cfg(test)]
mod testing;

pub use add_checkpoint::{ADD_CHECKPOINT_BYTES_MAX, ADD_CHECKPOINT_HASHES_MAX, AddCheckpoint};
pub use checkpoint::{Checkpoint, Origin};
pub use commitment::{Commitment, Commitments, Salt};
pub use cosignature::{Cosigned, CosigningKey};
pub use entry::{COMMITMENTS_MAX, ENTRY_BYTES_MAX, ENTRY_VERSION, EntryRef};
pub use error::Error;
pub use fetched::FetchedTiles;
pub use handover::{KeyHandover, follow_keys, follow_rotations, is_successor};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{KeyName, KeyType, SigningKey, VerifierKey};
pub use note::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, Note, NoteSignature};
pub use policy::{
    POLICY_BYTES_MAX, POLICY_GROUPS_MAX, POLICY_LOGS_MAX, POLICY_WITNESSES_MAX, Policy, PolicyLog, PolicyMet,
    PolicyProblem, PolicyUnmet, PolicyWitness, Witnessed,
};
pub use proof::{check_consistency, check_inclusion, prove_consistency, prove_inclusion, root_at};
pub use subtree::HashReader;
pub use tile::{TILE_LEVEL_MAX, TILE_WIDTH, Tile, TileContent, append_to_bundle, read_bundle, read_hashes};
pub use tlog_proof::{TLOG_PROOF_BYTES_MAX, TlogProof};
pub use tree::{Completed, RightEdge, StoredNode, TREE_SIZE_MAX};
pub use verify::{
    Claim, Content, Derived, Finding, Fork, Judgement, PART_ROWS, Part, Rotation, Row, StoredHead,
    TextBeside, Verifier, Watch, judge,
};
