//! The offline check of a data folder, with reading code of its own: it shares no SQL, no connection and no
//! lock with the server.
//!
//! Two questions are answered. Are the entries, the texts beside them, the tree and the signed checkpoint
//! those that were written ([`brevet_ledger::Verifier`])? And do the rows that the server works from say what
//! the entries add up to ([`fold`])?

mod fold;
mod outputs;

use std::num::NonZeroUsize;
use std::path::Path;

use brevet_ledger::{
    Finding, Hash, Origin, Report, Row, Salt, StoredHead, StoredNode, TextBeside, Verifier, VerifierKey,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::error::StoreError;
use crate::folder::DataFolder;
use crate::schema;

/// Entries read and hashed at a time.
const CHUNK_ENTRIES: usize = 16_384;

/// How far a verification has come: entries done, entries in all.
pub type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// A data folder without a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderReport {
    /// What the entries are.
    pub ledger: Report,
    /// How many rows say what the entries add up to.
    pub rows: u64,
}

/// The first thing that is wrong with a data folder.
#[derive(Debug, thiserror::Error)]
pub enum Discrepancy {
    /// It cannot be read at all.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// A row says something else than the entries.
    #[error("the row of {what} is not what the entries add up to: {how}")]
    RowDiffers {
        /// Of what.
        what: String,
        /// Changed, missing or too many.
        how: &'static str,
    },
    /// A text that an entry commits to is gone. Nothing of this version erases one.
    #[error("text {slot} beside entry {index} is gone")]
    TextMissing {
        /// Which entry.
        index: u64,
        /// Which of its texts, from 0.
        slot: usize,
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
            Self::Unreadable { index, .. } | Self::TextMissing { index, .. } => Some(*index),
            Self::Store(_)
            | Self::Key(_)
            | Self::Nothing
            | Self::RowDiffers { .. }
            | Self::OutputDiffers { .. } => None,
        }
    }
}

