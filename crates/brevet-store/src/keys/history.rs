//! Every change of the signing key, kept with its entry and the checkpoint that both keys signed: the chain stays
//! provable after the entry itself went into an archive.

use crate::engine::{Connection, NONE, params};
use brevet_core::{Event, Timestamp};
use brevet_ledger::{Checkpoint, Note, TlogProof, leaf_hash, prove_inclusion};

use crate::codec::decode_entry;
use crate::error::{StoreError, writing};
use crate::proof::{Hashes, Receipt};
use crate::reader::Reader;
use crate::row::signed;

/// One change of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) old: String,
    pub(crate) new: String,
    pub(crate) overlap_until: Timestamp,
}

/// The changes, oldest first. Each must be the entry that was hashed. Where one is missing the keys do not fit what is
/// there, and the start fails on that.
pub(crate) fn changes(connection: &Connection) -> Result<Vec<Change>, StoreError> {
    let sql = "SELECT ledger_key.seq, entry.leaf, ledger_key.bytes FROM ledger_key
               LEFT JOIN entry ON entry.seq = ledger_key.seq ORDER BY ledger_key.seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(NONE)?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let (seq, leaf, bytes): (i64, Option<[u8; 32]>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let differs =
            || StoreError::damaged(format!("the change of the key in entry {seq} is not what was hashed"));
        if leaf != Some(*leaf_hash(&bytes).as_bytes()) {
            return Err(differs());
        }
        match decode_entry(&bytes, Vec::new()).map_err(StoreError::damaged)?.1.event {
            Event::KeyRotated { old, new, overlap_until } => changes.push(Change { old, new, overlap_until }),
            _ => return Err(differs()),
        }
    }
    Ok(changes)
}

/// Keeps a change with the checkpoint over it.
pub(crate) fn insert(
    connection: &Connection,
    index: u64,
    bytes: &[u8],
    checkpoint: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO ledger_key (seq, bytes, checkpoint) VALUES (?1, ?2, ?3)";
    connection.execute_later(sql, params![signed(index), bytes, checkpoint]).map_err(writing)
}

impl Reader {
    /// The checkpoints over every change of the signing key, oldest first: each is signed by both keys.
    pub fn key_checkpoints(&self) -> Result<Vec<String>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT checkpoint FROM ledger_key ORDER BY seq")?;
        let rows = statement.query_map(NONE, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every change of the signing key, oldest first, with the proof that both keys signed for it:
    /// [`brevet_ledger::follow_keys`] checks them.
    pub fn key_handovers(&self) -> Result<Vec<Receipt>, StoreError> {
        let view = self.connection.view()?;
        let mut statement = view.prepare("SELECT seq, bytes, checkpoint FROM ledger_key ORDER BY seq")?;
        let mut rows = statement.query(NONE)?;
        let mut handovers = Vec::new();
        while let Some(row) = rows.next()? {
            let (seq, bytes, note): (i64, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let index = seq.unsigned_abs();
            let note: Note = note.parse().map_err(StoreError::damaged)?;
            let over: Checkpoint = note.text().parse().map_err(StoreError::damaged)?;
            let path = prove_inclusion(&Hashes { connection: &view }, index, over.size())?;
            handovers.push(Receipt { index, bytes, proof: TlogProof::new(index, path, note).to_string() });
        }
        Ok(handovers)
    }
}
