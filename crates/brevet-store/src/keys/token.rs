//! A key that never leaves its PKCS#11 token (PKCS #11 v3.0 section 2.3, `CKM_EDDSA` with Ed25519).
//!
//! A module is native code with state for the whole process, and may hang. So one thread of its own does all that
//! is asked of it, and nobody waits for it longer than [`ANSWERS_WITHIN`]. Every signature is checked before it is
//! used: a token that is broken stops the ledger, and does not spoil it.

mod card;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use brevet_ledger::{KeyName, Note, NoteSignature, VerifierKey};

use super::KeyFault;
use card::Card;

/// How long a token has for one answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// How many questions may wait for it: the writer's, and that of somebody who prepares a change.
const QUESTIONS_MAX: usize = 4;

/// Which token, and which key on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSettings {
    /// The module, a shared library: an absolute path that only its owner can write to.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the Ed25519 key pair: for a new ledger, and for a change that names no other.
    pub key: String,
    /// A private file with the PIN and nothing else.
    pub pin_file: PathBuf,
    /// What a new ledger is called; made up when not said.
    pub name: Option<String>,
}

/// An Ed25519 public key.
type Public = [u8; 32];
type Answer<T> = SyncSender<Result<T, KeyFault>>;

/// What the thread is asked for.
enum Question {
    /// The key pairs on the token: label and public key.
    Keys(Answer<Vec<(String, Public)>>),
    /// A signature over this text by this key.
    Sign(Public, String, Answer<Vec<u8>>),
}

/// A token that is at work. Cheap to clone; nothing more is asked of it when the last is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    questions: SyncSender<Question>,
    label: String,
}

/// A key on it.
#[derive(Debug)]
pub(crate) struct TokenKey {
    token: Token,
    verifier: VerifierKey,
}

impl Token {
    /// Opens the token and proves that it is there: the module loads, the PIN is taken.
    pub(crate) fn open(settings: TokenSettings) -> Result<Self, KeyFault> {
        let label = settings.key.clone();
        let (questions, asked) = sync_channel(QUESTIONS_MAX);
        let work = move || serve(Card::new(settings), &asked);
        let thread = std::thread::Builder::new().name("token".into()).spawn(work);
        thread.map_err(|error| KeyFault::Token { why: format!("no thread for it: {error}") })?;
        let token = Self { questions, label };
        token.ask(Question::Keys)?;
        Ok(token)
    }

    /// The label of the key that the settings name.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// All its Ed25519 key pairs, with their labels, as keys of this name.
    pub(crate) fn keys(&self, name: &KeyName) -> Result<Vec<(String, TokenKey)>, KeyFault> {
        let keys = self.ask(Question::Keys)?;
        let key = |(label, public): (String, Public)| {
            let verifier = VerifierKey::of_ed25519(name.clone(), &public).ok()?;
            Some((label, TokenKey { token: self.clone(), verifier }))
        };
        Ok(keys.into_iter().filter_map(key).collect())
    }

    /// The one with this label.
    pub(crate) fn labelled(&self, name: &KeyName, label: &str) -> Result<TokenKey, KeyFault> {
        let mut found: Vec<TokenKey> =
            self.keys(name)?.into_iter().filter(|(of, _)| of == label).map(|(_, key)| key).collect();
        let label = label.to_owned();
        match (found.pop(), found.len()) {
            (None, _) => Err(KeyFault::NoKey { label }),
            (Some(key), 0) => Ok(key),
            (Some(_), others) => Err(KeyFault::KeysAlike { label, count: others + 1 }),
        }
    }

    fn ask<T>(&self, question: impl FnOnce(Answer<T>) -> Question) -> Result<T, KeyFault> {
        let (answer, answered) = sync_channel(1);
        let silent = || KeyFault::Silent { seconds: ANSWERS_WITHIN.as_secs() };
        self.questions.try_send(question(answer)).map_err(|error| match error {
            TrySendError::Full(_) => silent(),
            TrySendError::Disconnected(_) => KeyFault::Token { why: "its module ended its thread".into() },
        })?;
        match answered.recv_timeout(ANSWERS_WITHIN) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(silent()),
            Err(RecvTimeoutError::Disconnected) => {
                Err(KeyFault::Token { why: "its module ended its thread".into() })
            }
        }
    }
}

impl TokenKey {
    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line over the text of a note, checked.
    pub(crate) fn sign(&self, text: &str) -> Result<NoteSignature, KeyFault> {
        let Self { token, verifier } = self;
        let bytes = token.ask(|answer| Question::Sign(*verifier.public(), text.to_owned(), answer))?;
        let signature = NoteSignature::new(verifier.name().clone(), verifier.id(), bytes);
        let note = Note::with_text(text, signature.clone());
        match note.and_then(|note| note.verify(std::slice::from_ref(verifier)).map(drop)) {
            Ok(()) => Ok(signature),
            Err(_) => Err(KeyFault::Token { why: "it made a signature that does not hold".into() }),
        }
    }
}

/// Answers until nobody is left to ask. Who does not wait any more has lost the answer.
fn serve(mut card: Card, asked: &Receiver<Question>) {
    for question in asked {
        match question {
            Question::Keys(answer) => drop(answer.send(card.keys())),
            Question::Sign(key, text, answer) => drop(answer.send(card.sign(&key, text.as_bytes()))),
        }
    }
    // Nobody asks any more because the process ends. The module is being taken down by then, with its own locks held:
    // to close the session or to unload it now could hang the end. The token closes a session whose process is gone.
    std::mem::forget(card);
}
