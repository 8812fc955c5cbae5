//! A statement of either database, and the rows that it answers with.

use super::postgres::Session;
use super::row::Row;
use super::values::{Params, params_from_iter};
use super::{Error, Result, Value};

/// A statement that was prepared.
pub(crate) enum Statement<'c> {
    Sqlite(rusqlite::CachedStatement<'c>),
    Postgres { session: &'c Session, sql: String },
}

impl Statement<'_> {
    /// Carries it out; answers how many rows it changed.
    pub(crate) fn execute(&mut self, values: impl Params) -> Result<usize> {
        values.lend(|values| match self {
            Self::Sqlite(statement) => Ok(statement.execute(values)?),
            Self::Postgres { session, sql } => Ok(session.execute(sql, values)?),
        })
    }

    /// Carries it out, where nobody needs to know how many rows it changed. PostgreSQL's answer is not waited for: that it
    /// failed says a later call, at the latest the commit, after which nothing is done.
    pub(crate) fn execute_later(&mut self, values: impl Params) -> Result<()> {
        values.lend(|values| match self {
            Self::Sqlite(statement) => Ok(statement.execute(values).map(drop)?),
            Self::Postgres { session, sql } => Ok(session.execute_later(sql, values)?),
        })
    }

    /// The same for an `INSERT` or `UPDATE` of one row, of which many follow: PostgreSQL gets them together. Each must be
    /// about another row, and nothing may depend on their order.
    pub(crate) fn execute_together(&mut self, values: impl Params) -> Result<()> {
        values.lend(|values| match self {
            Self::Sqlite(statement) => Ok(statement.execute(values).map(drop)?),
            Self::Postgres { session, sql } => Ok(session.execute_together(sql, values)?),
        })
    }

    /// Its rows.
    pub(crate) fn query(&mut self, values: impl Params) -> Result<Rows<'_>> {
        values.lend(|values| match self {
            Self::Sqlite(statement) => Ok(Rows::Sqlite(statement.query(values)?)),
            Self::Postgres { session, sql } => {
                Ok(Rows::Postgres { rows: session.query(sql, values)?.into_iter(), now: None })
            }
        })
    }

    /// Hands over the rows of each of several questions, with its place among them; PostgreSQL gets all of them at once.
    pub(crate) fn query_each(
        &mut self,
        questions: &[Vec<Value>],
        mut take: impl FnMut(usize, &Row<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(_) => {
                for (place, values) in questions.iter().enumerate() {
                    let mut rows = self.query(params_from_iter(values))?;
                    while let Some(row) = rows.next()? {
                        take(place, &row)?;
                    }
                }
            }
            Self::Postgres { session, sql } => {
                for (place, rows) in session.query_each(sql, questions)?.into_iter().enumerate() {
                    rows.iter().try_for_each(|row| take(place, &Row::Postgres(row)))?;
                }
            }
        }
        Ok(())
    }

    /// Its first row, which there must be.
    pub(crate) fn query_row<T>(
        &mut self,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        match self.query(values)?.next()? {
            Some(row) => read(&row),
            None => Err(Error::Sqlite(rusqlite::Error::QueryReturnedNoRows)),
        }
    }

    /// What is read out of each row.
    pub(crate) fn query_map<T, F: FnMut(&Row<'_>) -> Result<T>>(
        &mut self,
        values: impl Params,
        read: F,
    ) -> Result<MappedRows<'_, F>> {
        Ok(MappedRows { rows: self.query(values)?, read })
    }
}

/// The rows of a statement, one after the other.
pub(crate) enum Rows<'s> {
    Sqlite(rusqlite::Rows<'s>),
    Postgres { rows: std::vec::IntoIter<tokio_postgres::Row>, now: Option<tokio_postgres::Row> },
}

impl Rows<'_> {
    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Self::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Self::Postgres { rows, now } => {
                *now = rows.next();
                Ok(now.as_ref().map(Row::Postgres))
            }
        }
    }
}

/// Rows of which something is read.
pub(crate) struct MappedRows<'s, F> {
    rows: Rows<'s>,
    read: F,
}

impl<T, F: FnMut(&Row<'_>) -> Result<T>> Iterator for MappedRows<'_, F> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        match self.rows.next() {
            Ok(Some(row)) => Some((self.read)(&row)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}
