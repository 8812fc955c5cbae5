//! Do the rows say what the entries add up to? Every entry is applied again from the first, and each row is
//! compared with the object it is of.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use brevet_core::{Change, Counters, Entry, State};
use brevet_ledger::EntryRef;
use rusqlite::{Connection, OptionalExtension, Statement};

use super::Discrepancy;
use crate::codec::decode_entry;
use crate::load;
use crate::row::{self, Row};

/// A row's place: table and key.
type Place = (&'static str, i64);

/// Folds all entries and compares; answers how many rows there are.
pub(super) fn check(connection: &Connection) -> Result<u64, Discrepancy> {
    let expected = fold(connection)?;
    let count = u64::try_from(expected.len()).unwrap_or(u64::MAX);
    compare(connection, expected)?;
    Ok(count)
}

/// A fingerprint of each row as it should be. Rows of things that ended stay; only the newest counts.
fn fold(connection: &Connection) -> Result<HashMap<Place, u64>, Discrepancy> {
    let mut state = State::default();
    let mut expected = HashMap::new();
    let mut entries =
        connection.prepare("SELECT seq, bytes, kind, actor, request FROM entry ORDER BY seq")?;
    let mut text = connection.prepare("SELECT value FROM entry_text WHERE seq = ?1 AND slot = ?2")?;
    let mut rows = entries.query([])?;
    while let Some(stored) = rows.next()? {
        let seq: i64 = stored.get(0)?;
        let bytes = stored.get_ref(1)?.as_blob().map_err(|_| unreadable_row("entry"))?;
        let texts = texts_of(&mut text, seq, bytes)?;
        let decoded = decode_entry(bytes, texts);
        let (_, entry) =
            decoded.map_err(|reason| Discrepancy::Unreadable { index: seq.unsigned_abs(), reason })?;
        let changes = state.apply(&entry);
        check_columns(connection, &state, stored, &entry)?;
        for change in &changes {
            match row::image(&state, *change) {
                Some(row) => drop(expected.insert(place_of(&row), fingerprint(&row))),
                None => drop(expected.remove(&removed(*change))),
            }
        }
        state.forget(&changes);
    }
    check_counters(connection, &state)?;
    check_first_entries(connection)?;
    Ok(expected)
}

/// Searches go by columns beside the bytes: an entry that says something else there would be hidden from them.
fn check_columns(
    connection: &Connection,
    state: &State,
    stored: &rusqlite::Row<'_>,
    entry: &Entry,
) -> Result<(), Discrepancy> {
    let text = |column| stored.get_ref(column)?.as_str().map_err(|_| unreadable_row("entry"));
    let (kind, actor, request): (_, _, Option<i64>) = (text(2)?, text(3)?, stored.get(4)?);
    let same = kind == entry.event.kind().name
        && actor == entry.actor.to_string()
        && request == row::request_of(connection, state, &entry.event)?;
    match same {
        true => Ok(()),
        false => Err(differs(("entry", stored.get(0)?), "what it is found by was changed")),
    }
}

/// The next ids, which the rows alone do not tell.
fn check_counters(connection: &Connection, state: &State) -> Result<(), Discrepancy> {
    let stored: Option<Vec<u8>> =
        connection.query_row("SELECT counters FROM head", [], |row| row.get(0)).optional()?;
    match stored.map_or(Ok(Counters::default()), |body| load::decode(&body))? == state.counters() {
        true => Ok(()),
        false => Err(differs(("head", 1), "its next ids were changed")),
    }
}

/// The reason of a request is found by its first entry: that must be the one that submitted it.
fn check_first_entries(connection: &Connection) -> Result<(), Discrepancy> {
    let sql = "SELECT request.id FROM request LEFT JOIN entry ON entry.seq = request.first_seq
               WHERE entry.kind IS NOT 'request.submitted' OR entry.request IS NOT request.id LIMIT 1";
    match connection.query_row(sql, [], |row| row.get(0)).optional()? {
        None => Ok(()),
        Some(id) => Err(differs(("request", id), "it leads to another entry than the one that made it")),
    }
}

/// Only the texts that rows show are needed, and those are few.
fn texts_of(text: &mut Statement<'_>, seq: i64, bytes: &[u8]) -> Result<Vec<Option<String>>, Discrepancy> {
    let Ok(envelope) = EntryRef::decode(bytes) else { return Ok(Vec::new()) };
    if !matches!(envelope.kind, "user.added" | "group.created") {
        return Ok(vec![None; envelope.commitments.len()]);
    }
    let mut texts = Vec::new();
    for (slot, _) in (0_i64..).zip(envelope.commitments.iter()) {
        let mut found = text.query((seq, slot))?;
        texts.push(found.next()?.map(|row| row.get(0)).transpose()?);
    }
    Ok(texts)
}

fn compare(connection: &Connection, mut expected: HashMap<Place, u64>) -> Result<(), Discrepancy> {
    for_each_row(connection, |row| {
        let place = place_of(&row);
        match expected.remove(&place) {
            Some(wanted) if wanted == fingerprint(&row) => Ok(()),
            Some(_) => Err(differs(place, "it was changed")),
            None => Err(differs(place, "nothing in the ledger made it")),
        }
    })?;
    match expected.into_keys().min() {
        Some(place) => Err(differs(place, "it is missing")),
        None => Ok(()),
    }
}

fn for_each_row(
    connection: &Connection,
    mut use_row: impl FnMut(Row) -> Result<(), Discrepancy>,
) -> Result<(), Discrepancy> {
    let mut statement = connection.prepare("SELECT kind, id, body, text1, text2 FROM object")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let kind = known_kind(&kind).ok_or_else(|| unreadable_row("object"))?;
        let (id, body, text1, text2) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        use_row(Row::Object { kind, id, body, text1, text2 })?;
    }
    let mut statement = connection.prepare("SELECT id, requester, state, body FROM request")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, requester, state, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        use_row(Row::Request { id, requester, state, body })?;
    }
    let mut statement = connection.prepare("SELECT id, holder, state, request, body FROM authorization")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, holder, state, request, body) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        use_row(Row::Authorization { id, holder, state, request, body })?;
    }
    let mut statement = connection.prepare("SELECT id, user, state, body FROM execution")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, user, state, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        use_row(Row::Execution { id, user, state, body })?;
    }
    Ok(())
}

