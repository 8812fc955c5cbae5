//! The verifier's own tree: it does not take the word of the code that wrote the ledger.

use crate::{Hash, StoredNode, empty_root, node_hash};

/// Levels of the tree that one level of stored nodes spans.
const TILE_HEIGHT: u32 = 8;

/// The complete subtrees that a run of leaves consists of, from left to right, each smaller than the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Forest {
    /// The index of its first leaf.
    start: u64,
    size: u64,
    trees: Vec<(u32, Hash)>,
}

impl Forest {
    /// Without leaves; the first to come has this index.
    pub(super) const fn at(start: u64) -> Self {
        Self { start, size: 0, trees: Vec::new() }
    }

    /// How many leaves.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends the root of a complete subtree of `2^level` leaves; hands out the nodes that this completes above
    /// it and that a store keeps.
    ///
    /// INVARIANT: what is appended begins at a multiple of its own width.
    pub(super) fn append(&mut self, level: u32, root: Hash, completed: &mut Vec<StoredNode>) {
        let first = self.start + self.size;
        let (mut top, mut node) = (level, root);
        while let Some((_, left)) = self.trees.pop_if(|(level, _)| *level == top) {
            node = node_hash(&left, &node);
            top += 1;
            if let (true, Ok(tile_level)) = (top.is_multiple_of(TILE_HEIGHT), u8::try_from(top / TILE_HEIGHT))
            {
                completed.push(StoredNode { tile_level, index: first >> top, hash: node });
            }
        }
        self.trees.push((top, node));
        self.size += 1 << level;
    }

    /// Appends all subtrees of the forest to its right.
    pub(super) fn extend(&mut self, right: &Self, completed: &mut Vec<StoredNode>) {
        for (level, root) in &right.trees {
            self.append(*level, *root, completed);
        }
    }

    /// The root over all leaves (RFC 6962 section 2.1).
    pub(super) fn root(&self) -> Hash {
        let roots = self.trees.iter().rev().map(|(_, root)| *root);
        roots.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }

    /// The right edge as it is stored: the size, then the roots, the largest subtree first.
    pub(super) fn edge(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for (_, root) in &self.trees {
            bytes.extend_from_slice(root.as_bytes());
        }
        bytes
    }
}
