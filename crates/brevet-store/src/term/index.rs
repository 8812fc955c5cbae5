//! The lists of the terms: which entries have each.
//!
//! To write an entry's dozen terms at once would touch a dozen pages of the database in each transaction, and
//! cost more than the entry. So entries are taken into the lists some hundreds at a time: a reader gathers what they
//! add ([`Reader::unlisted`]), off the path of a reply, and the next batch writes it. `term_head` says how far the lists
//! go, and a search looks through the few entries behind it one by one. Where nobody gathers, the batch that makes them
//! very many takes them in itself. A ledger from before there were lists catches up at the start, a piece at a time; a
//! crash in between costs at most one piece.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::engine::{
    Begin, Connection, NONE, OptionalExtension, Row, Transaction, Value, for_each_key, params,
};
use brevet_core::{Text, UserId};

use super::block::Block;
use super::{Names, all, of_actor, of_owner, of_texts_alone};
use crate::codec::StoredEntry;
use crate::error::{StoreError, writing};
use crate::reader::{Reader, as_limit, stored_entries, stored_entry};
use crate::row::signed;

/// Entries that are in no list yet: at so many it is worth to gather them.
pub(super) const TAIL_ENTRIES: u64 = 256;
/// Entries that are in no list yet: at so many a batch takes them in, whatever it costs.
pub(super) const TAIL_ENTRIES_MAX: u64 = 4_096;
/// Entries that are taken in at once while catching up; also the entries of one block.
const PIECE_ENTRIES: u64 = super::block::BLOCK_ENTRIES;

/// How many entries are in the lists.
pub(crate) fn indexed(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached("SELECT size FROM term_head WHERE one = 1")?;
    let size: i64 = statement.query_row(NONE, |row| row.get(0))?;
    Ok(size.unsigned_abs())
}

/// Takes new entries into the lists when there are enough of them; `size` is the ledger's, with a batch whose
/// entries, from `first` on, and rows are written. How many there are is not asked for each batch.
pub(crate) fn keep_up(transaction: &Transaction<'_>, first: u64, size: u64) -> Result<(), StoreError> {
    if first / TAIL_ENTRIES == size / TAIL_ENTRIES {
        return Ok(());
    }
    let from = indexed(transaction)?;
    match size.saturating_sub(from) {
        0..TAIL_ENTRIES_MAX => Ok(()),
        _ => take_in(transaction, from, size),
    }
}

/// Takes all entries into the lists, each piece in a transaction of its own.
pub(crate) fn catch_up(connection: &Connection, size: u64) -> Result<(), StoreError> {
    loop {
        let from = indexed(connection)?;
        if size.saturating_sub(from) < TAIL_ENTRIES {
            return Ok(());
        }
        let transaction = connection.begin(Begin::Write).map_err(writing)?;
        transaction.lock_head()?;
        let from = indexed(&transaction)?;
        let end = (from / PIECE_ENTRIES + 1) * PIECE_ENTRIES;
        take_in(&transaction, from, end.min(size))?;
        transaction.commit().map_err(writing)?;
    }
}

/// What entries add to the lists.
#[derive(Debug, Clone)]
pub struct Gathered {
    from: u64,
    to: u64,
    lists: Vec<(String, Vec<u64>)>,
}

impl Reader {
    /// What the entries add that are in no list yet, at most a block of them; `None` while they are few.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn unlisted(&self) -> Result<Option<Gathered>, StoreError> {
        let view = self.connection.view()?;
        let from = indexed(&view)?;
        let size: Option<i64> = view.query_row("SELECT size FROM head", NONE, |row| row.get(0)).optional()?;
        let size = size.map_or(0, i64::unsigned_abs);
        match size.saturating_sub(from) {
            0..TAIL_ENTRIES => Ok(None),
            _ => gather(&view, from, size.min(from + PIECE_ENTRIES)).map(Some),
        }
    }
}

/// Writes what was gathered, unless the lists went on meanwhile.
pub(crate) fn put(transaction: &Transaction<'_>, gathered: &Gathered) -> Result<(), StoreError> {
    match indexed(transaction)? == gathered.from {
        true => write_lists(transaction, gathered),
        false => Ok(()),
    }
}

/// Takes all entries into the lists. What was gathered before is not written any more.
pub(crate) fn take_in_all(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let last: Option<i64> = transaction.query_row("SELECT max(seq) FROM entry", NONE, |row| row.get(0))?;
    let (from, to) = (indexed(transaction)?, last.map_or(0, |last| last.unsigned_abs() + 1));
    if from < to { take_in(transaction, from, to) } else { Ok(()) }
}

pub(super) fn take_in(connection: &Connection, from: u64, to: u64) -> Result<(), StoreError> {
    write_lists(connection, &gather(connection, from, to)?)
}

/// Each term of these entries, with those of them that have it, as the lists should say.
pub(crate) fn gathered(
    connection: &Connection,
    from: u64,
    to: u64,
) -> Result<Vec<(String, Vec<u64>)>, StoreError> {
    Ok(gather(connection, from, to)?.lists)
}

