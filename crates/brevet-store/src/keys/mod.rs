//! The keys that sign checkpoints: one that is current, and for a while after a change the ones before it.
//!
//! Which keys these are, the entries `ledger.key-rotated` say; files and tokens are only where the private halves
//! are found. So a change of the key is exactly as durable as its entry, and a crash at any place of it is settled
//! by the next start: a key that was prepared and has no entry is destroyed, one that has its entry is current.

mod fault;
mod file;
mod history;
mod maker;
mod signer;
mod token;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{Connection, NONE, OptionalExtension};
use brevet_core::{Entry, Event, Timestamp};
use brevet_ledger::{Checkpoint, KeyName, Note, SigningKey, VerifierKey, leaf_hash};

pub use fault::KeyFault;
pub(crate) use history::{changes, insert as insert_change};
pub use maker::{KeyMaker, NextKey, PreparedKey};
pub use token::TokenSettings;

use crate::error::StoreError;
use crate::folder::DataFolder;
use crate::load;
use file::Cabinet;
use history::Change;
use signer::Signer;
use token::Token;

/// Where the private key is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a private file of the data folder.
    #[default]
    File,
    /// In a PKCS#11 token, which never gives it out.
    Token(TokenSettings),
    /// Nowhere any more: the ledger can be read and not be written.
    Lost,
}

/// The keys of an open ledger.
#[derive(Debug)]
pub(crate) struct Keys {
    active: Signer,
    /// Those before, the newest first.
    before: Vec<Before>,
    desk: Arc<Desk>,
    /// Whether the files are not yet as they should be.
    untidy: bool,
}

/// A key that signs beside its successor for a while.
#[derive(Debug)]
struct Before {
    signer: Signer,
    until: Timestamp,
}

/// What the writer and those who prepare a change share.
#[derive(Debug)]
struct Desk {
    cabinet: Cabinet,
    name: KeyName,
    token: Option<Token>,
    state: Mutex<DeskState>,
}

#[derive(Debug, Default)]
struct DeskState {
    /// A key that waits for its entry.
    prepared: Option<Signer>,
    /// The keys that sign, the current one first, and until when those before it do.
    current: Vec<VerifierKey>,
    overlap_until: Option<Timestamp>,
    /// Every key that this ledger ever had.
    ever: Vec<VerifierKey>,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A change of the key in a batch that is being written.
#[derive(Debug)]
pub(crate) struct Turn {
    signer: Signer,
    until: Timestamp,
}

impl Keys {
    /// Finds the keys of the ledger, or makes the first one of a new ledger from `seed`.
    pub(crate) fn open(
        folder: &DataFolder,
        connection: &Connection,
        seed: [u8; 32],
        place: &KeyPlace,
    ) -> Result<Self, StoreError> {
        let cabinet = Cabinet::of(folder)?;
        let changes = history::changes(connection)?;
        let sql = "SELECT checkpoint FROM head";
        let head: Option<String> = connection.query_row(sql, NONE, |row| row.get(0)).optional()?;
        let name = name(&cabinet, head.as_deref(), &seed, place)?;
        let token = match place {
            KeyPlace::File | KeyPlace::Lost => None,
            KeyPlace::Token(settings) => Some(Token::open(settings.clone())?),
        };
        let search = Search { cabinet: &cabinet, name: &name, token: token.as_ref() };
        let active = match (changes.last(), &head) {
            (last, _) if *place == KeyPlace::Lost => search.lost(last, head.as_deref())?,
            (Some(last), _) => search.named(&last.new)?.ok_or(not_here(&last.new))?,
            (None, Some(note)) => search.that_signed(note)?,
            (None, None) => search.first(&seed, place)?,
        };
        let now = load::last_time(connection)?;
        let before = search.before(&changes, now)?;
        let mut ever: Vec<VerifierKey> =
            changes.iter().map(|change| change.old.parse()).collect::<Result<_, _>>()?;
        ever.push(active.verifier().clone());
        let is_lost = matches!(active, Signer::Lost(_));
        if !is_lost {
            search.check_foreign(&ever)?;
        }
        let state = Mutex::new(DeskState { ever, ..DeskState::default() });
        let desk = Arc::new(Desk { cabinet, name, token, state });
        let mut keys = Self { active, before, desk, untidy: true };
        // Without a key nothing will be written, and the files are left to those who look for it.
        if !is_lost {
            keys.tidy()?;
        }
        Ok(keys)
    }

    /// The name that all keys of this ledger have: its origin.
    pub(crate) fn name(&self) -> &KeyName {
        &self.desk.name
    }

    /// The keys that sign now, the current one first.
    pub(crate) fn verifiers(&self) -> Vec<VerifierKey> {
        let before = self.before.iter().map(|before| before.signer.verifier().clone());
        std::iter::once(self.active.verifier().clone()).chain(before).collect()
    }

