//! Rows straight from the pages of a database, in the order of their keys.
//!
//! A verifier that asks SQLite for a million rows spends most of its time in being asked. So SQLite hands out whole
//! pages as this snapshot has them (its table `sqlite_dbpage`), and the rows are taken out of them here: SQLite database
//! file format, section 1.6. This is a short cut and nothing more: what is not exactly as it should be is [`Odd`], and
//! then SQLite reads the rows itself.

use rusqlite::{CachedStatement, Connection};

use super::record::{Odd, Record, varint};

const INDEX_INTERIOR: u8 = 0x02;
const TABLE_INTERIOR: u8 = 0x05;
const INDEX_LEAF: u8 = 0x0a;
const TABLE_LEAF: u8 = 0x0d;
/// Levels of a tree; a full one of so many has more pages than SQLite can count.
const DEPTH_MAX: usize = 20;
/// Pages that one walk reads at most: far more than the rows of a part fill.
const WALK_PAGES_MAX: u32 = 1 << 16;

/// Hands out the pages of one database.
pub(super) struct Pager<'c> {
    statement: CachedStatement<'c>,
    /// Bytes of a page without those that SQLite leaves to others.
    usable: usize,
}

impl<'c> Pager<'c> {
    /// Of the database that a connection sees.
    pub(super) fn of(connection: &'c Connection) -> Result<Self, Odd> {
        const RESERVED: usize = 20;
        const ENCODING: usize = 56;
        const UTF8: [u8; 4] = [0, 0, 0, 1];
        let sql = "SELECT data FROM sqlite_dbpage WHERE pgno = ?1";
        let statement = connection.prepare_cached(sql).map_err(|_| Odd)?;
        let mut pager = Self { statement, usable: 0 };
        let mut first = Vec::new();
        pager.read(1, &mut first)?;
        if first.get(ENCODING..ENCODING + 4) != Some(&UTF8) {
            return Err(Odd);
        }
        let reserved = first.get(RESERVED).copied().ok_or(Odd)?;
        pager.usable = first.len().checked_sub(reserved.into()).filter(|usable| *usable >= 480).ok_or(Odd)?;
        Ok(pager)
    }

    fn read(&mut self, number: u32, into: &mut Vec<u8>) -> Result<(), Odd> {
        let mut rows = self.statement.query([number]).map_err(|_| Odd)?;
        let row = rows.next().map_err(|_| Odd)?.ok_or(Odd)?;
        let page = row.get_ref(0).map_err(|_| Odd)?.as_blob().map_err(|_| Odd)?;
        into.clear();
        into.extend_from_slice(page);
        Ok(())
    }
}

/// The page that a table begins at. `Odd` when the table is not the one that `is_made_so` knows by its statement: its rows
/// may have other columns, or the same ones in another order, and SQLite finds them by name.
pub(super) fn root_of(
    connection: &Connection,
    table: &str,
    is_made_so: fn(statement: &str) -> bool,
) -> Result<u32, Odd> {
    // SQLite takes names for the same whatever their case.
    let sql = "SELECT type, rootpage, sql FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
    let mut statement = connection.prepare_cached(sql).map_err(|_| Odd)?;
    let found = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let found: Result<Vec<(String, u32, String)>, _> = found.and_then(Iterator::collect);
    match found.map_err(|_| Odd)?.as_slice() {
        [(kind, root, made)] if kind == "table" && is_made_so(made) => Ok(*root),
        _ => Err(Odd),
    }
}

/// A page on the way from the root to the current row.
#[derive(Debug, Default)]
struct Level {
    page: Vec<u8>,
    kind: u8,
    cells: usize,
    /// Of a leaf the next cell; of an interior page of a table the next child; of one of an index twice the next child,
    /// or one more for the cell behind that child.
    step: usize,
}

/// Where the current row's record is.
#[derive(Debug, Clone, Copy)]
enum Found {
    Page { start: usize, end: usize },
    Overflow,
}

