//! The offline verifier: derives the whole ledger again from its entries and compares it with what was stored
//! and what was signed.
//!
//! It takes rows in order, a few or all at a time, and keeps 48 bytes for each 256 entries. It trusts the
//! keys that it is given and nothing else: not the stored hashes, not the stored head, not the order of rows.
//! What it cannot see is what nobody outside the host ever saw: entries dropped after the last checkpoint
//! that it is given.

use std::num::NonZeroUsize;

use crate::{Checkpoint, Commitment, EntryRef, Hash, Origin, RightEdge, Salt, StoredNode, VerifierKey};
use crate::{empty_root, leaf_hash};

mod finding;

pub use finding::Finding;

/// One stored entry.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The position it is stored at.
    pub position: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its leaf hash, as stored.
    pub leaf: Hash,
    /// What is stored beside it for each of its commitments, slot 0 first.
    pub texts: &'a [TextBeside<'a>],
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
    /// The right edge as [`RightEdge::to_bytes`] wrote it.
    pub edge: &'a [u8],
}

/// What a ledger without a fault consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The size of the largest checkpoint checked: entries from there on are not signed for yet. `None` when
    /// no checkpoint was given; then whoever owns the host may have written all of it anew.
    pub signed_size: Option<u64>,
    /// The time of the first entry, in microseconds since 1970 UTC.
    pub first_time_micros: Option<i64>,
    /// The time of the last entry, in microseconds since 1970 UTC.
    pub last_time_micros: Option<i64>,
    /// How many texts are there and match their commitments.
    pub texts_present: u64,
    /// How many texts were erased.
    pub texts_erased: u64,
}

/// Verifies one ledger: [`new`](Self::new), [`push`](Self::push) for every row, [`finish`](Self::finish).
///
/// # Examples
/// ```
/// use brevet_ledger::{Origin, RightEdge, StoredHead, Verifier};
///
/// let edge = RightEdge::new().to_bytes();
/// let head = StoredHead { size: 0, edge: &edge };
/// let origin = Origin::parse("ledger.example")?;
/// let report = Verifier::new(head, &[], &origin, &[])?.finish(&[])?;
/// assert_eq!(report.size, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier<'h> {
    head: StoredHead<'h>,
    signed: Vec<Checkpoint>,
    found: Option<Finding>,
    rewritten: Option<u64>,
    edge: RightEdge,
    nodes: Vec<StoredNode>,
    first_time_micros: Option<i64>,
    last_time_micros: Option<i64>,
    texts: TextCount,
    /// Kept from one call of `push_all` to the next: to allocate it anew each time can cost more than the second
    /// thread gains.
    places: Vec<Place>,
}

/// Where a thread puts what it found out about a row.
type Place = Option<Result<Inspected, Finding>>;

#[derive(Clone, Copy, Debug, Default)]
struct TextCount {
    present: u64,
    erased: u64,
}

/// What one row says, once it was found to be sound in itself.
#[derive(Clone, Debug)]
struct Inspected {
    leaf: Hash,
    index: u64,
    time_micros: i64,
    texts: TextCount,
}

