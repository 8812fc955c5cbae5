//! Reading beside the writer: lists, single rows and entries. Each reader has a connection of its own, so it
//! never waits for the writer.

use std::collections::HashMap;

use crate::engine::{Connection, NONE, OptionalExtension, Value, for_each_key, params};
use brevet_core::{
    Authorization, AuthorizationId, Entry, Execution, ExecutionId, Request, RequestId, Timestamp,
};
use brevet_ledger::EntryRef;

use crate::codec::{StoredEntry, decode_entry};
use crate::error::StoreError;
use crate::folder::DataFolder;
use crate::load::decode;
use crate::page::RequestRow;
use crate::place::DatabasePlace;
use crate::row::signed;
use crate::schema;
use crate::term::Names;

/// A reader of the store.
#[derive(Debug)]
pub struct Reader {
    pub(crate) connection: Connection,
}

impl Reader {
    /// Opens one more reader.
    pub fn open(folder: &DataFolder) -> Result<Self, StoreError> {
        Self::open_at(&DatabasePlace::Folder, folder)
    }

    /// The same with a database that may be elsewhere.
    ///
    /// # Errors
    /// When the database cannot be reached, or a newer Brevet wrote it.
    pub fn open_at(database: &DatabasePlace, folder: &DataFolder) -> Result<Self, StoreError> {
        let connection = database.open_reader(folder)?;
        schema::check(&connection)?;
        Ok(Self { connection })
    }

    /// One more reader of a database elsewhere, in place of one whose connection was lost.
    ///
    /// # Errors
    /// When the database cannot be reached. A file is never lost.
    pub fn open_again(database: &DatabasePlace) -> Result<Self, StoreError> {
        let connection = database.open_reader_elsewhere()?;
        schema::check(&connection)?;
        Ok(Self { connection })
    }

    /// Whether its connection ended since it was used, so that another reader is needed; costs next to nothing.
    pub fn has_ended(&self) -> bool {
        self.connection.has_ended()
    }

    /// One request, with its reason.
    pub fn request(&self, id: RequestId) -> Result<Option<RequestRow>, StoreError> {
        let sql = "SELECT request.body, entry_text.value FROM request
                   LEFT JOIN entry_text ON entry_text.seq = request.first_seq AND entry_text.slot = 0
                   WHERE request.id = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement
            .query_row([signed(id.number())], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))
            .optional()?;
        found.map(|(body, reason)| Ok(RequestRow { request: decode::<Request>(&body)?, reason })).transpose()
    }

    /// One authorization.
    pub fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, StoreError> {
        self.body("SELECT body FROM \"authorization\" WHERE id = ?1", id.number())
    }

    /// One execution.
    pub fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.body("SELECT body FROM execution WHERE id = ?1", id.number())
    }

    fn body<T: for<'b> minicbor::Decode<'b, ()>>(&self, sql: &str, id: u64) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let body: Option<Vec<u8>> = statement.query_row([signed(id)], |row| row.get(0)).optional()?;
        body.map(|body| decode(&body)).transpose()
    }

    /// One entry, with its exact bytes; `None` for one in an archive.
    pub fn entry(&self, index: u64) -> Result<Option<StoredEntry>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE seq = ?1 AND length(bytes) > 0";
        let mut statement = self.connection.prepare_cached(sql)?;
        let bytes: Option<Vec<u8>> = statement.query_row([signed(index)], |row| row.get(0)).optional()?;
        bytes.map(|bytes| self.stored(bytes)).transpose()
    }

    /// How an account proves who it is.
    pub fn credential(&self, user: brevet_core::UserId) -> Result<crate::Credential, StoreError> {
        crate::side::credential(&self.connection, user)
    }

    /// The session of a token, by the SHA-256 of that.
    pub fn session(&self, hash: &[u8; 32]) -> Result<Option<crate::SessionRow>, StoreError> {
        crate::side::session(&self.connection, hash)
    }

    /// Whether there is a session that nobody used since an instant, as far as is stored.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn has_unused_sessions(&self, since: Timestamp) -> Result<bool, StoreError> {
        crate::side::has_unused(&self.connection, since)
    }

    /// The answer that was kept for somebody's key.
    pub fn idempotent(
        &self,
        user: brevet_core::UserId,
        key: &str,
    ) -> Result<Option<crate::Idempotent>, StoreError> {
        crate::side::idempotent(&self.connection, user, key)
    }

    /// All entries of one request's story, oldest first, at most `limit`. Those in an archive are left out.
    pub fn story(&self, request: RequestId, limit: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let sql = "SELECT bytes FROM entry WHERE request = ?1 AND length(bytes) > 0 ORDER BY seq LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![signed(request.number()), as_limit(limit)], |row| row.get::<_, Vec<u8>>(0))?;
        stored_entries(&Names::new(&self.connection), rows.collect::<Result<_, _>>()?)
    }

    /// The newest checkpoint, a signed note; empty before the first entry.
    pub fn checkpoint(&self) -> Result<String, StoreError> {
        let found =
            self.connection.query_row("SELECT checkpoint FROM head", NONE, |row| row.get(0)).optional()?;
        Ok(found.unwrap_or_default())
    }

    pub(crate) fn stored(&self, bytes: Vec<u8>) -> Result<StoredEntry, StoreError> {
        stored_entry(&Names::new(&self.connection), bytes)
    }
}

