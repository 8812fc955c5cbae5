//! What leaves the database: the texts of one person, and old entries that are in an archive file. Both leave what
//! the proofs need.

use std::time::Duration;

use crate::engine::{Begin, Connection, NONE, OptionalExtension as _, Row, Transaction, params};
use brevet_core::UserId;

use crate::error::{StoreError, writing};
use crate::reader::{Reader, as_limit};
use crate::row::signed;
use crate::{sqlite, term};

/// Entries of somebody's that are looked at in one transaction while nobody else writes yet.
const ERASE_AT_START: usize = 1_000;

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
    /// Whether the search's lists of them are still leaving it.
    pub has_lists: bool,
}

/// Notes that every text of one person is to go. The entry that says so is written in the same transaction; texts that
/// come to be beside later ones are none of these.
pub(crate) fn begin_to_erase(transaction: &Transaction<'_>, user: UserId) -> Result<(), StoreError> {
    // A reader may have gathered words of theirs already; with nothing left to list, it is too late for those.
    term::take_in_all(transaction)?;
    let sql = "INSERT INTO erasure (\"user\", next, until) SELECT ?1, 0, size FROM term_head WHERE one = 1
               ON CONFLICT (\"user\") DO UPDATE SET next = excluded.next, until = excluded.until";
    transaction.execute_later(sql, [user.number()]).map_err(writing)
}

/// Removes the texts beside the next entries of somebody whose texts are to go, with the words by which a search finds
/// them. Looks at `entries` of that person at most.
pub(crate) fn erase_more(
    transaction: &Transaction<'_>,
    user: UserId,
    entries: usize,
) -> Result<(), StoreError> {
    let sql = "SELECT next, until FROM erasure WHERE \"user\" = ?1";
    let range =
        |row: &Row<'_>| Ok(row.get::<_, i64>(0)?.unsigned_abs()..row.get::<_, i64>(1)?.unsigned_abs());
    let Some(left) = transaction.query_row(sql, [user.number()], range).optional()? else { return Ok(()) };
    let near = term::of_person(transaction, user, left, entries)?;
    let mut delete = transaction.prepare_cached("DELETE FROM entry_text WHERE seq = ?1").map_err(writing)?;
    for seq in term::with_texts_of(transaction, user, &near)? {
        term::forget_texts(transaction, seq)?;
        delete.execute_later([signed(seq)]).map_err(writing)?;
    }
    match near.last().filter(|_| near.len() == entries) {
        Some(last) => {
            let sql = "UPDATE erasure SET next = ?2 WHERE \"user\" = ?1";
            transaction.execute_later(sql, params![user.number(), signed(last + 1)]).map_err(writing)
        }
        None => {
            let sql = "DELETE FROM erasure WHERE \"user\" = ?1";
            transaction.execute_later(sql, [user.number()]).map_err(writing)
        }
    }
}

/// The people of whom an entry says that their texts are gone, and whose texts are still going.
pub(crate) fn erasing(connection: &Connection) -> Result<Vec<UserId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT \"user\" FROM erasure ORDER BY \"user\"")?;
    let rows = statement.query_map(NONE, |row| row.get(0).map(UserId::new))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Brings to its end what a crash left half done, before anybody reads.
pub(crate) fn finish_erasing(connection: &Connection) -> Result<(), StoreError> {
    while let Some(user) = erasing(connection)?.first() {
        let transaction = connection.begin(Begin::Write).map_err(writing)?;
        transaction.lock_head()?;
        erase_more(&transaction, *user, ERASE_AT_START)?;
        transaction.commit().map_err(writing)?;
    }
    Ok(())
}

