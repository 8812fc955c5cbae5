//! Reading the ledger forwards, to write it elsewhere: exact bytes, and the texts beside them with their salts.

use std::ops::Range;

use crate::engine::OptionalExtension;
use crate::engine::Value;
use brevet_core::{Actor, Event, RequestId, SessionId, Timestamp, UserId};
use brevet_ledger::EntryRef;

use crate::codec::{StoredEntry, decode_entry};
use crate::error::StoreError;
use crate::reader::{Reader, as_limit};
use crate::row::signed;
use crate::search::{EntryFilter, first_at};
use crate::term::Names;

/// Entries that are read for one stretch at most.
const STRETCH_ENTRIES_MAX: usize = 500;
/// A stretch ends after so many bytes of entries and texts, so that a few large ones do not fill the memory.
const STRETCH_BYTES_MAX: usize = 1 << 20;
/// Entries that one stretch looks at, so that a filter that few meet does not hold a reader for long.
const STRETCH_LOOKED_AT_MAX: u64 = 20_000;
/// Sign-ins before an entry that are looked through for the one of its session.
const SIGN_INS_LOOKED_AT_MAX: usize = 4_096;
const SIGN_INS_AT_ONCE: usize = 64;

/// Which entries are wanted; all where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Of this kind only, for example `request.submitted`, or of all that begin so: `request.*`.
    pub kind: Option<String>,
    /// Caused by this actor only: `system` or a user's id.
    pub actor: Option<String>,
    /// Of this request's story only.
    pub request: Option<RequestId>,
    /// About this task only, as `Scope\\Name` or `Scope/Name`, in any case.
    pub task: Option<String>,
}

/// A text beside an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedText {
    /// Which commitment of the entry it belongs to, from 0.
    pub slot: u32,
    /// The salt of that commitment, in hexadecimal.
    pub salt: String,
    /// The text.
    pub text: String,
}

/// An entry with all that is needed to verify it and to write it elsewhere.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The entry and its exact bytes.
    pub stored: StoredEntry,
    /// The texts that are still there.
    pub texts: Vec<ExportedText>,
}

/// Some entries in a row.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The entries, oldest first.
    pub entries: Vec<Exported>,
    /// Where to go on; the end of the range when there is no more.
    pub next: u64,
}

