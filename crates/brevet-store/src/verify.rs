//! The offline check of a ledger, with reading code of its own: it shares no SQL, no connection and no lock with the
//! server.
//!
//! Two questions are answered. Are the entries, the texts beside them, the tree and the signed checkpoints those that
//! were written ([`brevet_ledger::Verifier`], [`brevet_ledger::judge`])? And do the rows that the server works from say
//! what the entries add up to ([`fold`])?

mod chronicle;
mod fold;
mod layered;
mod lists;
mod outputs;
mod pages;
mod record;
mod rows;
mod snapshot;
mod source;
mod study;
mod tree;

use std::num::NonZeroUsize;
use std::path::Path;

use crate::engine::Connection;
use brevet_ledger::{Claim, Finding, Origin, StoredHead, VerifierKey, judge};

pub use chronicle::{ArchiveStated, Chronicle, ClockStep, Gap, Recovered};
use fold::Fold;
pub use layered::Layered;
use snapshot::EntriesOnly;
pub use snapshot::{Handover, Head, Snapshot};
pub use source::{Columns, Item, PartReader, Source};
pub use study::{Account, Questions, Rows};
pub use tree::Tree;

use crate::error::StoreError;
use crate::folder::DataFolder;

/// How far a verification has come: entries done, entries in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Something that is wrong with a ledger or with what lies beside it.
#[derive(Debug, thiserror::Error)]
pub enum Discrepancy {
    /// It cannot be read at all.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or a server cannot be read.
    #[error("{0}")]
    Unavailable(String),
    /// The public key to verify with cannot be read.
    #[error("the key to verify with cannot be used: {0}")]
    Key(brevet_ledger::Error),
    /// There is no ledger.
    #[error("there is no ledger in this folder yet")]
    Nothing,
    /// The ledger itself.
    #[error("{0}")]
    Ledger(#[from] Finding),
    /// An entry that no Brevet writes.
    #[error("entry {index} cannot be read: {reason}")]
    Unreadable {
        /// Which.
        index: u64,
        /// Why.
        reason: crate::codec::BadEntry,
    },
    /// Something stands in place of an entry.
    #[error("entry {index} cannot be read: {why}")]
    Malformed {
        /// Of which entry.
        index: u64,
        /// What is wrong.
        why: String,
    },
    /// An entry names a key that is none.
    #[error("entry {index} changes the key to something that is none: {reason}")]
    KeyEntry {
        /// Which.
        index: u64,
        /// Why.
        reason: brevet_ledger::Error,
    },
    /// The bytes of an entry are gone, and no archive is stated that has them.
    #[error("the bytes of entry {index} are missing, and no entry says that they are in an archive")]
    BytesGone {
        /// The last of them.
        index: u64,
    },
    /// A row says something else than the entries.
    #[error("the row of {what} is not what the entries add up to: {how}")]
    RowDiffers {
        /// Of what.
        what: String,
        /// Changed, missing or too many.
        how: &'static str,
    },
    /// A text that an entry commits to is gone, and nothing says that it was erased.
    #[error("text {slot} beside entry {index} is missing, and no entry says that it was erased")]
    TextMissing {
        /// Which entry.
        index: u64,
        /// Which of its texts, from 0.
        slot: usize,
    },
    /// A text is there of which an entry says that it was erased.
    #[error("a text beside entry {index} is still there, and entry {said} says that it was erased")]
    TextStays {
        /// Beside which entry.
        index: u64,
        /// Which entry says so.
        said: u64,
    },
    /// An output is not what the ledger says.
    #[error("the output of {execution} is not what the ledger says: {how}")]
    OutputDiffers {
        /// Of which run.
        execution: String,
        /// Missing, or of another length.
        how: &'static str,
    },
}

impl Discrepancy {
    /// The entry it is about, where there is one.
    pub const fn index(&self) -> Option<u64> {
        match self {
            Self::Ledger(finding) => finding.index(),
            Self::Unreadable { index, .. }
            | Self::Malformed { index, .. }
            | Self::KeyEntry { index, .. }
            | Self::BytesGone { index }
            | Self::TextMissing { index, .. }
            | Self::TextStays { index, .. } => Some(*index),
            Self::Store(_)
            | Self::Unavailable(_)
            | Self::Key(_)
            | Self::Nothing
            | Self::RowDiffers { .. }
            | Self::OutputDiffers { .. } => None,
        }
    }

