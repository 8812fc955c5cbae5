//! The keys that sign and cosign checkpoints: their names, ids and text forms (C2SP signed-note "Verifier keys" and
//! "Signature types"; Ed25519 only).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::note::NoteSignature;
use crate::{Error, base64, cosignature};

const KEY_BYTES: usize = 32;
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";

/// The name of a key, by recommendation a URL without its scheme, e.g. `brevet.example.com/ledger`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeyName(String);

impl KeyName {
    /// Takes a name that is not empty and has no space, control character or plus sign.
    ///
    /// # Errors
    /// [`Error::KeyName`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |c: char| c == '+' || c.is_whitespace() || c < ' ';
        if text.is_empty() || text.contains(refused) {
            return Err(Error::KeyName { name: text.to_owned() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the signatures of a key are over (C2SP signed-note, "Signature types").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyType {
    /// Type `01`: Ed25519 over the text of a note. Ledgers sign their checkpoints so.
    Ed25519,
    /// Type `04`: Ed25519 over a time and the text of a checkpoint (C2SP tlog-cosignature). Witnesses sign so.
    Cosignature,
}

impl KeyType {
    /// The byte that stands for the type in key ids and in the text forms of keys.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    const fn of_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// A public key that signed notes are checked with: a "vkey". Prints and parses as
/// `<name>+<key id>+<base64 of type and key>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: KeyName,
    id: u32,
    kind: KeyType,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    fn new(name: KeyName, kind: KeyType, key: ed25519_dalek::VerifyingKey) -> Self {
        let id = key_id(&name, kind, key.as_bytes());
        Self { name, id, kind, key }
    }

    /// The verifier key of a public key that signs notes (type `01`), such as one that a token holds.
    ///
    /// # Errors
    /// [`Error::VerifierKeyText`] for bytes that are no Ed25519 key, or one that no signature should be believed of.
    pub fn of_ed25519(name: KeyName, public: &[u8; KEY_BYTES]) -> Result<Self, Error> {
        Ok(Self::new(name, KeyType::Ed25519, believable(public)?))
    }

    /// The public key itself.
    #[must_use]
    pub fn public(&self) -> &[u8; KEY_BYTES] {
        self.key.as_bytes()
    }

    /// The name that stands in its signature lines.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The first four bytes of a hash over name and key: what tells keys of one name apart.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// What its signatures are over.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        self.kind
    }

    /// Whether both have the same key material, whatever their names and types: then one person signs as both.
    #[must_use]
    pub fn is_same_key_as(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Whether the signature line claims to be by this key.
    pub(crate) fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.id == signature.key_id() && self.name == *signature.name()
    }

    /// Checks the signature over the text, in the form of the type of this key.
    pub(crate) fn accepts(&self, text: &str, signature: &NoteSignature) -> bool {
        match self.kind {
            KeyType::Ed25519 => self.accepts_message(text.as_bytes(), signature.bytes()),
            KeyType::Cosignature => cosignature::time_if_accepted(self, text, signature).is_some(),
        }
    }

    /// Checks 64 bytes over a message. Strict: refuses keys and signatures with more than one reading.
    pub(crate) fn accepts_message(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![self.kind.byte()];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64::encode(&typed))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Parts { name, id, kind, bytes } = Parts::parse(text).ok_or(Error::VerifierKeyText)?;
        let name = KeyName::parse(name)?;
        let Some(kind) = KeyType::of_byte(kind) else {
            return Err(Error::KeyTypeUnknown { name: name.0, kind });
        };
        let bytes = <&[u8; KEY_BYTES]>::try_from(&**bytes).map_err(|_| Error::VerifierKeyText)?;
        let key = Self::new(name, kind, believable(bytes)?);
        if key.id == id { Ok(key) } else { Err(Error::KeyId { name: key.name.0, id }) }
    }
}

/// A public key of which a signature can be believed: a point of the curve in its one spelling (RFC 8032 section 5.1.3: *y*
/// is below 2^255 − 19), and not of small order.
fn believable(public: &[u8; KEY_BYTES]) -> Result<ed25519_dalek::VerifyingKey, Error> {
    let [low, middle @ .., high] = public;
    let is_canonical = *low < 0xed || high | 0x80 != 0xff || middle.iter().any(|byte| *byte != 0xff);
    let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| Error::VerifierKeyText)?;
    if is_canonical && !key.is_weak() { Ok(key) } else { Err(Error::VerifierKeyText) }
}

/// A private key that signs checkpoints. It never prints itself, and its memory is wiped when it is dropped.
pub struct SigningKey(KeyPair);

impl SigningKey {
    /// The key that this seed gives. The caller draws the seed; this crate has no randomness.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; KEY_BYTES]) -> Self {
        Self(KeyPair::from_seed(name, KeyType::Ed25519, seed))
    }

