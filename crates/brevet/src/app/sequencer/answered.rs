//! What was answered under a key before: by the store, or by this very batch.

use std::collections::HashMap;

use brevet_core::{Reply, UserId};
use brevet_store::{Idempotent, Store};

use super::Item;
use crate::app::error::AppError;
use crate::app::idempotency::{IdempotencyKey, parse_reply};

type Of = (UserId, String);

/// The keys of one batch.
#[derive(Default)]
pub(super) struct Answered {
    /// Those of this batch that the store does not have yet.
    here: HashMap<Of, ([u8; 32], Reply)>,
    /// What the store has of the batch's keys, where it was asked for all of them.
    stored: Option<HashMap<Of, Kept>>,
}

/// A fingerprint, and the answer where it can be read.
type Kept = ([u8; 32], Option<Reply>);

fn answer(Idempotent { user, key, fingerprint, reply, at: _ }: Idempotent) -> (Of, Kept) {
    ((user, key), (fingerprint, parse_reply(&reply)))
}

impl Answered {
    /// Asks the store for the keys of all who wait, in one round trip. Where that fails it is asked for each, and each is told.
    pub(super) fn of<'i>(store: &Store, batch: impl Iterator<Item = &'i Item>) -> Self {
        let of = |item: &Item| Some((item.origin.user_id()?, item.key.as_ref()?.key.clone()));
        let keys: Vec<Of> = batch.filter_map(of).collect();
        let kept = store.idempotent_each(&keys).inspect_err(|error| {
            tracing::warn!(%error, "what was answered before could not be looked up for all at once");
        });
        let known = kept.ok().map(|kept| kept.into_iter().map(answer).collect());
        Self { here: HashMap::new(), stored: known }
    }

    /// What was answered to the same key before.
    pub(super) fn replay(
        &self,
        store: &Store,
        user: UserId,
        key: &IdempotencyKey,
    ) -> Result<Option<Reply>, AppError> {
        let of = (user, key.key.clone());
        let answered = match (self.here.get(&of), &self.stored) {
            (Some((fingerprint, reply)), _) => Some((*fingerprint, Some(*reply))),
            (None, Some(stored)) => stored.get(&of).copied(),
            (None, None) => store.idempotent(user, &key.key)?.map(|kept| answer(kept).1),
        };
        match answered {
            None => Ok(None),
            Some((fingerprint, Some(reply))) if fingerprint == key.fingerprint => Ok(Some(reply)),
            // Also where the answer cannot be read: unknown is not "never done".
            Some(_) => Err(AppError::KeyReused),
        }
    }

    /// Notes what this batch answers.
    pub(super) fn note(&mut self, user: UserId, key: &IdempotencyKey, reply: Reply) {
        self.here.insert((user, key.key.clone()), (key.fingerprint, reply));
    }
}
