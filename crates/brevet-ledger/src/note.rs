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
        Self::with_text(text, key.sign(text))
    }

    /// Puts a text that ends with a line feed and a signature over it together, for keys that sign elsewhere, such
    /// as in a token. The signature is not checked here.
    ///
    /// # Errors
    /// [`Error::NoteText`] for a text that cannot stand in a note.
    pub fn with_text(text: &str, signature: NoteSignature) -> Result<Self, Error> {
        if !text.ends_with('\n') {
            return Err(Error::NoteText);
        }
        check_characters(text)?;
        Ok(Self { text: text.to_owned(), signatures: vec![signature] })
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

    /// The same note with the signatures out of `lines` (what a witness answers) that are by one of these keys, after
    /// checking them. An older signature by the same key gives way; those by other keys are ignored.
    ///
    /// # Errors
    /// Those of [`NoteSignature::parse_lines`]; [`Error::NoteSignatureWrong`] when one by a known key does not hold;
    /// [`Error::NoteUnsigned`] when none is by a known key; [`Error::NoteSignatures`] when the note is full.
    pub fn with_signature_lines(mut self, lines: &str, known: &[VerifierKey]) -> Result<Self, Error> {
        let signatures = NoteSignature::parse_lines(lines)?;
        let offered = Self { text: self.text, signatures };
        offered.verify(known)?;
        self.text = offered.text;
        for signature in offered.signatures {
            if known.iter().any(|key| key.is_named_by(&signature)) {
                let is_by_another = |old: &NoteSignature| !old.is_by_key_of(&signature);
                self.signatures.retain(is_by_another);
                self = self.with_signature(signature)?;
            }
        }
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
        Ok(Self { text: format!("{text}\n"), signatures: parse_signatures(lines)? })
    }
}

impl NoteSignature {
    /// A signature line over any kind of signature. It is not checked here.
    #[must_use]
    pub const fn new(name: KeyName, key_id: u32, bytes: Vec<u8>) -> Self {
        Self { name, key_id, bytes }
    }

    /// Reads signature lines that stand by themselves, each with a line feed at its end: what a witness answers.
    ///
    /// # Errors
    /// [`Error::SignatureLines`], [`Error::KeyName`]; [`Error::NoteLong`] for more than [`NOTE_BYTES_MAX`];
    /// [`Error::NoteSignatures`] for more than [`NOTE_SIGNATURES_MAX`].
    pub fn parse_lines(text: &str) -> Result<Vec<Self>, Error> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(Error::NoteLong { len: text.len() });
        }
        let lines = text.strip_suffix('\n').ok_or(Error::SignatureLines)?;
        parse_signatures(lines).map_err(|error| match error {
            Error::NoteForm => Error::SignatureLines,
            error => error,
        })
    }

    fn is_by_key_of(&self, other: &Self) -> bool {
        self.key_id == other.key_id && self.name == other.name
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

/// Reads lines without the last line feed.
fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature>, Error> {
    if lines.split('\n').count() > NOTE_SIGNATURES_MAX {
        return Err(Error::NoteSignatures);
    }
    lines.split('\n').map(str::parse).collect()
}

/// Control characters could hide or restyle what a person reads of a note.
fn check_characters(text: &str) -> Result<(), Error> {
    if text.contains(|c: char| c < ' ' && c != '\n') { Err(Error::NoteText) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
