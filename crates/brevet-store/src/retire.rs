//! What leaves the database: the texts of one person, and old entries that are in an archive file. Both leave what
//! the proofs need.

use std::time::Duration;

use brevet_core::UserId;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::{StoreError, writing};
use crate::reader::{Reader, as_limit};
use crate::row::signed;
use crate::{sqlite, term};

/// An archive file, as the database remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// The index of its first entry.
    pub first: u64,
    /// The index after its last.
    pub size: u64,
    /// Its name in the folder `archive` of the data folder.
    pub name: String,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// How far its entries have left the database.
    pub pruned: u64,
}

/// Removes every text of one person, with the words by which a search finds it.
pub(crate) fn erase_texts(transaction: &Transaction<'_>, user: UserId) -> Result<(), StoreError> {
    // A reader may have gathered words of theirs already; with nothing left to list, it is too late for those.
    term::take_in_all(transaction)?;
    let mut delete = transaction.prepare("DELETE FROM entry_text WHERE seq = ?1").map_err(writing)?;
    for seq in term::with_texts_of(transaction, user)? {
        term::forget_texts(transaction, seq)?;
        delete.execute([signed(seq)]).map_err(writing)?;
    }
    Ok(())
}

/// Moves the write-ahead log into the database and empties it, so that nothing erased is left in it. `false` while a
/// reader still needs it: to be tried again.
pub(crate) fn empty_log(connection: &Connection) -> bool {
    // Nobody who waits for an answer waits for somebody's long read.
    let patient = connection.busy_timeout(Duration::ZERO);
    let busy: Result<i64, _> = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    let patient = patient.and_then(|()| connection.busy_timeout(sqlite::BUSY_TIMEOUT));
    matches!((busy, patient), (Ok(0), Ok(())))
}

/// Remembers an archive file.
pub(crate) fn note_archive(transaction: &Transaction<'_>, file: &ArchiveFile) -> Result<(), StoreError> {
    let ArchiveFile { first, size, name, digest, pruned } = file;
    let sql = "INSERT INTO archive_file (size, first, name, digest, pruned) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![signed(*size), signed(*first), name, digest, signed(*pruned)];
    transaction.execute(sql, values).map(drop).map_err(writing)
}

/// Takes the next entries of an archive file out of the database: their bytes, texts and search terms. Leaf hashes
/// stay.
pub(crate) fn prune(transaction: &Transaction<'_>, size: u64, entries: usize) -> Result<(), StoreError> {
    let sql = "SELECT pruned FROM archive_file WHERE size = ?1";
    let pruned: Option<i64> = transaction.query_row(sql, [signed(size)], |row| row.get(0)).optional()?;
    let Some(from) = pruned else { return Ok(()) };
    let to = from.saturating_add(as_limit(entries)).min(signed(size));
    let run = |sql: &str, values: &[i64]| {
        let done = transaction.prepare_cached(sql);
        done.and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values))).map_err(writing)
    };
    run("DELETE FROM entry_text WHERE seq >= ?1 AND seq < ?2", &[from, to])?;
    run("UPDATE entry SET bytes = x'' WHERE seq >= ?1 AND seq < ?2", &[from, to])?;
    run("UPDATE archive_file SET pruned = ?2 WHERE size = ?1", &[signed(size), to])?;
    match to == signed(size) {
        true => term::forget_before(transaction, size),
        false => Ok(()),
    }
}

impl Reader {
    /// The archive files there are, the oldest entries first.
    pub fn archive_files(&self) -> Result<Vec<ArchiveFile>, StoreError> {
        let sql = "SELECT first, size, name, digest, pruned FROM archive_file ORDER BY size";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(ArchiveFile {
                first: row.get::<_, i64>(0)?.unsigned_abs(),
                size: row.get::<_, i64>(1)?.unsigned_abs(),
                name: row.get(2)?,
                digest: row.get(3)?,
                pruned: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
