//! What can go wrong with a witness's folder, in sentences for the person who runs it.

use std::path::PathBuf;

use crate::error::{Aftermath, StoreError};

/// Why a witness could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The folder, or the database in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is none yet, and no name for one.
    #[error(
        "there is no witness in {path} yet; give it a name that is its own for ever, for example: \
         --name witness.example.org/w1"
    )]
    Unnamed {
        /// Where.
        path: PathBuf,
    },
    /// There is none, and this command makes none.
    #[error("there is no witness in {path}; make one with: brevet witness key --data {path} --name NAME")]
    Missing {
        /// Where.
        path: PathBuf,
    },
    /// It has a name already.
    #[error(
        "the witness in this folder is called {is}, and not {given}; leave --name out, or use another folder"
    )]
    OtherName {
        /// Its name.
        is: String,
        /// The one given.
        given: String,
    },
    /// A witness of one's own ledger, beside it, proves nothing.
    #[error(
        "{path} is the data folder of a server; a witness needs a folder of its own, and a machine of its own to be \
         of use"
    )]
    BesideLedger {
        /// Where.
        path: PathBuf,
    },
    /// The key without its memory.
    #[error(
        "{path} is gone, and with it what this witness cosigned: with its old key it could now contradict itself. \
         Put the file back as it was last; where that cannot be done, begin a new witness in a new folder under a \
         new name, and tell those who trusted the old one"
    )]
    Forgotten {
        /// The database.
        path: PathBuf,
    },
    /// The memory without its key, or with another.
    #[error(
        "witness.key is not the key of what is remembered here ({remembered}); put that one back, or begin a new \
         witness in a new folder"
    )]
    OtherKey {
        /// The public key that belongs to the database.
        remembered: String,
    },
    /// No key of a ledger.
    #[error(
        "{name} is the key of a witness; give the key of a ledger, as 'brevet serve' shows it when it starts"
    )]
    NotALedger {
        /// The key's name.
        name: String,
    },
    /// Not watched.
    #[error("no ledger or key '{given}' is watched here; see: brevet witness list-logs")]
    NotWatched {
        /// What was asked for.
        given: String,
    },
    /// More than are kept.
    #[error("{} keys are watched here already, and no more are taken", crate::witness::ledgers::WATCHED_MAX)]
    TooMany,
    /// What is stored does not make sense.
    #[error("the witness's folder is damaged: {what}")]
    Damaged {
        /// Where, and what.
        what: String,
    },
}

impl WitnessError {
    /// Whether nobody knows what is on the disk before a restart has looked.
    pub fn is_uncertain(&self) -> bool {
        match self {
            // The disk is full, or another process held the database: nothing was written.
            Self::Store(error) => error.aftermath() == Aftermath::Uncertain && !error.is_busy(),
            _ => true,
        }
    }

    pub(crate) fn damaged(what: impl ToString) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}

/// Most uses of SQLite read.
impl From<rusqlite::Error> for WitnessError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Store(source.into())
    }
}
