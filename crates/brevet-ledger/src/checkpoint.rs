//! Checkpoints: the signed statement of what the whole ledger was at one size (C2SP tlog-checkpoint v1.0.0).

use std::fmt;
use std::str::FromStr;

use crate::{Error, Hash, Note, SigningKey, VerifierKey};

/// Which ledger it is: the first line of its checkpoints, by recommendation a URL without its scheme.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin(String);

impl Origin {
    /// Takes one line that is not empty and has no control character.
    ///
    /// # Errors
    /// [`Error::Origin`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.contains(|c: char| c < ' ') {
            return Err(Error::Origin);
        }
        Ok(Self(text.to_owned()))
    }

    /// The origin as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The size and root of a ledger. Prints and parses as the text of a checkpoint note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: Hash,
    /// Lines that others may add. Brevet writes none and gives them no meaning.
    extensions: Vec<String>,
}

impl Checkpoint {
    /// The checkpoint of the ledger at this size.
    #[must_use]
    pub const fn new(origin: Origin, size: u64, root: Hash) -> Self {
        Self { origin, size, root, extensions: Vec::new() }
    }

    /// Signs it. The caller makes sure that it is consistent with every checkpoint that this key signed
    /// before.
    ///
    /// # Errors
    /// None that the types do not rule out already; the note checks its text once more.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, Error> {
        Note::sign(&self.to_string(), key)
    }

    /// Takes the checkpoint out of a note, if a known key signed it and it is of this ledger.
    ///
    /// # Errors
    /// Those of [`Note::verify`]; [`Error::CheckpointForm`]; [`Error::CheckpointOrigin`].
    pub fn open(note: &Note, origin: &Origin, known: &[VerifierKey]) -> Result<Self, Error> {
        note.verify(known)?;
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != *origin {
            return Err(Error::CheckpointOrigin {
                expected: origin.to_string(),
                found: checkpoint.origin.to_string(),
            });
        }
        Ok(checkpoint)
    }

    /// Which ledger.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over them.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root, extensions } = self;
        write!(f, "{origin}\n{size}\n{}\n", root.to_base64())?;
        extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = text.strip_suffix('\n').ok_or(Error::CheckpointForm)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(Error::CheckpointForm);
        let origin = Origin::parse(line()?)?;
        let size = parse_decimal(line()?).ok_or(Error::CheckpointForm)?;
        let root = Hash::parse_base64(line()?).map_err(|_| Error::CheckpointForm)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(Error::CheckpointForm);
        }
        Ok(Self { origin, size, root, extensions })
    }
}

/// Reads a decimal number in its one spelling: digits only, no leading zero.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests;
