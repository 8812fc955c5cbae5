//! What an evidence bundle takes from the store: the checkpoint that the proofs lead to, and the proofs.

use crate::engine::{NONE, OptionalExtension, Row};
use brevet_ledger::{Hash, prove_inclusion};

use crate::error::StoreError;
use crate::proof::Hashes;
use crate::reader::Reader;
use crate::row::signed;

/// A checkpoint that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note, with the cosignatures that are known.
    pub note: String,
}

impl Reader {
    /// The newest checkpoint that enough witnesses signed, if it covers so many entries; otherwise the newest that
    /// there is. `None` before the first entry.
    pub fn best_checkpoint(&self, covers: u64) -> Result<Option<StoredCheckpoint>, StoreError> {
        let view = self.connection.view()?;
        let row = |row: &Row<'_>| {
            Ok(StoredCheckpoint { size: row.get::<_, i64>(0)?.unsigned_abs(), note: row.get(1)? })
        };
        let sql = "SELECT size, note FROM cosigned WHERE size >= ?1 ORDER BY size DESC LIMIT 1";
        match view.query_row(sql, [signed(covers)], row).optional()? {
            Some(cosigned) => Ok(Some(cosigned)),
            None => Ok(view.query_row("SELECT size, checkpoint FROM head", NONE, row).optional()?),
        }
    }

    /// The proof that an entry is in the tree of the first `size` entries: sibling of the leaf first.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        let view = self.connection.view()?;
        prove_inclusion(&Hashes { connection: &view }, index, size)
    }

    /// How many entries of a request's story there are.
    pub fn story_entries(&self, request: brevet_core::RequestId) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM entry WHERE request = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count: i64 = statement.query_row([signed(request.number())], |row| row.get(0))?;
        Ok(count.unsigned_abs())
    }
}