/// Walks through a table from a key on. A table `WITHOUT ROWID` is an index to SQLite, whose rows are in all of its
/// pages.
pub(super) struct Walk<'p, 'c> {
    pager: &'p mut Pager<'c>,
    /// The first of them, `depth` in number, are on the way; the others are kept to be filled again.
    levels: Vec<Level>,
    depth: usize,
    overflow: Vec<u8>,
    found: Found,
    pages: u32,
}

impl<'p, 'c> Walk<'p, 'c> {
    /// Begins in front of the first row whose key is not below `from`: the row's number, or the first column of an index.
    pub(super) fn from(pager: &'p mut Pager<'c>, root: u32, from: i64) -> Result<Self, Odd> {
        let found = Found::Page { start: 0, end: 0 };
        let mut walk = Self { pager, levels: Vec::new(), depth: 0, overflow: Vec::new(), found, pages: 0 };
        let mut next = root;
        loop {
            walk.enter(next)?;
            let level = walk.top()?;
            let (kind, cells) = (level.kind, level.cells);
            let at = walk.first_not_below(from)?;
            match kind {
                TABLE_INTERIOR => walk.top()?.step = at + 1,
                INDEX_INTERIOR => walk.top()?.step = 2 * at + 1,
                _ => {
                    walk.top()?.step = at;
                    return Ok(walk);
                }
            }
            next = walk.child(at, cells)?;
        }
    }

    /// Goes to the next row; answers its number, which in an index is none. `None` behind the last.
    pub(super) fn advance(&mut self) -> Result<Option<Option<i64>>, Odd> {
        loop {
            if self.depth == 0 {
                return Ok(None);
            }
            let level = self.top()?;
            let (kind, cells, step) = (level.kind, level.cells, level.step);
            level.step += 1;
            match kind {
                TABLE_LEAF if step < cells => return self.take_table_cell(step).map(|row| Some(Some(row))),
                INDEX_LEAF if step < cells => return self.take_index_cell(step, 0).map(|()| Some(None)),
                INDEX_INTERIOR if step % 2 == 1 && step / 2 < cells => {
                    return self.take_index_cell(step / 2, 4).map(|()| Some(None));
                }
                TABLE_INTERIOR if step <= cells => self.descend(step, cells)?,
                INDEX_INTERIOR if step.is_multiple_of(2) && step / 2 <= cells => {
                    self.descend(step / 2, cells)?;
                }
                _ => self.depth -= 1,
            }
        }
    }

