//! The module itself: sessions, objects, the PIN. Used from one thread only.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::super::KeyFault;
use super::{Public, TokenSettings};

/// The longest PIN, in bytes.
const PIN_BYTES_MAX: u64 = 256;
const SIGNATURE_BYTES: usize = 64;

/// A token behind its module.
pub(super) struct Card {
    settings: TokenSettings,
    /// Loaded once: unloading such a library and loading it again is where they break.
    module: Option<Pkcs11>,
    session: Option<Open>,
    /// What it said of the PIN. It is not tried again.
    refused: Option<&'static str>,
}

struct Open {
    session: Session,
    keys: HashMap<Public, ObjectHandle>,
}

impl Card {
    pub(super) const fn new(settings: TokenSettings) -> Self {
        Self { settings, module: None, session: None, refused: None }
    }

    /// Its Ed25519 key pairs: label and public key.
    pub(super) fn keys(&mut self) -> Result<Vec<(String, Public)>, KeyFault> {
        self.with(|open| {
            let public = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::KeyType(KeyType::EC_EDWARDS)];
            let mut found = Vec::new();
            for object in open.session.find_objects(&public)? {
                let Some((label, id, key)) = describe(&open.session, object)? else { continue };
                let private = [
                    Attribute::Class(ObjectClass::PRIVATE_KEY),
                    Attribute::KeyType(KeyType::EC_EDWARDS),
                    Attribute::Id(id),
                ];
                if let [private] = open.session.find_objects(&private)?[..] {
                    open.keys.insert(key, private);
                    found.push((label, key));
                }
            }
            Ok(found)
        })
    }

    /// Signs with one of these keys.
    pub(super) fn sign(&mut self, key: &Public, text: &[u8]) -> Result<Vec<u8>, KeyFault> {
        if self.session.as_ref().is_none_or(|open| !open.keys.contains_key(key)) {
            self.keys()?;
        }
        let signed = self.sign_now(key, text);
        match signed {
            Err(KeyFault::Token { .. }) => {
                // The session may be what is broken: the token was away for a moment.
                self.reset();
                self.keys()?;
                self.sign_now(key, text)
            }
            signed => signed,
        }
    }

    fn sign_now(&mut self, key: &Public, text: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let mechanism = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
        let open = self.session.as_ref();
        let Some((open, handle)) = open.and_then(|open| Some((open, *open.keys.get(key)?))) else {
            return Err(KeyFault::Token {
                why: "the key that signs this ledger is not on it any more".into(),
            });
        };
        let signature = open.session.sign(&mechanism, handle, text).map_err(failed)?;
        match signature.len() == SIGNATURE_BYTES {
            true => Ok(signature),
            false => {
                Err(KeyFault::Token { why: format!("it made a signature of {} bytes", signature.len()) })
            }
        }
    }

    /// Works in the session, in a new one when the old one is over.
    fn with<T>(&mut self, work: impl Fn(&mut Open) -> Result<T, Error>) -> Result<T, KeyFault> {
        if let Some(open) = &mut self.session
            && let Ok(done) = work(open)
        {
            return Ok(done);
        }
        self.reset();
        let mut open = self.open()?;
        let done = work(&mut open).map_err(failed)?;
        self.session = Some(open);
        Ok(done)
    }

    fn open(&mut self) -> Result<Open, KeyFault> {
        let TokenSettings { token, pin_file, .. } = &self.settings;
        let refused = |why| KeyFault::Pin { label: token.clone(), path: pin_file.clone(), why };
        if let Some(why) = self.refused {
            return Err(refused(why));
        }
        let module = match self.module.take() {
            Some(module) => module,
            None => load(&self.settings.module)?,
        };
        let module = self.module.insert(module);
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(failed(error)),
        }
        let (slot, is_last_try) = slot(module, token)?;
        if is_last_try {
            return Err(refused(
                "one more wrong PIN would lock it; sign in to it once by hand, with the right one",
            ));
        }
        let session = module.open_ro_session(slot).map_err(failed)?;
        let pin = pin(pin_file)?;
        let why = match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                return Ok(Open { session, keys: HashMap::new() });
            }
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
                "it is wrong"
            }
            Err(Error::Pkcs11(RvError::PinLocked, _)) => {
                "it is locked; unlock it with the security officer's PIN"
            }
            Err(Error::Pkcs11(RvError::PinExpired, _)) => "it has expired",
            Err(error) => return Err(failed(error)),
        };
        self.refused = Some(why);
        Err(refused(why))
    }

    /// Ends the session and all that the module knows: most of them look for tokens only when they start.
    fn reset(&mut self) {
        self.session = None;
        if let Some(module) = &self.module {
            // One that was never started, or is broken, has nothing to end.
            drop(module.clone().finalize());
        }
    }
}

