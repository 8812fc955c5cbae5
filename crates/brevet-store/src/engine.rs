//! One face for both databases: SQLite in the data folder, and PostgreSQL, where one server at a time writes and another
//! can take its place.
//!
//! Every statement of this crate is written once. Its parameters are `?1`, `?2`; its values are integers, texts and bytes
//! as SQLite has them, and what a table is called is quoted where one of the two would take it for a word of its own.
//! Hardly anything asks which database it is: opening one, its tables, emptying SQLite's log, and reading whole pages of
//! it ([`Connection::sqlite`]).

mod many;
pub(crate) mod postgres;
mod row;
mod statement;
mod values;

pub(crate) use many::for_each_key;
pub(crate) use row::Row;
pub(crate) use rusqlite::types::Value;
pub(crate) use statement::Statement;
pub(crate) use values::{Params, params_from_iter};

use std::ops::Deref;

use postgres::Session;
pub(crate) use rusqlite::ToSql;

/// Why a database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite, or the disk behind it.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL, or the way to it.
    #[error(transparent)]
    Postgres(#[from] postgres::Fault),
}

impl Error {
    /// Whether the connection is gone.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Postgres(fault) if fault.is_lost())
    }

    /// Whether a transaction elsewhere may have happened or not.
    pub(crate) const fn is_uncertain(&self) -> bool {
        matches!(self, Self::Postgres(fault) if fault.is_uncertain())
    }
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// One connection to a database of either kind.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Session),
}

impl From<rusqlite::Connection> for Connection {
    fn from(connection: rusqlite::Connection) -> Self {
        Self::Sqlite(connection)
    }
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// To read: everything is seen as it is at one instant.
    View,
    /// To write: nobody else writes until it ends.
    Write,
}

impl Connection {
    /// The statement, kept compiled for the next time.
    pub(crate) fn prepare_cached<'c>(&'c self, sql: &str) -> Result<Statement<'c>> {
        match self {
            Self::Sqlite(connection) => Ok(Statement::Sqlite(connection.prepare_cached(sql)?)),
            Self::Postgres(session) => Ok(Statement::Postgres { session, sql: sql.to_owned() }),
        }
    }

    /// The same; there is nothing to be gained from forgetting a statement.
    pub(crate) fn prepare<'c>(&'c self, sql: &str) -> Result<Statement<'c>> {
        self.prepare_cached(sql)
    }

    /// Carries out one statement; answers how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, values: impl Params) -> Result<usize> {
        self.prepare_cached(sql)?.execute(values)
    }

    /// Carries out a statement of the open transaction, of which nobody needs to know how many rows it changed; see
    /// [`Statement::execute_later`].
    pub(crate) fn execute_later(&self, sql: &str, values: impl Params) -> Result<()> {
        self.prepare_cached(sql)?.execute_later(values)
    }

    /// The same, together with others of the same text; see [`Statement::execute_together`].
    pub(crate) fn execute_together(&self, sql: &str, values: impl Params) -> Result<()> {
        self.prepare_cached(sql)?.execute_together(values)
    }

    /// The first row, which there must be.
    pub(crate) fn query_row<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare_cached(sql)?.query_row(values, read)
    }

    /// Carries out statements without values.
    pub(crate) fn execute_batch(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(session) => Ok(session.batch(sql)?),
        }
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    pub(crate) fn begin(&self, how: Begin) -> Result<Transaction<'_>> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(match how {
                Begin::View => "BEGIN DEFERRED",
                Begin::Write => "BEGIN IMMEDIATE",
            })?,
            Self::Postgres(session) => session.begin(how),
        }
        Ok(Transaction { connection: self, is_over: false })
    }

    /// The transaction that was left open.
    pub(crate) const fn go_on(&self) -> Transaction<'_> {
        Transaction { connection: self, is_over: false }
    }

    /// One view of everything until it is dropped.
    pub(crate) fn view(&self) -> Result<Transaction<'_>> {
        self.begin(Begin::View)
    }

    /// Keeps other servers from opening the ledger until [`Connection::has_opened`]; a file is claimed with its folder.
    pub(crate) fn opens(&self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(session) => Ok(session.opens()?),
        }
    }

    /// Lets others open the ledger.
    pub(crate) fn has_opened(&self) -> Result<()> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(session) => Ok(session.has_opened()?),
        }
    }

    /// Whether no transaction is open.
    pub(crate) fn is_autocommit(&self) -> bool {
        match self {
            Self::Sqlite(connection) => connection.is_autocommit(),
            Self::Postgres(session) => session.is_idle(),
        }
    }

    /// Whether the way to it ended while nobody looked.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(session) => session.has_ended(),
        }
    }

    /// Whether what is acknowledged is durable still, as it was when the connection was made. Answers what is missing where
    /// a person accepted that.
    pub(crate) fn check_durability(&self) -> Result<Option<String>> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(session) => Ok(session.check_durability()?),
        }
    }

    /// What is missing of the standby that is asked for, where a person accepted that.
    pub(crate) fn accepted_loss(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(session) => session.accepted_loss(),
        }
    }

    /// Accepts no loss from now on.
    pub(crate) fn accept_no_more_loss(&mut self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(session) => session.accept_no_more_loss(),
        }
    }

    /// The connection itself where it is SQLite's.
    pub(crate) const fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match self {
            Self::Sqlite(connection) => Some(connection),
            Self::Postgres(_) => None,
        }
    }
}

