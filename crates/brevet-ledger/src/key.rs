//! The keys that sign checkpoints: their names, ids and text forms (C2SP signed-note, Ed25519 only).

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::note::NoteSignature;
use crate::{Error, base64};

/// The signature type byte of plain Ed25519.
const ED25519: u8 = 0x01;
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

/// A public key that signed notes are checked with: a "vkey". Prints and parses as
/// `<name>+<key id>+<base64 of type and key>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: KeyName,
    id: u32,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    fn new(name: KeyName, key: ed25519_dalek::VerifyingKey) -> Self {
        let id = key_id(&name, key.as_bytes());
        Self { name, id, key }
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

    /// Whether the signature line claims to be by this key.
    pub(crate) fn is_named_by(&self, signature: &NoteSignature) -> bool {
        self.id == signature.key_id() && self.name == *signature.name()
    }

    /// Checks the signature over the text. Strict: refuses keys and signatures with more than one reading.
    pub(crate) fn accepts(&self, text: &str, signature: &NoteSignature) -> bool {
        ed25519_dalek::Signature::from_slice(signature.bytes())
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut typed = vec![ED25519];
        typed.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, base64::encode(&typed))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, id, bytes) = parse_parts(text).ok_or(Error::VerifierKeyText)?;
        let name = KeyName::parse(name)?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| Error::VerifierKeyText)?;
        if key.is_weak() {
            return Err(Error::VerifierKeyText);
        }
        let key = Self::new(name, key);
        if key.id == id { Ok(key) } else { Err(Error::KeyId { name: key.name.0, id }) }
    }
}

/// A private key that signs checkpoints. It never prints itself, and its memory is wiped when it is dropped.
pub struct SigningKey {
    public: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key that this seed gives. The caller draws the seed; this crate has no randomness.
    #[must_use]
    pub fn from_seed(name: KeyName, seed: &[u8; KEY_BYTES]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        Self { public: VerifierKey::new(name, secret.verifying_key()), secret }
    }

    /// Reads a private key file: one line `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`, as Go's
    /// `note` package writes it. One line feed at its end is allowed.
    ///
    /// # Errors
    /// [`Error::SigningKeyText`], [`Error::KeyName`], [`Error::KeyId`]; none of them shows the key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let parts = line.strip_prefix(PRIVATE_PREFIX).and_then(parse_parts);
        let (name, id, seed) = parts.ok_or(Error::SigningKeyText)?;
        let key = Self::from_seed(KeyName::parse(name)?, &seed);
        if key.public.id == id { Ok(key) } else { Err(Error::KeyId { name: key.public.name.0.clone(), id }) }
    }

    /// Lends the text of the private key file, without a line feed, and wipes it afterwards.
    pub fn reveal_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        let mut typed = Zeroizing::new(vec![0; 1 + KEY_BYTES]);
        typed[0] = ED25519;
        typed[1..].copy_from_slice(self.secret.as_bytes());
        let encoded = Zeroizing::new(base64::encode(&typed));
        let VerifierKey { name, id, .. } = &self.public;
        let text = Zeroizing::new(format!("{PRIVATE_PREFIX}{name}+{id:08x}+{}", encoded.as_str()));
        use_text(&text)
    }

    /// The public key to give to those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    /// The signature line over a note's text.
    pub(crate) fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.secret.sign(text.as_bytes());
        NoteSignature::new(self.public.name.clone(), self.public.id, signature.to_bytes().to_vec())
    }
}

/// Says which key it is, never the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Takes `<name>+<key id>+<base64 of type and 32 bytes>` apart.
fn parse_parts(text: &str) -> Option<(&str, u32, Zeroizing<[u8; KEY_BYTES]>)> {
    let mut parts = text.splitn(3, '+');
    let (name, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let lowercase_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    if id.len() != 8 || !id.chars().all(lowercase_hex) {
        return None;
    }
    let id = u32::from_str_radix(id, 16).ok()?;
    let typed = Zeroizing::new(base64::decode(encoded)?);
    let (ED25519, bytes) = typed.split_first().map(|(kind, bytes)| (*kind, bytes))? else {
        return None;
    };
    Some((name, id, Zeroizing::new(bytes.try_into().ok()?)))
}

fn key_id(name: &KeyName, key: &[u8; KEY_BYTES]) -> u32 {
    let mut sha = Sha256::new();
    sha.update(name.as_str());
    sha.update([b'\n', ED25519]);
    sha.update(key);
    let hash: [u8; 32] = sha.finalize().into();
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
mod tests;
