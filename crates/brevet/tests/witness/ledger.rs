//! A ledger as a witness sees it: a key, and a history of leaves that may be forked.

use brevet_ledger::{AddCheckpoint, Checkpoint, Hash, KeyName, Origin, SigningKey, empty_root, leaf_hash};

use crate::naive;

/// One history of a ledger.
pub(crate) struct Ledger {
    origin: Origin,
    key: SigningKey,
    leaves: Vec<Hash>,
}

impl Ledger {
    /// So many entries, signed by the key of this number.
    pub(crate) fn of(origin: &str, key: u8, entries: usize) -> Self {
        let leaves = (0..entries).map(|index| leaf_hash(format!("entry {index}").as_bytes())).collect();
        let key = SigningKey::from_seed(KeyName::parse(origin).unwrap(), &[key; 32]);
        Self { origin: Origin::parse(origin).unwrap(), key, leaves }
    }

    /// The same key, and another history from this entry on.
    pub(crate) fn forked_at(&self, entry: usize) -> Self {
        let mut leaves = self.leaves[..entry].to_vec();
        leaves.extend(self.leaves[entry..].iter().map(|leaf| leaf_hash(leaf.as_bytes())));
        let key = self.key.reveal_text(|text| SigningKey::parse(text).unwrap());
        Self { origin: self.origin.clone(), key, leaves }
    }

    /// The same history under another key of the same name.
    pub(crate) fn with_key(&self, key: u8) -> Self {
        let key = SigningKey::from_seed(self.key.verifier().name().clone(), &[key; 32]);
        Self { origin: self.origin.clone(), key, leaves: self.leaves.clone() }
    }

    pub(crate) fn key(&self) -> String {
        self.key.verifier().to_string()
    }

    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    pub(crate) fn root(&self, size: usize) -> Hash {
        if size == 0 { empty_root() } else { naive::root(&self.leaves[..size]) }
    }

    /// An honest request.
    pub(crate) fn request(&self, old: usize, size: usize) -> AddCheckpoint {
        let proof = match 0 < old && old <= size {
            true => naive::consistency(old, &self.leaves[..size]),
            false => Vec::new(),
        };
        self.request_with(old, size, self.root(size), proof)
    }

    /// A request with any root and proof.
    pub(crate) fn request_with(
        &self,
        old: usize,
        size: usize,
        root: Hash,
        proof: Vec<Hash>,
    ) -> AddCheckpoint {
        let checkpoint = Checkpoint::new(self.origin.clone(), size as u64, root);
        AddCheckpoint { old: old as u64, proof, checkpoint: checkpoint.sign(&self.key).unwrap() }
    }
}
