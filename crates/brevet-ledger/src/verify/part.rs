//! Some consecutive rows, checked apart from all others, so that many parts can be checked at once.

use super::forest::Forest;
use super::{Content, Finding, Row, TextBeside, Watch};
use crate::{Commitment, EntryRef, Hash, StoredNode, leaf_hash};

/// The rows of one part, and where each part begins: at a multiple of it.
pub const PART_ROWS: u64 = 4_096;

/// What follows from the rows of one part. Give it rows in order; hand it to
/// [`Verifier::accept`](super::Verifier::accept).
#[derive(Clone, Debug)]
pub struct Part {
    pub(super) first: u64,
    pub(super) forest: Forest,
    pub(super) nodes: Vec<StoredNode>,
    /// The part as it was at each watched size.
    pub(super) marks: Vec<Forest>,
    pub(super) leaves: Vec<(u64, Hash)>,
    pub(super) found: Option<(u64, Finding)>,
    pub(super) first_time: Option<i64>,
    pub(super) last_time: Option<i64>,
    pub(super) count: Count,
    sizes: Vec<u64>,
    indexes: Vec<u64>,
}

/// What is counted on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) present: u64,
    pub(super) erased: u64,
    pub(super) archived: u64,
    pub(super) bytes: u64,
}

impl Part {
    /// The part that begins at this index, a multiple of [`PART_ROWS`].
    #[must_use]
    pub fn new(first: u64, watch: &Watch) -> Self {
        debug_assert!(first.is_multiple_of(PART_ROWS));
        let range = first..first.saturating_add(PART_ROWS);
        // A size is reached by its last entry.
        let sizes = watch.sizes.range(range.start + 1..=range.end).rev().copied().collect();
        let indexes = watch.leaves.range(range).rev().copied().collect();
        Self {
            first,
            forest: Forest::at(first),
            nodes: Vec::new(),
            marks: Vec::new(),
            leaves: Vec::new(),
            found: None,
            first_time: None,
            last_time: None,
            count: Count::default(),
            sizes,
            indexes,
        }
    }

    /// Takes the next row; what it holds comes back decoded, unless it is in an archive.
    ///
    /// # Errors
    /// What is wrong with it. It stays found, and nothing after it is looked at.
    pub fn push<'a>(&mut self, row: &Row<'a>) -> Result<Option<EntryRef<'a>>, Finding> {
        if let Some((_, found)) = &self.found {
            return Err(found.clone());
        }
        let pushed = self.place(row);
        if let Err(finding) = &pushed {
            self.found = Some((self.next(), finding.clone()));
        }
        pushed
    }

    /// Whether nothing is wrong with it so far.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.found.is_none()
    }

    /// The index that comes next.
    pub(super) const fn next(&self) -> u64 {
        self.first + self.forest.size()
    }

    fn place<'a>(&mut self, row: &Row<'a>) -> Result<Option<EntryRef<'a>>, Finding> {
        let next = self.next();
        if row.position > next {
            return Err(Finding::Missing { index: next });
        }
        if row.position < next {
            return Err(Finding::Duplicate { index: row.position });
        }
        let (leaf, entry) = match row.content {
            Content::Archived { leaf } => (leaf, None),
            Content::Here { bytes, leaf } => {
                self.count.bytes += bytes.len() as u64;
                inspect(next, bytes, leaf).map(|(leaf, entry)| (leaf, Some(entry)))?
            }
        };
        self.check_texts(next, entry.as_ref(), row.texts)?;
        match &entry {
            Some(entry) => self.check_order(entry, next)?,
            None => self.count.archived += 1,
        }
        self.append(leaf);
        Ok(entry)
    }

    fn check_order(&mut self, entry: &EntryRef<'_>, next: u64) -> Result<(), Finding> {
        if entry.index != next {
            return Err(Finding::Reordered { index: next, claimed: entry.index });
        }
        if self.last_time.is_some_and(|last| entry.time_micros < last) {
            return Err(Finding::TimeWentBack { index: next });
        }
        self.first_time.get_or_insert(entry.time_micros);
        self.last_time = Some(entry.time_micros);
        Ok(())
    }

    fn check_texts(
        &mut self,
        index: u64,
        entry: Option<&EntryRef<'_>>,
        texts: &[TextBeside<'_>],
    ) -> Result<(), Finding> {
        let commitments = entry.map(|entry| entry.commitments).unwrap_or_default();
        if texts.len() != commitments.len() {
            return Err(Finding::TextDiffers { index, slot: texts.len().min(commitments.len()) });
        }
        for (slot, (commitment, text)) in commitments.iter().zip(texts).enumerate() {
            match text {
                TextBeside::Erased => self.count.erased += 1,
                TextBeside::Present { salt, text } if Commitment::matches(&commitment, salt, text) => {
                    self.count.present += 1;
                }
                TextBeside::Present { .. } => return Err(Finding::TextDiffers { index, slot }),
            }
        }
        Ok(())
    }

    fn append(&mut self, leaf: Hash) {
        if self.indexes.pop_if(|index| *index == self.first + self.forest.size()).is_some() {
            self.leaves.push((self.next(), leaf));
        }
        self.forest.append(0, leaf, &mut self.nodes);
        let next = self.next();
        if self.sizes.pop_if(|size| *size == next).is_some() {
            self.marks.push(self.forest.clone());
        }
    }
}

/// Checks all that can be checked of an entry without the others.
fn inspect(index: u64, bytes: &[u8], stored: Option<Hash>) -> Result<(Hash, EntryRef<'_>), Finding> {
    let leaf = leaf_hash(bytes);
    if stored.is_some_and(|stored| stored != leaf) {
        return Err(Finding::Changed { index });
    }
    let entry = EntryRef::decode(bytes).map_err(|reason| Finding::Unreadable { index, reason })?;
    Ok((leaf, entry))
}