/// Moves the write-ahead log into the database and empties it, so that nothing erased is left in it. `false` while a
/// reader still needs it: to be tried again.
pub(crate) fn empty_log(connection: &Connection) -> bool {
    // Only SQLite leaves what was erased in a file of its own.
    let Some(connection) = connection.sqlite() else { return true };
    // Nobody who waits for an answer waits for somebody's long read.
    let patient = connection.busy_timeout(Duration::ZERO);
    let busy: Result<i64, _> = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    let patient = patient.and_then(|()| connection.busy_timeout(sqlite::BUSY_TIMEOUT));
    matches!((busy, patient), (Ok(0), Ok(())))
}

/// Remembers an archive file.
pub(crate) fn note_archive(transaction: &Transaction<'_>, file: &ArchiveFile) -> Result<(), StoreError> {
    let ArchiveFile { first, size, name, digest, pruned, has_lists: _ } = file;
    let sql = "INSERT INTO archive_file (size, first, name, digest, pruned) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![signed(*size), signed(*first), name, digest, signed(*pruned)];
    transaction.execute_later(sql, values).map_err(writing)
}

/// Takes the next entries of an archive file out of the database: their bytes and texts. When all are out, takes them
/// out of the next lists of the search. Leaf hashes stay.
pub(crate) fn prune(transaction: &Transaction<'_>, size: u64, at_once: usize) -> Result<(), StoreError> {
    let sql = "SELECT pruned, next_term FROM archive_file WHERE size = ?1";
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match transaction.query_row(sql, [signed(size)], row).optional()? {
        Some((pruned, _)) if pruned < signed(size) => prune_entries(transaction, size, pruned, at_once),
        Some((_, Some(next_term))) => prune_lists(transaction, size, next_term, at_once),
        Some((_, None)) | None => Ok(()),
    }
}

fn prune_entries(
    transaction: &Transaction<'_>,
    size: u64,
    from: i64,
    entries: usize,
) -> Result<(), StoreError> {
    let to = from.saturating_add(as_limit(entries)).min(signed(size));
    let run = |sql: &str, values: &[i64]| {
        let done = transaction.prepare_cached(sql);
        done.and_then(|mut statement| statement.execute_later(crate::engine::params_from_iter(values)))
            .map_err(writing)
    };
    run("DELETE FROM entry_text WHERE seq >= ?1 AND seq < ?2", &[from, to])?;
    let sql = "UPDATE entry SET bytes = ?3 WHERE seq >= ?1 AND seq < ?2";
    transaction.execute_later(sql, params![from, to, b"".as_slice()]).map_err(writing)?;
    run("UPDATE archive_file SET pruned = ?2 WHERE size = ?1", &[signed(size), to])?;
    if to == signed(size) {
        run("UPDATE archive_file SET next_term = 0 WHERE size = ?1", &[signed(size)])?;
    }
    Ok(())
}

fn prune_lists(
    transaction: &Transaction<'_>,
    size: u64,
    from: i64,
    at_once: usize,
) -> Result<(), StoreError> {
    let next = term::forget_before(transaction, size, from, at_once)?;
    let sql = "UPDATE archive_file SET next_term = ?2 WHERE size = ?1";
    transaction.execute_later(sql, params![signed(size), next]).map_err(writing)
}

impl Reader {
    /// The people of whom an entry says that their texts are gone, and whose texts are still going, step by step.
    pub fn erasing(&self) -> Result<Vec<UserId>, StoreError> {
        erasing(&self.connection)
    }

    /// The archive files there are, the oldest entries first.
    pub fn archive_files(&self) -> Result<Vec<ArchiveFile>, StoreError> {
        let sql = "SELECT first, size, name, digest, pruned, CASE WHEN next_term IS NULL THEN 0 ELSE 1 END
                   FROM archive_file ORDER BY size";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(NONE, |row| {
            Ok(ArchiveFile {
                first: row.get::<_, i64>(0)?.unsigned_abs(),
                size: row.get::<_, i64>(1)?.unsigned_abs(),
                name: row.get(2)?,
                digest: row.get(3)?,
                pruned: row.get::<_, i64>(4)?.unsigned_abs(),
                has_lists: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