/// An entry from its bytes, with its texts and what it is about.
pub(crate) fn stored_entry(names: &Names<'_>, bytes: Vec<u8>) -> Result<StoredEntry, StoreError> {
    let (index, entry) = entry_of(names.connection(), &bytes)?;
    let about = names.about(&entry.event)?;
    Ok(StoredEntry { index, entry, bytes, about })
}

/// The same for several, in their order, with few questions for all of them.
pub(crate) fn stored_entries(names: &Names<'_>, all: Vec<Vec<u8>>) -> Result<Vec<StoredEntry>, StoreError> {
    let mut with_texts = Vec::new();
    for bytes in &all {
        let envelope = EntryRef::decode(bytes).map_err(StoreError::damaged)?;
        if !envelope.commitments.is_empty() {
            with_texts.push(Value::Integer(signed(envelope.index)));
        }
    }
    let mut texts: HashMap<u64, Vec<(u32, String)>> = HashMap::new();
    let sql = "SELECT seq, slot, value FROM entry_text WHERE seq IN";
    for_each_key(names.connection(), sql, &[], with_texts, |row| {
        let text = (row.get(1)?, row.get(2)?);
        texts.entry(row.get::<_, i64>(0)?.unsigned_abs()).or_default().push(text);
        Ok(())
    })?;
    let decode = |bytes: &Vec<u8>| {
        let envelope = EntryRef::decode(bytes).map_err(StoreError::damaged)?;
        let beside = texts.remove(&envelope.index).unwrap_or_default();
        decode_entry(bytes, in_slots(envelope.commitments.len(), beside)).map_err(StoreError::damaged)
    };
    let decoded: Vec<(u64, Entry)> = all.iter().map(decode).collect::<Result<_, _>>()?;
    names.look_up(decoded.iter().map(|(_, entry)| &entry.event))?;
    let stored = |((index, entry), bytes): ((u64, Entry), Vec<u8>)| {
        let about = names.about(&entry.event)?;
        Ok(StoredEntry { index, entry, bytes, about })
    };
    decoded.into_iter().zip(all).map(stored).collect()
}

/// Texts in their slots; `None` where erased.
pub(crate) fn in_slots(count: usize, texts: Vec<(u32, String)>) -> Vec<Option<String>> {
    let mut slots = vec![None; count];
    for (slot, text) in texts {
        if let Some(place) = slots.get_mut(slot as usize) {
            *place = Some(text);
        }
    }
    slots
}

/// An entry from its bytes, with its texts.
pub(crate) fn entry_of(connection: &Connection, bytes: &[u8]) -> Result<(u64, Entry), StoreError> {
    let envelope = EntryRef::decode(bytes).map_err(StoreError::damaged)?;
    let texts = texts(connection, envelope.index, envelope.commitments.len())?;
    decode_entry(bytes, texts).map_err(StoreError::damaged)
}

/// SQL counts with a sign.
pub(crate) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// The texts beside an entry, slot by slot; `None` where erased.
fn texts(connection: &Connection, index: u64, count: usize) -> Result<Vec<Option<String>>, StoreError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare_cached("SELECT slot, value FROM entry_text WHERE seq = ?1")?;
    let rows = statement.query_map([signed(index)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(in_slots(count, rows.collect::<Result<_, _>>()?))
}