fn known_kind(text: &str) -> Option<&'static str> {
    use row::kind::{ACCESS_CONTROL, ASSIGNMENT, GROUP, POLICY, ROLE, ROLE_GROUP, TASK, USER};
    [ACCESS_CONTROL, ASSIGNMENT, GROUP, POLICY, ROLE, ROLE_GROUP, TASK, USER]
        .into_iter()
        .find(|kind| *kind == text)
}

fn place_of(row: &Row) -> Place {
    match row {
        Row::Object { kind, id, .. } => (kind, *id),
        Row::Request { id, .. } => ("request", *id),
        Row::Authorization { id, .. } => ("authorization", *id),
        Row::Execution { id, .. } => ("execution", *id),
    }
}

fn removed(change: Change) -> Place {
    match change {
        Change::Group(id) => (row::kind::GROUP, id.number().into()),
        Change::Assignment(id) => (row::kind::ASSIGNMENT, id.number().into()),
        Change::Policy(id) => (row::kind::POLICY, id.number().into()),
        _ => ("", 0),
    }
}

/// Not against an attacker: whoever can choose rows can also choose entries, and is found by the ledger's
/// own check. Against mistakes 64 bits are plenty.
fn fingerprint(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}

fn differs((table, id): Place, how: &'static str) -> Discrepancy {
    Discrepancy::RowDiffers { what: format!("{table} {id}"), how }
}

fn unreadable_row(table: &str) -> Discrepancy {
    Discrepancy::RowDiffers { what: format!("a row of {table}"), how: "it cannot be read" }
}
