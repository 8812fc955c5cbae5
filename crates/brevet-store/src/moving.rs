//! Moving a ledger from the data folder to PostgreSQL, or back: every row, in one transaction, read back and held against
//! what it was copied from. Nobody writes meanwhile, on neither side.
//!
//! Nothing is left half moved. What is moved is marked so that no server goes on with it by accident, after the copy is
//! durable; who is interrupted in between moves again, and only that is done.

mod tables;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use brevet_ledger::{Checkpoint, Hash, Note, Origin, RightEdge, VerifierKey, leaf_hash};

use crate::engine::{Begin, Connection, NONE, OptionalExtension as _, Value, params_from_iter};
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::keys;
use crate::place::DatabasePlace;
use crate::reader::as_limit;
use crate::row::signed;
use crate::{schema, sqlite};
use tables::{TABLES, Table};

/// Rows that are read at once.
const PAGE_ROWS: usize = 200;
/// Rows that are written with one statement.
const INSERT_ROWS: usize = 50;
/// A statement with more bytes than that is answered before the next is sent, so that few of them are on their way.
const AHEAD_BYTES_MAX: usize = 64 * 1024;
/// The database of the folder while it is made.
const UNFINISHED: &str = "brevet.db.moving";
/// The database of the folder after it was moved.
const MOVED: &str = "brevet.db.moved";

/// Why a ledger was not moved. It is where it was.
#[derive(Debug, thiserror::Error)]
pub enum MoveFault {
    /// One of both cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// From a folder to a folder, or from a server to a server.
    #[error(
        "a ledger is moved between a data folder and PostgreSQL; PostgreSQL has its own programs for the rest"
    )]
    SameKind,
    /// There is none.
    #[error("there is no ledger in {place}")]
    Nothing {
        /// Where.
        place: String,
    },
    /// Something else is there.
    #[error(
        "the database to move to holds something else already; name an empty one (createdb --template template0 NAME), or a \
         data folder without brevet.db"
    )]
    NotEmpty,
    /// A ledger was moved out of this folder before.
    #[error("{path} is there from an earlier move; put it elsewhere first")]
    MovedBefore {
        /// The file.
        path: PathBuf,
    },
    /// What was written is not what was read.
    #[error(
        "the table {table} does not read as it was copied; nothing was moved. Try again, and tell the makers of Brevet"
    )]
    Differs {
        /// Which.
        table: &'static str,
    },
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    /// Rows are copied.
    Copying,
    /// Rows are read back, and held against those that they were copied from.
    Comparing,
    /// Entries are hashed, and held against the signed checkpoint.
    Proving,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveProgress {
    /// What is being done.
    pub step: MoveStep,
    /// Rows that it is done for.
    pub rows: u64,
}

/// A ledger that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedLedger {
    /// Its name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// How many rows were copied; 0 where an earlier move had copied them.
    pub rows: u64,
    /// The file that was the database, where it was one.
    pub set_aside: Option<PathBuf>,
}