fn gather(connection: &Connection, from: u64, to: u64) -> Result<Gathered, StoreError> {
    let mut lists: HashMap<String, Vec<u64>> = HashMap::new();
    let names = Names::new(connection);
    // Entries in an archive have no bytes here, and are found there.
    let sql = "SELECT bytes FROM entry WHERE seq >= ?1 AND seq < ?2 AND length(bytes) > 0 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([signed(from), signed(to)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(row.get(0)?);
    }
    for StoredEntry { index, entry, bytes: _, about } in stored_entries(&names, found)? {
        for term in all(&entry, &about) {
            lists.entry(term).or_default().push(index);
        }
    }
    Ok(Gathered { from, to, lists: lists.into_iter().collect() })
}

fn write_lists(
    connection: &Connection,
    Gathered { from: _, to, lists }: &Gathered,
) -> Result<(), StoreError> {
    let numbers = intern(connection, lists.iter().map(|(term, _)| term.as_str()))?;
    // In the order in which they lie on the disk.
    let mut added: BTreeMap<u64, BTreeMap<i64, &[u64]>> = BTreeMap::new();
    for (term, seqs) in lists {
        let number = numbers.get(term).ok_or_else(|| StoreError::damaged("a term has no number"))?;
        for seqs in seqs.chunk_by(|one, other| Block::of(*one) == Block::of(*other)) {
            added.entry(Block::of(seqs[0])).or_default().insert(*number, seqs);
        }
    }
    for (number, terms) in added {
        let mut blocks = read_all(connection, number, terms.keys().copied())?;
        for (term, seqs) in terms {
            let mut block = blocks.remove(&term).unwrap_or(Block::EMPTY);
            seqs.iter().for_each(|seq| block.insert(*seq));
            write(connection, term, number, block)?;
        }
    }
    let mut statement =
        connection.prepare_cached("UPDATE term_head SET size = ?1 WHERE one = 1").map_err(writing)?;
    statement.execute_later([signed(*to)]).map_err(writing)
}

/// The numbers of terms, new ones where they have none.
fn intern<'t>(
    connection: &Connection,
    terms: impl Iterator<Item = &'t str> + Clone,
) -> Result<HashMap<String, i64>, StoreError> {
    let mut known = HashMap::new();
    numbers(connection, terms.clone(), &mut known)?;
    let new: Vec<&str> = terms.filter(|term| !known.contains_key(*term)).collect();
    for term in &new {
        let sql = "INSERT INTO term (word) VALUES (?1)";
        connection.execute_together(sql, [*term]).map_err(writing)?;
    }
    numbers(connection, new.into_iter(), &mut known)?;
    Ok(known)
}

/// The numbers of those of these terms that some entry has.
fn numbers<'t>(
    connection: &Connection,
    terms: impl Iterator<Item = &'t str>,
    known: &mut HashMap<String, i64>,
) -> Result<(), StoreError> {
    let words = terms.map(|term| Value::Text(term.to_owned())).collect();
    for_each_key(connection, "SELECT word, id FROM term WHERE word IN", &[], words, |row| {
        known.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })
}

/// The number of a term that some entry has.
pub(crate) fn number(connection: &Connection, term: &str) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM term WHERE word = ?1")?;
    Ok(statement.query_row([term], |row| row.get(0)).optional()?)
}