    /// The record of the current row.
    pub(super) fn record(&self) -> Result<Record<'_>, Odd> {
        match self.found {
            Found::Overflow => Record::of(&self.overflow),
            Found::Page { start, end } => {
                let level = self.depth.checked_sub(1).and_then(|top| self.levels.get(top)).ok_or(Odd)?;
                Record::of(level.page.get(start..end).ok_or(Odd)?)
            }
        }
    }

    fn top(&mut self) -> Result<&mut Level, Odd> {
        self.depth.checked_sub(1).and_then(|top| self.levels.get_mut(top)).ok_or(Odd)
    }

    fn descend(&mut self, place: usize, cells: usize) -> Result<(), Odd> {
        let child = self.child(place, cells)?;
        self.enter(child)
    }

    fn enter(&mut self, number: u32) -> Result<(), Odd> {
        const PAGE_HEADER: usize = 0;
        self.pages += 1;
        if self.depth == DEPTH_MAX || self.pages > WALK_PAGES_MAX || number < 2 {
            return Err(Odd);
        }
        if self.levels.len() == self.depth {
            self.levels.push(Level::default());
        }
        let level = &mut self.levels[self.depth];
        self.pager.read(number, &mut level.page)?;
        level.kind = *level.page.get(PAGE_HEADER).ok_or(Odd)?;
        level.cells = number_at(&level.page, 3)?;
        level.step = 0;
        self.depth += 1;
        match level.kind {
            TABLE_INTERIOR | TABLE_LEAF | INDEX_INTERIOR | INDEX_LEAF => Ok(()),
            _ => Err(Odd),
        }
    }

    /// The first cell of the top page whose key is not below; as many as there are when all are.
    fn first_not_below(&mut self, from: i64) -> Result<usize, Odd> {
        let (mut low, mut high) = (0, self.top()?.cells);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle)? < from {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    fn key(&mut self, place: usize) -> Result<i64, Odd> {
        match self.top()?.kind {
            TABLE_LEAF => self.take_table_cell(place),
            TABLE_INTERIOR => {
                let cell = self.cell(place)?;
                let (key, _) = varint(self.top()?.page.get(cell + 4..).ok_or(Odd)?)?;
                Ok(key.cast_signed())
            }
            INDEX_LEAF => self.take_index_cell(place, 0).and_then(|()| self.record()?.column()?.integer()),
            _ => self.take_index_cell(place, 4).and_then(|()| self.record()?.column()?.integer()),
        }
    }

    /// Where a cell of the top page begins.
    fn cell(&mut self, place: usize) -> Result<usize, Odd> {
        let level = self.top()?;
        let header = if matches!(level.kind, TABLE_LEAF | INDEX_LEAF) { 8 } else { 12 };
        number_at(&level.page, header + 2 * place)
    }

    /// The page of a child; the last is named in the header.
    fn child(&mut self, place: usize, cells: usize) -> Result<u32, Odd> {
        let at = if place == cells { 8 } else { self.cell(place)? };
        page_number(&self.top()?.page, at)
    }

    fn take_table_cell(&mut self, place: usize) -> Result<i64, Odd> {
        let at = self.cell(place)?;
        let page = &self.top()?.page;
        let (len, rest) = varint(page.get(at..).ok_or(Odd)?)?;
        let (key, rest) = varint(rest)?;
        let start = page.len() - rest.len();
        let most = self.pager.usable - 35;
        self.take_payload(start, len, most)?;
        Ok(key.cast_signed())
    }

    fn take_index_cell(&mut self, place: usize, pointer: usize) -> Result<(), Odd> {
        let at = self.cell(place)? + pointer;
        let page = &self.top()?.page;
        let (len, rest) = varint(page.get(at..).ok_or(Odd)?)?;
        let start = page.len() - rest.len();
        let most = (self.pager.usable - 12) * 64 / 255 - 23;
        self.take_payload(start, len, most)
    }

    /// Finds a record of so many bytes that begins here; one longer than `most` goes on in pages of its own.
    fn take_payload(&mut self, start: usize, len: u64, most: usize) -> Result<(), Odd> {
        let len = usize::try_from(len).map_err(|_| Odd)?;
        if len <= most {
            self.found = Found::Page { start, end: start.checked_add(len).ok_or(Odd)? };
            return Ok(());
        }
        let usable = self.pager.usable;
        let least = (usable - 12) * 32 / 255 - 23;
        let some = least + (len - least) % (usable - 4);
        let here = if some <= most { some } else { least };
        let level = &self.levels[self.depth - 1];
        self.overflow.clear();
        self.overflow.extend_from_slice(level.page.get(start..start + here).ok_or(Odd)?);
        let mut next = page_number(&level.page, start + here)?;
        let mut page = Vec::new();
        while self.overflow.len() < len {
            self.pages += 1;
            if self.pages > WALK_PAGES_MAX || next < 2 {
                return Err(Odd);
            }
            self.pager.read(next, &mut page)?;
            next = page_number(&page, 0)?;
            let more = (len - self.overflow.len()).min(usable - 4);
            self.overflow.extend_from_slice(page.get(4..4 + more).ok_or(Odd)?);
        }
        self.found = Found::Overflow;
        Ok(())
    }
}

fn number_at(page: &[u8], at: usize) -> Result<usize, Odd> {
    let bytes = page.get(at..at + 2).ok_or(Odd)?;
    Ok(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
}

fn page_number(page: &[u8], at: usize) -> Result<u32, Odd> {
    let bytes: [u8; 4] = page.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or(Odd)?;
    Ok(u32::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