impl Reader {
    /// The entries of a range that match, oldest first, as many as fit one stretch. Entries that are in an archive
    /// file have no bytes here and are left out.
    pub fn export(&self, filter: &ExportFilter, range: &Range<u64>) -> Result<Stretch, StoreError> {
        let ExportFilter { kind, actor, request, task } = filter;
        let mut sql =
            String::from("SELECT seq, bytes FROM entry WHERE seq >= ?1 AND seq < ?2 AND length(bytes) > 0");
        let end = range.end.min(range.start.saturating_add(STRETCH_LOOKED_AT_MAX));
        let mut values = vec![Value::Integer(signed(range.start)), Value::Integer(signed(end))];
        let mut condition = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" AND {condition} ?{}", values.len()));
            }
        };
        condition("request =", request.map(|id| Value::Integer(signed(id.number()))));
        condition("actor =", actor.clone().map(Value::Text));
        match kind.as_deref().map(|kind| kind.strip_suffix('*').ok_or(kind)) {
            None => {}
            Some(Err(kind)) => condition("kind =", Some(Value::Text(kind.to_owned()))),
            // From the beginning itself to what would follow all that begin so: kinds are visible ASCII.
            Some(Ok(start)) => {
                condition("kind >=", Some(Value::Text(start.to_owned())));
                condition("kind <", Some(Value::Text(format!("{start}\u{7f}"))));
            }
        }
        values.push(Value::Integer(as_limit(STRETCH_ENTRIES_MAX)));
        sql.push_str(&format!(" ORDER BY seq LIMIT ?{}", values.len()));
        // One view of entries and texts: an erasure may come in between.
        let view = self.connection.view()?;
        let mut statement = view.prepare_cached(&sql)?;
        let mut rows = statement.query(crate::engine::params_from_iter(values))?;
        let (mut entries, mut bytes_read) = (Vec::new(), 0);
        let names = Names::new(&self.connection);
        while let Some(row) = rows.next()? {
            let index = row.get::<_, i64>(0)?.unsigned_abs();
            let bytes: Vec<u8> = row.get(1)?;
            let texts = self.exported_texts(index)?;
            let found = exported(&names, bytes, texts)?;
            if !is_about(&found, task.as_deref()) {
                continue;
            }
            bytes_read += found.bytes_held();
            entries.push(found);
            if bytes_read >= STRETCH_BYTES_MAX || entries.len() == STRETCH_ENTRIES_MAX {
                return Ok(Stretch { entries, next: index + 1 });
            }
        }
        Ok(Stretch { entries, next: end.max(range.start) })
    }

    fn exported_texts(&self, index: u64) -> Result<Vec<ExportedText>, StoreError> {
        let sql = "SELECT slot, salt, value FROM entry_text WHERE seq = ?1 ORDER BY slot";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([signed(index)], |row| {
            let salt: Vec<u8> = row.get(1)?;
            let salt = salt.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(ExportedText { slot: row.get(0)?, salt, text: row.get(2)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Where the session of an entry came from: the text of its sign-in, unless that was erased or is too long ago.
    pub fn session_source(
        &self,
        session: SessionId,
        user: UserId,
        before: u64,
    ) -> Result<Option<String>, StoreError> {
        let filter = EntryFilter { kind: Some("session.opened".to_owned()), ..EntryFilter::default() };
        let (mut before, mut looked_at) = (Some(before), 0);
        while looked_at < SIGN_INS_LOOKED_AT_MAX {
            let page = self.entries(&filter, before, SIGN_INS_AT_ONCE)?;
            looked_at += page.items.len().max(1);
            for stored in page.items {
                match stored.entry.event {
                    Event::SignedIn { user: who, session: which, source } if which == session => {
                        return Ok((who == user).then(|| source.as_str().map(str::to_owned)).flatten());
                    }
                    _ => {}
                }
            }
            match page.next {
                Some(next) => before = Some(next),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The first index of a range whose time is not before `time`; its end when there is none.
    pub fn first_since(&self, time: Timestamp, range: &Range<u64>) -> Result<u64, StoreError> {
        first_at(&self.connection, time, range.start, range.end)
    }

    /// How far a sink has come: the index of the first entry that it may not have; `None` for a new one.
    pub fn sink_position(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT position FROM sink WHERE name = ?1")?;
        let found: Option<i64> = statement.query_row([name], |row| row.get(0)).optional()?;
        Ok(found.map(i64::unsigned_abs))
    }
}

fn exported(names: &Names<'_>, bytes: Vec<u8>, texts: Vec<ExportedText>) -> Result<Exported, StoreError> {
    let envelope = EntryRef::decode(&bytes).map_err(StoreError::damaged)?;
    let mut slots = vec![None; envelope.commitments.len()];
    for text in &texts {
        if let Some(slot) = slots.get_mut(text.slot as usize) {
            *slot = Some(text.text.clone());
        }
    }
    let (index, entry) = decode_entry(&bytes, slots).map_err(StoreError::damaged)?;
    let about = names.about(&entry.event)?;
    Ok(Exported { stored: StoredEntry { index, entry, bytes, about }, texts })
}

fn is_about(found: &Exported, task: Option<&str>) -> bool {
    let about = found.stored.about.task.as_ref().map(|task| task.as_str());
    task.is_none_or(|wanted| {
        about.is_some_and(|about| about.eq_ignore_ascii_case(&wanted.replace('/', "\\")))
    })
}

impl Exported {
    fn bytes_held(&self) -> usize {
        self.stored.bytes.len() + self.texts.iter().map(|text| text.text.len()).sum::<usize>()
    }

    /// Who caused it, when that was a person, and in which session.
    pub const fn person(&self) -> Option<(UserId, Option<SessionId>)> {
        match self.stored.entry.actor {
            Actor::System => None,
            Actor::User(user) => Some((user, self.stored.entry.session)),
        }
    }

    /// Takes the personal and free texts away, beside the entry and in it.
    pub fn without_texts(mut self) -> Self {
        self.texts.clear();
        for text in self.stored.entry.event.texts_mut() {
            if text.was_given() {
                *text = brevet_core::Text::stored(None);
            }
        }
        self
    }
}
