//! The offline verifier: derives the whole ledger again from its entries and compares it with what was stored and what
//! was signed.
//!
//! It takes rows part by part ([`Part`]), so that many threads can check parts at once, and puts the parts together in
//! order ([`Verifier`]). Then it holds what others signed against the result ([`judge`]). It trusts the keys that it is
//! given and nothing else: not the stored hashes, not the stored head, not the order of rows. What it cannot see is
//! what nobody outside the host ever saw: entries dropped after the last checkpoint that it is given.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Hash, Salt, StoredNode};

mod claims;
mod finding;
mod forest;
mod part;

pub use claims::{Claim, Fork, Judgement, Rotation, judge};
pub use finding::Finding;
use forest::Forest;
use part::Count;
pub use part::{PART_ROWS, Part};

/// One stored entry.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The position it is stored at.
    pub position: u64,
    /// What is stored there.
    pub content: Content<'a>,
    /// What is stored beside it for each of its commitments, slot 0 first.
    pub texts: &'a [TextBeside<'a>],
}

/// What is stored of an entry.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// All of it.
    Here {
        /// Its bytes.
        bytes: &'a [u8],
        /// Its leaf hash, where one is stored beside.
        leaf: Option<Hash>,
    },
    /// Its leaf hash alone: the bytes are in an archive file that is not at hand. Whether there is such a file is for
    /// the caller to find out.
    Archived {
        /// The leaf hash.
        leaf: Hash,
    },
}

/// What is stored beside an entry for one of its commitments.
#[derive(Clone, Copy, Debug)]
pub enum TextBeside<'a> {
    /// The text and its salt.
    Present {
        /// The salt of the commitment.
        salt: &'a Salt,
        /// The text.
        text: &'a str,
    },
    /// They were erased; the commitment alone remains.
    Erased,
}

/// The stored head of the ledger.
#[derive(Clone, Copy, Debug)]
pub struct StoredHead<'a> {
    /// How many entries it says there are.
    pub size: u64,
    /// The right edge as [`RightEdge::to_bytes`](crate::RightEdge::to_bytes) wrote it.
    pub edge: &'a [u8],
}

/// What the verifier is to remember on its way, because something is to be held against it.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The sizes whose roots.
    pub sizes: BTreeSet<u64>,
    /// The entries whose leaf hashes.
    pub leaves: BTreeSet<u64>,
}

/// What a ledger without a fault consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The root at each size watched, as far as there are as many entries.
    pub roots: BTreeMap<u64, Hash>,
    /// The leaf hash of each entry watched, where there is one.
    pub leaves: BTreeMap<u64, Hash>,
    /// The time of the first entry, in microseconds since 1970 UTC.
    pub first_time_micros: Option<i64>,
    /// The time of the last entry, in microseconds since 1970 UTC.
    pub last_time_micros: Option<i64>,
    /// How many texts are there and match their commitments.
    pub texts_present: u64,
    /// How many texts are not there.
    pub texts_erased: u64,
    /// How many entries were seen by their leaf hashes alone.
    pub archived: u64,
    /// How many bytes all others have.
    pub bytes: u64,
}

/// Puts one ledger together: [`accept`](Self::accept) for every part in order, then [`finish`](Self::finish).
///
/// # Examples
/// ```
/// use brevet_ledger::{Content, Part, Row, Verifier, Watch};
///
/// let mut part = Part::new(0, &Watch::default());
/// let content = Content::Here { bytes: b"no entry", leaf: None };
/// assert!(part.push(&Row { position: 0, content, texts: &[] }).is_err());
/// assert!(Verifier::new().accept(part).is_err());
/// assert_eq!(Verifier::new().finish(None, None)?.size, 0);
/// # Ok::<(), brevet_ledger::Finding>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    forest: Forest,
    nodes: Vec<StoredNode>,
    roots: BTreeMap<u64, Hash>,
    leaves: BTreeMap<u64, Hash>,
    first_time: Option<i64>,
    last_time: Option<i64>,
    count: Count,
}

