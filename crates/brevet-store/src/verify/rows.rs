//! The rows of one part of a data folder: straight from the pages of the database where these are as they should be, and
//! through SQLite from the first row on where they are not.

use brevet_ledger::{Content, Finding, Hash, PART_ROWS, Row, Salt, TextBeside};
use rusqlite::{Connection, params};

use super::Discrepancy;
use super::pages::{Pager, Walk, root_of};
use super::record::{Column, Odd, Record};
use super::snapshot::Lent;
use super::source::{Columns, Item, PartReader, end_of};
use crate::error::StoreError;
use crate::row::signed;
use crate::schema;

/// Texts that an entry mostly has at most.
const SLOTS_USUAL: usize = 4;

/// What is read of the entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// Not what searches go by, which says nothing of the ledger itself.
    NoColumns,
}

/// Reads parts through one connection.
pub(super) struct Reader<'s> {
    connection: Lent<'s>,
    wanted: Wanted,
    /// Where the last part begins.
    last: u64,
}

impl<'s> Reader<'s> {
    pub(super) fn new(connection: Lent<'s>, wanted: Wanted, size: u64) -> Self {
        Self { connection, wanted, last: size.saturating_sub(1) / PART_ROWS * PART_ROWS }
    }
}

impl PartReader for Reader<'_> {
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy> {
        let end = if first == self.last { i64::MAX } else { signed(end_of(first)) };
        let Some(connection) = self.connection.connection().sqlite() else {
            return Err(StoreError::damaged("a data folder has a database of its own").into());
        };
        let mut next = signed(first);
        match from_pages(connection, self.wanted, (&mut next, end), take) {
            Ok(()) => Ok(()),
            Err(Odd) => from_rows(connection, self.wanted, (next, end), take),
        }
    }
}

