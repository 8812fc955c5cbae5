//! Reading the ledger from its first entry up to an instant, to make the state of that instant again.

use brevet_core::{Entry, Event, Timestamp};

use crate::codec::decode_entry;
use crate::error::StoreError;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// Entries that are read at a time: a short view of the database each, so that the writer's log can be taken over
/// meanwhile.
const STEP_ENTRIES: usize = 8_192;

/// How far entries up to an instant could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadUpTo {
    /// Up to the instant: the next entry is later, so that nothing can be added any more.
    Later,
    /// Up to the end of the ledger: an entry of the very same instant may still come.
    End,
    /// Not at all: the entries before this index are in an archive file, and have no bytes here.
    Archived {
        /// The first entry that is here.
        before: u64,
    },
    /// Not at all: this ledger goes on from another one, whose entries come first and are not here.
    Recovered {
        /// The name of the other one.
        previous: String,
    },
}

impl Reader {
    /// Gives every entry up to and including an instant to `take`, the oldest first, without its texts. Nothing is
    /// given where the first of them are in an archive file, or in another ledger.
    pub fn entries_up_to(&self, time: Timestamp, take: impl FnMut(&Entry)) -> Result<ReadUpTo, StoreError> {
        let first = self.entries_from(0, 1)?.into_iter().next();
        match first.map(|first| first.entry.event) {
            Some(Event::LedgerRecovered { previous, .. }) => Ok(ReadUpTo::Recovered { previous }),
            _ => self.own_entries_up_to(time, take),
        }
    }

    /// The same of this ledger alone, whatever comes before it.
    pub fn own_entries_up_to(
        &self,
        time: Timestamp,
        mut take: impl FnMut(&Entry),
    ) -> Result<ReadUpTo, StoreError> {
        let mut next = 0;
        loop {
            let sql = "SELECT seq, bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut rows = statement.query((signed(next), as_limit(STEP_ENTRIES)))?;
            let first = next;
            while let Some(row) = rows.next()? {
                let found = row.get::<_, i64>(0)?.unsigned_abs();
                let bytes = row.get_ref(1)?.as_blob().map_err(StoreError::damaged)?;
                if bytes.is_empty() {
                    return Ok(ReadUpTo::Archived { before: self.first_kept_from(found)? });
                }
                let (index, entry) = decode_entry(bytes, Vec::new()).map_err(StoreError::damaged)?;
                if found != next || index != next {
                    return Err(StoreError::damaged(format!("entry {next} is missing")));
                }
                if entry.time > time {
                    return Ok(ReadUpTo::Later);
                }
                take(&entry);
                next += 1;
            }
            if next == first {
                return Ok(ReadUpTo::End);
            }
        }
    }

    fn first_kept_from(&self, index: u64) -> Result<u64, StoreError> {
        let sql = "SELECT seq FROM entry WHERE seq > ?1 AND length(bytes) > 0 ORDER BY seq LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([signed(index)])?;
        let found = rows.next()?.map(|row| row.get::<_, i64>(0)).transpose()?;
        Ok(found.map_or(index, i64::unsigned_abs))
    }
}
