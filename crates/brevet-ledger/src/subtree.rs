//! The hash of any subtree, out of stored tiles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileContent};
use crate::{Error, Hash, node_hash};

/// Where stored hashes are read from: leaf hashes (tile level 0) and the [`StoredNode`](crate::StoredNode)s
/// above.
pub trait HashReader {
    /// What reading can fail with; it must be able to say that the ledger itself refused.
    type Error: From<Error>;

    /// The hashes numbered `first` to `first + count - 1` at a tile level: exactly `count` of them, at most
    /// 256, all of one tile.
    ///
    /// # Errors
    /// Whatever the store fails with; a hash that does not exist is an error too.
    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Self::Error>;
}

/// The subtrees of the tree of one size. Each tile is read once.
pub(crate) struct Subtrees<'r, R> {
    reader: &'r R,
    size: u64,
    tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl<'r, R: HashReader> Subtrees<'r, R> {
    pub(crate) fn new(reader: &'r R, size: u64) -> Self {
        Self { reader, size, tiles: BTreeMap::new() }
    }

    /// `MTH(D[first:end])` (RFC 6962 section 2.1), for a range that the recursive split of the tree produces:
    /// every complete part of it is then aligned to its own width.
    pub(crate) fn hash(&mut self, first: u64, end: u64) -> Result<Hash, R::Error> {
        let mut parts = Vec::new();
        let mut start = first;
        while start < end {
            let level = (end - start).ilog2();
            parts.push(self.complete(level, start)?);
            start += 1 << level;
        }
        let root = parts.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        Ok(root.unwrap_or_else(crate::empty_root))
    }

    /// The root of the complete subtree of `2^level` leaves that begins at leaf `start`.
    fn complete(&mut self, level: u32, start: u64) -> Result<Hash, R::Error> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = start >> (tile_level * TILE_HEIGHT);
        let tile_level = narrow(tile_level);
        let missing = Error::HashesMissing { tile_level, first };
        let content = TileContent::Hashes { level: tile_level };
        let Some(tile) = Tile::of_tree(content, first / u64::from(TILE_WIDTH), self.size) else {
            return Err(missing.into());
        };
        let skipped = usize::try_from(first - tile.first()).unwrap_or(usize::MAX);
        match self.read(tile_level, tile)?.get(skipped..).and_then(|hashes| hashes.get(..1 << height)) {
            Some(hashes) => Ok(fold(hashes.to_vec())),
            None => Err(missing.into()),
        }
    }

    /// All hashes of a tile, from the reader the first time.
    fn read(&mut self, tile_level: u8, tile: Tile) -> Result<&[Hash], R::Error> {
        let hashes = match self.tiles.entry(tile) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                place.insert(self.reader.hashes(tile_level, tile.first(), usize::from(tile.width()))?)
            }
        };
        Ok(hashes)
    }
}

/// Hashes a power of two of neighbours into their common root.
fn fold(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        for pair in 0..hashes.len() / 2 {
            hashes[pair] = node_hash(&hashes[2 * pair], &hashes[2 * pair + 1]);
        }
        hashes.truncate(hashes.len() / 2);
    }
    hashes[0]
}

/// A tile level of a tree of at most 2^62 leaves is at most 7.
fn narrow(tile_level: u32) -> u8 {
    u8::try_from(tile_level).unwrap_or(u8::MAX)
}
