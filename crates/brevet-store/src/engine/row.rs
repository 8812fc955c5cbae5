//! A row of either database.

use rusqlite::types::{FromSql, ValueRef};

use super::Result;
use super::postgres;

/// A row, lent for as long as nobody asks for the next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// The number of a column, from 0.
pub(crate) trait Place {
    /// As a number.
    fn number(self) -> usize;
}

impl Place for usize {
    fn number(self) -> usize {
        self
    }
}

impl<'r> Row<'r> {
    /// The value of a column.
    pub(crate) fn get<P: Place, T: FromSql>(&self, place: P) -> Result<T> {
        let place = place.number();
        let value = self.get_ref(place)?;
        T::column_result(value).map_err(|error| {
            let kind = value.data_type();
            rusqlite::Error::FromSqlConversionFailure(place, kind, Box::new(error)).into()
        })
    }

    /// The value of a column as it is.
    pub(crate) fn get_ref(&self, place: usize) -> Result<ValueRef<'r>> {
        match self {
            Self::Sqlite(row) => Ok(row.get_ref(place)?),
            Self::Postgres(row) => Ok(postgres::value(row, place)?),
        }
    }
}