    /// Every key that this ledger ever had.
    pub(crate) fn ever(&self) -> Vec<VerifierKey> {
        self.desk.state().ever.clone()
    }

    /// For those who prepare a change.
    pub(crate) fn maker(&self) -> KeyMaker {
        KeyMaker::new(Arc::clone(&self.desk))
    }

    /// The change of the key among these entries: what was prepared for it, with the current key's file set aside.
    pub(crate) fn turn(&self, entries: &[Entry]) -> Result<Option<Turn>, StoreError> {
        let mut changes = entries.iter().filter_map(|entry| match &entry.event {
            Event::KeyRotated { old, new, overlap_until } => Some((old, new, *overlap_until)),
            _ => None,
        });
        let Some((old, new, until)) = changes.next() else { return Ok(None) };
        let unprepared = || StoreError::Entry(KeyFault::Unprepared.to_string());
        if changes.next().is_some() || *old != self.active.verifier().to_string() {
            return Err(unprepared());
        }
        let is_it = |signer: &mut Signer| signer.verifier().to_string() == *new;
        let signer = self.desk.state().prepared.take_if(is_it).ok_or_else(unprepared)?;
        if let Signer::File(key) = &self.active {
            self.desk.cabinet.set_aside(key.verifier())?;
        }
        Ok(Some(Turn { signer, until }))
    }

    /// Signs a checkpoint with every key whose turn it is at this time, the newest first. At a change the key before
    /// signs whatever the overlap: this is what makes the new key believable.
    pub(crate) fn sign(
        &self,
        checkpoint: &Checkpoint,
        turn: Option<&Turn>,
        now: Timestamp,
    ) -> Result<Note, StoreError> {
        let text = checkpoint.to_string();
        let still = |before: &&Before| before.until > now && turn.is_none_or(|turn| turn.until > now);
        let before = self.before.iter().filter(still).map(|before| &before.signer);
        let after = turn.map(|turn| &turn.signer);
        let mut signers = after.into_iter().chain([&self.active]).chain(before);
        let first = signers.next().unwrap_or(&self.active);
        let mut note = Note::with_text(&text, first.sign(&text)?)?;
        for signer in signers {
            note = note.with_signature(signer.sign(&text)?)?;
        }
        Ok(note)
    }

    /// What follows once a batch is durable: the new key is current, and keys whose time is over are destroyed.
    /// Trouble with their files is no trouble of the batch: it is told, and mended with the next one or at the next
    /// start.
    pub(crate) fn settle(&mut self, turn: Option<Turn>, now: Timestamp) -> Option<StoreError> {
        if let Some(Turn { signer, until }) = turn {
            let signer = std::mem::replace(&mut self.active, signer);
            // No key outlasts one that came after it: a change without overlap ends all of them.
            for before in &mut self.before {
                before.until = before.until.min(until);
            }
            self.before.insert(0, Before { signer, until });
            self.untidy = true;
        }
        self.untidy |= self.before.iter().any(|before| before.until <= now);
        self.before.retain(|before| before.until > now);
        if self.untidy { self.tidy().err() } else { None }
    }

    /// Brings the files and what is told to readers up to the keys.
    fn tidy(&mut self) -> Result<(), StoreError> {
        let verifiers = self.verifiers();
        let mut state = self.desk.state();
        state.overlap_until = self.before.first().map(|before| before.until);
        state.current.clone_from(&verifiers);
        if !state.ever.contains(self.active.verifier()) {
            state.ever.push(self.active.verifier().clone());
        }
        let prepared = state.prepared.iter().map(|signer| signer.verifier().clone());
        let kept: Vec<VerifierKey> = verifiers.iter().cloned().chain(prepared).collect();
        self.desk.cabinet.publish(&verifiers)?;
        self.desk.cabinet.tidy(self.active.verifier(), &kept)?;
        drop(state);
        self.untidy = false;
        Ok(())
    }
}

/// Where keys are looked for at a start.
struct Search<'a> {
    cabinet: &'a Cabinet,
    name: &'a KeyName,
    token: Option<&'a Token>,
}

