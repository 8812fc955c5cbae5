//! Searching the ledger, newest first, by cursor.

use brevet_core::{RequestId, Timestamp};
use brevet_ledger::EntryRef;
use rusqlite::types::Value;

use crate::codec::StoredEntry;
use crate::error::StoreError;
use crate::page::Page;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this kind only, for example `request.submitted`.
    pub kind: Option<String>,
    /// Caused by this actor only: `system` or a user's id.
    pub actor: Option<String>,
    /// Of this request's story only.
    pub request: Option<RequestId>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl Reader {
    /// Entries before an index, newest first.
    pub fn entries(
        &self,
        filter: &EntryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<StoredEntry>, StoreError> {
        let size = self.size()?;
        let end = match filter.until {
            Some(until) => self.first_at(until, size)?,
            None => size,
        };
        let end = end.min(before.unwrap_or(size));
        let start = match filter.since {
            Some(since) => self.first_at(since, size)?,
            None => 0,
        };
        let mut sql = String::from("SELECT bytes FROM entry WHERE seq >= ?1 AND seq < ?2");
        let mut values = vec![Value::Integer(signed(start)), Value::Integer(signed(end))];
        let mut condition = |column: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        };
        condition("request", filter.request.map(|id| Value::Integer(signed(id.number()))));
        condition("actor", filter.actor.clone().map(Value::Text));
        condition("kind", filter.kind.clone().map(Value::Text));
        values.push(Value::Integer(as_limit(limit).saturating_add(1)));
        sql.push_str(&format!(" ORDER BY seq DESC LIMIT ?{}", values.len()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, Vec<u8>>(0))?;
        let bytes: Vec<Vec<u8>> = rows.collect::<Result<_, _>>()?;
        let more = bytes.len() > limit;
        let items: Vec<StoredEntry> =
            bytes.into_iter().take(limit).map(|bytes| self.stored(bytes)).collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| last.index);
        Ok(Page { items, next })
    }

    /// Entries from an index on, oldest first.
    pub fn entries_from(&self, first: u64, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([signed(first), as_limit(limit)], |row| row.get::<_, Vec<u8>>(0))?;
        let bytes: Vec<Vec<u8>> = rows.collect::<Result<_, _>>()?;
        bytes.into_iter().map(|bytes| self.stored(bytes)).collect()
    }

    /// How many entries there are.
    pub fn size(&self) -> Result<u64, StoreError> {
        let last: Option<i64> =
            self.connection.query_row("SELECT max(seq) FROM entry", [], |row| row.get(0))?;
        Ok(last.map_or(0, |last| last.unsigned_abs() + 1))
    }

    /// The first index whose time is not before `time`. Time never goes back in the ledger, so halving finds
    /// it, and no index over times has to be kept.
    fn first_at(&self, time: Timestamp, size: u64) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.time_of(middle)? < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn time_of(&self, index: u64) -> Result<Timestamp, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM entry WHERE seq = ?1")?;
        let bytes: Vec<u8> = statement.query_row([signed(index)], |row| row.get(0))?;
        let entry = EntryRef::decode(&bytes).map_err(StoreError::damaged)?;
        Ok(Timestamp::from_micros(entry.time_micros))
    }
}
