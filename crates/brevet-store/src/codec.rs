//! An entry of the core as bytes of the ledger, and back: the one place where the two meet.

mod form;

use brevet_core::{Actor, Entry, Event, SessionId, Text, Timestamp, UserId};
use brevet_ledger::{Commitment, EntryRef, Salt};

pub use form::is_deterministic;

use crate::term::About;

/// Why bytes of the ledger are not an entry of this Brevet.
#[derive(Debug, thiserror::Error)]
pub enum BadEntry {
    /// The envelope.
    #[error("its envelope is malformed: {0}")]
    Envelope(#[from] brevet_ledger::Error),
    /// The body.
    #[error("its body is malformed: {0}")]
    Body(#[from] minicbor::decode::Error),
    /// The body has a spelling of its own.
    #[error("no Brevet writes a body like this: it has another form than the deterministic one")]
    Form,
    /// Kind and body say different things.
    #[error("its kind {kind:?} is not the kind of its body")]
    Kind {
        /// In the envelope.
        kind: String,
    },
    /// No actor of Brevet.
    #[error("its actor {actor:?} is neither 'system' nor a user")]
    Actor {
        /// In the envelope.
        actor: String,
    },
    /// It commits to more or fewer texts than its event has.
    #[error("it commits to {found} texts, its event has {wanted}")]
    Texts {
        /// In the envelope.
        found: usize,
        /// By its event.
        wanted: usize,
    },
}

/// An entry with its place and its exact bytes.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Its index.
    pub index: u64,
    /// What it says.
    pub entry: Entry,
    /// The bytes that are hashed.
    pub bytes: Vec<u8>,
    /// What it is about.
    pub about: About,
}

impl StoredEntry {
    /// The hash of its leaf in the tree, in hexadecimal.
    pub fn leaf_hash(&self) -> String {
        brevet_ledger::leaf_hash(&self.bytes).to_string()
    }
}

/// A text with the salt of its commitment.
pub(crate) struct Salted<'a> {
    pub(crate) salt: Salt,
    pub(crate) text: &'a str,
}

/// The texts of an event that an entry commits to, each with a fresh salt.
pub(crate) fn salted<'a>(event: &'a Event, salt: &mut dyn FnMut() -> Salt) -> Vec<Salted<'a>> {
    let given = event.texts().into_iter().filter_map(Text::as_str);
    given.map(|text| Salted { salt: salt(), text }).collect()
}

/// Appends a value of the core as deterministic CBOR.
pub(crate) fn encode_value<T: minicbor::Encode<()>>(value: &T, out: &mut Vec<u8>) {
    minicbor::encode(value, out)
        .expect("memory takes every byte, and no type of the core refuses to be written");
}

/// Writes the entry's bytes into `out`, which it empties first; `body` is a buffer to work in.
pub(crate) fn encode_entry(
    index: u64,
    entry: &Entry,
    texts: &[Salted<'_>],
    body: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), brevet_ledger::Error> {
    body.clear();
    out.clear();
    encode_value(&entry.event, body);
    let commitments: Vec<[u8; Commitment::BYTES]> =
        texts.iter().map(|salted| Commitment::to_text(&salted.salt, salted.text).to_bytes()).collect();
    let kind = entry.event.kind();
    let actor = entry.actor.to_string();
    EntryRef {
        index,
        time_micros: entry.time.micros(),
        kind: kind.name,
        kind_version: kind.version,
        actor: &actor,
        session: entry.session.map_or(0, SessionId::number),
        commitments: commitments.as_slice().into(),
        body,
    }
    .encode(out)
}

/// Reads an entry's bytes; `texts` are those beside it, slot by slot, `None` where erased.
pub fn decode_entry(bytes: &[u8], texts: Vec<Option<String>>) -> Result<(u64, Entry), BadEntry> {
    let envelope = EntryRef::decode(bytes)?;
    let mut event: Event = minicbor::decode(envelope.body)?;
    let kind = event.kind();
    if kind.name != envelope.kind || kind.version != envelope.kind_version {
        return Err(BadEntry::Kind { kind: envelope.kind.to_owned() });
    }
    let mut slots: Vec<&mut Text> = event.texts_mut().into_iter().filter(|text| text.was_given()).collect();
    if slots.len() != envelope.commitments.len() {
        return Err(BadEntry::Texts { found: envelope.commitments.len(), wanted: slots.len() });
    }
    for (slot, text) in slots.iter_mut().zip(texts) {
        **slot = Text::stored(text);
    }
    let actor = actor(envelope.actor)?;
    let session = (envelope.session > 0).then(|| SessionId::new(envelope.session));
    let time = Timestamp::from_micros(envelope.time_micros);
    Ok((envelope.index, Entry { time, actor, session, event }))
}

/// Reads an entry's bytes like [`decode_entry`], and insists that they are the ones which Brevet writes for what they say:
/// no fields more than it knows, no value in another spelling. `body` is a buffer to work in.
pub(crate) fn decode_as_written(
    bytes: &[u8],
    texts: Vec<Option<String>>,
    body: &mut Vec<u8>,
) -> Result<(u64, Entry), BadEntry> {
    let (index, entry) = decode_entry(bytes, texts)?;
    body.clear();
    encode_value(&entry.event, body);
    // The body is the end of the entry, and its length is before it.
    match bytes.ends_with(body) && EntryRef::decode(bytes)?.body.len() == body.len() {
        true => Ok((index, entry)),
        false => Err(BadEntry::Form),
    }
}

fn actor(text: &str) -> Result<Actor, BadEntry> {
    match text {
        "system" => Ok(Actor::System),
        text => match UserId::parse(text) {
            Ok(user) => Ok(Actor::User(user)),
            Err(_) => Err(BadEntry::Actor { actor: text.to_owned() }),
        },
    }
}
