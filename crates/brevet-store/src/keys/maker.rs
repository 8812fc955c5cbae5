//! Preparing a change of the key, beside the writer: what takes a disk or a token happens before the entry is
//! decided.

use std::sync::Arc;

use brevet_core::Timestamp;
use brevet_ledger::{SigningKey, VerifierKey};

use super::signer::Signer;
use super::{Desk, KeyFault};
use crate::error::StoreError;

/// Prepares changes of the key of one open ledger, and tells which keys sign.
#[derive(Debug, Clone)]
pub struct KeyMaker {
    desk: Arc<Desk>,
}

/// A key that waits for its entry, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedKey {
    /// The verifier key that is current.
    pub old: String,
    /// The verifier key that may come after it.
    pub new: String,
}

/// Where the next key comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NextKey {
    /// From where the settings keep keys: the key on the token that they name, or without a token a new file.
    #[default]
    Configured,
    /// The key with this label on the token.
    Labelled(String),
    /// A new one in a file, although a token may be configured.
    File,
}

impl KeyMaker {
    pub(super) const fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// The verifier keys that sign now, the current one first.
    pub fn verifier_keys(&self) -> Vec<String> {
        self.desk.state().current.iter().map(VerifierKey::to_string).collect()
    }

    /// Until when the keys before the current one sign too, while they do.
    pub fn overlap_until(&self) -> Option<Timestamp> {
        self.desk.state().overlap_until
    }

    /// Prepares the next key: one on the token, or one made in a file from these 32 random bytes. One that was
    /// prepared before and has no entry is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Key`]: there is no such key, or it was used before. [`StoreError::Folder`].
    pub fn prepare(&self, seed: &[u8; 32], next: &NextKey) -> Result<PreparedKey, StoreError> {
        let Desk { cabinet, name, token, state: _ } = &*self.desk;
        let signer = match (next, token) {
            (NextKey::File, _) | (NextKey::Configured, None) => {
                Signer::File(SigningKey::from_seed(name.clone(), seed))
            }
            (NextKey::Configured, Some(token)) => Signer::Token(token.labelled(name, token.label())?),
            (NextKey::Labelled(label), Some(token)) => Signer::Token(token.labelled(name, label)?),
            (NextKey::Labelled(_), None) => return Err(KeyFault::NoToken.into()),
        };
        let mut state = self.desk.state();
        let new = signer.verifier().clone();
        if state.ever.contains(&new) {
            return Err(KeyFault::Used { key: new.to_string() }.into());
        }
        let old = state.current.first().ok_or(KeyFault::Unprepared)?.to_string();
        if let Signer::File(key) = &signer {
            cabinet.prepare(key)?;
        }
        state.prepared = Some(signer);
        Ok(PreparedKey { old, new: new.to_string() })
    }

    /// Forgets a key whose entry was refused. Not to be called where the entry may have been written.
    ///
    /// # Errors
    /// [`StoreError::Folder`]: its file could not be destroyed; the next start does it.
    pub fn discard(&self, prepared: &PreparedKey) -> Result<(), StoreError> {
        let mut state = self.desk.state();
        let is_it = |signer: &mut Signer| signer.verifier().to_string() == prepared.new;
        match state.prepared.take_if(is_it) {
            Some(Signer::File(key)) => self.desk.cabinet.discard(key.verifier()),
            Some(Signer::Token(_) | Signer::Lost(_)) | None => Ok(()),
        }
    }
}
