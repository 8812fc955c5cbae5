//! Searching the ledger, newest first, by cursor: any combination of conditions, at the same cost in a long
//! ledger as in a short one.
//!
//! Conditions are terms (see [`crate::term`]), whose lists are read side by side from the newest block down, and
//! a range of entries, because time never goes back in the ledger. Each entry found is held against the
//! conditions once more, so that a list can hide an entry at worst, and never show a wrong one. A page looks at
//! a limited number of blocks and entries; one that ends there has a cursor, and perhaps no entry.

mod list;
mod object;
mod wanted;

use crate::engine::Value;
use crate::engine::{Connection, NONE};
use brevet_core::{RequestId, Timestamp};
use brevet_ledger::EntryRef;

use crate::codec::StoredEntry;
use crate::error::StoreError;
use crate::page::Page;
use crate::reader::{Reader, as_limit, entry_of, stored_entries};
use crate::row::signed;
use crate::term::block::{BLOCK_ENTRIES, Block};
use crate::term::{Names, Words, indexed};
use list::{AnyOf, Below, Step, next_block};
pub use object::Object;
use wanted::Wanted;

/// Blocks of lists that one page reads, beyond the first of each list.
const BLOCKS_PER_PAGE_MAX: usize = 128;
/// Entries that one page reads and does not show.
const MISSES_PER_PAGE_MAX: usize = 512;

/// Which entries: those that meet every condition.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this kind only, for example `request.submitted`, or of all that begin so: `request.*`.
    pub kind: Option<String>,
    /// Caused by this actor only: `system` or a user's id.
    pub actor: Option<String>,
    /// Of this request's story only.
    pub request: Option<RequestId>,
    /// About this task only, as `Scope\Name` or `Scope/Name`, in any case.
    pub task: Option<String>,
    /// About this object only, where it is one that rules are made of.
    pub object: Option<Object>,
    /// With this outcome only: one of [`crate::Outcome::as_str`].
    pub outcome: Option<String>,
    /// With all of these words in texts, names or parameters.
    pub text: Option<Words>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

impl Reader {
    /// Entries before an index that meet a filter, newest first: at most `limit`, and fewer, even none, where so
    /// much was looked at that the rest is left to the next page.
    pub fn entries(
        &self,
        filter: &EntryFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<StoredEntry>, StoreError> {
        let connection = &self.connection;
        // One view of everything, and one lock instead of one for each statement; the caller may have one already.
        let _view = connection.is_autocommit().then(|| connection.view()).transpose()?;
        let size = size(connection)?;
        let kept = first_kept(connection, size)?;
        let start = filter.since.map_or(Ok(kept), |since| first_at(connection, since, kept, size))?;
        let end = filter.until.map_or(Ok(size), |until| first_at(connection, until, kept, size))?;
        let end = end.min(before.unwrap_or(size));
        let wanted = Wanted::of(filter);
        let names = Names::new(connection);
        let items = Vec::new();
        let mut search = Search { connection, names, wanted: &wanted, start, limit, items, misses: 0 };
        let next = search.run(end)?;
        Ok(Page { items: search.items, next })
    }

    /// Entries from an index on, oldest first. Those in an archive are left out.
    pub fn entries_from(&self, first: u64, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE seq >= ?1 AND length(bytes) > 0 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([signed(first), as_limit(limit)], |row| row.get::<_, Vec<u8>>(0))?;
        stored_entries(&Names::new(&self.connection), rows.collect::<Result<_, _>>()?)
    }

    /// How many entries there are.
    pub fn size(&self) -> Result<u64, StoreError> {
        size(&self.connection)
    }
}

/// One page in the making.
struct Search<'c> {
    connection: &'c Connection,
    names: Names<'c>,
    wanted: &'c Wanted,
    /// The first entry that may be meant.
    start: u64,
    limit: usize,
    items: Vec<StoredEntry>,
    misses: usize,
}