impl From<rusqlite::Error> for Discrepancy {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Verifies the data folder at `path`, beside a running server or without one.
///
/// `key` is the ledger's public key as somebody outside keeps it; without it the one in the folder is used,
/// which proves nothing against the folder's owner. `kept` are older checkpoints that must agree.
pub fn verify_folder(
    path: &Path,
    key: Option<&str>,
    kept: &[String],
    progress: Progress<'_>,
) -> Result<FolderReport, Discrepancy> {
    let folder = DataFolder::visit(path)?;
    let key = match key {
        Some(key) => key.to_owned(),
        None => folder.read("ledger.vkey")?.ok_or(Discrepancy::Nothing)?,
    };
    let key: VerifierKey = key.trim().parse().map_err(Discrepancy::Key)?;
    let integrity = Snapshot::open(&folder)?;
    let rows = Snapshot::open(&folder)?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    // One thread folds while the others hash; each reads with a connection of its own.
    let (ledger, rows) = std::thread::scope(|scope| {
        let blobs = folder.blobs();
        let folding = scope.spawn(move || {
            let count = fold::check(&rows.connection)?;
            outputs::check(&rows.connection, &blobs).map(|()| count)
        });
        let ledger = integrity.check(&key, kept, threads, progress);
        let folded = folding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (ledger, folded)
    });
    Ok(FolderReport { ledger: ledger?, rows: rows? })
}

/// One consistent view of the database.
struct Snapshot {
    connection: Connection,
}

struct StoredRow {
    position: u64,
    leaf: [u8; 32],
    bytes: Vec<u8>,
    texts: Vec<Option<(Salt, String)>>,
}

impl Snapshot {
    fn open(folder: &DataFolder) -> Result<Self, Discrepancy> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.database(), flags)?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 32)?;
        schema::check(&connection)?;
        connection.execute_batch("BEGIN; SELECT count(*) FROM head;")?;
        Ok(Self { connection })
    }

    fn check(
        &self,
        key: &VerifierKey,
        kept: &[String],
        threads: NonZeroUsize,
        progress: Progress<'_>,
    ) -> Result<Report, Discrepancy> {
        let sql = "SELECT size, edge, checkpoint FROM head";
        let head: Option<(i64, Vec<u8>, String)> = self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (size, edge, checkpoint) = head.ok_or(Discrepancy::Nothing)?;
        let size = size.unsigned_abs();
        let origin = Origin::parse(key.name().as_str()).map_err(Discrepancy::Key)?;
        let checkpoints: Vec<&str> =
            std::iter::once(checkpoint.as_str()).chain(kept.iter().map(String::as_str)).collect();
        let head = StoredHead { size, edge: &edge };
        let mut verifier = Verifier::new(head, &checkpoints, &origin, std::slice::from_ref(key))?;
        self.for_each_chunk(|rows| {
            push(&mut verifier, rows, threads)?;
            missing_text(rows)?;
            progress(rows.last().map_or(0, |row| row.position + 1), size);
            Ok(())
        })?;
        Ok(verifier.finish(&self.nodes()?)?)
    }

    fn for_each_chunk(
        &self,
        mut use_chunk: impl FnMut(&[StoredRow]) -> Result<(), Discrepancy>,
    ) -> Result<(), Discrepancy> {
        let mut entries = self.connection.prepare("SELECT seq, leaf, bytes FROM entry ORDER BY seq")?;
        let mut texts =
            self.connection.prepare("SELECT seq, slot, salt, value FROM entry_text ORDER BY seq, slot")?;
        let mut texts = Texts { rows: texts.query([])?, next: None };
        texts.advance()?;
        let mut entries = entries.query([])?;
        let mut chunk = Vec::with_capacity(CHUNK_ENTRIES);
        while let Some(row) = entries.next()? {
            let position = row.get::<_, i64>(0)?.unsigned_abs();
            let (leaf, bytes): ([u8; 32], Vec<u8>) = (row.get(1)?, row.get(2)?);
            let texts = texts.of(position, &bytes)?;
            chunk.push(StoredRow { position, leaf, bytes, texts });
            if chunk.len() == CHUNK_ENTRIES {
                use_chunk(&chunk)?;
                chunk.clear();
            }
        }
        use_chunk(&chunk)
    }

    fn nodes(&self) -> Result<Vec<StoredNode>, Discrepancy> {
        let mut statement =
            self.connection.prepare("SELECT level, place, hash FROM node ORDER BY level, place")?;
        let rows = statement.query_map([], |row| {
            Ok(StoredNode {
                tile_level: row.get(0)?,
                index: row.get::<_, i64>(1)?.unsigned_abs(),
                hash: Hash::from_bytes(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn push(verifier: &mut Verifier<'_>, rows: &[StoredRow], threads: NonZeroUsize) -> Result<(), Finding> {
    let beside: Vec<Vec<TextBeside<'_>>> = rows
        .iter()
        .map(|row| {
            let texts = row.texts.iter().map(|text| match text {
                Some((salt, text)) => TextBeside::Present { salt, text },
                None => TextBeside::Erased,
            });
            texts.collect()
        })
        .collect();
    let rows: Vec<Row<'_>> = rows
        .iter()
        .zip(&beside)
        .map(|(row, texts)| Row {
            position: row.position,
            bytes: &row.bytes,
            leaf: Hash::from_bytes(row.leaf),
            texts,
        })
        .collect();
    verifier.push_all(&rows, threads)
}

/// A text may be gone only where an entry says so, and no kind of entry does yet.
fn missing_text(rows: &[StoredRow]) -> Result<(), Discrepancy> {
    let gone = |row: &StoredRow| {
        let slot = row.texts.iter().position(Option::is_none)?;
        Some(Discrepancy::TextMissing { index: row.position, slot })
    };
    rows.iter().find_map(gone).map_or(Ok(()), Err)
}

/// The texts in the order of the entries they are beside, read in step with them.
struct Texts<'s> {
    rows: rusqlite::Rows<'s>,
    next: Option<(u64, usize, Salt, String)>,
}

impl Texts<'_> {
    fn advance(&mut self) -> Result<(), Discrepancy> {
        self.next = match self.rows.next()? {
            Some(row) => {
                let seq = row.get::<_, i64>(0)?.unsigned_abs();
                Some((seq, row.get::<_, u32>(1)? as usize, Salt::from_bytes(row.get(2)?), row.get(3)?))
            }
            None => None,
        };
        Ok(())
    }

    /// What is beside the entry at `position`: a slot for each of its commitments, and for any surplus text.
    fn of(&mut self, position: u64, bytes: &[u8]) -> Result<Vec<Option<(Salt, String)>>, Discrepancy> {
        let committed = brevet_ledger::EntryRef::decode(bytes).map_or(0, |entry| entry.commitments.len());
        let mut texts: Vec<Option<(Salt, String)>> = vec![None; committed];
        while let Some((seq, slot, salt, text)) = self.next.take_if(|(seq, ..)| *seq <= position) {
            if seq < position {
                return Err(Finding::TextDiffers { index: seq, slot }.into());
            }
            if slot >= texts.len() {
                texts.resize(slot + 1, None);
            }
            texts[slot] = Some((salt, text));
            self.advance()?;
        }
        Ok(texts)
    }
}
