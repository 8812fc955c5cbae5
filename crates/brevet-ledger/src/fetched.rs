//! Proofs out of tiles: what a client needs that fetches files of the tiled ledger (C2SP tlog-tiles) and asks for no
//! proof.
//!
//! The tiles themselves are not believed: a proof made of wrong ones does not lead to the root that the checkpoint
//! signs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::tile::{TILE_WIDTH, read_hashes};
use crate::{Error, Hash, HashReader, Tile, TileContent, prove_consistency, prove_inclusion, root_at};

/// Tiles that somebody fetched, to make proofs of: ask which are needed, fetch and [`insert`](Self::insert) them, then
/// call [`prove_inclusion`], [`prove_consistency`] or [`root_at`] with this as the reader.
///
/// # Examples
/// ```
/// use brevet_ledger::{FetchedTiles, check_inclusion, leaf_hash, node_hash, prove_inclusion};
///
/// let leaves = [leaf_hash(b"one"), leaf_hash(b"two")];
/// let root = node_hash(&leaves[0], &leaves[1]);
/// let mut tiles = FetchedTiles::new();
/// for tile in FetchedTiles::needed_for_inclusion(1, 2)? {
///     assert_eq!(tile.to_string(), "tile/0/000.p/2");
///     let bytes = leaves.map(|leaf| *leaf.as_bytes()).concat();
///     tiles.insert(tile, &bytes)?;
/// }
/// let proof = prove_inclusion(&tiles, 1, 2)?;
/// check_inclusion(leaves[1], 1, 2, &root, &proof)?;
/// # Ok::<(), brevet_ledger::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FetchedTiles {
    /// The hashes of each tile by its level and index, as many as were fetched.
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
}

impl FetchedTiles {
    /// No tiles yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { tiles: BTreeMap::new() }
    }

    /// Keeps the file of a tile. A full tile serves where a partial one is needed; of two, the wider is kept.
    ///
    /// # Errors
    /// [`Error::TilePath`] for an entry bundle; [`Error::TileLength`] unless these are exactly the hashes of the tile.
    pub fn insert(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), Error> {
        let TileContent::Hashes { level } = tile.content() else {
            return Err(Error::TilePath);
        };
        let hashes = read_hashes(bytes, tile.width())?;
        let kept = self.tiles.entry((level, tile.index())).or_default();
        if kept.len() < hashes.len() {
            *kept = hashes;
        }
        Ok(())
    }

    /// The tiles that [`prove_inclusion`] reads.
    ///
    /// # Errors
    /// Those of [`prove_inclusion`] for an impossible index or size.
    pub fn needed_for_inclusion(index: u64, size: u64) -> Result<Vec<Tile>, Error> {
        Wanted::by(size, |wanted| prove_inclusion(wanted, index, size).map(drop))
    }

    /// The tiles that [`prove_consistency`] reads.
    ///
    /// # Errors
    /// Those of [`prove_consistency`] for impossible sizes.
    pub fn needed_for_consistency(old: u64, new: u64) -> Result<Vec<Tile>, Error> {
        Wanted::by(new, |wanted| prove_consistency(wanted, old, new).map(drop))
    }

    /// The tiles that [`root_at`] reads.
    ///
    /// # Errors
    /// [`Error::TreeSize`].
    pub fn needed_for_root(size: u64) -> Result<Vec<Tile>, Error> {
        Wanted::by(size, |wanted| root_at(wanted, size).map(drop))
    }
}

impl HashReader for FetchedTiles {
    type Error = Error;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let (index, skipped) = (first / u64::from(TILE_WIDTH), first % u64::from(TILE_WIDTH));
        let range = usize::try_from(skipped).ok().and_then(|from| Some(from..from.checked_add(count)?));
        let hashes = self.tiles.get(&(tile_level, index)).and_then(|tile| tile.get(range?));
        hashes.map(<[Hash]>::to_vec).ok_or(Error::HashesMissing { tile_level, first })
    }
}

/// A reader that only remembers what it is asked for.
struct Wanted {
    size: u64,
    tiles: RefCell<BTreeSet<Tile>>,
}

impl Wanted {
    fn by(size: u64, read: impl FnOnce(&Self) -> Result<(), Error>) -> Result<Vec<Tile>, Error> {
        let wanted = Self { size, tiles: RefCell::default() };
        read(&wanted)?;
        Ok(wanted.tiles.into_inner().into_iter().collect())
    }
}

impl HashReader for Wanted {
    type Error = Error;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let content = TileContent::Hashes { level: tile_level };
        self.tiles.borrow_mut().extend(Tile::of_tree(content, first / u64::from(TILE_WIDTH), self.size));
        Ok(vec![Hash::from_bytes([0; Hash::BYTES]); count])
    }
}

#[cfg(test)]
mod tests;
