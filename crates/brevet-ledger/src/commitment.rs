//! Salted commitments: how an entry holds on to personal or free text without containing it.
//!
//! The text and its salt are stored beside the entry. While they exist, anyone can check them against the
//! entry; once both are erased, the commitment says nothing about the text, and every proof over the entry
//! stays valid.

use std::fmt;

use crate::hash::sha256;

/// Separates these hashes from every other use of SHA-256.
const CONTEXT: &[u8] = b"brevet/text/v1\n";

/// Chance that keeps a short text from being guessed out of its commitment. Drawn anew for every text, stored
/// with it and erased with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; Salt::BYTES]);

impl Salt {
    /// The length of a salt.
    pub const BYTES: usize = 16;

    /// The salt that these bytes are. The caller draws them; this crate has no randomness.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to store beside the entry.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// Who has the salt can guess the text, so it does not end up in a diagnostic by accident.
impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// What an entry contains in place of a text: `SHA-256("brevet/text/v1\n" || salt || text in UTF-8)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commitment([u8; Commitment::BYTES]);

impl Commitment {
    /// The length of a commitment.
    pub const BYTES: usize = 32;

    /// Commits to a text.
    #[must_use]
    pub fn to_text(salt: &Salt, text: &str) -> Self {
        Self(sha256([CONTEXT, &salt.0, text.as_bytes()]))
    }

    /// Whether this commits to this text. Neither side is secret to who can ask, so the comparison may take a
    /// different time for different texts.
    #[must_use]
    pub fn matches(&self, salt: &Salt, text: &str) -> bool {
        *self == Self::to_text(salt, text)
    }

    /// The bytes as they stand in an entry.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }
}

/// The commitments of one entry, in the order of their slots, borrowed from its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Commitments<'a>(&'a [[u8; Commitment::BYTES]]);

impl<'a> Commitments<'a> {
    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether the entry commits to no text.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The commitments, slot 0 first.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Commitment> + use<'a> {
        self.0.iter().copied().map(Commitment)
    }

    pub(crate) const fn as_flattened(self) -> &'a [u8] {
        self.0.as_flattened()
    }
}

impl<'a> From<&'a [[u8; Commitment::BYTES]]> for Commitments<'a> {
    fn from(bytes: &'a [[u8; Commitment::BYTES]]) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests;