/// Moves a ledger between a data folder, which this process has claimed, and PostgreSQL. The rest of the data folder stays
/// where it is: keys, outputs of runs, archive files.
///
/// # Errors
/// Where a server runs on it, where it is damaged, or where the copy is not the same. Then it is where it was.
pub fn move_ledger(
    from: &DatabasePlace,
    to: &DatabasePlace,
    folder: &DataFolder,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<MovedLedger, MoveFault> {
    match (from, to) {
        (DatabasePlace::Folder, DatabasePlace::Postgres { .. }) => out_of_folder(to, folder, progress),
        (DatabasePlace::Postgres { .. }, DatabasePlace::Folder) => into_folder(from, folder, progress),
        (DatabasePlace::Folder, DatabasePlace::Folder)
        | (DatabasePlace::Postgres { .. }, DatabasePlace::Postgres { .. }) => Err(MoveFault::SameKind),
    }
}

fn out_of_folder(
    to: &DatabasePlace,
    folder: &DataFolder,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<MovedLedger, MoveFault> {
    let aside = folder.path().join(MOVED);
    if !folder.database().exists() {
        return Err(MoveFault::Nothing { place: folder.path().display().to_string() });
    }
    if aside.exists() {
        return Err(MoveFault::MovedBefore { path: aside });
    }
    let source = Connection::from(sqlite::open_writer(&folder.database())?);
    make_newest(&source)?;
    let target = to.open_alone()?;
    make_newest(&target)?;
    let moved = transfer(&source, &target, folder, progress)?;
    close(source)?;
    rename(&folder.database(), &aside)?;
    Ok(MovedLedger { set_aside: Some(aside), ..moved })
}

fn into_folder(
    from: &DatabasePlace,
    folder: &DataFolder,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<MovedLedger, MoveFault> {
    let source = from.open_alone()?;
    make_newest(&source)?;
    let unfinished = folder.path().join(UNFINISHED);
    let is_there = folder.database().exists();
    let path = if is_there { folder.database() } else { unfinished.clone() };
    if !is_there {
        remove(&unfinished)?;
        drop(folder.open_private(UNFINISHED)?);
    }
    let target = Connection::from(sqlite::open_writer(&path)?);
    make_newest(&target)?;
    let moved = transfer(&source, &target, folder, progress);
    close(target)?;
    if !is_there {
        match &moved {
            Ok(_) => rename(&unfinished, &folder.database())?,
            Err(_) => remove(&unfinished)?,
        }
    }
    let moved = moved?;
    schema::mark_moved(&source)?;
    Ok(moved)
}

/// Brings the tables to the version that this code knows. Of a newer one it would leave something behind.
fn make_newest(connection: &Connection) -> Result<(), StoreError> {
    schema::migrate(connection)?;
    let (found, known) = (schema::check(connection)?, schema::version());
    match i64::try_from(found) {
        Ok(found) if found == known => Ok(()),
        found => Err(StoreError::Newer { found: found.unwrap_or(i64::MAX), known }),
    }
}

/// Copies everything in one transaction, unless it is there already, and proves that it is the same.
fn transfer(
    source: &Connection,
    target: &Connection,
    folder: &DataFolder,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<MovedLedger, MoveFault> {
    let view = source.view().map_err(StoreError::from)?;
    let transaction = target.begin(Begin::Write).map_err(writing)?;
    let is_empty = is_empty(&transaction)?;
    let rows = if is_empty { copy(&view, &transaction, progress)? } else { 0 };
    if let Some(table) = first_difference(&view, &transaction, progress)? {
        return Err(if is_empty { MoveFault::Differs { table } } else { MoveFault::NotEmpty });
    }
    let (origin, size) = prove(&transaction, folder, progress)?;
    if is_empty {
        transaction.commit().map_err(writing)?;
    }
    Ok(MovedLedger { origin, size, rows, set_aside: None })
}

/// Whether there is nothing in it but what its first start makes.
fn is_empty(connection: &Connection) -> Result<bool, StoreError> {
    for table in TABLES.iter().filter(|table| table.name != "term_head") {
        if !Pages::of(connection, table).next(1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn copy(
    source: &Connection,
    target: &Connection,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<u64, StoreError> {
    // The numbers of terms are copied, not made.
    let how = if target.sqlite().is_some() { "" } else { "OVERRIDING SYSTEM VALUE" };
    target.execute_later("DELETE FROM term_head", NONE).map_err(writing)?;
    let mut copied = 0;
    for table in TABLES {
        let (one, many) = (table.insert(how, 1), table.insert(how, INSERT_ROWS));
        let mut pages = Pages::of(source, table);
        loop {
            let rows = pages.next(PAGE_ROWS)?;
            if rows.is_empty() {
                break;
            }
            for rows in rows.chunks(INSERT_ROWS) {
                match rows.len() == INSERT_ROWS && bytes(rows) <= AHEAD_BYTES_MAX {
                    true => insert(target, &many, rows)?,
                    false => rows.chunks(1).try_for_each(|row| insert(target, &one, row))?,
                }
            }
            copied += rows.len() as u64;
            progress(MoveProgress { step: MoveStep::Copying, rows: copied });
        }
    }
    if target.sqlite().is_none() {
        let sql = "SELECT setval(pg_get_serial_sequence('term', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM term), false)";
        target.query_row(sql, NONE, |row| row.get::<_, i64>(0)).map_err(writing)?;
    }
    Ok(copied)
}

fn insert(target: &Connection, sql: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    let values = params_from_iter(rows.iter().flatten().cloned());
    match bytes(rows) <= AHEAD_BYTES_MAX {
        true => target.execute_later(sql, values).map_err(writing),
        false => target.execute(sql, values).map(drop).map_err(writing),
    }
}

fn bytes(rows: &[Vec<Value>]) -> usize {
    let one = |value: &Value| match value {
        Value::Null | Value::Integer(_) | Value::Real(_) => 8,
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
    };
    rows.iter().flatten().map(one).sum()
}

/// The first table that does not hold the same rows on both sides.
fn first_difference(
    source: &Connection,
    target: &Connection,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<Option<&'static str>, StoreError> {
    let mut compared = 0;
    for table in TABLES {
        let (mut here, mut there) = (Pages::of(source, table), Pages::of(target, table));
        loop {
            let (one, other) = (here.next(PAGE_ROWS)?, there.next(PAGE_ROWS)?);
            if one != other {
                return Ok(Some(table.name));
            }
            if one.is_empty() {
                break;
            }
            compared += one.len() as u64;
            progress(MoveProgress { step: MoveStep::Comparing, rows: compared });
        }
    }
    Ok(None)
}

/// Hashes every entry and puts the tree together again: it must be what the signed checkpoint says. Answers the name of the
/// ledger, and how many entries it has.
fn prove(
    connection: &Connection,
    folder: &DataFolder,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<(String, u64), MoveFault> {
    let sql = "SELECT size, edge, checkpoint FROM head WHERE one = 1";
    let head = connection.query_row(sql, NONE, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional();
    let head: Option<(i64, Vec<u8>, String)> = head.map_err(StoreError::from)?;
    let Some((size, stored, note)) = head else {
        return Err(MoveFault::Nothing { place: "the database to move from".to_owned() });
    };
    let signed = open_checkpoint(connection, folder, &note)?;
    let edge = hash_entries(connection, progress)?;
    let is_same = edge.size() == size.unsigned_abs() && edge.to_bytes() == stored;
    if !is_same || edge.size() != signed.size() || edge.root() != signed.root() {
        return Err(StoreError::damaged(
            "the entries are not those that the newest checkpoint was signed for",
        )
        .into());
    }
    Ok((signed.origin().as_str().to_owned(), edge.size()))
}

fn open_checkpoint(
    connection: &Connection,
    folder: &DataFolder,
    note: &str,
) -> Result<Checkpoint, StoreError> {
    let mut known = folder.verifier_keys()?;
    for change in keys::changes(connection)? {
        known.extend(
            [change.old.parse(), change.new.parse()].into_iter().flatten().collect::<Vec<VerifierKey>>(),
        );
    }
    let origin = Origin::parse(note.lines().next().unwrap_or_default()).map_err(StoreError::damaged)?;
    let note: Note = note.parse().map_err(StoreError::damaged)?;
    Checkpoint::open(&note, &origin, &known).map_err(|error| {
        StoreError::damaged(format!(
            "no key in {} signed the newest checkpoint ({error})",
            folder.path().join("ledger.vkey").display()
        ))
    })
}

fn hash_entries(
    connection: &Connection,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<RightEdge, StoreError> {
    let sql = "SELECT seq, leaf, bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut edge = RightEdge::new();
    loop {
        let before = edge.size();
        let mut rows = statement.query([signed(before), as_limit(PAGE_ROWS)])?;
        while let Some(row) = rows.next()? {
            let (seq, leaf): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
            let (leaf, bytes) =
                (Hash::from_bytes(leaf), row.get_ref(2)?.as_blob().map_err(StoreError::damaged)?);
            // Those that are in an archive have no bytes here.
            let is_hashed = bytes.is_empty() || leaf_hash(bytes) == leaf;
            if seq.unsigned_abs() != edge.size() || !is_hashed {
                return Err(StoreError::damaged(format!("entry {seq} is not what was hashed")));
            }
            edge.append(leaf);
        }
        if edge.size() == before {
            return Ok(edge);
        }
        progress(MoveProgress { step: MoveStep::Proving, rows: edge.size() });
    }
}

/// The rows of a table, page by page in the order of its key.
struct Pages<'c> {
    connection: &'c Connection,
    table: &'static Table,
    last: Option<Vec<Value>>,
}

impl<'c> Pages<'c> {
    const fn of(connection: &'c Connection, table: &'static Table) -> Self {
        Self { connection, table, last: None }
    }

    /// The next rows, so many at most; none behind the last.
    fn next(&mut self, most: usize) -> Result<Vec<Vec<Value>>, StoreError> {
        let sql = self.table.page(self.last.is_none());
        let limit = Value::Integer(as_limit(most));
        let values = std::iter::once(limit).chain(self.last.iter().flatten().cloned());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..self.table.columns.len()).map(|place| Ok(row.get::<_, Value>(place)?));
            page.push(values.collect::<Result<Vec<Value>, StoreError>>()?);
        }
        self.last = page.last().map(|row| row[..self.table.key].to_vec()).or(self.last.take());
        Ok(page)
    }
}

/// Closes a file, with everything in it that was in its log.
fn close(connection: Connection) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(connection) => connection.close().map_err(|(_, error)| writing(error)),
        Connection::Postgres(session) => {
            drop(session);
            Ok(())
        }
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Folder { path: from.to_owned(), source };
    fs::rename(from, to).map_err(failed)?;
    match from.parent() {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
        None => Ok(()),
    }
}

/// Removes an unfinished database, with its log.
fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Folder { path: name.into(), source: error });
            }
            _ => {}
        }
    }
    Ok(())
}