impl<'h> Verifier<'h> {
    /// Begins with the head that the ledger is stored with, and with the checkpoint notes that it must agree
    /// with: the newest, and any older ones that somebody kept. Each must be of this origin and signed by a
    /// known key.
    ///
    /// # Errors
    /// [`Finding::Checkpoint`] for a note that is not such a checkpoint; [`Finding::Rewritten`] for one that
    /// signs an impossible root of the empty ledger.
    pub fn new(
        head: StoredHead<'h>,
        checkpoints: &[&str],
        origin: &Origin,
        known: &[VerifierKey],
    ) -> Result<Self, Finding> {
        let signed = checkpoints.iter().map(|note| Checkpoint::open(&note.parse()?, origin, known));
        let signed: Vec<_> = signed.collect::<Result<_, _>>().map_err(Finding::Checkpoint)?;
        if signed.iter().any(|checkpoint| checkpoint.size() == 0 && checkpoint.root() != empty_root()) {
            return Err(Finding::Rewritten { size: 0 });
        }
        Ok(Self {
            head,
            signed,
            found: None,
            rewritten: None,
            edge: RightEdge::new(),
            nodes: Vec::new(),
            first_time_micros: None,
            last_time_micros: None,
            texts: TextCount::default(),
            places: Vec::new(),
        })
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// The first thing that is wrong with it. It stays found: [`finish`](Self::finish) says it again.
    pub fn push(&mut self, row: &Row<'_>) -> Result<(), Finding> {
        self.accept(row.position, inspect(row))
    }

    /// Takes the next rows, hashing on so many threads. Finds what [`push`](Self::push) would find one by
    /// one. Give it some ten thousand rows at a time: threads are started anew for each call.
    ///
    /// # Errors
    /// The first thing that is wrong with them. It stays found: [`finish`](Self::finish) says it again.
    pub fn push_all(&mut self, rows: &[Row<'_>], threads: NonZeroUsize) -> Result<(), Finding> {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        places.resize_with(rows.len(), || None);
        inspect_all(rows, threads, &mut places);
        for (row, inspected) in rows.iter().zip(places.drain(..).flatten()) {
            self.accept(row.position, inspected)?;
        }
        self.places = places;
        Ok(())
    }

    /// Compares all that was derived with the stored nodes, given in order of tile level and then index, with
    /// the stored head, and with the checkpoints.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn finish(mut self, stored_nodes: &[StoredNode]) -> Result<Report, Finding> {
        if let Some(found) = self.found {
            return Err(found);
        }
        let size = self.edge.size();
        if size < self.head.size {
            return Err(Finding::Missing { index: size });
        }
        self.nodes.sort_unstable_by_key(place_of);
        compare_nodes(&self.nodes, stored_nodes)?;
        if self.edge.to_bytes() != self.head.edge {
            return Err(Finding::HeadDiffers { size });
        }
        if let Some(size) = self.rewritten {
            return Err(Finding::Rewritten { size });
        }
        let signed_size = self.signed.iter().map(Checkpoint::size).max();
        match signed_size {
            Some(signed) if signed > size => Err(Finding::Truncated { size, signed }),
            _ => Ok(self.report(signed_size)),
        }
    }

    /// Puts a row into its place, or remembers what is wrong with it.
    fn accept(&mut self, position: u64, inspected: Result<Inspected, Finding>) -> Result<(), Finding> {
        let placed = self.place(position, inspected);
        if let Err(finding) = &placed {
            self.found.get_or_insert_with(|| finding.clone());
        }
        placed
    }

    fn place(&mut self, position: u64, inspected: Result<Inspected, Finding>) -> Result<(), Finding> {
        self.check_position(position)?;
        let Inspected { leaf, index, time_micros, texts } = inspected?;
        if index != position {
            return Err(Finding::Reordered { index: position, claimed: index });
        }
        if self.last_time_micros.is_some_and(|last| time_micros < last) {
            return Err(Finding::TimeWentBack { index });
        }
        self.first_time_micros.get_or_insert(time_micros);
        self.last_time_micros = Some(time_micros);
        self.texts.present += texts.present;
        self.texts.erased += texts.erased;
        self.nodes.extend(self.edge.append(leaf));
        self.compare_checkpoints();
        Ok(())
    }

    fn check_position(&self, position: u64) -> Result<(), Finding> {
        let next = self.edge.size();
        if position > next {
            return Err(Finding::Missing { index: next });
        }
        if position < next {
            return Err(Finding::Duplicate { index: position });
        }
        if position >= self.head.size {
            return Err(Finding::BeyondHead { index: position, size: self.head.size });
        }
        Ok(())
    }

    /// Remembers a checkpoint of the present size that signs another root. It is reported last, because a
    /// stored node that differs says more closely where the change is.
    fn compare_checkpoints(&mut self) {
        let size = self.edge.size();
        let mut here = self.signed.iter().filter(|checkpoint| checkpoint.size() == size).peekable();
        if self.rewritten.is_none() && here.peek().is_some() {
            let root = self.edge.root();
            self.rewritten = here.any(|checkpoint| checkpoint.root() != root).then_some(size);
        }
    }

    fn report(&self, signed_size: Option<u64>) -> Report {
        Report {
            size: self.edge.size(),
            root: self.edge.root(),
            signed_size,
            first_time_micros: self.first_time_micros,
            last_time_micros: self.last_time_micros,
            texts_present: self.texts.present,
            texts_erased: self.texts.erased,
        }
    }
}

/// Inspects rows in as many equal parts as there are threads, each into its own place.
fn inspect_all(rows: &[Row<'_>], threads: NonZeroUsize, places: &mut [Place]) {
    let part = rows.len().div_ceil(threads.get()).max(1);
    std::thread::scope(|scope| {
        for (rows, places) in rows.chunks(part).zip(places.chunks_mut(part)) {
            scope.spawn(move || {
                for (row, place) in rows.iter().zip(places) {
                    *place = Some(inspect(row));
                }
            });
        }
    });
}

/// Checks all that can be checked of a row without the rows before it.
fn inspect(row: &Row<'_>) -> Result<Inspected, Finding> {
    let Row { position: index, bytes, leaf, texts } = *row;
    if leaf_hash(bytes) != leaf {
        return Err(Finding::Changed { index });
    }
    let entry = EntryRef::decode(bytes).map_err(|reason| Finding::Unreadable { index, reason })?;
    let texts = check_texts(&entry, texts).map_err(|slot| Finding::TextDiffers { index, slot })?;
    Ok(Inspected { leaf, index: entry.index, time_micros: entry.time_micros, texts })
}

/// Counts the texts of an entry; on error, the first slot that is wrong.
fn check_texts(entry: &EntryRef<'_>, texts: &[TextBeside<'_>]) -> Result<TextCount, usize> {
    if texts.len() != entry.commitments.len() {
        return Err(texts.len().min(entry.commitments.len()));
    }
    let mut count = TextCount::default();
    for (slot, (commitment, text)) in entry.commitments.iter().zip(texts).enumerate() {
        match text {
            TextBeside::Erased => count.erased += 1,
            TextBeside::Present { salt, text } if Commitment::matches(&commitment, salt, text) => {
                count.present += 1;
            }
            TextBeside::Present { .. } => return Err(slot),
        }
    }
    Ok(count)
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