/// Takes the rows from `next` to before `end` out of the pages; `next` goes with them.
fn from_pages(
    connection: &Connection,
    wanted: Wanted,
    (next, end): (&mut i64, i64),
    take: &mut dyn FnMut(Item<'_>),
) -> Result<(), Odd> {
    let mut pager = Pager::of(connection)?;
    let mut entries = Walk::from(&mut pager, root_of(connection, "entry", schema::is_as_first)?, *next)?;
    let mut pager = Pager::of(connection)?;
    let texts = Walk::from(&mut pager, root_of(connection, "entry_text", schema::is_as_first)?, *next)?;
    let mut texts = Texts::of(TextPages { walk: texts, end })?;
    while let Some(seq) = entries.advance()? {
        let seq = seq.filter(|seq| seq >= next).ok_or(Odd)?;
        if seq >= end {
            return Ok(());
        }
        let (leaf, bytes, columns) = entry(entries.record()?, wanted)?;
        hand_over(seq.unsigned_abs(), leaf, bytes, columns, &mut texts, take)?;
        *next = seq + 1;
    }
    Ok(())
}

/// The columns of a row of `entry`, in the order in which the table has them.
fn entry(mut record: Record<'_>, wanted: Wanted) -> Result<(Hash, &[u8], Option<Columns<'_>>), Odd> {
    // The number of the row stands for the first.
    let Column::Null = record.column()? else { return Err(Odd) };
    let (kind, actor, request) = (record.column()?, record.column()?, record.column()?);
    let (leaf, bytes) = (record.column()?.blob()?, record.column()?.blob()?);
    let leaf = Hash::from_slice(leaf).map_err(|_| Odd)?;
    let columns = match wanted {
        Wanted::NoColumns => None,
        Wanted::Whole => {
            let request = match request {
                Column::Null => None,
                number => Some(number.integer()?),
            };
            Some(Columns { kind: kind.text()?, actor: actor.text()?, request })
        }
    };
    Ok((leaf, bytes, columns))
}

/// Asks SQLite for the rows from `next` to before `end`.
fn from_rows(
    connection: &Connection,
    wanted: Wanted,
    (next, end): (i64, i64),
    take: &mut dyn FnMut(Item<'_>),
) -> Result<(), Discrepancy> {
    let sql = "SELECT seq, leaf, bytes, kind, actor, request FROM entry
               WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
    let mut entries = connection.prepare_cached(sql)?;
    let sql = "SELECT seq, slot, salt, value FROM entry_text WHERE seq >= ?1 AND seq < ?2 ORDER BY seq, slot";
    let mut texts = connection.prepare_cached(sql)?;
    let mut texts = Texts::of(texts.query(params![next, end])?)?;
    let mut rows = entries.query(params![next, end])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.unsigned_abs();
        let leaf = Hash::from_slice(blob(row, 1)?).map_err(|_| Finding::Changed { index: seq })?;
        let columns = match wanted {
            Wanted::NoColumns => None,
            Wanted::Whole => {
                Some(Columns { kind: text(row, 3)?, actor: text(row, 4)?, request: row.get(5)? })
            }
        };
        hand_over(seq, leaf, blob(row, 2)?, columns, &mut texts, take)?;
    }
    Ok(())
}

/// Hands over one entry with what is beside it.
fn hand_over<R: TextRows>(
    position: u64,
    leaf: Hash,
    bytes: &[u8],
    columns: Option<Columns<'_>>,
    texts: &mut Texts<R>,
    take: &mut dyn FnMut(Item<'_>),
) -> Result<(), R::Fault> {
    let content = match bytes.is_empty() {
        true => Content::Archived { leaf },
        false => Content::Here { bytes, leaf: Some(leaf) },
    };
    texts.beside(position, bytes, &mut |texts| {
        let row = Row { position, content, texts };
        take(Item { row, columns, texts_are_elsewhere: false });
    })
}

/// The bytes of a column, whatever was put there.
fn blob<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r [u8], Discrepancy> {
    Ok(row.get_ref(column)?.as_bytes().unwrap_or_default())
}

/// The text of a column; empty where it is none, which no column that is read so ever is.
fn text<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r str, Discrepancy> {
    Ok(std::str::from_utf8(blob(row, column)?).unwrap_or_default())
}

pub(super) fn text_differs(index: u64, slot: i64) -> Discrepancy {
    Finding::TextDiffers { index, slot: usize::try_from(slot).unwrap_or(usize::MAX) }.into()
}

/// How many commitments the bytes say they have; the verifier decodes them whole. `docs/ledger-format.md`, "Entries".
fn commitments_in(bytes: &[u8]) -> Option<usize> {
    const KIND_LENGTH: usize = 1 + 8 + 8;
    let actor_length = KIND_LENGTH + 1 + usize::from(*bytes.get(KIND_LENGTH)?) + 2;
    let count = actor_length + 1 + usize::from(*bytes.get(actor_length)?) + 8;
    bytes.get(count).map(|count| usize::from(*count))
}

/// A row of `entry_text`.
struct TextRow<'r> {
    seq: u64,
    slot: i64,
    salt: &'r [u8],
    value: &'r [u8],
}

/// Rows of `entry_text` in the order of their keys.
trait TextRows {
    type Fault: From<Discrepancy>;

    fn next(&mut self) -> Result<Option<TextRow<'_>>, Self::Fault>;
}

impl TextRows for rusqlite::Rows<'_> {
    type Fault = Discrepancy;

    fn next(&mut self) -> Result<Option<TextRow<'_>>, Discrepancy> {
        let Some(row) = rusqlite::Rows::next(self)? else { return Ok(None) };
        let (seq, slot) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?);
        Ok(Some(TextRow { seq, slot, salt: blob(row, 2)?, value: blob(row, 3)? }))
    }
}

/// Those before entry `end`, out of pages.
struct TextPages<'p, 'c> {
    walk: Walk<'p, 'c>,
    end: i64,
}

impl TextRows for TextPages<'_, '_> {
    type Fault = Odd;

