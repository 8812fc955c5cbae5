//! Do the lists that searches go by (`docs/decisions/0011`) have every entry under each of its terms, and no other?
//!
//! A block of a list is 4,096 entries, and so is a part that a worker reads. So each worker makes the lists of its
//! part anew and keeps one number of them, the sum of the fingerprints of all of them; then one reading of the stored
//! lists makes the same sums. Nothing but these numbers is held. Only where two differ, that one block is made once more
//! to say which entry it is about.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use crate::engine::{Connection, NONE, OptionalExtension as _};
use brevet_core::{Access, Entry, Event, State, TaskId};
use brevet_ledger::PART_ROWS;

use super::Discrepancy;
use super::snapshot::has_table;
use super::source::Item;
use crate::term::block::{BLOCK_ENTRIES, Block};
use crate::term::{each_but_task, gathered, of_task};

// INVARIANT: what one worker reads are the entries of one block.
const _: () = assert!(PART_ROWS == BLOCK_ENTRIES);

/// How the lists are made into numbers, and of which entries.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    /// Drawn anew for each verification: nobody can make up lists whose sums are those of others.
    state: RandomState,
    /// So many entries are in the lists.
    indexed: u64,
    /// Entries that are leaving for an archive, a few at a time: they stay in the lists until the last is gone.
    leaving: Vec<Range<u64>>,
}

impl Listing {
    /// As the database says; `None` for one from before there were lists, or where it does not say.
    fn of(connection: &Connection) -> Result<Option<Self>, Discrepancy> {
        if !has_table(connection, "term_head")? {
            return Ok(None);
        }
        let sql = "SELECT size FROM term_head WHERE one = 1";
        let indexed: Option<i64> = connection.query_row(sql, NONE, |row| row.get(0)).optional()?;
        let leaving = leaving(connection)?;
        let state = RandomState::new();
        Ok(indexed.map(|indexed| Self { state, indexed: indexed.unsigned_abs(), leaving }))
    }

    fn fingerprint(&self, term: &str, places: &[u8]) -> u64 {
        self.state.hash_one((term, places))
    }

    /// Whether what a stored list says of this entry counts.
    fn counts(&self, index: u64) -> bool {
        !self.leaving.iter().any(|range| range.contains(&index))
    }
}

