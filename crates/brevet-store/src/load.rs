//! Starting again: the head, checked against the entries it was made from, and the state from its rows.
//!
//! The cost depends on what is live, not on how long the ledger is.

use crate::engine::{Connection, NONE, OptionalExtension, params};
use brevet_core::{Archive, Counters, Group, Live, State, Text, Timestamp, User};
use brevet_ledger::{Checkpoint, EntryRef, Hash, Origin, RightEdge, VerifierKey, empty_root, leaf_hash};
use minicbor::Decode;

use crate::error::StoreError;
use crate::row::{kind, signed};

/// Entries of the tail that are hashed again at each start.
const TAIL_ENTRIES: u64 = 256;

/// Where the ledger ends.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) edge: RightEdge,
    pub(crate) checkpoint: String,
}

/// How many entries there are, by the head.
pub(crate) fn size(connection: &Connection) -> Result<u64, StoreError> {
    let sql = "SELECT size FROM head WHERE one = 1";
    let size: Option<i64> = connection.query_row(sql, NONE, |row| row.get(0)).optional()?;
    Ok(size.map_or(0, i64::unsigned_abs))
}

/// Reads the head and holds it against its signature and the tail of the entries. A ledger that somebody
/// changed further back is found by `brevet audit verify`, not here.
pub(crate) fn head(
    connection: &Connection,
    origin: &Origin,
    keys: &[VerifierKey],
) -> Result<Head, StoreError> {
    let stored: Option<(i64, Vec<u8>, String)> = connection
        .query_row("SELECT size, edge, checkpoint FROM head", NONE, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let last: Option<i64> = connection.query_row("SELECT max(seq) FROM entry", NONE, |row| row.get(0))?;
    let entries = last.map_or(0, |last| last.unsigned_abs() + 1);
    let Some((size, edge, checkpoint)) = stored else {
        return match entries {
            0 => Ok(Head { edge: RightEdge::new(), checkpoint: String::new() }),
            _ => Err(StoreError::damaged("there are entries, and no head")),
        };
    };
    let edge = RightEdge::from_bytes(&edge).map_err(StoreError::damaged)?;
    if edge.size() != size.unsigned_abs() || edge.size() != entries {
        return Err(StoreError::damaged(format!("the head says {size} entries, there are {entries}")));
    }
    check_signature(&checkpoint, origin, keys, &edge)?;
    check_tail(connection, entries)?;
    Ok(Head { edge, checkpoint })
}

fn check_signature(
    note: &str,
    origin: &Origin,
    keys: &[VerifierKey],
    edge: &RightEdge,
) -> Result<(), StoreError> {
    let note = note.parse().map_err(StoreError::damaged)?;
    let signed = Checkpoint::open(&note, origin, keys).map_err(StoreError::damaged)?;
    let root = if edge.size() == 0 { empty_root() } else { edge.root() };
    match signed.size() == edge.size() && signed.root() == root {
        true => Ok(()),
        false => Err(StoreError::damaged("the signed checkpoint is not of this head")),
    }
}

/// Hashes the newest entries again, as far as they are here, and compares.
fn check_tail(connection: &Connection, entries: u64) -> Result<(), StoreError> {
    let archive: Archive = objects(connection, kind::ARCHIVE)?.pop().unwrap_or_default();
    let from = entries.saturating_sub(TAIL_ENTRIES).max(archive.size);
    let sql = "SELECT seq, leaf, bytes FROM entry WHERE seq >= ?1 ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([signed(from)])?;
    while let Some(row) = rows.next()? {
        let (seq, leaf, bytes): (i64, [u8; 32], Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if leaf_hash(&bytes) != Hash::from_bytes(leaf) {
            return Err(StoreError::damaged(format!("entry {seq} is not what was hashed")));
        }
    }
    Ok(())
}

/// The state that the rows add up to.
pub(crate) fn state(connection: &Connection) -> Result<State, StoreError> {
    let counters: Option<Vec<u8>> =
        connection.query_row("SELECT counters FROM head", NONE, |row| row.get(0)).optional()?;
    let live = Live {
        access_control: objects(connection, kind::ACCESS_CONTROL)?.pop().unwrap_or_default(),
        archive: objects(connection, kind::ARCHIVE)?.pop().unwrap_or_default(),
        counters: counters.map_or(Ok(Counters::default()), |body| decode(&body))?,
        last: last_time(connection)?,
        users: users(connection)?,
        groups: groups(connection)?,
        assignments: objects(connection, kind::ASSIGNMENT)?,
        tasks: objects(connection, kind::TASK)?,
        roles: objects(connection, kind::ROLE)?,
        role_groups: objects(connection, kind::ROLE_GROUP)?,
        policies: objects(connection, kind::POLICY)?,
        requests: bodies(connection, "SELECT body FROM request WHERE state = 0")?,
        authorizations: bodies(connection, "SELECT body FROM \"authorization\" WHERE state < 2")?,
        executions: bodies(connection, "SELECT body FROM execution WHERE state = 0")?,
        servers: objects(connection, kind::SERVER)?,
    };
    Ok(State::from_live(live))
}

pub(crate) fn last_time(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT bytes FROM entry ORDER BY seq DESC LIMIT 1";
    let bytes: Option<Vec<u8>> = connection.query_row(sql, NONE, |row| row.get(0)).optional()?;
    let time =
        |bytes: Vec<u8>| EntryRef::decode(&bytes).map(|entry| Timestamp::from_micros(entry.time_micros));
    bytes.map(time).transpose().map_err(StoreError::damaged)
}

fn objects<T: for<'b> Decode<'b, ()>>(connection: &Connection, kind: &str) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare("SELECT body FROM object WHERE kind = ?1 ORDER BY id")?;
    let mut rows = statement.query(params![kind])?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        objects.push(decode(row.get_ref(0)?.as_blob().map_err(StoreError::damaged)?)?);
    }
    Ok(objects)
}

