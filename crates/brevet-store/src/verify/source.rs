//! Where entries to be verified come from: a data folder, an archive file laid over it, an export, a server.

use brevet_ledger::{PART_ROWS, Row};

use super::Discrepancy;

/// Somewhere that entries lie, to be read part by part on several threads.
pub trait Source: Sync {
    /// How many entries it says it has. A reader may find more behind the last: it hands them out with the last part.
    fn size(&self) -> u64;

    /// The index of its first entry: 0 unless it is the later part of a ledger.
    fn first(&self) -> u64 {
        0
    }

    /// A reader for one thread.
    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy>;
}

/// Reads parts, for one thread.
pub trait PartReader {
    /// Hands out the rows of the part that begins at entry `first`, in order. The last part of a source goes on as far
    /// as there are rows.
    fn read(&mut self, first: u64, take: &mut dyn FnMut(Item<'_>)) -> Result<(), Discrepancy>;
}

/// A row, and what is stored beside it for searching.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// The row.
    pub row: Row<'a>,
    /// The columns that searches go by, where there are any.
    pub columns: Option<Columns<'a>>,
    /// Whether its texts are not kept where the server erases them: in an archive file, which nobody can change without
    /// breaking its digest, or not handed out at all.
    pub texts_are_elsewhere: bool,
}

/// What searches go by.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// What happened.
    pub kind: &'a str,
    /// Who caused it.
    pub actor: &'a str,
    /// Which request it belongs to.
    pub request: Option<i64>,
}

/// Where the part ends that begins at `first`.
pub(super) const fn end_of(first: u64) -> u64 {
    first.saturating_add(PART_ROWS)
}
