//! Values on their way to PostgreSQL and back: integers, texts, bytes and nothing.

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::Fault;

/// A value as PostgreSQL gets it.
#[derive(Debug)]
pub(super) enum Given {
    Nothing,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The values of a statement.
pub(super) fn given(values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Given>, Fault> {
    values.iter().map(|value| one(*value)).collect()
}

fn one(value: &dyn rusqlite::ToSql) -> Result<Given, Fault> {
    let other = |found: &dyn std::fmt::Debug| Fault::Type { found: format!("{found:?}") };
    match value.to_sql().map_err(|error| other(&error))? {
        ToSqlOutput::Borrowed(ValueRef::Null) | ToSqlOutput::Owned(Value::Null) => Ok(Given::Nothing),
        ToSqlOutput::Borrowed(ValueRef::Integer(number)) | ToSqlOutput::Owned(Value::Integer(number)) => {
            Ok(Given::Integer(number))
        }
        ToSqlOutput::Borrowed(ValueRef::Text(text)) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Given::Text(text.to_owned())),
            Err(error) => Err(other(&error)),
        },
        ToSqlOutput::Owned(Value::Text(text)) => Ok(Given::Text(text)),
        ToSqlOutput::Borrowed(ValueRef::Blob(bytes)) => Ok(Given::Bytes(bytes.to_owned())),
        ToSqlOutput::Owned(Value::Blob(bytes)) => Ok(Given::Bytes(bytes)),
        found => Err(other(&found)),
    }
}

impl Given {
    /// How much it holds.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Integer(_) => size_of::<i64>(),
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    pub(super) fn lent(&self) -> &(dyn ToSql + Sync) {
        self
    }
}

impl ToSql for Given {
    fn to_sql(
        &self,
        wanted: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, wanted) {
            (Self::Nothing, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT4) => ToSql::to_sql(&i32::try_from(*number)?, wanted, out),
            (Self::Integer(number), _) => ToSql::to_sql(number, wanted, out),
            (Self::Text(text), _) => ToSql::to_sql(text, wanted, out),
            (Self::Bytes(bytes), _) => ToSql::to_sql(bytes, wanted, out),
        }
    }

    fn accepts(wanted: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::TEXT, Type::BYTEA].contains(wanted)
    }

    to_sql_checked!();
}

/// The value of a column.
pub(crate) fn value(row: &Row, place: usize) -> Result<ValueRef<'_>, Fault> {
    let Some(column) = row.columns().get(place) else {
        return Err(Fault::Type { found: format!("no column {place}") });
    };
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(place)?.map(ValueRef::Integer),
        Type::INT4 => row.try_get::<_, Option<i32>>(place)?.map(|number| ValueRef::Integer(number.into())),
        Type::TEXT => row.try_get::<_, Option<&str>>(place)?.map(|text| ValueRef::Text(text.as_bytes())),
        Type::BYTEA => row.try_get::<_, Option<&[u8]>>(place)?.map(ValueRef::Blob),
        ref other => return Err(Fault::Type { found: other.to_string() }),
    };
    Ok(value.unwrap_or(ValueRef::Null))
}