fn bodies<T: for<'b> Decode<'b, ()>>(connection: &Connection, sql: &str) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(NONE)?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        objects.push(decode(row.get_ref(0)?.as_blob().map_err(StoreError::damaged)?)?);
    }
    Ok(objects)
}

fn users(connection: &Connection) -> Result<Vec<User>, StoreError> {
    let user = |(user, display_name, email): (User, _, _)| User {
        display_name: beside(&user.display_name, display_name),
        email: beside(&user.email, email),
        ..user
    };
    Ok(with_texts(connection, kind::USER)?.into_iter().map(user).collect())
}

fn groups(connection: &Connection) -> Result<Vec<Group>, StoreError> {
    let group = |(group, email, description): (Group, _, _)| Group {
        email: beside(&group.email, email),
        description: beside(&group.description, description),
        ..group
    };
    Ok(with_texts(connection, kind::GROUP)?.into_iter().map(group).collect())
}

/// The body says whether a text was ever given; where it is not beside it any more, it was erased.
fn beside(placeholder: &Text, text: Option<String>) -> Text {
    if placeholder.was_given() { Text::stored(text) } else { Text::default() }
}

/// An object, and both texts beside it.
type WithTexts<T> = (T, Option<String>, Option<String>);

fn with_texts<T: for<'b> Decode<'b, ()>>(
    connection: &Connection,
    kind: &str,
) -> Result<Vec<WithTexts<T>>, StoreError> {
    let mut statement =
        connection.prepare("SELECT body, text1, text2 FROM object WHERE kind = ?1 ORDER BY id")?;
    let mut rows = statement.query(params![kind])?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        let object = decode(row.get_ref(0)?.as_blob().map_err(StoreError::damaged)?)?;
        objects.push((object, row.get(1)?, row.get(2)?));
    }
    Ok(objects)
}

pub(crate) fn decode<T: for<'b> Decode<'b, ()>>(body: &[u8]) -> Result<T, StoreError> {
    minicbor::decode(body).map_err(|error| StoreError::damaged(format!("a row cannot be read: {error}")))
}
