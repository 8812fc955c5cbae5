//! Cosignatures: a witness says that, as of a time, this is the largest tree of the ledger that it saw, and that it
//! contains every one it saw before (C2SP tlog-cosignature, Ed25519).
//!
//! The post-quantum type of that specification (ML-DSA-44, type `06`) is not read: its signature lines are those of an
//! unknown key, and ignored.

use std::fmt;

use crate::key::KeyPair;
use crate::{Error, KeyName, KeyType, Note, NoteSignature, VerifierKey};

/// Separates these signatures from every other use of the key.
const HEADER: &str = "cosignature/v1";

/// The latest time that a cosignature can state: 2^63 - 1.
const UNIX_SECONDS_MAX: u64 = i64::MAX.unsigned_abs();

/// The private key of a witness. It never prints itself, and its memory is wiped when it is dropped.
pub struct CosigningKey(KeyPair);

impl CosigningKey {
    /// The key that this seed gives. The caller draws the seed, for this key alone: what is signed does not contain the
    /// name of the witness, so no two witnesses may have one seed.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Self {
        Self(KeyPair::from_seed(name, KeyType::Cosignature, seed))
    }

    /// Reads a private key file: one line `PRIVATE+KEY+<name>+<key id>+<base64 of 04 and seed>`. One line feed at its
    /// end is allowed.
    ///
    /// # Errors
    /// [`Error::CosigningKeyText`], also for the key of a ledger; [`Error::KeyName`], [`Error::KeyId`]; none of them
    /// shows the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        KeyPair::parse(text, KeyType::Cosignature, Error::CosigningKeyText).map(Self)
    }

    /// Lends the text of the private key file, without a line feed, and wipes it afterwards.
    pub fn reveal_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        self.0.reveal_text(use_text)
    }

    /// The public key to give to those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// The signature line over a checkpoint, as of this time (at most 2^63 - 1). The caller has checked that the
    /// checkpoint is signed by its ledger and contains every one cosigned before, and has stored it.
    #[must_use]
    pub fn cosign(&self, checkpoint: &Note, unix_seconds: u64) -> NoteSignature {
        let unix_seconds = unix_seconds.min(UNIX_SECONDS_MAX);
        let message = message(unix_seconds, checkpoint.text());
        self.0.sign_as_note(message.as_bytes(), &unix_seconds.to_be_bytes())
    }
}

/// Says which key it is, never the key.
impl fmt::Debug for CosigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CosigningKey").field("public", self.verifier()).finish_non_exhaustive()
    }
}

/// A cosignature that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cosigned<'a> {
    /// Whose it is.
    pub key: &'a VerifierKey,
    /// As of when, by the clock of the witness: seconds since 1970 UTC, without leap seconds. Zero where it states no
    /// time.
    pub unix_seconds: u64,
}

impl Note {
    /// The cosignatures by these keys, each key once with its latest time, in the order of the keys. Signatures by
    /// unknown keys, and keys that are not of [`KeyType::Cosignature`], are ignored.
    ///
    /// # Errors
    /// [`Error::NoteSignatureWrong`] when one by a known key does not hold.
    pub fn cosignatures<'a>(&self, keys: &'a [VerifierKey]) -> Result<Vec<Cosigned<'a>>, Error> {
        let cosigners = keys.iter().filter(|key| key.key_type() == KeyType::Cosignature);
        cosigners.filter_map(|key| self.latest_by(key).transpose()).collect()
    }

    fn latest_by<'a>(&self, key: &'a VerifierKey) -> Result<Option<Cosigned<'a>>, Error> {
        let mut latest = None;
        for signature in self.signatures().iter().filter(|signature| key.is_named_by(signature)) {
            let Some(time) = time_if_accepted(key, self.text(), signature) else {
                return Err(Error::NoteSignatureWrong { name: key.name().to_string() });
            };
            latest = latest.max(Some(time));
        }
        Ok(latest.map(|unix_seconds| Cosigned { key, unix_seconds }))
    }
}

/// The time that a cosignature states, if it is one by this key over this text.
pub(crate) fn time_if_accepted(key: &VerifierKey, text: &str, signature: &NoteSignature) -> Option<u64> {
    let (time, signature) = signature.bytes().split_first_chunk()?;
    let unix_seconds = u64::from_be_bytes(*time);
    let holds = unix_seconds <= UNIX_SECONDS_MAX
        && key.accepts_message(message(unix_seconds, text).as_bytes(), signature);
    holds.then_some(unix_seconds)
}

/// What is signed: two lines, then the text of the checkpoint, all of it.
fn message(unix_seconds: u64, text: &str) -> String {
    format!("{HEADER}\ntime {unix_seconds}\n{text}")
}

#[cfg(test)]
mod tests;