impl Search<'_> {
    fn named(&self, wanted: &str) -> Result<Option<Signer>, StoreError> {
        let wanted: VerifierKey = wanted.parse()?;
        self.find(|key| *key == wanted)
    }

    fn find(&self, is_it: impl Fn(&VerifierKey) -> bool) -> Result<Option<Signer>, StoreError> {
        let filed = self.cabinet.keys()?.into_iter().find(|filed| is_it(filed.key.verifier()));
        if let Some(filed) = filed {
            return Ok(Some(Signer::File(filed.key)));
        }
        let Some(token) = self.token else { return Ok(None) };
        let found = token.keys(self.name)?.into_iter().find(|(_, key)| is_it(key.verifier()));
        Ok(found.map(|(_, key)| Signer::Token(key)))
    }

    /// The key of a ledger that never changed it: the one whose signature the newest checkpoint has.
    fn that_signed(&self, note: &str) -> Result<Signer, StoreError> {
        let note: Note = note.parse().map_err(StoreError::damaged)?;
        let signed = |key: &VerifierKey| note.verify(std::slice::from_ref(key)).is_ok();
        if let Some(signer) = self.find(signed)? {
            return Ok(signer);
        }
        // With a key of that very name at hand, it is the checkpoint that is wrong; reading the head says how.
        let known = self.cabinet.keys()?.into_iter().find(|filed| filed.is_active_file());
        let known = known
            .filter(|filed| note.signatures().iter().any(|line| line.key_id() == filed.key.verifier().id()));
        known.map(|filed| Signer::File(filed.key)).ok_or_else(|| not_here(&format!("named {}", self.name)))
    }

    /// The first key of a new ledger.
    fn first(&self, seed: &[u8; 32], place: &KeyPlace) -> Result<Signer, StoreError> {
        if let (Some(token), KeyPlace::Token(settings)) = (self.token, place) {
            return Ok(Signer::Token(token.labelled(self.name, &settings.key)?));
        }
        if let Some(filed) = self.cabinet.keys()?.into_iter().find(|filed| filed.is_active_file()) {
            return Ok(Signer::File(filed.key));
        }
        let key = SigningKey::from_seed(self.name.clone(), leaf_hash(seed).as_bytes());
        self.cabinet.found(&key)?;
        Ok(Signer::File(key))
    }

    /// Who signed last, when nobody can any more.
    fn lost(&self, last: Option<&Change>, head: Option<&str>) -> Result<Signer, StoreError> {
        let key = match (last, head) {
            (Some(last), _) => Some(last.new.parse()?),
            // A database that was restored may be from before a change of the key.
            (None, Some(head)) => {
                let note: Note = head.parse()?;
                let signed =
                    |key: &VerifierKey| note.signatures().iter().any(|line| line.key_id() == key.id());
                self.cabinet.all_published()?.into_iter().find(signed)
            }
            (None, None) => self.cabinet.published()?,
        };
        key.map(Signer::Lost).ok_or_else(|| not_here(&format!("named {}", self.name)))
    }

    /// The keys that still sign beside the current one. One that is nowhere any more just does not.
    fn before(&self, changes: &[Change], now: Option<Timestamp>) -> Result<Vec<Before>, StoreError> {
        let mut before = Vec::new();
        let mut longest = None;
        for Change { old, overlap_until, new: _ } in changes.iter().rev() {
            let until = longest.map_or(*overlap_until, |longest| (*overlap_until).min(longest));
            longest = Some(until);
            if now.is_some_and(|now| until <= now) {
                break;
            }
            before.extend(self.named(old)?.map(|signer| Before { signer, until }));
        }
        Ok(before)
    }

    /// A `ledger.key` that this database never heard of is not touched, and not passed over.
    fn check_foreign(&self, ever: &[VerifierKey]) -> Result<(), StoreError> {
        let filed = self.cabinet.keys()?.into_iter().find(|filed| filed.is_active_file());
        match filed.map(|filed| filed.key.verifier().clone()).filter(|key| !ever.contains(key)) {
            Some(found) => Err(KeyFault::Foreign { found: found.to_string() }.into()),
            None => Ok(()),
        }
    }
}

fn not_here(key: &str) -> StoreError {
    KeyFault::NotHere { key: key.to_owned() }.into()
}

/// The name of the ledger and of all its keys: as it is called already, as the settings say, or a new one.
fn name(
    cabinet: &Cabinet,
    head: Option<&str>,
    seed: &[u8; 32],
    place: &KeyPlace,
) -> Result<KeyName, StoreError> {
    let wanted = match place {
        KeyPlace::Token(TokenSettings { name: Some(name), .. }) => Some(name),
        KeyPlace::Token(_) | KeyPlace::File | KeyPlace::Lost => None,
    };
    let filed = cabinet.keys()?.into_iter().find(file::Filed::is_active_file);
    let called = match (head.and_then(|note| note.lines().next()), filed) {
        (Some(origin), _) => Some(KeyName::parse(origin)?),
        (None, Some(filed)) => Some(filed.key.verifier().name().clone()),
        (None, None) => cabinet.published()?.map(|key| key.name().clone()),
    };
    match (called, wanted) {
        (Some(called), Some(wanted)) if called.as_str() != wanted => {
            Err(KeyFault::Name { found: called.to_string(), wanted: wanted.clone() }.into())
        }
        (Some(called), _) => Ok(called),
        (None, Some(wanted)) => Ok(KeyName::parse(wanted)?),
        (None, None) => new_name(seed),
    }
}

/// The first half of the seed names the ledger; the key is drawn from all of it, one way.
fn new_name(seed: &[u8; 32]) -> Result<KeyName, StoreError> {
    let name: String =
        leaf_hash(&seed[..16]).as_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(KeyName::parse(&format!("brevet.local/{name}"))?)
}
