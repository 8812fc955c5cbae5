//! The lists of a search, read from the newest block down: each only as far as the others let it.

use std::collections::VecDeque;

use crate::engine::Connection;

use crate::error::StoreError;
use crate::row::signed;
use crate::term::block::Block;
use crate::term::block_at;

/// Blocks that are read ahead once a list is read one after the other.
const AHEAD_MAX: usize = 32;

/// One term's blocks.
#[derive(Debug)]
struct List {
    term: i64,
    read: VecDeque<(u64, Block)>,
    /// Whether nothing is left below what was read.
    ended: bool,
    ahead: usize,
}

impl List {
    const fn new(term: i64) -> Self {
        Self { term, read: VecDeque::new(), ended: false, ahead: 1 }
    }

    /// Goes down to the newest block that is not above `target`, which never rises; answers which that is.
    fn down_to(
        &mut self,
        lists: &Below<'_>,
        target: u64,
        looked_at: &mut usize,
    ) -> Result<Option<u64>, StoreError> {
        let mut skipped = 0;
        while self.read.pop_front_if(|(number, _)| *number > target).is_some() {
            skipped += 1;
        }
        if self.read.is_empty() && !self.ended {
            // One after the other: read more at a time. A jump: one will do.
            self.ahead = if skipped > 0 { (self.ahead * 2).min(AHEAD_MAX) } else { 1 };
            self.fetch(lists, target)?;
            *looked_at += self.read.len().max(1);
        }
        Ok(self.read.front().map(|(number, _)| *number))
    }

    fn fetch(&mut self, lists: &Below<'_>, target: u64) -> Result<(), StoreError> {
        let sql = "SELECT block, places FROM entry_term WHERE term = ?1 AND block <= ?2 AND block >= ?3
                   ORDER BY block DESC LIMIT ?4";
        let mut statement = lists.connection.prepare_cached(sql)?;
        let limit = i64::try_from(self.ahead).unwrap_or(1);
        let mut rows = statement.query([self.term, signed(target), signed(lists.floor), limit])?;
        while let Some(row) = rows.next()? {
            self.read.push_back((row.get::<_, i64>(0)?.unsigned_abs(), block_at(&row, 1)?));
        }
        self.ended = self.read.len() < self.ahead;
        Ok(())
    }
}

/// The entries that have any of some terms.
#[derive(Debug)]
pub(super) struct AnyOf(Vec<List>);

impl AnyOf {
    pub(super) fn new(terms: impl IntoIterator<Item = i64>) -> Self {
        Self(terms.into_iter().map(List::new).collect())
    }

    /// How many lists it has.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    fn down_to(
        &mut self,
        lists: &Below<'_>,
        target: u64,
        looked_at: &mut usize,
    ) -> Result<Option<u64>, StoreError> {
        let mut newest = None;
        for list in &mut self.0 {
            newest = newest.max(list.down_to(lists, target, looked_at)?);
        }
        Ok(newest)
    }

    /// The entries of a block that was gone down to.
    fn block(&self, number: u64) -> Block {
        let mut all = Block::EMPTY;
        let fronts = self.0.iter().filter_map(|list| list.read.front());
        fronts.filter(|(found, _)| *found == number).for_each(|(_, block)| all.unite(block));
        all
    }
}

/// Where lists are, and where they need not be read any more.
pub(super) struct Below<'c> {
    pub(super) connection: &'c Connection,
    /// The lowest block that matters.
    pub(super) floor: u64,
}

/// How far a step of the intersection came.
#[derive(Debug)]
pub(super) enum Step {
    /// Here may be entries that have all terms.
    Block(u64, Box<Block>),
    /// There is nothing more.
    End,
    /// Enough was read for one page; nothing is above this block.
    Enough(u64),
}

/// The entries that all of `sources` have: the newest block that is not above `target` and in which each of
/// them has something.
pub(super) fn next_block(
    lists: &Below<'_>,
    sources: &mut [AnyOf],
    mut target: u64,
    (looked_at, most): (&mut usize, usize),
) -> Result<Step, StoreError> {
    let mut agreed = 0;
    let count = sources.len();
    for turn in (0..count).cycle() {
        if agreed == count {
            break;
        }
        if *looked_at >= most {
            return Ok(Step::Enough(target));
        }
        match sources[turn].down_to(lists, target, looked_at)? {
            None => return Ok(Step::End),
            Some(found) if found == target => agreed += 1,
            Some(found) => (target, agreed) = (found, 1),
        }
    }
    let mut block = Block::FULL;
    sources.iter().for_each(|source| block.intersect(&source.block(target)));
    Ok(Step::Block(target, Box::new(block)))
}
