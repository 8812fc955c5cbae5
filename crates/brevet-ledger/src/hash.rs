//! The hash of a node of the tree, and the three ways to make one (RFC 6962 section 2.1).

use std::fmt;

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

/// SHA-256 of some parts in a row. Short ones, which nearly all are, are put together first: a hasher that gets them
/// one by one copies each through its own buffer, which takes longer than the hash of a short message.
pub(crate) fn sha256<const N: usize>(parts: [&[u8]; N]) -> [u8; Hash::BYTES] {
    const SHORT_BYTES: usize = 512;
    let mut short = [0; SHORT_BYTES];
    let mut len = 0;
    for part in parts {
        let Some(place) = short.get_mut(len..len + part.len()) else { return in_parts(parts) };
        place.copy_from_slice(part);
        len += part.len();
    }
    Sha256::digest(&short[..len]).into()
}

fn in_parts<const N: usize>(parts: [&[u8]; N]) -> [u8; Hash::BYTES] {
    let mut sha = Sha256::new();
    parts.iter().for_each(|part| sha.update(part));
    sha.finalize().into()
}

/// The hash of a node over its two children: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One update over the whole, so that no part waits in the hasher's buffer.
    let mut bytes = [NODE_PREFIX; 1 + 2 * Hash::BYTES];
    bytes[1..=Hash::BYTES].copy_from_slice(&left.0);
    bytes[1 + Hash::BYTES..].copy_from_slice(&right.0);
    Hash(Sha256::digest(bytes).into())
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
