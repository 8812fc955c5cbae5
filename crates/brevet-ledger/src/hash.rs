//! The hash of a node of the tree, and the three ways to make one (RFC 6962 section 2.1).

use std::fmt;

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::{Error, base64};

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// A SHA-256 hash in the tree: of a leaf, of a node, or of a whole tree (its root).
///
/// Prints as 64 lowercase hexadecimal digits; checkpoints and proofs write it in base64
/// ([`to_base64`](Self::to_base64)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::BYTES]);

impl Hash {
    /// The length of a hash.
    pub const BYTES: usize = 32;

    /// The hash that these bytes are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The hash that these bytes are.
    ///
    /// # Errors
    /// [`Error::HashLength`] unless there are exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        bytes.try_into().map(Self).map_err(|_| Error::HashLength { len: bytes.len() })
    }

    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The hash in base64, as checkpoints and proofs write it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0)
    }

    /// Reads what [`to_base64`](Self::to_base64) prints, and nothing else.
    ///
    /// # Errors
    /// [`Error::HashText`] unless it is the base64 of 32 bytes.
    pub fn parse_base64(text: &str) -> Result<Self, Error> {
        base64::decode(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(Error::HashText)
    }
}

/// The hash of an entry as a leaf of the tree: `SHA-256(0x00 || entry)`.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(sha256([&[LEAF_PREFIX], entry]))
}

/// SHA-256 of some parts in a row. Nearly all messages are short: these are put together and padded at once (FIPS 180-4
/// section 5.1.1), because a hasher that gets them one by one takes longer to copy them than to hash them.
pub(crate) fn sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; Hash::BYTES] {
    const BLOCK: usize = 64;
    const SHORT_BLOCKS: usize = 4;
    const LENGTH: usize = 8;
    let mut blocks = [[0; BLOCK]; SHORT_BLOCKS];
    let short = blocks.as_flattened_mut();
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let padded = (len + 1 + LENGTH).next_multiple_of(BLOCK);
    if padded > short.len() {
        let mut sha = Sha256::new();
        parts.iter().for_each(|part| sha.update(part));
        return sha.finalize().into();
    }
    let mut at = 0;
    for part in parts {
        short[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    short[len] = 0x80;
    short[padded - LENGTH..padded].copy_from_slice(&(8 * len as u64).to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &blocks[..padded / BLOCK]);
    let mut hash = [0; Hash::BYTES];
    for (bytes, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The hash of a node over its two children: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(sha256([&[NODE_PREFIX], &left.0, &right.0]))
}

/// The root of a tree without entries: `SHA-256("")`.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[cfg(test)]
mod tests;