/// Those of these terms' blocks of one number that there are.
fn read_all(
    connection: &Connection,
    number: u64,
    terms: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Block>, StoreError> {
    let mut blocks = HashMap::new();
    let sql = "SELECT term, places FROM entry_term WHERE block = ?1 AND term IN";
    let number = [Value::Integer(signed(number))];
    for_each_key(connection, sql, &number, terms.map(Value::Integer).collect(), |row| {
        blocks.insert(row.get(0)?, block_at(row, 1)?);
        Ok(())
    })?;
    Ok(blocks)
}

fn read(connection: &Connection, term: i64, number: u64) -> Result<Option<Block>, StoreError> {
    let sql = "SELECT places FROM entry_term WHERE term = ?1 AND block = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([term, signed(number)])?;
    rows.next()?.map(|row| block_at(&row, 0)).transpose()
}

/// The block in a column.
pub(crate) fn block_at(row: &Row<'_>, column: usize) -> Result<Block, StoreError> {
    let bytes = row.get_ref(column)?.as_blob().map_err(StoreError::damaged)?;
    Block::from_bytes(bytes).ok_or_else(|| StoreError::damaged("a list of the search cannot be read"))
}

fn write(connection: &Connection, term: i64, number: u64, block: Block) -> Result<(), StoreError> {
    let sql = "INSERT INTO entry_term (term, block, places) VALUES (?1, ?2, ?3)
               ON CONFLICT (term, block) DO UPDATE SET places = excluded.places";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement.execute_together(params![term, signed(number), block.to_bytes()]).map_err(writing)
}

/// The first entries of a range, `most` of them, beside which texts of this person can be, oldest first: those that the
/// person caused, and those with texts about them. Only what is in the lists is found.
pub(crate) fn of_person(
    connection: &Connection,
    user: UserId,
    range: Range<u64>,
    most: usize,
) -> Result<Vec<u64>, StoreError> {
    let mut found = Vec::new();
    for term in [of_actor(&user.to_string()), of_owner(user)] {
        let Some(term) = number(connection, &term)? else { continue };
        let sql = "SELECT block, places FROM entry_term WHERE term = ?1 AND block >= ?2 ORDER BY block";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([term, signed(Block::of(range.start))])?;
        let before = found.len();
        while let (true, Some(row)) = (found.len() - before < most, rows.next()?) {
            let number = row.get::<_, i64>(0)?.unsigned_abs();
            found.extend(block_at(&row, 1)?.newest_first(number).filter(|seq| range.contains(seq)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(most);
    Ok(found)
}

/// Those of some entries beside which there may be texts of this person.
pub(crate) fn with_texts_of(
    connection: &Connection,
    user: UserId,
    entries: &[u64],
) -> Result<Vec<u64>, StoreError> {
    let names = Names::new(connection);
    let mut statement = connection.prepare_cached("SELECT bytes FROM entry WHERE seq = ?1")?;
    let mut theirs = Vec::new();
    for seq in entries {
        let bytes: Vec<u8> = statement.query_row([signed(*seq)], |row| row.get(0))?;
        if !bytes.is_empty() {
            let entry = stored_entry(&names, bytes)?.entry;
            let has_texts = entry.event.texts().into_iter().any(Text::was_given);
            theirs.extend((has_texts && entry.text_owner() == Some(user)).then_some(*seq));
        }
    }
    Ok(theirs)
}

/// Forgets the words of the texts of one entry, and each word that no other entry has. To be called while the
/// texts are still beside the entry, in the transaction that removes them.
pub(crate) fn forget_texts(transaction: &Transaction<'_>, seq: u64) -> Result<(), StoreError> {
    if seq >= indexed(transaction)? {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached("SELECT bytes FROM entry WHERE seq = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([signed(seq)], |row| row.get(0)).optional()?;
    let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
    let stored = stored_entry(&Names::new(transaction), bytes)?;
    for term in of_texts_alone(&stored.entry) {
        if let Some(id) = number(transaction, &term)? {
            remove(transaction, id, seq)?;
        }
    }
    Ok(())
}

fn remove(transaction: &Transaction<'_>, term: i64, seq: u64) -> Result<(), StoreError> {
    let number = Block::of(seq);
    let Some(mut block) = read(transaction, term, number)? else { return Ok(()) };
    block.remove(seq);
    write_or_drop(transaction, term, number, block)?;
    drop_unused(transaction, term)
}

fn write_or_drop(connection: &Connection, term: i64, number: u64, block: Block) -> Result<(), StoreError> {
    if !block.is_empty() {
        return write(connection, term, number, block);
    }
    let sql = "DELETE FROM entry_term WHERE term = ?1 AND block = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement.execute_later([term, signed(number)]).map_err(writing)
}

/// Forgets a term that no entry has any more.
fn drop_unused(connection: &Connection, term: i64) -> Result<(), StoreError> {
    let sql = "DELETE FROM term WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry_term WHERE term = ?1)";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement.execute_later([term]).map_err(writing)
}

/// Forgets the entries before `size`, which are in an archive, in the lists of the terms from `from` on, and each term
/// that no other entry has. Looks at so many terms at most, and stops as soon as so many blocks are gone; answers the
/// term to go on with, `None` behind the last.
pub(crate) fn forget_before(
    transaction: &Transaction<'_>,
    size: u64,
    from: i64,
    at_once: usize,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM term WHERE id >= ?1 ORDER BY id LIMIT ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    let terms = statement.query_map([from, as_limit(at_once)], |row| row.get(0))?;
    let terms: Vec<i64> = terms.collect::<Result<_, _>>()?;
    let mut gone = 0;
    for term in &terms {
        gone += forget_in_list(transaction, *term, size)?;
        if gone >= at_once {
            return Ok(Some(term + 1));
        }
    }
    Ok(terms.last().filter(|_| terms.len() == at_once).map(|last| last + 1))
}

/// Forgets the entries before `size` in one term's list; answers how many blocks it lost.
fn forget_in_list(transaction: &Transaction<'_>, term: i64, size: u64) -> Result<usize, StoreError> {
    let last = Block::of(size);
    let mut statement = transaction
        .prepare_cached("DELETE FROM entry_term WHERE term = ?1 AND block < ?2")
        .map_err(writing)?;
    let gone = statement.execute([term, signed(last)]).map_err(writing)?;
    if let Some(mut block) = read(transaction, term, last)? {
        (last * super::block::BLOCK_ENTRIES..size).for_each(|seq| block.remove(seq));
        write_or_drop(transaction, term, last, block)?;
    }
    drop_unused(transaction, term)?;
    Ok(gone)
}
