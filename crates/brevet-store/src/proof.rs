//! Receipts: a proof that an entry is in the ledger, made from a few reads whatever the ledger's length.

use crate::engine::{Connection, NONE, OptionalExtension, params};
use brevet_ledger::{Hash, HashReader, Note, TlogProof, prove_consistency, prove_inclusion};

use crate::error::StoreError;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// An entry and the proof that it is in the ledger.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Its index.
    pub index: u64,
    /// Its exact bytes; empty once it was archived.
    pub bytes: Vec<u8>,
    /// The proof, in the C2SP tlog-proof format. Its extra data are the bytes of the entry, so that the file alone
    /// can be checked by whoever has the verifier key.
    pub proof: String,
}

/// A receipt, with what it takes to decide who gets it and to compare it with what was kept.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The receipt.
    pub receipt: Receipt,
    /// Who caused the entry, as it names them.
    pub actor: String,
    /// How its checkpoint and the one of the size that was asked about hang together: a consistency proof from the
    /// smaller to the larger. `None` where nothing was asked, and where the ledger never had that size.
    pub consistency: Option<Vec<Hash>>,
}

/// How two sizes of the ledger hang together.
#[derive(Debug, Clone)]
pub struct Consistency {
    /// The consistency proof (RFC 6962 section 2.1.2).
    pub hashes: Vec<Hash>,
    /// The larger size.
    pub new: u64,
    /// The checkpoint over it, where it is the newest.
    pub checkpoint: Option<String>,
    /// How many entries there are.
    pub size: u64,
}

impl Reader {
    /// A receipt for an entry, under the newest checkpoint.
    pub fn receipt(&self, index: u64) -> Result<Option<Receipt>, StoreError> {
        Ok(self.receipt_under(index, None, None)?.map(|proven| proven.receipt))
    }

    /// A receipt for an entry, under the checkpoint `other` (its size and note) where that covers it, and otherwise
    /// under the newest. `kept` is the size of a checkpoint that must hang together with it.
    pub fn receipt_under(
        &self,
        index: u64,
        other: Option<(u64, String)>,
        kept: Option<u64>,
    ) -> Result<Option<Proven>, StoreError> {
        // One view of head, entries and nodes: the writer goes on meanwhile.
        let view = self.connection.view()?;
        let sql = "SELECT head.size, head.checkpoint, entry.actor, entry.bytes
                   FROM head JOIN entry ON entry.seq = ?1";
        let found: Option<(i64, String, String, Vec<u8>)> = view
            .query_row(sql, [signed(index)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .optional()?;
        let Some((head, newest, actor, bytes)) = found else { return Ok(None) };
        let head = head.unsigned_abs();
        let covers = |(size, _): &(u64, String)| (index + 1..=head).contains(size);
        let (size, note) = other.filter(covers).unwrap_or((head, newest));
        let hashes = Hashes { connection: &view };
        let path = prove_inclusion(&hashes, index, size)?;
        let consistency = match kept.filter(|kept| (1..=head).contains(kept)) {
            Some(kept) => Some(prove_consistency(&hashes, kept.min(size), kept.max(size))?),
            None => None,
        };
        let note: Note = note.parse().map_err(StoreError::damaged)?;
        let proof = TlogProof::new(index, path, note);
        let proof = if bytes.is_empty() { proof } else { proof.with_extra(bytes.clone()) };
        let receipt = Receipt { index, bytes, proof: proof.to_string() };
        Ok(Some(Proven { receipt, actor, consistency }))
    }

    /// How the ledger of `old` entries and that of `new` ones (all there are, unless given) hang together; `None`
    /// where it never had one of these sizes.
    pub fn growth(&self, old: u64, new: Option<u64>) -> Result<Option<Consistency>, StoreError> {
        let view = self.connection.view()?;
        let sql = "SELECT size, checkpoint FROM head";
        let head: Option<(i64, String)> =
            view.query_row(sql, NONE, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some((size, checkpoint)) = head else { return Ok(None) };
        let size = size.unsigned_abs();
        let new = new.unwrap_or(size);
        if !(1..=new).contains(&old) || new > size {
            return Ok(None);
        }
        let hashes = prove_consistency(&Hashes { connection: &view }, old, new)?;
        Ok(Some(Consistency { hashes, new, checkpoint: (new == size).then_some(checkpoint), size }))
    }

    /// The proof that the ledger of `old` entries is the beginning of that of `new` ones; empty from nothing.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        let view = self.connection.view()?;
        match old {
            0 => Ok(Vec::new()),
            _ => prove_consistency(&Hashes { connection: &view }, old, new),
        }
    }
}

/// A hash of the tree in base64, as notes and proofs write it.
pub fn hash_text(hash: &Hash) -> String {
    hash.to_base64()
}

/// The stored hashes of the tree.
pub(crate) struct Hashes<'c> {
    pub(crate) connection: &'c Connection,
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
