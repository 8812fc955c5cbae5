//! Signed notes: text with signature lines below it (C2SP signed-note v1.0.0).

use std::fmt;
use std::str::FromStr;

use crate::{Error, KeyName, SigningKey, VerifierKey, base64};

/// The most signatures that a note may carry. The specification asks for at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 64;

/// The longest note that is read: room for the most signatures, post-quantum ones included, and for long
/// texts.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

const KEY_ID_BYTES: usize = 4;

/// A text and the signatures over it, as read: [`verify`](Self::verify) before you believe a word of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line of a note: `— <key name> <base64 of key id and signature>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    name: KeyName,
    key_id: u32,
    bytes: Vec<u8>,
}

impl Note {
    /// Signs a text that ends with a line feed.
    ///
    /// # Errors
    /// [`Error::NoteText`] for a text that cannot stand in a note.
    pub fn sign(text: &str, key: &SigningKey) -> Result<Self, Error> {
        if !text.ends_with('\n') {
            return Err(Error::NoteText);
        }
        check_characters(text)?;
        Ok(Self { text: text.to_owned(), signatures: vec![key.sign(text)] })
    }

    /// The same note with one more signature line, such as a witness's.
    ///
    /// # Errors
    /// [`Error::NoteSignatures`] when it has [`NOTE_SIGNATURES_MAX`] already.
    pub fn with_signature(mut self, signature: NoteSignature) -> Result<Self, Error> {
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(Error::NoteSignatures);
        }
        self.signatures.push(signature);
        Ok(self)
    }

    /// The text, with the line feed at its end: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, checked or not.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Checks every signature by a known key and ignores all others. Returns the keys that signed, each once.
    ///
    /// # Errors
    /// [`Error::NoteSignatureWrong`] when a signature by a known key does not hold; [`Error::NoteUnsigned`]
    /// when no known key signed.
    pub fn verify<'k>(&self, known: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, Error> {
        let mut signers: Vec<&VerifierKey> = Vec::new();
        for signature in &self.signatures {
            for key in known.iter().filter(|key| key.is_named_by(signature)) {
                if !key.accepts(&self.text, signature) {
                    return Err(Error::NoteSignatureWrong { name: key.name().to_string() });
                }
                if !signers.contains(&key) {
                    signers.push(key);
                }
            }
        }
        if signers.is_empty() { Err(Error::NoteUnsigned) } else { Ok(signers) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl FromStr for Note {
    type Err = Error;

    fn from_str(note: &str) -> Result<Self, Error> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(Error::NoteLong { len: note.len() });
        }
        check_characters(note)?;
        // The text may have empty lines of its own: the signatures follow the last one.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(Error::NoteForm)?;
        let lines = lines.strip_suffix('\n').ok_or(Error::NoteForm)?;
        if lines.split('\n').count() > NOTE_SIGNATURES_MAX {
            return Err(Error::NoteSignatures);
        }
        let signatures = lines.split('\n').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

impl NoteSignature {
    /// A signature line over any kind of signature. It is not checked here.
    #[must_use]
    pub const fn new(name: KeyName, key_id: u32, bytes: Vec<u8>) -> Self {
        Self { name, key_id, bytes }
    }

    /// The name of the key that it says made it.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key that it says made it.
    #[must_use]
    pub const fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The signature itself, in the form that the type of the key prescribes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, base64::encode(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self, Error> {
        let (name, encoded) =
            line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' ')).ok_or(Error::NoteForm)?;
        let name = KeyName::parse(name)?;
        let bytes = base64::decode(encoded).ok_or(Error::NoteForm)?;
        match bytes.split_first_chunk::<KEY_ID_BYTES>() {
            Some((key_id, signature)) if !signature.is_empty() => {
                Ok(Self { name, key_id: u32::from_be_bytes(*key_id), bytes: signature.to_vec() })
            }
            _ => Err(Error::NoteForm),
        }
    }
}

/// Control characters could hide or restyle what a person reads of a note.
fn check_characters(text: &str) -> Result<(), Error> {
    if text.contains(|c: char| c < ' ' && c != '\n') { Err(Error::NoteText) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
