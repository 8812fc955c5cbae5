//! Where hashes and entries are found when the ledger is served as files: the coordinates and paths of
//! C2SP tlog-tiles.

use std::fmt;
use std::str::FromStr;

use crate::{ENTRY_BYTES_MAX, Error, Hash, TREE_SIZE_MAX};

/// The levels of the binary tree that one tile spans.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The hashes or entries of a full tile.
pub const TILE_WIDTH: u16 = 1 << TILE_HEIGHT;

/// The highest tile level that a path may name.
pub const TILE_LEVEL_MAX: u8 = 63;

/// What a tile contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TileContent {
    /// The entries themselves, as an entry bundle.
    Entries,
    /// Hashes of this tile level; at level 0, those of the leaves.
    Hashes {
        /// At most [`TILE_LEVEL_MAX`].
        level: u8,
    },
}

/// One file of the tiled ledger, e.g. `tile/0/x001/x234/067` or `tile/entries/000.p/17`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    content: TileContent,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile `index` of its level as a tree of `size` entries has it: full, partial, or `None` when it is
    /// empty.
    #[must_use]
    pub fn of_tree(content: TileContent, index: u64, size: u64) -> Option<Self> {
        let hashes = size.checked_shr(TILE_HEIGHT * u32::from(level(content))).unwrap_or(0);
        let there = hashes.saturating_sub(index.checked_mul(u64::from(TILE_WIDTH))?);
        let width = u16::try_from(there).map_or(TILE_WIDTH, |there| there.min(TILE_WIDTH));
        (width > 0).then_some(Self { content, index, width })
    }

    /// What it contains.
    #[must_use]
    pub const fn content(self) -> TileContent {
        self.content
    }

    /// Its number among the tiles of its level, from 0.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or entries it has: 1 to [`TILE_WIDTH`].
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it has fewer than it will have.
    #[must_use]
    pub const fn is_partial(self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The number of its first hash or entry among those of its level.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.index * TILE_WIDTH as u64
    }
}

/// The path below the prefix of the ledger.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            TileContent::Entries => f.write_str("tile/entries/")?,
            TileContent::Hashes { level } => write!(f, "tile/{level}/")?,
        }
        write_index(f, self.index)?;
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// Reads a path as [`Display`](fmt::Display) prints it, and no other spelling.
impl FromStr for Tile {
    type Err = Error;

    fn from_str(path: &str) -> Result<Self, Error> {
        parse(path).filter(|tile| tile.to_string() == path).ok_or(Error::TilePath)
    }
}

/// Reads a path generously: more spellings than the one that is printed.
fn parse(path: &str) -> Option<Tile> {
    let (content, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let content = match content {
        "entries" => TileContent::Entries,
        level => TileContent::Hashes { level: level.parse().ok().filter(|level| *level <= TILE_LEVEL_MAX)? },
    };
    let (index, width) = match rest.split_once(".p/") {
        None => (rest, TILE_WIDTH),
        Some((index, width)) => (index, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
    };
    Some(Tile { content, index: parse_index(index)?, width })
}

/// `1234067` is written `x001/x234/067`, so that no name is both a file and a folder.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    write_leading(f, index / 1000)?;
    write!(f, "{:03}", index % 1000)
}

fn write_leading(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index == 0 {
        return Ok(());
    }
    write_leading(f, index / 1000)?;
    write!(f, "x{:03}/", index % 1000)
}

fn parse_index(text: &str) -> Option<u64> {
    text.split('/')
        .try_fold(0_u64, |index, element| {
            let digits = element.strip_prefix('x').unwrap_or(element);
            index.checked_mul(1000)?.checked_add(digits.parse().ok()?)
        })
        .filter(|index| *index <= TREE_SIZE_MAX / u64::from(TILE_WIDTH))
}

const fn level(content: TileContent) -> u8 {
    match content {
        TileContent::Entries => 0,
        TileContent::Hashes { level } => level,
    }
}

/// Appends one entry to an entry bundle: its length as a big-endian `u16`, then its bytes.
///
/// # Errors
/// [`Error::EntryLong`].
pub fn append_to_bundle(entry: &[u8], bundle: &mut Vec<u8>) -> Result<(), Error> {
    let len = entry.len();
    debug_assert_eq!(ENTRY_BYTES_MAX, usize::from(u16::MAX));
    let prefix = u16::try_from(len).map_err(|_| Error::EntryLong { len })?;
    bundle.extend_from_slice(&prefix.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// Takes an entry bundle apart into its entries, without copying. `width` is how many it must have: that of its tile.
///
/// # Errors
/// [`Error::BundleForm`] unless the bytes are exactly so many entries, each behind its length.
pub fn read_bundle(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, Error> {
    let mut rest = bytes;
    let entries: Option<_> = (0..width).map(|_| take_entry(&mut rest)).collect();
    entries.filter(|_| rest.is_empty()).ok_or(Error::BundleForm { width })
}

fn take_entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, behind) = rest.split_first_chunk()?;
    let (entry, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *rest = behind;
    Some(entry)
}

/// Takes the file of a tile of hashes apart. `width` is how many it must have.
///
/// # Errors
/// [`Error::TileLength`] unless the bytes are exactly so many hashes.
pub fn read_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, Error> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    if !rest.is_empty() || hashes.len() != usize::from(width) {
        return Err(Error::TileLength { len: bytes.len(), width });
    }
    Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
}

#[cfg(test)]
mod tests;
