//! A copy of a database in which archived entries are back: for questions that need them, asked offline. Nothing is
//! written to the folder that it is a copy of.

use crate::engine::{Begin, Connection, NONE, OptionalExtension as _, params};
use brevet_core::State;
use brevet_ledger::{Content, PART_ROWS, TextBeside, leaf_hash};

use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::reader::Reader;
use crate::recover::copy_database;
use crate::row::signed;
use crate::verify::{Discrepancy, Item, Source};
use crate::{load, schema, sqlite, term};

/// A copy of a database.
#[derive(Debug)]
pub struct WholeCopy {
    connection: Connection,
    folder: DataFolder,
}

impl WholeCopy {
    /// Copies the database of a folder, beside a running server too, into a folder that has none.
    ///
    /// # Errors
    /// When the one cannot be read, or the other not be written.
    pub fn of(folder: &DataFolder, into: DataFolder) -> Result<Self, StoreError> {
        let from = Reader::open(folder)?.connection;
        // Its file is open for reading only; this would forbid to write the copy too.
        from.execute_batch("PRAGMA query_only = OFF")?;
        copy_database(&from, &into.database())?;
        let connection = Connection::from(sqlite::open_writer(&into.database())?);
        schema::migrate(&connection)?;
        Ok(Self { connection, folder: into })
    }

    /// Puts the entries of an archive back that are missing here, each as the ledger has it.
    ///
    /// # Errors
    /// When the archive cannot be read, or has another entry than the ledger.
    pub fn put_back(&mut self, archive: &dyn Source) -> Result<(), Discrepancy> {
        let transaction = self.connection.begin(Begin::Write).map_err(writing)?;
        let mut reader = archive.reader()?;
        let mut part = archive.first() / PART_ROWS * PART_ROWS;
        while part < archive.size() {
            let mut failed = None;
            reader.read(part, &mut |item| {
                if failed.is_none() {
                    failed = put_back_entry(&transaction, &item).err();
                }
            })?;
            failed.map_or(Ok(()), Err)?;
            part += PART_ROWS;
        }
        transaction.commit().map_err(writing)?;
        Ok(())
    }

    /// Makes the lists of the search anew, and reads from now on.
    ///
    /// # Errors
    /// When the copy cannot be written or read.
    pub fn reader(self) -> Result<(Reader, State), StoreError> {
        let sql = "DELETE FROM entry_term; DELETE FROM term; UPDATE term_head SET size = 0;";
        self.connection.execute_batch(sql).map_err(writing)?;
        let size = self.connection.query_row("SELECT size FROM head", NONE, |row| row.get::<_, i64>(0))?;
        term::catch_up(&self.connection, size.unsigned_abs())?;
        let state = load::state(&self.connection)?;
        drop(self.connection);
        Ok((Reader::open(&self.folder)?, state))
    }
}

fn put_back_entry(connection: &Connection, item: &Item<'_>) -> Result<(), Discrepancy> {
    let index = item.row.position;
    let Content::Here { bytes, .. } = item.row.content else { return Ok(()) };
    let sql = "SELECT leaf FROM entry WHERE seq = ?1 AND length(bytes) = 0";
    let mut statement = connection.prepare_cached(sql)?;
    let leaf: Option<Vec<u8>> = statement.query_row([signed(index)], |row| row.get(0)).optional()?;
    let Some(leaf) = leaf else { return Ok(()) };
    if leaf_hash(bytes).as_bytes()[..] != leaf[..] {
        let why = "the archive file has another entry than the ledger".to_owned();
        return Err(Discrepancy::Malformed { index, why });
    }
    let mut statement = connection.prepare_cached("UPDATE entry SET bytes = ?2 WHERE seq = ?1")?;
    statement.execute(params![signed(index), bytes])?;
    let sql = "INSERT INTO entry_text (seq, slot, salt, value) VALUES (?1, ?2, ?3, ?4)";
    for (slot, text) in (0_i64..).zip(item.row.texts) {
        if let TextBeside::Present { salt, text } = text {
            let mut statement = connection.prepare_cached(sql)?;
            statement.execute(params![signed(index), slot, salt.as_bytes(), text])?;
        }
    }
    Ok(())
}
