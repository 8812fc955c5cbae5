//! Receipts: one file that proves offline that an entry is in the ledger (C2SP tlog-proof v1).

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::parse_decimal;
use crate::{Checkpoint, Error, Hash, Note, Origin, VerifierKey, base64, check_inclusion};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The longest receipt that is read.
pub const TLOG_PROOF_BYTES_MAX: usize = 2 << 20;

/// An entry's index, its inclusion proof and the checkpoint note that it leads to, as read:
/// [`verify`](Self::verify) before you believe it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    path: Vec<Hash>,
    checkpoint: Note,
}

impl TlogProof {
    /// Puts a receipt together.
    #[must_use]
    pub const fn new(index: u64, path: Vec<Hash>, checkpoint: Note) -> Self {
        Self { extra: None, index, path, checkpoint }
    }

    /// The same receipt with data for its reader, which no signature covers.
    #[must_use]
    pub fn with_extra(self, extra: Vec<u8>) -> Self {
        Self { extra: Some(extra), ..self }
    }

    /// The data that the writer put in. No signature covers it: take it as a hint, never as a fact.
    #[must_use]
    pub fn unauthenticated_extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The position of the entry in the ledger.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof, from the leaf's sibling up.
    #[must_use]
    pub fn path(&self) -> &[Hash] {
        &self.path
    }

    /// The checkpoint note, with whatever witnesses signed it.
    #[must_use]
    pub const fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// Checks that a known key signed a checkpoint of this ledger that contains `leaf` at the stated index.
    /// Which witnesses must have signed besides is the caller's policy.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`] and [`check_inclusion`].
    pub fn verify(&self, leaf: Hash, origin: &Origin, known: &[VerifierKey]) -> Result<Checkpoint, Error> {
        let checkpoint = Checkpoint::open(&self.checkpoint, origin, known)?;
        check_inclusion(leaf, self.index, checkpoint.size(), &checkpoint.root(), &self.path)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { extra, index, path, checkpoint } = self;
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {index}")?;
        path.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{checkpoint}")
    }
}

impl FromStr for TlogProof {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > TLOG_PROOF_BYTES_MAX {
            return Err(Error::TlogProofForm);
        }
        let (proof, checkpoint) = text.split_once("\n\n").ok_or(Error::TlogProofForm)?;
        let (extra, index, path) = parse_lines(proof).ok_or(Error::TlogProofForm)?;
        Ok(Self { extra, index, path, checkpoint: checkpoint.parse()? })
    }
}

type Lines = (Option<Vec<u8>>, u64, Vec<Hash>);

/// Reads what stands before the empty line.
fn parse_lines(text: &str) -> Option<Lines> {
    let mut lines = text.split('\n').peekable();
    lines.next().filter(|line| *line == HEADER)?;
    let extra = match lines.next_if(|line| line.starts_with("extra ")) {
        Some(line) => Some(base64::decode(line.strip_prefix("extra ")?)?),
        None => None,
    };
    let index = lines.next()?.strip_prefix("index ").and_then(parse_decimal)?;
    let path = lines.map(|line| Hash::parse_base64(line).ok()).collect::<Option<_>>()?;
    Some((extra, index, path))
}

#[cfg(test)]
mod tests;