/// A transaction: what is done with its connection happens whole or not at all.
#[derive(Debug)]
pub(crate) struct Transaction<'c> {
    connection: &'c Connection,
    is_over: bool,
}

impl Transaction<'_> {
    /// Keeps everybody else from appending until this transaction ends; answers how many entries there are.
    pub(crate) fn lock_head(&self) -> Result<u64> {
        match self.connection {
            Connection::Sqlite(_) => {
                let sql = "SELECT size FROM head WHERE one = 1";
                let size = self.query_row(sql, NONE, |row| row.get::<_, i64>(0)).optional()?;
                Ok(size.map_or(0, i64::unsigned_abs))
            }
            Connection::Postgres(session) => Ok(session.lock_head()?),
        }
    }

    /// The same, where how many entries there are is asked next; nothing else may follow.
    pub(crate) fn lock_head_later(&self) -> Result<()> {
        match self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => Ok(session.lock_head_later()?),
        }
    }

    /// Says to the other servers that listen that something was appended, once it is committed.
    pub(crate) fn notify(&self) -> Result<()> {
        match self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(session) => Ok(session.notify()?),
        }
    }

    /// Leaves it open, for [`Connection::go_on`].
    pub(crate) fn stay_open(mut self) {
        self.is_over = true;
    }

    /// Makes durable what was done. When this fails and [`Error::is_uncertain`], nobody knows whether it was; otherwise
    /// nothing was.
    pub(crate) fn commit(mut self) -> Result<()> {
        self.is_over = true;
        match self.connection {
            Connection::Sqlite(connection) => match connection.execute_batch("COMMIT") {
                Ok(()) => Ok(()),
                Err(error) => {
                    self.is_over = connection.is_autocommit();
                    Err(error.into())
                }
            },
            Connection::Postgres(session) => Ok(session.commit()?),
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // What cannot be rolled back is rolled back with its connection.
        match self.connection {
            Connection::Sqlite(connection) => drop(connection.execute_batch("ROLLBACK")),
            Connection::Postgres(session) => session.roll_back(),
        }
    }
}

/// A row that need not be there.
pub(crate) trait OptionalExtension<T> {
    /// `None` in place of the error that there is no row.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(row) => Ok(Some(row)),
            Err(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// No values.
pub(crate) const NONE: [i64; 0] = [];

/// The values of a statement, of different kinds.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn rusqlite::ToSql),*] as &[&dyn rusqlite::ToSql]
    };
}
pub(crate) use params;
