//! A private key that signs, wherever it is kept.

use brevet_ledger::{NoteSignature, SigningKey, VerifierKey};

use super::KeyFault;
use super::token::TokenKey;
use crate::error::StoreError;

/// A private key that can be asked for signatures.
#[derive(Debug)]
pub(crate) enum Signer {
    File(SigningKey),
    Token(TokenKey),
    /// Nobody has it any more; what it signed can still be read.
    Lost(VerifierKey),
}

impl Signer {
    pub(crate) const fn verifier(&self) -> &VerifierKey {
        match self {
            Self::File(key) => key.verifier(),
            Self::Token(key) => key.verifier(),
            Self::Lost(key) => key,
        }
    }

    /// The signature line over the text of a note.
    pub(crate) fn sign(&self, text: &str) -> Result<NoteSignature, StoreError> {
        match self {
            Self::File(key) => Ok(key.sign(text)),
            Self::Token(key) => Ok(key.sign(text)?),
            Self::Lost(key) => Err(KeyFault::NotHere { key: key.to_string() }.into()),
        }
    }
}
