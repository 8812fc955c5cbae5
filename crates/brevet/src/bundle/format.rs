//! The file: JSON, UTF-8. docs/ledger-format.md, chapter "Evidence bundle", describes each field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the file says to be.
pub(super) const FORMAT: &str = "evidence-bundle";
/// Which layout of it.
pub(super) const VERSION: u16 = 1;

/// The longest file that is read.
pub(crate) const BUNDLE_BYTES_MAX: usize = 256 << 20;
/// The most entries in one file.
pub(super) const BUNDLE_ENTRIES_MAX: usize = 20_000;
/// The most bytes of outputs in one file.
pub(crate) const OUTPUTS_BYTES_MAX: u64 = 64 << 20;

/// One request's whole story, which verifies without a server. Only `checkpoint` and `entries` count; the rest is
/// checked against them, or is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bundle {
    /// Always `evidence-bundle`.
    #[schema(example = "evidence-bundle")]
    pub(crate) brevet: String,
    /// The layout: 1.
    pub(crate) version: u16,
    /// The name of the ledger.
    pub(crate) origin: String,
    /// The verifier keys as the server has them. Take them from elsewhere to check with.
    pub(crate) keys: Vec<String>,
    /// Whose story it is.
    #[schema(example = "req-42")]
    pub(crate) request: String,
    /// The signed note that all proofs lead to, with the cosignatures that were known.
    pub(crate) checkpoint: String,
    /// The entries, in the order of the ledger.
    pub(crate) entries: Vec<BundledEntry>,
    /// What the runs wrote, where it was asked for.
    pub(crate) outputs: Vec<BundledOutput>,
    /// The story for people, a sentence each. Nothing vouches for it: a verifier tells its own.
    pub(crate) summary: Vec<String>,
}

/// One entry, with all that proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundledEntry {
    /// Its place in the ledger, from 0.
    pub(crate) index: u64,
    /// Its bytes, in base64.
    pub(crate) bytes: String,
    /// The texts beside it that were not erased.
    pub(crate) texts: Vec<BundledText>,
    /// The inclusion proof to the checkpoint: hashes in base64, the sibling of the leaf first.
    pub(crate) proof: Vec<String>,
}

/// A text beside an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundledText {
    /// Which commitment of the entry it belongs to, from 0.
    pub(crate) slot: u32,
    /// The salt of that commitment, in lowercase hexadecimal.
    pub(crate) salt: String,
    /// The text.
    pub(crate) text: String,
}

/// What a run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundledOutput {
    /// SHA-256 of the recording, in lowercase hexadecimal, as the entry of the end of the run has it.
    pub(crate) digest: String,
    /// The recording, in base64.
    pub(crate) bytes: String,
}

pub(super) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Strict: padded, and with unused bits zero.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// So many bytes in lowercase hexadecimal, and nothing else.
pub(super) fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}
