//! The key that signs the ledger, and its change.
//!
//! What takes a disk or a token is done before the entry: the next key is prepared durably, the entry names it, and
//! from then on it signs. A crash in between is settled by the next start.

use brevet_core::{Command, Origin, Span, Timestamp};
use brevet_ledger::VerifierKey;
use brevet_store::{KeyMaker, NextKey, StoreError};
use zeroize::Zeroizing;

use super::{App, AppError, Done, IdempotencyKey};
use crate::world::World;

/// For how long both keys sign, unless told otherwise.
pub const OVERLAP_DEFAULT: Span = Span::hours(24);
/// The longest overlap.
pub const OVERLAP_MAX: Span = Span::hours(24 * 90);

/// What is needed to change the key.
pub(super) struct Keys {
    maker: KeyMaker,
    /// Held from preparing a key to its entry.
    changing: tokio::sync::Mutex<()>,
}

impl Keys {
    pub(super) fn new(maker: KeyMaker) -> Self {
        Self { maker, changing: tokio::sync::Mutex::default() }
    }
}

/// What is wrong with a key is for whoever chose it.
pub(super) fn about_keys(error: StoreError) -> AppError {
    match error {
        StoreError::Key(fault) => AppError::Key(fault),
        error => AppError::Read(error),
    }
}

impl<W: World> App<W> {
    /// Every public key that signs the ledger's checkpoints now, the current one first.
    pub fn verifier_keys(&self) -> Vec<VerifierKey> {
        self.verifier_key_texts().iter().filter_map(|key| key.parse().ok()).collect()
    }

    /// The same as text.
    pub(super) fn verifier_key_texts(&self) -> Vec<String> {
        self.inner.keys.maker.verifier_keys()
    }

    /// The public key that verifies the ledger's checkpoints.
    pub fn verifier_key(&self) -> String {
        self.verifier_key_texts().into_iter().next().unwrap_or_default()
    }

    /// Until when the keys before the current one sign too, while they do.
    pub fn overlap_until(&self) -> Option<Timestamp> {
        self.inner.keys.maker.overlap_until()
    }

    /// Changes the key that signs; the one before signs too for as long as `overlap`. The change goes on whatever becomes of the caller: nobody else may prepare a key while this one
    /// waits for its entry.
    ///
    /// # Errors
    /// [`AppError::Key`] when there is no such key or it was used before; those of every command.
    pub async fn rotate_key(
        &self,
        origin: Origin,
        overlap: Span,
        next: NextKey,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        let app = self.clone();
        let changed =
            tokio::spawn(async move { app.rotate_key_to_the_end(origin, overlap, next, key).await });
        changed.await.map_err(|_| AppError::Stopping)?
    }

    async fn rotate_key_to_the_end(
        &self,
        origin: Origin,
        overlap: Span,
        next: NextKey,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        let _alone = self.inner.keys.changing.lock().await;
        let mut seed = Zeroizing::new([0; 32]);
        self.inner.world.fill(seed.as_mut_slice())?;
        let maker = self.inner.keys.maker.clone();
        let prepare = move || maker.prepare(&seed, &next);
        let prepared = tokio::task::spawn_blocking(prepare).await.map_err(|_| AppError::Stopping)?;
        let prepared = prepared.map_err(about_keys)?;
        let (old, new) = (prepared.old.clone(), prepared.new.clone());
        let overlap_until = self.now().plus(overlap);
        let done = self.command(origin, Command::RotateKey { old, new, overlap_until }, key).await;
        // Where the entry may have been written only a start may tell whether the key is needed.
        let was_not_written = match &done {
            Ok(done) => done.replayed,
            Err(error) => matches!(error, AppError::Refused(_) | AppError::KeyReused),
        };
        if was_not_written && let Err(error) = self.inner.keys.maker.discard(&prepared) {
            tracing::warn!(%error, "a key that is not needed was not destroyed; the next start does it");
        }
        done
    }
}
