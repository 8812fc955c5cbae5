//! Do the rows say what the entries add up to? Every entry is applied again from the first, and each row is
//! compared with the object it is of.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::engine::{Connection, NONE, OptionalExtension};
use brevet_core::{Authorization, Change, Counters, Event, Execution, State};

use super::Discrepancy;
use super::lists::{Listing, Lists};
use super::study::{Folded, Rows};
use crate::load;
use crate::row::{self, Row, signed};

/// A row's place: table and key.
type Place = (&'static str, i64);

/// Applies entries, and keeps a fingerprint of each row as it should be. Rows of things that ended stay; only the
/// newest counts.
pub(super) struct Fold<'c> {
    connection: &'c Connection,
    state: State,
    expected: HashMap<Place, u64>,
    lists: Lists,
    /// What changed and is still in the state: its row is made once, at the end.
    pending: HashSet<Change>,
    found: Option<Discrepancy>,
    /// Entries that are not at hand: then nothing can be said.
    is_blind: bool,
    /// How many entries there are.
    size: u64,
    /// The first request of this ledger; those before it are of the one that it goes on from.
    own_requests: u64,
}

impl<'c> Fold<'c> {
    /// Before the first entry; `connection` sees the rows.
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            state: State::default(),
            expected: HashMap::new(),
            lists: Lists::default(),
            pending: HashSet::new(),
            found: None,
            is_blind: false,
            size: 0,
            own_requests: 0,
        }
    }

    /// The entries from here on are of the ledger whose rows and lists these are.
    pub(super) fn begin_own(&mut self) -> Result<(), Discrepancy> {
        self.lists = Lists::new(self.connection)?;
        Ok(())
    }

    /// What a worker must know of the lists that searches go by.
    pub(super) const fn listing(&self) -> Option<&Listing> {
        self.lists.listing()
    }

    /// Applies the entries of a part; `listed` is the sum of its lists, where lists are compared.
    pub(super) fn take(
        &mut self,
        entries: Vec<Folded>,
        listed: Option<u64>,
        fault: Option<Discrepancy>,
        is_blind: bool,
    ) -> Result<(), Discrepancy> {
        self.found = self.found.take().or(fault);
        self.is_blind |= is_blind;
        if self.is_blind {
            return Ok(());
        }
        entries.into_iter().try_for_each(|folded| self.apply(folded))?;
        listed.into_iter().for_each(|sum| self.lists.end_block(sum));
        Ok(())
    }

    fn apply(&mut self, Folded { index, entry, request, is_listed }: Folded) -> Result<(), Discrepancy> {
        // A recovered ledger goes on from what another one left, whose entries were to come first.
        if matches!(entry.event, Event::LedgerRecovered { .. }) && self.state.last().is_none() {
            self.is_blind = true;
        }
        if self.is_blind {
            return Ok(());
        }
        self.size = index + 1;
        if matches!(entry.event, Event::LedgerRecovered { .. }) {
            self.own_requests = self.state.counters().requests;
        }
        let changes = self.state.apply(&entry);
        // Searches go by columns beside the bytes: an entry that says something else there would be hidden from them.
        if let Some(request) = request
            && request != row::request_of(self.connection, &self.state, &entry.event)?
        {
            self.found.get_or_insert(Discrepancy::hidden(index));
        }
        if is_listed {
            self.lists.note(&self.state, index, &entry.event);
        }
        for change in &changes {
            match has_ended(&self.state, *change) {
                true => self.settle(*change),
                false => drop(self.pending.insert(*change)),
            }
        }
        self.state.forget(&changes);
        Ok(())
    }

    /// Makes the row of something that will not change any more.
    fn settle(&mut self, change: Change) {
        self.pending.remove(&change);
        if let Some(row) = row::image(&self.state, change) {
            self.expected.insert(place_of(&row), fingerprint(&row));
        }
    }

    /// Compares with the rows; answers how many there are.
    pub(super) fn finish(mut self) -> Result<Rows, Discrepancy> {
        if let Some(found) = self.found {
            return Ok(Rows::Differ(found));
        }
        if self.is_blind {
            return Ok(Rows::Unknown);
        }
        for change in std::mem::take(&mut self.pending) {
            self.settle(change);
        }
        let count = u64::try_from(self.expected.len()).unwrap_or(u64::MAX);
        let compared = check_counters(self.connection, &self.state)
            .and_then(|()| check_first_entries(self.connection, self.own_requests))
            .and_then(|()| compare(self.connection, self.expected))
            .and_then(|()| self.lists.compare(self.connection, self.size));
        match compared {
            Ok(()) => Ok(Rows::Same(count)),
            Err(found @ Discrepancy::RowDiffers { .. }) => Ok(Rows::Differ(found)),
            Err(fault) => Err(fault),
        }
    }
}