impl Verifier {
    /// Before the first part.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries were accepted.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.forest.size()
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// The first thing that is wrong with it; the ledger is not to be believed then, whatever follows.
    pub fn accept(&mut self, part: Part) -> Result<(), Finding> {
        let next = self.forest.size();
        if part.first != next {
            return Err(Finding::Missing { index: next });
        }
        if let (Some(last), Some(first)) = (self.last_time, part.first_time)
            && first < last
            && part.found.as_ref().is_none_or(|(place, _)| *place > next)
        {
            return Err(Finding::TimeWentBack { index: next });
        }
        if let Some((_, finding)) = part.found {
            return Err(finding);
        }
        for mark in &part.marks {
            let mut until = self.forest.clone();
            until.extend(mark, &mut Vec::new());
            self.roots.insert(until.size(), until.root());
        }
        self.nodes.extend(part.nodes);
        self.forest.extend(&part.forest, &mut self.nodes);
        self.leaves.extend(part.leaves);
        self.first_time = self.first_time.or(part.first_time);
        self.last_time = part.last_time.or(self.last_time);
        self.count.present += part.count.present;
        self.count.erased += part.count.erased;
        self.count.archived += part.count.archived;
        self.count.bytes += part.count.bytes;
        Ok(())
    }

    /// Compares all that was derived with what is stored of it: the nodes, given in order of tile level and then index,
    /// and the head.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn finish(
        mut self,
        head: Option<StoredHead<'_>>,
        stored_nodes: Option<&[StoredNode]>,
    ) -> Result<Derived, Finding> {
        let size = self.forest.size();
        if let Some(head) = head
            && size < head.size
        {
            return Err(Finding::Missing { index: size });
        }
        if let Some(head) = head
            && size > head.size
        {
            return Err(Finding::BeyondHead { index: head.size, size: head.size });
        }
        if let Some(stored) = stored_nodes {
            self.nodes.sort_unstable_by_key(place_of);
            compare_nodes(&self.nodes, stored)?;
        }
        if head.is_some_and(|head| head.edge != self.forest.edge()) {
            return Err(Finding::HeadDiffers { size });
        }
        let root = self.forest.root();
        Ok(Derived {
            size,
            root,
            roots: self.roots,
            leaves: self.leaves,
            first_time_micros: self.first_time,
            last_time_micros: self.last_time,
            texts_present: self.count.present,
            texts_erased: self.count.erased,
            archived: self.count.archived,
            bytes: self.count.bytes,
        })
    }
}

/// Finds the first difference between two lists in the same order.
fn compare_nodes(derived: &[StoredNode], stored: &[StoredNode]) -> Result<(), Finding> {
    for (derived, stored) in derived.iter().zip(stored) {
        let StoredNode { tile_level, index, hash } = *derived;
        if place_of(stored) > place_of(derived) {
            return Err(Finding::NodeMissing { tile_level, index });
        }
        if place_of(stored) < place_of(derived) {
            return Err(Finding::NodeSurplus { tile_level: stored.tile_level, index: stored.index });
        }
        if stored.hash != hash {
            return Err(Finding::NodeDiffers { tile_level, index });
        }
    }
    let common = derived.len().min(stored.len());
    match (derived.get(common), stored.get(common)) {
        (Some(StoredNode { tile_level, index, .. }), _) => {
            Err(Finding::NodeMissing { tile_level: *tile_level, index: *index })
        }
        (None, Some(StoredNode { tile_level, index, .. })) => {
            Err(Finding::NodeSurplus { tile_level: *tile_level, index: *index })
        }
        (None, None) => Ok(()),
    }
}

const fn place_of(node: &StoredNode) -> (u8, u64) {
    (node.tile_level, node.index)
}

#[cfg(test)]
mod tests;