    /// The columns of an entry contradict its bytes.
    fn hidden(index: u64) -> Self {
        Self::RowDiffers { what: format!("entry {index}"), how: "what it is found by was changed" }
    }
}

impl From<crate::engine::Error> for Discrepancy {
    fn from(error: crate::engine::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<rusqlite::Error> for Discrepancy {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A data folder to be verified, read-only and beside a running server too.
#[derive(Debug)]
pub struct VerifiedFolder {
    folder: DataFolder,
    snapshot: Snapshot,
    threads: NonZeroUsize,
}

impl VerifiedFolder {
    /// Opens it, for one thread on each core.
    pub fn open(path: &Path) -> Result<Self, Discrepancy> {
        let folder = DataFolder::visit(path)?;
        if !folder.database().exists() {
            return Err(Discrepancy::Nothing);
        }
        let threads = threads();
        let snapshot = Snapshot::open(&folder, threads)?;
        Ok(Self { folder, snapshot, threads })
    }

    /// The verifier key that lies in the folder, which proves nothing against its owner.
    pub fn own_key(&self) -> Result<Option<String>, Discrepancy> {
        Ok(self.folder.read("ledger.vkey")?)
    }

    /// Its database.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Studies it, with archives of its own old entries, and after the ledgers that it goes on from, as far as they are at
    /// hand: the oldest first. With `rows` the rows are compared with what all entries add up to.
    pub fn study(
        &self,
        archives: Vec<&dyn Source>,
        before: &[&dyn Source],
        questions: &Questions,
        rows: bool,
        progress: Progress<'_>,
    ) -> Result<Account, Discrepancy> {
        let own = self.snapshot.lend()?;
        let mut fold = rows.then(|| Fold::new(own.connection()));
        if let Some(fold) = &mut fold {
            for previous in before {
                study::study(*previous, &Questions::default(), self.threads, Some(&mut *fold), progress)?;
            }
            fold.begin_own()?;
        }
        let entries = EntriesOnly(&self.snapshot);
        let base: &dyn Source = if rows { &self.snapshot } else { &entries };
        let layered = Layered::new(base, archives);
        let head = self.snapshot.head();
        let questions = Questions { erasing: head.erasing.clone(), ..questions.clone() };
        let studied = study::study(&layered, &questions, self.threads, fold.as_mut(), progress)?;
        snapshot::check_outside(own.connection(), head.size)?;
        let nodes = snapshot::nodes(own.connection())?;
        let stored = StoredHead { size: head.size, edge: &head.edge };
        let derived = studied.verifier.finish(Some(stored), Some(&nodes))?;
        let rows = fold.map(|fold| self.compare(fold, own.connection())).transpose()?;
        Ok(Account { derived, chronicle: studied.chronicle, rows })
    }

    fn compare(&self, fold: Fold<'_>, rows: &Connection) -> Result<Rows, Discrepancy> {
        let outputs = outputs::check(rows, &self.folder.blobs());
        let rows = fold.finish()?;
        match outputs {
            Err(found @ Discrepancy::OutputDiffers { .. }) if !matches!(rows, Rows::Differ(_)) => {
                Ok(Rows::Differ(found))
            }
            Err(Discrepancy::OutputDiffers { .. }) | Ok(()) => Ok(rows),
            Err(fault) => Err(fault),
        }
    }
}

/// Studies entries that have nothing stored beside them but, perhaps, nodes.
pub fn study_source(
    source: &dyn Source,
    questions: &Questions,
    nodes: Option<&[brevet_ledger::StoredNode]>,
    progress: Progress<'_>,
) -> Result<Account, Discrepancy> {
    let studied = study::study(source, questions, threads(), None, progress)?;
    let derived = studied.verifier.finish(None, nodes)?;
    Ok(Account { derived, chronicle: studied.chronicle, rows: None })
}

fn threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// A data folder without a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderReport {
    /// What the entries are.
    pub ledger: brevet_ledger::Derived,
    /// The size of the largest checkpoint checked.
    pub signed_size: Option<u64>,
    /// How many rows say what the entries add up to.
    pub rows: u64,
}

/// Verifies the data folder at `path` in the simplest way: all of it, with the checkpoint in it and `kept` ones.
///
/// `key` is the ledger's public key as somebody outside keeps it; without it the one in the folder is used, which
/// proves nothing against the folder's owner.
pub fn verify_folder(
    path: &Path,
    key: Option<&str>,
    kept: &[String],
    progress: Progress<'_>,
) -> Result<FolderReport, Discrepancy> {
    let folder = VerifiedFolder::open(path)?;
    let key = match key {
        Some(key) => key.to_owned(),
        None => folder.own_key()?.ok_or(Discrepancy::Nothing)?,
    };
    let key: VerifierKey = key.trim().parse().map_err(Discrepancy::Key)?;
    let origin = Origin::parse(key.name().as_str()).map_err(Discrepancy::Key)?;
    let by = "the checkpoint in the folder";
    let claim = |by: &str, reason| Finding::Claim { by: by.to_owned(), reason };
    let mut claims =
        vec![Claim::presented(by, &folder.snapshot.head().checkpoint).map_err(|error| claim(by, error))?];
    for note in kept {
        let by = "a checkpoint that was kept";
        claims.push(Claim::kept(by, note).map_err(|error| claim(by, error))?);
    }
    let mut questions = Questions::default();
    claims.iter().for_each(|claim| claim.watch(&mut questions.watch));
    let account = folder.study(Vec::new(), &[], &questions, true, progress)?;
    let judged = judge(&claims, &account.derived, &origin, &[key], &account.chronicle.rotations);
    if let Some(finding) = judged.findings.first() {
        return Err(finding.clone().into());
    }
    let signed_size = judged.signed_size();
    let rows = match account.rows {
        Some(Rows::Same(rows)) => rows,
        Some(Rows::Differ(found)) => return Err(found),
        Some(Rows::Unknown) | None => 0,
    };
    Ok(FolderReport { ledger: account.derived, signed_size, rows })
}
