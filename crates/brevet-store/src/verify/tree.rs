//! The tree over the entries of a source, for the rare case in which somebody has to be shown a proof out of it.

use brevet_ledger::{
    Content, Error, Hash, HashReader, PART_ROWS, RightEdge, StoredNode, leaf_hash, prove_consistency,
};

use super::Discrepancy;
use super::source::Source;

/// All hashes of a tree that a store would keep, in memory: 32 bytes for each entry, and a little.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// By tile level; the lowest are the leaves.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Reads it from a source that was verified.
    ///
    /// # Errors
    /// When the source cannot be read any more.
    pub fn read(source: &dyn Source) -> Result<Self, Discrepancy> {
        let (mut tree, mut edge, mut reader) = (Self::default(), RightEdge::new(), source.reader()?);
        let mut first = 0;
        while first < source.size() {
            reader.read(first, &mut |item| {
                let leaf = match item.row.content {
                    Content::Here { bytes, .. } => leaf_hash(bytes),
                    Content::Archived { leaf } => leaf,
                };
                tree.push(0, leaf);
                for StoredNode { tile_level, index: _, hash } in edge.append(leaf) {
                    tree.push(tile_level, hash);
                }
            })?;
            first += PART_ROWS;
        }
        Ok(tree)
    }

    fn push(&mut self, tile_level: u8, hash: Hash) {
        let level = usize::from(tile_level);
        if self.levels.len() <= level {
            self.levels.resize(level + 1, Vec::new());
        }
        self.levels[level].push(hash);
    }

    /// The proof that the first `old` entries are the beginning of the first `new`.
    ///
    /// # Errors
    /// When there are fewer entries, or `old` is none or more than `new`.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        prove_consistency(self, old, new)
    }
}

impl HashReader for Tree {
    type Error = Error;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let level = self.levels.get(usize::from(tile_level));
        let from = usize::try_from(first).unwrap_or(usize::MAX);
        let found = level.and_then(|level| level.get(from..from.checked_add(count)?));
        found.map(<[Hash]>::to_vec).ok_or(Error::HashesMissing { tile_level, first })
    }
}
