//! Receipts: a proof that an entry is in the ledger, made from a few reads whatever the ledger's length.

use brevet_ledger::{Hash, HashReader, Note, TlogProof, prove_inclusion};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// An entry and the proof that it is in the ledger.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Its index.
    pub index: u64,
    /// Its exact bytes.
    pub bytes: Vec<u8>,
    /// The proof, in the C2SP tlog-proof format.
    pub proof: String,
}

impl Reader {
    /// A receipt for an entry, under the newest checkpoint.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, StoreError> {
        // One view of head, entries and nodes: the writer goes on meanwhile.
        let view = self.connection.unchecked_transaction()?;
        let sql = "SELECT head.size, head.checkpoint, entry.bytes FROM head JOIN entry ON entry.seq = ?1";
        let found: Option<(i64, String, Vec<u8>)> = view
            .query_row(sql, [signed(index)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((size, checkpoint, bytes)) = found else { return Ok(None) };
        let path = prove_inclusion(&Hashes { connection: &view }, index, size.unsigned_abs())?;
        let note: Note = checkpoint.parse().map_err(StoreError::damaged)?;
        let proof = TlogProof::new(index, path, note).to_string();
        Ok(Some(Receipt { index, bytes, proof }))
    }
}

struct Hashes<'c> {
    connection: &'c Connection,
}

impl From<brevet_ledger::Error> for StoreError {
    fn from(error: brevet_ledger::Error) -> Self {
        Self::damaged(error)
    }
}

impl HashReader for Hashes<'_> {
    type Error = StoreError;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        let mut statement = self.connection.prepare_cached(match tile_level {
            0 => "SELECT leaf FROM entry WHERE ?1 = 0 AND seq >= ?2 ORDER BY seq LIMIT ?3",
            _ => "SELECT hash FROM node WHERE level = ?1 AND place >= ?2 ORDER BY place LIMIT ?3",
        })?;
        let rows = statement.query_map(params![tile_level, signed(first), as_limit(count)], |row| {
            row.get::<_, [u8; 32]>(0)
        })?;
        let hashes: Vec<Hash> = rows.map(|hash| hash.map(Hash::from_bytes)).collect::<Result<_, _>>()?;
        match hashes.len() == count {
            true => Ok(hashes),
            false => Err(StoreError::damaged(format!(
                "hashes from {first} of tile level {tile_level} are missing"
            ))),
        }
    }
}
