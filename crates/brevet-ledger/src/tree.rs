//! The right edge of the tree: all that is needed to append to it and to know its root.

use crate::tile::TILE_HEIGHT;
use crate::{Error, Hash, empty_root, node_hash};

/// The largest tree that Brevet makes or reads. At a million entries a second it is full after 146,000 years,
/// which is why appending cannot fail.
pub const TREE_SIZE_MAX: u64 = 1 << 62;

const LEVELS: usize = 63;
const SIZE_BYTES: usize = 8;

/// The roots of the complete subtrees that a tree of some size consists of, largest first: one for each bit
/// of its size (RFC 6962 section 2.1 splits at the largest power of two).
///
/// # Examples
/// ```
/// use brevet_ledger::{RightEdge, empty_root, leaf_hash};
///
/// let mut edge = RightEdge::new();
/// assert_eq!(edge.root(), empty_root());
/// edge.append(leaf_hash(b"first entry"));
/// assert_eq!(edge.size(), 1);
/// assert_eq!(edge.root(), leaf_hash(b"first entry"));
/// ```
#[derive(Clone, Debug)]
pub struct RightEdge {
    size: u64,
    /// INVARIANT: `peaks[level]` has a meaning exactly when bit `level` of `size` is set; it is then the root
    /// of a complete subtree of `2^level` leaves.
    peaks: [Hash; LEVELS],
}

/// A node of the tree worth keeping: the root of the complete block of `256^tile_level` leaves that begins at
/// leaf `index * 256^tile_level`. Leaf hashes themselves are tile level 0 and are not repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredNode {
    /// 1 for blocks of 256 leaves, 2 for blocks of 65,536, and so on.
    pub tile_level: u8,
    /// The number of the block among those of its level, from 0.
    pub index: u64,
    /// The root of the block.
    pub hash: Hash,
}

impl RightEdge {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: [Hash::from_bytes([0; Hash::BYTES]); LEVELS] }
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns the nodes that it completed and that a store should keep: none for 255
    /// leaves of 256, then one or a few. Nothing is allocated.
    pub fn append(&mut self, leaf: Hash) -> Completed {
        let index = self.size;
        let merges = index.trailing_ones() as usize;
        let mut completed = Completed::NONE;
        let mut node = leaf;
        for level in 0..merges {
            node = node_hash(&self.peaks[level], &node);
            completed.note(level + 1, index, node);
        }
        self.peaks[merges] = node;
        self.size = index + 1;
        completed
    }

    /// The root of the tree: `MTH` of all leaves appended.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut smallest_first = self.levels().map(|level| &self.peaks[level]);
        match smallest_first.next() {
            Some(smallest) => smallest_first.fold(*smallest, |right, left| node_hash(left, &right)),
            None => empty_root(),
        }
    }

    /// The stored form: the size as a big-endian `u64`, then the roots of the complete subtrees, largest
    /// first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SIZE_BYTES + self.size.count_ones() as usize * Hash::BYTES);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for level in self.levels().rev() {
            bytes.extend_from_slice(self.peaks[level].as_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::EdgeLength`] when the bytes are not exactly one size and the hashes that it calls for;
    /// [`Error::TreeSize`] when the size is above [`TREE_SIZE_MAX`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wrong_length = Error::EdgeLength { len: bytes.len() };
        let Some((size, hashes)) = bytes.split_first_chunk::<SIZE_BYTES>() else {
            return Err(wrong_length);
        };
        let size = u64::from_be_bytes(*size);
        if size > TREE_SIZE_MAX {
            return Err(Error::TreeSize { size });
        }
        let (hashes, rest) = hashes.as_chunks::<{ Hash::BYTES }>();
        if !rest.is_empty() || hashes.len() != size.count_ones() as usize {
            return Err(wrong_length);
        }
        let mut edge = Self { size, ..Self::new() };
        for (level, hash) in edge.levels().rev().zip(hashes) {
            edge.peaks[level] = Hash::from_bytes(*hash);
        }
        Ok(edge)
    }

    /// The levels that have a peak, smallest first.
    fn levels(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let size = self.size;
        (0..LEVELS).filter(move |level| size >> level & 1 == 1)
    }
}

impl Default for RightEdge {
    fn default() -> Self {
        Self::new()
    }
}

/// Two edges are the same when their stored forms are: leftovers of smaller trees do not count.
impl PartialEq for RightEdge {
    fn eq(&self, other: &Self) -> bool {
        self.size == other.size && self.levels().all(|level| self.peaks[level] == other.peaks[level])
    }
}

impl Eq for RightEdge {}

/// The nodes that one [`RightEdge::append`] completed, smallest block first. Iterate over it.
#[derive(Clone, Debug)]
pub struct Completed {
    nodes: [Option<StoredNode>; Self::NODES_MAX],
}

impl Completed {
    /// A tree of 2^62 leaves has complete blocks of 256^1 to 256^7 leaves.
    const NODES_MAX: usize = (LEVELS - 1) / TILE_HEIGHT as usize;
    const NONE: Self = Self { nodes: [None; Self::NODES_MAX] };

    /// Keeps the node if it is of a level that is stored.
    fn note(&mut self, level: usize, leaf_index: u64, hash: Hash) {
        let height = TILE_HEIGHT as usize;
        if level.is_multiple_of(height) {
            let tile_level = level / height;
            self.nodes[tile_level - 1] = u8::try_from(tile_level).ok().map(|tile_level| StoredNode {
                tile_level,
                index: leaf_index >> level,
                hash,
            });
        }
    }
}

impl IntoIterator for Completed {
    type Item = StoredNode;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<StoredNode>, { Completed::NODES_MAX }>>;

    fn into_iter(self) -> Self::IntoIter {
        self.nodes.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