/// Label, id and key of an Ed25519 public key; `None` for another curve of the family.
fn describe(session: &Session, object: ObjectHandle) -> Result<Option<(String, Vec<u8>, Public)>, Error> {
    let wanted = [AttributeType::Label, AttributeType::Id, AttributeType::EcPoint];
    let (mut label, mut id, mut key) = (String::new(), Vec::new(), None);
    for attribute in session.get_attributes(object, &wanted)? {
        match attribute {
            Attribute::Label(text) => label = String::from_utf8_lossy(&text).into_owned(),
            Attribute::Id(bytes) => id = bytes,
            Attribute::EcPoint(point) => key = public(&point),
            _ => {}
        }
    }
    Ok(key.map(|key| (label, id, key)))
}

/// `CKA_EC_POINT` is the 32 bytes, in a DER octet string (PKCS #11 v3.0 section 2.3.5) or, in older modules, bare.
fn public(point: &[u8]) -> Option<Public> {
    point.strip_prefix(&[0x04, 0x20]).unwrap_or(point).try_into().ok()
}

/// The slot of the token, and whether a wrong PIN would lock it.
fn slot(module: &Pkcs11, label: &str) -> Result<(Slot, bool), KeyFault> {
    let mut found = Vec::new();
    for slot in module.get_slots_with_token().map_err(failed)? {
        let token = module.get_token_info(slot).ok().filter(|token| token.label() == label);
        found.extend(token.map(|token| (slot, token.user_pin_final_try())));
    }
    match found[..] {
        [slot] => Ok(slot),
        [] => Err(KeyFault::TokenAway { label: label.to_owned() }),
        _ => Err(KeyFault::TokensAlike { label: label.to_owned(), count: found.len() }),
    }
}

/// Loads native code into this process: only from where nobody else can put some.
fn load(path: &Path) -> Result<Pkcs11, KeyFault> {
    let bad = |why: String| KeyFault::Module { path: path.to_owned(), why };
    if !path.is_absolute() {
        return Err(bad("name it by its whole path".into()));
    }
    let metadata = fs::metadata(path).map_err(|error| bad(error.to_string()))?;
    if !metadata.is_file() || metadata.mode() & 0o022 != 0 || !is_trusted(metadata.uid()) {
        return Err(bad("it must be a file that only root or the server's own user can write to".into()));
    }
    Pkcs11::new(path).map_err(|error| bad(error.to_string()))
}

/// Read for each session, and kept nowhere.
fn pin(path: &Path) -> Result<AuthPin, KeyFault> {
    let bad = |why: String| KeyFault::PinFile { path: path.to_owned(), why };
    let metadata = fs::symlink_metadata(path).map_err(|error| bad(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > PIN_BYTES_MAX {
        return Err(bad(format!("it must be a file of at most {PIN_BYTES_MAX} bytes")));
    }
    if metadata.mode() & 0o077 != 0 || !is_trusted(metadata.uid()) {
        let path = path.display();
        return Err(bad(format!(
            "it is open to others, or somebody else's; make it private with: chmod 600 {path}"
        )));
    }
    let mut text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    match text.is_empty() {
        true => Err(bad("it is empty".into())),
        false => Ok(AuthPin::from(text)),
    }
}

fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == rustix::process::geteuid().as_raw()
}

fn failed(error: Error) -> KeyFault {
    let why = match error {
        // Its own sentences are paragraphs of the standard.
        Error::Pkcs11(value, function) => format!("{function} answers {value:?}"),
        error => error.to_string(),
    };
    KeyFault::Token { why }
}

#[cfg(test)]
mod tests {
    use super::public;

    #[test]
    fn a_public_key_is_read_bare_and_as_an_octet_string() {
        let key = [7; 32];
        assert_eq!(public(&key), Some(key));
        assert_eq!(public(&[&[0x04, 0x20][..], &key].concat()), Some(key));
        assert_eq!(public(&[0x04, 0x20]), None);
        assert_eq!(public(&[7; 57]), None);
    }
}