impl Search<'_> {
    /// Fills the page with entries before `end`; answers where the next one goes on.
    fn run(&mut self, end: u64) -> Result<Option<u64>, StoreError> {
        if self.start >= end {
            return Ok(None);
        }
        // In this order: every term of an entry that is in the lists is known by then.
        let listed = indexed(self.connection)?;
        let Some(mut sources) = self.wanted.lists(self.connection)? else {
            // No entry in the lists has what is wanted; those that came since may.
            return self.each_of(self.start.max(listed), end);
        };
        if self.wanted.request.is_some() || sources.is_empty() {
            return self.each_of(self.start, end);
        }
        if let Some(next) = self.each_of(self.start.max(listed), end)? {
            return Ok(Some(next));
        }
        self.listed(&mut sources, end.min(listed))
    }

    /// Looks at the entries from `from` to before `end` one by one.
    fn each_of(&mut self, from: u64, end: u64) -> Result<Option<u64>, StoreError> {
        let mut sql =
            String::from("SELECT seq, bytes FROM entry WHERE seq >= ?1 AND seq < ?2 AND length(bytes) > 0");
        let mut values = vec![Value::Integer(signed(from)), Value::Integer(signed(end))];
        for (column, value) in self.wanted.columns() {
            values.push(value);
            sql.push_str(&format!(" AND {column} = ?{}", values.len()));
        }
        sql.push_str(" ORDER BY seq DESC");
        let connection = self.connection;
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(crate::engine::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let seq = row.get::<_, i64>(0)?.unsigned_abs();
            if self.is_enough() {
                return Ok(Some(seq + 1));
            }
            self.take(row.get(1)?)?;
        }
        Ok(None)
    }

    /// Looks at the entries before `end` that the lists have in common.
    fn listed(&mut self, sources: &mut [AnyOf], end: u64) -> Result<Option<u64>, StoreError> {
        if self.start >= end {
            return Ok(None);
        }
        let below = Below { connection: self.connection, floor: Block::of(self.start) };
        let most = BLOCKS_PER_PAGE_MAX + sources.iter().map(AnyOf::len).sum::<usize>();
        let mut looked_at = 0;
        let mut target = Block::of(end - 1);
        loop {
            let (number, block) = match next_block(&below, sources, target, (&mut looked_at, most))? {
                Step::End => return Ok(None),
                Step::Enough(number) => return Ok(Some(end.min((number + 1) * BLOCK_ENTRIES))),
                Step::Block(number, block) => (number, block),
            };
            let meant = self.start..end;
            for seq in block.newest_first(number).filter(|seq| meant.contains(seq)) {
                if self.is_enough() {
                    return Ok(Some(seq + 1));
                }
                if let Some(bytes) = self.bytes(seq)? {
                    self.take(bytes)?;
                }
            }
            match number.checked_sub(1).filter(|lower| *lower >= below.floor) {
                Some(lower) => target = lower,
                None => return Ok(None),
            }
        }
    }

    const fn is_enough(&self) -> bool {
        self.items.len() >= self.limit || self.misses >= MISSES_PER_PAGE_MAX
    }

    fn bytes(&self, seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE seq = ?1 AND length(bytes) > 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([signed(seq)])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// Takes an entry onto the page, if it is meant.
    fn take(&mut self, bytes: Vec<u8>) -> Result<(), StoreError> {
        let (index, entry) = entry_of(self.connection, &bytes)?;
        if self.wanted.may_mean(&entry) {
            let about = self.names.about(&entry.event)?;
            if self.wanted.means(&about) {
                self.items.push(StoredEntry { index, entry, bytes, about });
                return Ok(());
            }
        }
        self.misses += 1;
        Ok(())
    }
}

fn size(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT max(seq) FROM entry")?;
    let last: Option<i64> = statement.query_row(NONE, |row| row.get(0))?;
    Ok(last.map_or(0, |last| last.unsigned_abs() + 1))
}

/// The first entry that is not in an archive: all before it have no bytes here.
fn first_kept(connection: &Connection, size: u64) -> Result<u64, StoreError> {
    // Mostly there is no archive.
    match size == 0 || time_of(connection, 0)?.is_some() {
        true => Ok(0),
        false => halve(0, size, |middle| Ok(time_of(connection, middle)?.is_none())),
    }
}

/// The first index from `low` on whose time is not before `time`. Time never goes back in the ledger, so
/// halving finds it, and no index over times has to be kept.
pub(crate) fn first_at(
    connection: &Connection,
    time: Timestamp,
    low: u64,
    size: u64,
) -> Result<u64, StoreError> {
    halve(low, size, |middle| Ok(time_of(connection, middle)?.is_none_or(|found| found < time)))
}

/// The first index of which `is_before` does not hold any more.
fn halve(
    mut low: u64,
    mut high: u64,
    is_before: impl Fn(u64) -> Result<bool, StoreError>,
) -> Result<u64, StoreError> {
    while low < high {
        let middle = low + (high - low) / 2;
        match is_before(middle)? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

/// When an entry was written; `None` for one in an archive.
fn time_of(connection: &Connection, index: u64) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM entry WHERE seq = ?1")?;
    let mut rows = statement.query([signed(index)])?;
    let Some(row) = rows.next()? else {
        return Err(StoreError::damaged(format!("entry {index} is missing")));
    };
    match row.get_ref(0)?.as_blob().map_err(StoreError::damaged)? {
        [] => Ok(None),
        bytes => {
            let entry = EntryRef::decode(bytes).map_err(StoreError::damaged)?;
            Ok(Some(Timestamp::from_micros(entry.time_micros)))
        }
    }
}
