//! Everything that can be wrong with a value that this crate is given.

use crate::{ENTRY_BYTES_MAX, NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, PolicyProblem, TREE_SIZE_MAX};

/// Why a value was refused. What the verifier finds wrong with a whole ledger is a
/// [`Finding`](crate::Finding).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    // Hashes and the tree.
    /// Not 32 bytes.
    #[error("a hash has 32 bytes, and these are {len}")]
    HashLength {
        /// How many they are.
        len: usize,
    },
    /// Not the base64 of 32 bytes.
    #[error("this is not a hash: expected 44 characters of base64")]
    HashText,
    /// A tree larger than any that Brevet makes.
    #[error("a tree of {size} entries is larger than {TREE_SIZE_MAX}; the number is surely damaged")]
    TreeSize {
        /// The size it is said to have.
        size: u64,
    },
    /// The stored right edge is cut short, or too long for its size.
    #[error("the right edge of the tree has {len} bytes, which do not fit the size that it begins with")]
    EdgeLength {
        /// How many bytes there are.
        len: usize,
    },

    // Proofs.
    /// No such leaf.
    #[error("a tree of {size} entries has no entry {index}")]
    LeafIndex {
        /// The index asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A consistency proof needs an old tree that has entries, and a new one at least as large.
    #[error("from size {old} to size {new} there is no consistency proof: give 1 <= old <= new")]
    ConsistencySizes {
        /// The size of the old tree.
        old: u64,
        /// The size of the new tree.
        new: u64,
    },
    /// A proof with too few or too many hashes.
    #[error("the proof has {len} hashes where exactly {expected} are needed")]
    ProofLength {
        /// How many it has.
        len: usize,
        /// How many these sizes call for.
        expected: usize,
    },
    /// The inclusion proof leads to another root.
    #[error(
        "the proof does not show that this is entry {index} of the tree of {size} entries with this root"
    )]
    InclusionUnproven {
        /// The index claimed.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The consistency proof leads to other roots.
    #[error("the proof does not show that the tree of {new} entries begins with the tree of {old} entries")]
    ConsistencyUnproven {
        /// The size of the old tree.
        old: u64,
        /// The size of the new tree.
        new: u64,
    },
    /// A stored hash that the proof needs was not given.
    #[error(
        "the store gave too few hashes at tile level {tile_level} from number {first}; verify the ledger"
    )]
    HashesMissing {
        /// The tile level asked for.
        tile_level: u8,
        /// The first hash asked for.
        first: u64,
    },

    // Entries.
    /// A layout that this program does not know.
    #[error("the entry has layout version {version}, and this program reads version 1; use a newer one")]
    EntryVersion {
        /// The version it states.
        version: u8,
    },
    /// Longer than [`ENTRY_BYTES_MAX`].
    #[error("the entry has {len} bytes and may have {ENTRY_BYTES_MAX}: store what is large as a blob")]
    EntryLong {
        /// How long it is.
        len: usize,
    },
    /// It ends in the middle of a field.
    #[error("the entry ends before its last field does")]
    EntryShort,
    /// It goes on after its last field.
    #[error("the entry has {len} bytes after its last field")]
    EntryTrailing {
        /// How many.
        len: usize,
    },
    /// A kind or actor that is empty, too long, or has other than visible ASCII characters.
    #[error("the {field} of an entry must be 1 to 255 visible ASCII characters")]
    EntryText {
        /// `kind` or `actor`.
        field: &'static str,
    },
    /// More commitments than fit.
    #[error("the entry has {count} commitments and may have 255")]
    EntryCommitments {
        /// How many it has.
        count: usize,
    },

    // Keys and notes.
    /// A key name that cannot stand in a signature line.
    #[error("{name:?} cannot name a key: it must not be empty nor have spaces, control characters or '+'")]
    KeyName {
        /// The name refused.
        name: String,
    },
    /// Not a public key, or one that no signature should be believed of.
    #[error(
        "this is not a verifier key: expected <name>+<8 hex digits>+<base64 of an Ed25519 key of type 1 or 4>"
    )]
    VerifierKeyText,
    /// A type of key that this program cannot check, such as ML-DSA-44.
    #[error(
        "the key of {name} has type {kind:#04x}, which this program cannot check: give its Ed25519 key (type 0x01 \
         of a ledger, 0x04 of a witness)"
    )]
    KeyTypeUnknown {
        /// The name of the key.
        name: String,
        /// The type byte.
        kind: u8,
    },
    /// Not a private key file.
    #[error(
        "this is not a private key: expected one line that begins with PRIVATE+KEY+ and holds an Ed25519 seed"
    )]
    SigningKeyText,
    /// Not the private key file of a witness.
    #[error(
        "this is not the private key of a witness: expected one line that begins with PRIVATE+KEY+ and holds an \
         Ed25519 seed of type 4"
    )]
    CosigningKeyText,
    /// The key id is not that of the key.
    #[error("the key of {name} does not have the id {id:08x} that is written beside it; copy the key anew")]
    KeyId {
        /// The name of the key.
        name: String,
        /// The id that was written.
        id: u32,
    },
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("the note has {len} bytes and may have {NOTE_BYTES_MAX}")]
    NoteLong {
        /// How long it is.
        len: usize,
    },
    /// Control characters, or no line feed at the end.
    #[error("the text of a note must end with a line feed and have no other control character")]
    NoteText,
    /// Not text, empty line, signature lines.
    #[error("this is not a signed note: expected text, an empty line, and '\u{2014} name base64' lines")]
    NoteForm,
    /// More than [`NOTE_SIGNATURES_MAX`] signatures.
    #[error("the note has more than {NOTE_SIGNATURES_MAX} signatures")]
    NoteSignatures,
    /// A known key's signature does not hold.
    #[error(
        "the signature of {name} does not fit the text of the note: the text or the signature was changed"
    )]
    NoteSignatureWrong {
        /// The name of the key.
        name: String,
    },
    /// No known key signed.
    #[error("none of the known keys signed this note")]
    NoteUnsigned,

    /// Not the change of a signing key that it is said to be.
    #[error("this does not show that the ledger changed its signing key: {why}")]
    KeyHandover {
        /// What is lacking.
        why: &'static str,
    },
    /// A key that the trusted one never handed over to.
    #[error(
        "the ledger now signs with {offered}, and nothing shows that {trusted}, which is trusted, handed over to it. \
         Ask the operator of the ledger, over another channel, which key is right"
    )]
    KeyUnrelated {
        /// The verifier key that is trusted.
        trusted: String,
        /// The verifier key that was offered.
        offered: String,
    },

    /// Not signature lines.
    #[error("expected one signature line or more, '\u{2014} name base64', each with a line feed at its end")]
    SignatureLines,

    // What witnesses are sent.
    /// Not the body of an add-checkpoint request.
    #[error(
        "this is not an add-checkpoint body: expected 'old <size>', at most {} hashes in base64, one to a line, an \
         empty line and a checkpoint",
        crate::ADD_CHECKPOINT_HASHES_MAX
    )]
    AddCheckpointForm,

    // Policies.
    /// A line of a policy that cannot be there.
    #[error("line {line} of the policy: {problem}")]
    PolicyLine {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: PolicyProblem,
    },
    /// A policy without a quorum line.
    #[error(
        "the policy has no quorum line: end it with 'quorum NAME', or 'quorum none' to ask for no witness"
    )]
    PolicyQuorumMissing,
    /// Longer than a policy may be.
    #[error("the policy has {len} bytes and may have {}", crate::POLICY_BYTES_MAX)]
    PolicyLong {
        /// How long it is.
        len: usize,
    },

    // Checkpoints, receipts, tiles.
    /// Not one line of text.
    #[error("the origin of a ledger must be one line that is not empty")]
    Origin,
    /// Not a checkpoint.
    #[error("this is not a checkpoint: expected lines with the origin, the size and the root in base64")]
    CheckpointForm,
    /// The checkpoint of another ledger.
    #[error("this is a checkpoint of {found:?}, not of {expected:?}")]
    CheckpointOrigin {
        /// The ledger asked about.
        expected: String,
        /// The ledger that the checkpoint is of.
        found: String,
    },
    /// Not a receipt.
    #[error("this is not a receipt: expected a file that begins with c2sp.org/tlog-proof@v1")]
    TlogProofForm,
    /// Not the path of a tile, or not in its one spelling.
    #[error("this is not the path of a tile, such as tile/0/x001/234 or tile/entries/000.p/17")]
    TilePath,
    /// Not the file of a tile of this width.
    #[error("the tile has {len} bytes, and {width} hashes of 32 bytes were expected")]
    TileLength {
        /// How many bytes it has.
        len: usize,
        /// How many hashes it should have.
        width: u16,
    },
    /// Not an entry bundle of this width.
    #[error("this is not a bundle of {width} entries, each behind its length in two bytes")]
    BundleForm {
        /// How many entries it should have.
        width: u16,
    },
}
