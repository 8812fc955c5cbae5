//! The ledger as files (C2SP tlog-tiles): tiles of hashes and bundles of entries, each made from at most 256 rows.

use crate::engine::params;
use brevet_ledger::{HashReader as _, Tile, TileContent, append_to_bundle};

use crate::error::StoreError;
use crate::proof::Hashes;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// A tile or an entry bundle that a ledger of some size has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerFile(Tile);

/// What a file of the ledger holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileBytes {
    /// Its bytes.
    Here(Vec<u8>),
    /// Entries of it are in an archive file, and no longer in the database; their hashes still are.
    Archived,
}

impl LedgerFile {
    /// The file of this path below the prefix of the ledger, e.g. `tile/0/x001/234` or `tile/entries/000.p/17`;
    /// `None` for a path in any other spelling, and for what a ledger of `size` entries does not have.
    ///
    /// Partial files of every width up to what there is are such files: each belongs to the tree of an earlier
    /// size.
    pub fn parse(path: &str, size: u64) -> Option<Self> {
        let tile: Tile = path.parse().ok()?;
        let there = Tile::of_tree(tile.content(), tile.index(), size)?;
        (tile.width() <= there.width()).then_some(Self(tile))
    }

    /// Whether it holds entries, and not hashes.
    pub fn holds_entries(self) -> bool {
        self.0.content() == TileContent::Entries
    }

    /// The number of its first hash or entry among those of its level.
    pub const fn first(self) -> u64 {
        self.0.first()
    }
}

impl Reader {
    /// What a file of the ledger holds.
    pub fn ledger_file(&self, LedgerFile(tile): LedgerFile) -> Result<FileBytes, StoreError> {
        match tile.content() {
            TileContent::Entries => self.bundle(tile),
            TileContent::Hashes { level } => {
                let hashes = Hashes { connection: &self.connection };
                let hashes = hashes.hashes(level, tile.first(), usize::from(tile.width()))?;
                Ok(FileBytes::Here(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()))
            }
        }
    }

    fn bundle(&self, tile: Tile) -> Result<FileBytes, StoreError> {
        let (first, width) = (tile.first(), usize::from(tile.width()));
        let sql = "SELECT bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![signed(first), as_limit(width)])?;
        let (mut bundle, mut count) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let entry = row.get_ref(0)?.as_blob().map_err(StoreError::damaged)?;
            if entry.is_empty() {
                return Ok(FileBytes::Archived);
            }
            append_to_bundle(entry, &mut bundle)?;
            count += 1;
        }
        match count == width {
            true => Ok(FileBytes::Here(bundle)),
            false => Err(StoreError::damaged(format!("entries from {first} on are missing"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LedgerFile;

    #[test]
    fn a_ledger_has_the_files_up_to_its_size_and_no_others() {
        let has = |path: &str, size| LedgerFile::parse(path, size).is_some();
        for (path, size) in [
            ("tile/0/000", 256),
            ("tile/0/000.p/1", 1),
            ("tile/0/000.p/255", 255),
            // A tree of an earlier size.
            ("tile/0/000.p/7", 600),
            ("tile/0/002.p/88", 600),
            ("tile/1/000.p/2", 600),
            ("tile/1/000.p/1", 256),
            ("tile/entries/001", 512),
            ("tile/entries/x001/234", 1_235 * 256),
        ] {
            assert!(has(path, size), "{path} at {size}");
        }
        for (path, size) in [
            ("tile/0/000", 255),
            ("tile/0/000.p/1", 0),
            ("tile/0/000.p/2", 1),
            ("tile/0/001.p/1", 256),
            ("tile/1/000.p/1", 255),
            ("tile/1/000.p/3", 600),
            ("tile/8/000.p/1", u64::MAX >> 2),
            ("tile/63/000.p/1", u64::MAX >> 2),
            ("tile/entries/002.p/89", 600),
            ("tile/0/000.p/256", 600),
            ("tile/0/000.p/0", 600),
            ("tile/00/000", 600),
            ("tile/64/000", 600),
            ("tile/0/0", 600),
            ("tile/0/x000/000", 600),
            ("tile/0/000/", 600),
            ("tile/0/000.p/", 600),
            ("tile/0", 600),
            ("tile/data/000", 600),
            ("tile/0/-01", 600),
            ("", 600),
        ] {
            assert!(!has(path, size), "{path} at {size}");
        }
    }
}