    /// Reads a private key file: one line `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, as Go's
    /// `note` package writes it. One line feed at its end is allowed.
    ///
    /// # Errors
    /// [`Error::SigningKeyText`], [`Error::KeyName`], [`Error::KeyId`]; none of them shows the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        KeyPair::parse(text, KeyType::Ed25519, Error::SigningKeyText).map(Self)
    }

    /// Lends the text of the private key file, without a line feed, and wipes it afterwards.
    pub fn reveal_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        self.0.reveal_text(use_text)
    }

    /// The public key to give to those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.0.public
    }

    /// The signature line over the text of a note.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        self.0.sign_as_note(text.as_bytes(), &[])
    }
}

/// Says which key it is, never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.0.public).finish_non_exhaustive()
    }
}

/// A private key of either type with its public half.
pub(crate) struct KeyPair {
    pub(crate) public: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl KeyPair {
    pub(crate) fn from_seed(name: KeyName, kind: KeyType, seed: &[u8; KEY_BYTES]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        Self { public: VerifierKey::new(name, kind, secret.verifying_key()), secret }
    }

    /// Reads a private key file of this type; whatever else it may be is `refused`.
    pub(crate) fn parse(text: &str, kind: KeyType, refused: Error) -> Result<Self, Error> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let parts = line.strip_prefix(PRIVATE_PREFIX).and_then(Parts::parse);
        let Some(parts) = parts.filter(|parts| parts.kind == kind.byte()) else {
            return Err(refused);
        };
        let seed = <&[u8; KEY_BYTES]>::try_from(&**parts.bytes).map_err(|_| refused)?;
        let pair = Self::from_seed(KeyName::parse(parts.name)?, kind, seed);
        if pair.public.id == parts.id {
            Ok(pair)
        } else {
            Err(Error::KeyId { name: pair.public.name.0.clone(), id: parts.id })
        }
    }

    pub(crate) fn reveal_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        let VerifierKey { name, id, kind, .. } = &self.public;
        let mut typed = Zeroizing::new(vec![0; 1 + KEY_BYTES]);
        typed[0] = kind.byte();
        typed[1..].copy_from_slice(self.secret.as_bytes());
        let encoded = Zeroizing::new(base64::encode(&typed));
        let text = Zeroizing::new(format!("{PRIVATE_PREFIX}{name}+{id:08x}+{}", encoded.as_str()));
        use_text(&text)
    }

    /// The signature line over a message; `front` stands before the 64 bytes.
    pub(crate) fn sign_as_note(&self, message: &[u8], front: &[u8]) -> NoteSignature {
        let signature = [front, &self.secret.sign(message).to_bytes()].concat();
        NoteSignature::new(self.public.name.clone(), self.public.id, signature)
    }
}

/// A text `<name>+<key id>+<base64 of type and key>`, taken apart.
struct Parts<'t> {
    name: &'t str,
    id: u32,
    kind: u8,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'t> Parts<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let mut parts = text.splitn(3, '+');
        let (name, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
        let lowercase_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        if id.len() != 8 || !id.chars().all(lowercase_hex) {
            return None;
        }
        let id = u32::from_str_radix(id, 16).ok()?;
        let typed = Zeroizing::new(base64::decode(encoded)?);
        let (kind, bytes) = typed.split_first()?;
        Some(Self { name, id, kind: *kind, bytes: Zeroizing::new(bytes.to_vec()) })
    }
}

fn key_id(name: &KeyName, kind: KeyType, key: &[u8; KEY_BYTES]) -> u32 {
    let mut sha = Sha256::new();
    sha.update(name.as_str());
    sha.update([b'\n', kind.byte()]);
    sha.update(key);
    let hash: [u8; 32] = sha.finalize().into();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
mod tests;