fn leaving(connection: &Connection) -> Result<Vec<Range<u64>>, Discrepancy> {
    if !has_table(connection, "archive_file")? {
        return Ok(Vec::new());
    }
    // A table from before lists left in steps has no place for how far they have.
    let sql = match has_table(connection, "erasure")? {
        true => "SELECT first, pruned FROM archive_file WHERE pruned < size OR next_term IS NOT NULL",
        false => "SELECT first, pruned FROM archive_file WHERE pruned < size",
    };
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(NONE, |row| {
        Ok(row.get::<_, i64>(0)?.unsigned_abs()..row.get::<_, i64>(1)?.unsigned_abs())
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the entries of one block add to the lists, but for the tasks, which only the state knows.
#[derive(Debug, Default)]
pub(super) struct BlockLists {
    places: HashMap<String, Vec<u64>>,
}

impl BlockLists {
    /// Takes the next entry, with its texts, where it is one of those that are in the lists.
    pub(super) fn take(&mut self, listing: &Listing, item: &Item<'_>, entry: &Entry) {
        let index = item.row.position;
        if is_listed(item) && index < listing.indexed {
            each_but_task(entry, &mut |term| add(&mut self.places, term, index));
        }
    }

    /// The sum of the fingerprints of these lists.
    pub(super) fn sum(&self, listing: &Listing) -> u64 {
        sum(listing, &self.places)
    }
}

/// Whether the bytes of an entry are in this very database: those in an archive are found there.
pub(super) const fn is_listed(item: &Item<'_>) -> bool {
    item.columns.is_some() && !item.texts_are_elsewhere
}

fn add(lists: &mut HashMap<String, Vec<u64>>, term: &str, index: u64) {
    match lists.get_mut(term) {
        Some(places) if places.last() == Some(&index) => {}
        Some(places) => places.push(index),
        None => drop(lists.insert(term.to_owned(), vec![index])),
    }
}

fn sum(listing: &Listing, lists: &HashMap<String, Vec<u64>>) -> u64 {
    let of = |(term, places): (&String, &Vec<u64>)| listing.fingerprint(term, &packed(places));
    lists.iter().map(of).fold(0, u64::wrapping_add)
}

/// As a block of these entries is stored.
fn packed(places: &[u64]) -> Vec<u8> {
    let mut block = Block::EMPTY;
    places.iter().for_each(|index| block.insert(*index));
    block.to_bytes()
}

/// The lists as they should be, block by block; by default of a ledger without any.
#[derive(Debug, Default)]
pub(super) struct Lists {
    listing: Option<Listing>,
    sums: Vec<u64>,
    /// Of the current block: the entries about each task.
    tasks: HashMap<String, Vec<u64>>,
}

impl Lists {
    /// Before the first entry; `connection` sees the lists.
    pub(super) fn new(connection: &Connection) -> Result<Self, Discrepancy> {
        Ok(Self { listing: Listing::of(connection)?, sums: Vec::new(), tasks: HashMap::new() })
    }

    /// What the workers need.
    pub(super) const fn listing(&self) -> Option<&Listing> {
        self.listing.as_ref()
    }

    /// Takes an entry that was just applied, and nothing of it forgotten.
    pub(super) fn note(&mut self, state: &State, index: u64, event: &Event) {
        let is_in = self.listing.as_ref().is_some_and(|listing| index < listing.indexed);
        if is_in && let Some(name) = task_of(state, event) {
            add(&mut self.tasks, &of_task(&name), index);
        }
    }

    /// Ends a block, with the sum that its worker made.
    pub(super) fn end_block(&mut self, of_worker: u64) {
        if let Some(listing) = &self.listing {
            self.sums.push(of_worker.wrapping_add(sum(listing, &self.tasks)));
            self.tasks.clear();
        }
    }

    /// Compares them with those that are stored, of a ledger of so many entries.
    pub(super) fn compare(self, connection: &Connection, size: u64) -> Result<(), Discrepancy> {
        let Some(listing) = self.listing else {
            return match has_table(connection, "term_head")? {
                true => Err(differs("the lists of the search".into(), "how far they go is missing")),
                false => Ok(()),
            };
        };
        if listing.indexed > size {
            return Err(differs(
                "the lists of the search".into(),
                "they say they have more entries than there are",
            ));
        }
        let stored = stored_sums(connection, &listing)?;
        let blocks: BTreeSet<u64> =
            stored.keys().copied().chain((0..).zip(&self.sums).map(|(at, _)| at)).collect();
        let made = |block: u64| usize::try_from(block).ok().and_then(|block| self.sums.get(block)).copied();
        let is_other = |block: &u64| made(*block).unwrap_or(0) != stored.get(block).copied().unwrap_or(0);
        match blocks.into_iter().find(is_other) {
            None => Ok(()),
            Some(block) => Err(first_difference(connection, &listing, block)?),
        }
    }
}

/// The name of the task that an entry is about; compare `Names::about`, which looks it up in rows.
fn task_of(state: &State, event: &Event) -> Option<String> {
    let named = |id: TaskId| Some(state.catalog().task(id)?.spec.name.as_str().to_owned());
    let of = |access: Access| match access {
        Access::Task(task) => named(task),
        Access::Role(_) | Access::RoleGroup(_) => None,
    };
    match event {
        Event::RequestSubmitted { access, .. } | Event::AuthorizationGranted { access, .. } => of(*access),
        Event::RequestDecided { request, .. }
        | Event::RequestExpired { request }
        | Event::RequestCancelled { request } => of(state.request(*request)?.access),
        Event::AuthorizationExtended { authorization, .. }
        | Event::AuthorizationStarted { authorization, .. }
        | Event::AuthorizationEnded { authorization, .. } => of(state.authorization(*authorization)?.access),
        Event::ExecutionStarted { task, .. } | Event::TaskRemoved { task } => named(*task),
        Event::ExecutionStopRequested { execution, .. } | Event::ExecutionFinished { execution, .. } => {
            named(state.execution(*execution)?.task)
        }
        Event::RunRefused { task, .. } => Some(task.as_str().to_owned()),
        Event::TaskDefined { spec, .. } => Some(spec.name.as_str().to_owned()),
        Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => of(policy.access),
        Event::AssignmentAdded { assignment } => of(assignment.access),
        _ => None,
    }
}

/// The sums of the stored lists by block. A term without a list is a word of somebody's text that should be gone.
fn stored_sums(connection: &Connection, listing: &Listing) -> Result<HashMap<u64, u64>, Discrepancy> {
    let mut sums = HashMap::new();
    let listed = each_list(connection, None, &mut |term, block, places| {
        let places = counted(listing, block, places);
        if !places.is_empty() {
            let sum: &mut u64 = sums.entry(block).or_default();
            *sum = sum.wrapping_add(listing.fingerprint(term, &places));
        }
    })?;
    let terms: i64 = connection.query_row("SELECT count(*) FROM term", NONE, |row| row.get(0))?;
    match listed == terms.unsigned_abs() {
        true => Ok(sums),
        false => Err(differs("a word of the search".into(), "no entry has it")),
    }
}

/// A stored block as it counts: without the entries that are leaving for an archive.
fn counted<'p>(listing: &Listing, block: u64, places: &'p [u8]) -> std::borrow::Cow<'p, [u8]> {
    let from = block.saturating_mul(BLOCK_ENTRIES);
    let whole = from..from.saturating_add(BLOCK_ENTRIES);
    let is_touched = listing.leaving.iter().any(|range| range.start < whole.end && range.end > whole.start);
    match Block::from_bytes(places).filter(|_| is_touched) {
        None => places.into(),
        Some(mut stored) => {
            whole.filter(|index| !listing.counts(*index)).for_each(|index| stored.remove(index));
            stored.to_bytes().into()
        }
    }
}

/// Hands out all stored lists, or those of one block; answers how many terms there were.
fn each_list(
    connection: &Connection,
    block: Option<u64>,
    take: &mut dyn FnMut(&str, u64, &[u8]),
) -> Result<u64, Discrepancy> {
    let sql = "SELECT entry_term.term, term.word, block, places FROM entry_term
               LEFT JOIN term ON term.id = entry_term.term
               WHERE ?1 IS NULL OR block = ?1 ORDER BY entry_term.term, block";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([block.map(crate::row::signed)])?;
    let (mut terms, mut last) = (0, None);
    while let Some(row) = rows.next()? {
        let term: i64 = row.get(0)?;
        terms += u64::from(last != Some(term));
        last = Some(term);
        // A list of no word is a list too many.
        let word = row.get_ref(1)?.as_bytes().unwrap_or_default();
        let word = std::str::from_utf8(word).unwrap_or_default();
        let number: i64 = row.get(2)?;
        take(word, number.cast_unsigned(), row.get_ref(3)?.as_bytes().unwrap_or_default());
    }
    Ok(terms)
}

/// What is wrong with a block of which the sums differ. Words of texts are not told: they may be those of a text that
/// was erased.
fn first_difference(
    connection: &Connection,
    listing: &Listing,
    number: u64,
) -> Result<Discrepancy, Discrepancy> {
    let unreadable =
        || differs(format!("block {number} of the search"), "one of its lists is none that Brevet writes");
    let Some(from) = number.checked_mul(BLOCK_ENTRIES) else { return Ok(unreadable()) };
    let to = (from + BLOCK_ENTRIES).min(listing.indexed).max(from);
    let mut wanted: HashMap<String, Block> = HashMap::new();
    for (term, places) in gathered(connection, from, to)? {
        let block = wanted.entry(term).or_insert(Block::EMPTY);
        places.iter().for_each(|index| block.insert(*index));
    }
    let mut stored: HashMap<String, Block> = HashMap::new();
    each_list(connection, Some(number), &mut |term, _, places| {
        let block = Block::from_bytes(&counted(listing, number, places)).unwrap_or(Block::EMPTY);
        stored.entry(term.to_owned()).or_insert(Block::EMPTY).unite(&block);
    })?;
    let terms: BTreeSet<&String> = wanted.keys().chain(stored.keys()).collect();
    let of = |lists: &HashMap<String, Block>, term: &String| lists.get(term).copied().unwrap_or(Block::EMPTY);
    let pairs = terms.into_iter().map(|term| (of(&wanted, term), of(&stored, term)));
    let entry = |index: u64, how| differs(format!("entry {index}"), how);
    let found = pairs.filter(|(wanted, stored)| wanted != stored).find_map(|(wanted, stored)| {
        (from..from + BLOCK_ENTRIES).find_map(|index| {
            match (wanted.contains(index), stored.contains(index)) {
                (true, false) => Some(entry(index, "a search for it would not find it")),
                (false, true) => Some(entry(index, "a list of the search has it that should not")),
                _ => None,
            }
        })
    });
    Ok(found.unwrap_or_else(unreadable))
}

const fn differs(what: String, how: &'static str) -> Discrepancy {
    Discrepancy::RowDiffers { what, how }
}
