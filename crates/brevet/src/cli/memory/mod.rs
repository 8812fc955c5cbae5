//! What the command line remembers of the ledgers it has seen, so that it notices when a server later shows a
//! history without it: for each ledger its key, the newest checkpoint, and the receipts of what its user did.
//!
//! The key of a server that is new here is taken on trust, as with the known hosts of SSH; after that only a change
//! that the old key signed for is followed. Nothing here decides whether a command is carried out.

mod commands;
mod evidence;
mod folder;
mod judge;
mod keep;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::connect::Open;
use crate::on_record::Asked;

pub(super) use commands::{Command, ProofArgs, checkpoint, prove, run};
pub(super) use judge::handover;
pub(super) use keep::keep_receipts;

/// Where receipts go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Keeping {
    /// Nowhere, because somebody said so.
    #[default]
    Off,
    /// Nowhere, because no place is known.
    NoPlace,
    /// Into this folder.
    In(PathBuf),
}

/// Something that was done.
#[derive(Debug)]
pub(crate) struct Act {
    /// What has to be on record.
    pub(crate) asked: Asked,
    /// The entry that says so, by the word of the server; `None` where it names none.
    pub(crate) entry: Option<u64>,
    /// Whether it was asked for again, because the connection broke: then it may have been done the first time, and the
    /// answer names no entry.
    pub(crate) was_repeated: bool,
    /// The connection it was done on, which may still be open.
    pub(crate) open: Option<Open>,
}

/// What was done and has no receipt yet. All clients of one command write into the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acts(Arc<Mutex<Vec<Act>>>);

impl Acts {
    /// Something was done.
    pub(crate) fn note(&self, act: Act) {
        self.lock().push(act);
    }

    fn take(&self) -> Vec<Act> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Act>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