    fn next(&mut self) -> Result<Option<TextRow<'_>>, Odd> {
        match self.walk.advance()? {
            None => return Ok(None),
            // A page of the other kind of table.
            Some(Some(_)) => return Err(Odd),
            Some(None) => {}
        }
        let mut record = self.walk.record()?;
        let (seq, slot) = (record.column()?.integer()?, record.column()?.integer()?);
        let (salt, Column::Text(value)) = (record.column()?.blob()?, record.column()?) else {
            return Err(Odd);
        };
        Ok((seq < self.end).then_some(TextRow { seq: seq.unsigned_abs(), slot, salt, value }))
    }
}

/// Whatever is wrong with a row, SQLite is to read it once more and to say so.
impl From<Discrepancy> for Odd {
    fn from(_: Discrepancy) -> Self {
        Self
    }
}

/// The texts in the order of the entries they are beside, read in step with them. What it keeps of one entry it fills
/// anew for the next: a million entries need no more memory than the longest of them.
struct Texts<R> {
    rows: R,
    /// Beside which entry the next text is, and in which slot.
    next: Option<(u64, usize)>,
    ahead: Kept,
    kept: Vec<Kept>,
}

/// A slot of an entry.
struct Kept {
    is_here: bool,
    salt: Salt,
    text: String,
}

impl Kept {
    const fn nothing() -> Self {
        Self { is_here: false, salt: Salt::from_bytes([0; Salt::BYTES]), text: String::new() }
    }

    fn lent(&self) -> TextBeside<'_> {
        match self.is_here {
            true => TextBeside::Present { salt: &self.salt, text: &self.text },
            false => TextBeside::Erased,
        }
    }
}

impl<R: TextRows> Texts<R> {
    fn of(rows: R) -> Result<Self, R::Fault> {
        let mut texts = Self { rows, next: None, ahead: Kept::nothing(), kept: Vec::new() };
        texts.advance()?;
        Ok(texts)
    }

    fn advance(&mut self) -> Result<(), R::Fault> {
        let Some(TextRow { seq, slot, salt, value }) = self.rows.next()? else {
            self.next = None;
            return Ok(());
        };
        let salt: Result<[u8; Salt::BYTES], _> = salt.try_into();
        let (Ok(salt), Ok(value), Ok(place)) = (salt, std::str::from_utf8(value), usize::try_from(slot))
        else {
            return Err(text_differs(seq, slot).into());
        };
        self.ahead.salt = Salt::from_bytes(salt);
        self.ahead.text.clear();
        self.ahead.text.push_str(value);
        self.next = Some((seq, place));
        Ok(())
    }

    /// Hands over what is beside the entry at `position`, a slot for each of its commitments. Texts beside an entry in
    /// front of it that is not there are passed over: the verifier finds that the entry is missing.
    fn beside(
        &mut self,
        position: u64,
        bytes: &[u8],
        take: &mut dyn FnMut(&[TextBeside<'_>]),
    ) -> Result<(), R::Fault> {
        let slots = self.keep(position, commitments_in(bytes).unwrap_or(0))?;
        let mut few = [TextBeside::Erased; SLOTS_USUAL];
        match few.get_mut(..slots) {
            Some(few) => {
                few.iter_mut().zip(&self.kept).for_each(|(lent, kept)| *lent = kept.lent());
                take(few);
            }
            None => take(&self.kept[..slots].iter().map(Kept::lent).collect::<Vec<_>>()),
        }
        Ok(())
    }

    /// Keeps the texts of one entry; answers how many slots they take, with one more where there is a text too many.
    fn keep(&mut self, position: u64, committed: usize) -> Result<usize, R::Fault> {
        while self.kept.len() <= committed {
            self.kept.push(Kept::nothing());
        }
        self.kept[..=committed].iter_mut().for_each(|kept| kept.is_here = false);
        let mut slots = committed;
        while let Some((_, slot)) = self.next.filter(|(seq, _)| *seq <= position) {
            if self.next.is_some_and(|(seq, _)| seq == position) {
                // One too many: the verifier finds it, or that the entry itself was changed.
                let slot = if slot < committed { slot } else { committed };
                slots = slots.max(slot + 1);
                let kept = &mut self.kept[slot];
                std::mem::swap(kept, &mut self.ahead);
                kept.is_here = true;
            }
            self.advance()?;
        }
        Ok(slots)
    }
}