/// Whether the state is about to forget it.
fn has_ended(state: &State, change: Change) -> bool {
    match change {
        Change::Request(id) => state.request(id).is_some_and(|request| !request.is_pending()),
        Change::Authorization(id) => state.authorization(id).is_some_and(Authorization::has_ended),
        Change::Execution(id) => state.execution(id).is_some_and(Execution::has_finished),
        _ => false,
    }
}

/// The next ids, which the rows alone do not tell.
fn check_counters(connection: &Connection, state: &State) -> Result<(), Discrepancy> {
    let stored: Option<Vec<u8>> =
        connection.query_row("SELECT counters FROM head", NONE, |row| row.get(0)).optional()?;
    match stored.map_or(Ok(Counters::default()), |body| load::decode(&body))? == state.counters() {
        true => Ok(()),
        false => Err(differs(("head", 1), "its next ids were changed")),
    }
}

/// The reason of a request is found by its first entry: that must be the one that submitted it. The entries of requests
/// before `own` are in another ledger.
fn check_first_entries(connection: &Connection, own: u64) -> Result<(), Discrepancy> {
    let sql = "SELECT request.id FROM request LEFT JOIN entry ON entry.seq = request.first_seq
               WHERE CASE WHEN request.id < ?1 THEN request.first_seq IS NOT -1
                     ELSE entry.kind IS NOT 'request.submitted' OR entry.request IS NOT request.id END LIMIT 1";
    match connection.query_row(sql, [signed(own)], |row| row.get(0)).optional()? {
        None => Ok(()),
        Some(id) => Err(differs(("request", id), "it leads to another entry than the one that made it")),
    }
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
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let kind = known_kind(&kind).ok_or_else(|| unreadable_row("object"))?;
        let (id, body, text1, text2) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        use_row(Row::Object { kind, id, body, text1, text2 })?;
    }
    let mut statement = connection.prepare("SELECT id, requester, state, body FROM request")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (id, requester, state, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        use_row(Row::Request { id, requester, state, body })?;
    }
    let mut statement =
        connection.prepare("SELECT id, holder, state, request, body FROM \"authorization\"")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (id, holder, state, request, body) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        use_row(Row::Authorization { id, holder, state, request, body })?;
    }
    let mut statement = connection.prepare("SELECT id, \"user\", state, body FROM execution")?;
    let mut rows = statement.query(NONE)?;
    while let Some(row) = rows.next()? {
        let (id, user, state, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        use_row(Row::Execution { id, user, state, body })?;
    }
    Ok(())
}

fn known_kind(text: &str) -> Option<&'static str> {
    use row::kind::{
        ACCESS_CONTROL, ARCHIVE, ASSIGNMENT, GROUP, POLICY, ROLE, ROLE_GROUP, SERVER, TASK, USER,
    };
    [ACCESS_CONTROL, ARCHIVE, ASSIGNMENT, GROUP, POLICY, ROLE, ROLE_GROUP, SERVER, TASK, USER]
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
