//! What a ledger sends to a witness: its new checkpoint, and the proof that it contains the one that the witness saw
//! last (C2SP tlog-witness, "add-checkpoint").

use std::fmt;

use crate::checkpoint::parse_decimal;
use crate::{Error, Hash, NOTE_BYTES_MAX, Note};

/// The most hashes that the proof may have.
pub const ADD_CHECKPOINT_HASHES_MAX: usize = 63;

/// The longest body that is read: the longest note, and room for the lines in front of it.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 4096;

/// The body of an add-checkpoint request, as read: nothing in it is checked against anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size of the checkpoint that the witness cosigned last, as far as the sender knows; 0 for none.
    pub old: u64,
    /// The consistency proof from there to the checkpoint. At most [`ADD_CHECKPOINT_HASHES_MAX`] hashes.
    pub proof: Vec<Hash>,
    /// The new checkpoint, signed by the ledger.
    pub checkpoint: Note,
}

impl AddCheckpoint {
    /// Reads a body, in its one spelling.
    ///
    /// # Errors
    /// [`Error::AddCheckpointForm`]; those of a [`Note`] for the checkpoint.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(Error::AddCheckpointForm);
        }
        let text = std::str::from_utf8(body).map_err(|_| Error::AddCheckpointForm)?;
        let (lines, checkpoint) = text.split_once("\n\n").ok_or(Error::AddCheckpointForm)?;
        let (old, proof) = parse_lines(lines).ok_or(Error::AddCheckpointForm)?;
        Ok(Self { old, proof, checkpoint: checkpoint.parse()? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, proof, checkpoint } = self;
        writeln!(f, "old {old}")?;
        proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{checkpoint}")
    }
}

/// Reads what stands before the empty line.
fn parse_lines(text: &str) -> Option<(u64, Vec<Hash>)> {
    let mut lines = text.split('\n');
    let old = lines.next()?.strip_prefix("old ").and_then(parse_decimal)?;
    let hashes = lines.take(ADD_CHECKPOINT_HASHES_MAX + 1).map(|line| Hash::parse_base64(line).ok());
    let proof: Vec<Hash> = hashes.collect::<Option<_>>()?;
    (proof.len() <= ADD_CHECKPOINT_HASHES_MAX).then_some((old, proof))
}

#[cfg(test)]
mod tests;
