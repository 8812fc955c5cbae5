//! The one writer: a batch of entries, the texts beside them, the tree, the rows and the signed checkpoint
//! in one transaction, with one sync.

use crate::engine::{Begin, Connection, params};
use brevet_core::{Change, Entry, Event, ServerId, State, Timestamp, UserId};
use brevet_ledger::{Checkpoint, Hash, Origin, RightEdge, Salt, VerifierKey, leaf_hash};

use crate::codec::{encode_entry, encode_value, salted};
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::keys::{self, KeyMaker, KeyPlace, Keys};
use crate::load::{self, Head};
use crate::place::DatabasePlace;
use crate::row::{self, Born, signed};
use crate::side::{self, Credential, Idempotent, SessionRow, SideWrite};
use crate::turn::{Attempt, MARK_BYTES, Mark, write_mark};
use crate::{retire, schema, term};

/// Batches between two attempts to empty the write-ahead log while somebody reads from it.
const EMPTY_LOG_EVERY: u32 = 64;

/// How often the state is read before it is given up that nobody appends between the head and the state.
const LOAD_ATTEMPTS_MAX: u32 = 1_000;

/// What goes to the disk together.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The entries, in order.
    pub entries: &'a [Entry],
    /// What they changed.
    pub changes: &'a [Change],
    /// The state after them, with what ended still in it.
    pub state: &'a State,
    /// What is written beside the ledger.
    pub side: &'a [SideWrite],
}

/// Where a batch went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The index of its first entry.
    pub first: u64,
    /// The size of the ledger with it.
    pub size: u64,
    /// The checkpoint over that size, a signed note.
    pub checkpoint: String,
    /// What did not go well afterwards, and will be tried again: nothing that the batch depends on.
    pub notice: Option<String>,
}

/// The store of one server, for writing.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) folder: DataFolder,
    pub(crate) place: DatabasePlace,
    origin: Origin,
    pub(crate) keys: Keys,
    pub(crate) edge: RightEdge,
    pub(crate) checkpoint: String,
    /// Which of several servers this is.
    pub(crate) server: Option<ServerId>,
    /// The batch whose commit was not answered.
    pub(crate) attempt: Option<Attempt>,
    /// Whether the connection is to be made again.
    pub(crate) is_lost: bool,
    /// Whether the head was compared since the connection was made.
    pub(crate) is_compared: bool,
    /// Whether others appended before the last turn, so that they may have again.
    pub(crate) expects_news: bool,
    body: Vec<u8>,
    bytes: Vec<u8>,
    /// Whether the write-ahead log may hold what was erased, and after how many more batches that is looked at.
    log_to_empty: Option<u32>,
}

impl Store {
    /// Opens the store in a folder that was claimed; `seed` is 32 random bytes, used for the key and the name
    /// of a ledger that does not exist yet.
    ///
    /// The head is compared with the entries it was made from: what does not fit stops the start.
    pub fn open(folder: DataFolder, seed: [u8; 32]) -> Result<Self, StoreError> {
        Self::open_with(folder, seed, &KeyPlace::File)
    }

    /// The same with a private key that may be elsewhere.
    pub fn open_with(folder: DataFolder, seed: [u8; 32], key: &KeyPlace) -> Result<Self, StoreError> {
        Self::open_at(&DatabasePlace::Folder, folder, seed, key)
    }

    /// The same with a database that may be elsewhere too.
    ///
    /// # Errors
    /// When the database cannot be reached, would lose what it acknowledged, or does not fit its own head.
    pub fn open_at(
        database: &DatabasePlace,
        folder: DataFolder,
        seed: [u8; 32],
        key: &KeyPlace,
    ) -> Result<Self, StoreError> {
        let mut connection = database.open_writer(&folder)?;
        let mut place = database.clone();
        if connection.accepted_loss().is_none() {
            place = place.accepting_nothing();
            connection.accept_no_more_loss();
        }
        connection.opens()?;
        schema::migrate(&connection)?;
        let keys = Keys::open(&folder, &connection, seed, key)?;
        let origin = Origin::parse(keys.name().as_str()).map_err(StoreError::damaged)?;
        // Others may append meanwhile: all of the head is read as it was at one moment.
        let view = connection.view()?;
        let Head { edge, checkpoint } = load::head(&view, &origin, &keys.verifiers())?;
        drop(view);
        term::catch_up(&connection, edge.size())?;
        retire::finish_erasing(&connection)?;
        connection.has_opened()?;
        let (body, bytes) = (Vec::new(), Vec::new());
        let log_to_empty = (!retire::empty_log(&connection)).then_some(EMPTY_LOG_EVERY);
        Ok(Self {
            connection,
            folder,
            place,
            origin,
            keys,
            edge,
            checkpoint,
            server: None,
            attempt: None,
            is_lost: false,
            is_compared: false,
            expects_news: false,
            body,
            bytes,
            log_to_empty,
        })
    }

    /// The state that the rows add up to, and that this store's head is of.
    ///
    /// # Errors
    /// When it cannot be read, or others append faster than one can read.
    pub fn load(&mut self) -> Result<State, StoreError> {
        for _ in 0..LOAD_ATTEMPTS_MAX {
            self.reconnect()?;
            let loaded = self.load_once();
            if let Some(state) = self.note_loss(loaded)? {
                return Ok(state);
            }
            self.look()?;
        }
        Err(StoreError::Moved)
    }

    /// `None` where others appended meanwhile.
    fn load_once(&self) -> Result<Option<State>, StoreError> {
        let view = self.connection.view()?;
        match load::size(&view)? == self.edge.size() {
            true => load::state(&view).map(Some),
            false => Ok(None),
        }
    }

    /// What is missing of the standby that the settings ask for, where a person accepted that what is acknowledged can be
    /// lost without it. What goes missing later nobody has accepted.
    pub fn accepted_loss(&self) -> Option<String> {
        self.connection.accepted_loss().map(str::to_owned)
    }

    /// How many entries there are.
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The name of this ledger.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// The public key that verifies its checkpoints.
    pub fn verifier_key(&self) -> String {
        self.verifier_keys().swap_remove(0)
    }

    /// The public keys that sign its checkpoints now, the current one first.
    pub fn verifier_keys(&self) -> Vec<String> {
        self.keys.verifiers().iter().map(VerifierKey::to_string).collect()
    }

    /// For those who prepare a change of the key, and tell which keys sign.
    pub fn key_maker(&self) -> KeyMaker {
        self.keys.maker()
    }

    /// Every verifier key that checkpoints of this ledger may be signed by: all that it has and ever had.
    pub(crate) fn known_keys(&self) -> Vec<String> {
        self.keys.ever().iter().map(VerifierKey::to_string).collect()
    }

    pub(crate) const fn ledger_name(&self) -> &Origin {
        &self.origin
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The newest checkpoint, a signed note; empty before the first entry.
    pub fn checkpoint(&self) -> &str {
        &self.checkpoint
    }

    /// The folder it is in.
    pub const fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Makes a batch durable, or changes nothing. `salt` draws a fresh salt for each text.
    ///
    /// # Errors
    /// [`StoreError::aftermath`] says what is known then.
    pub fn append(
        &mut self,
        batch: &Batch<'_>,
        salt: &mut dyn FnMut() -> Salt,
    ) -> Result<Appended, StoreError> {
        // Without an entry nothing is signed, and no key's time is over.
        let now = batch.entries.last().map_or(Timestamp::from_micros(0), |entry| entry.time);
        let mark = self.marks(batch, salt);
        let turn = self.keys.turn(batch.entries);
        let written = match &turn {
            Ok(turn) => self.write(batch, salt, turn.as_ref(), now, mark.as_ref()),
            Err(_) => Ok(None),
        };
        let written = self.note_loss(written);
        self.end_turn();
        let turn = turn?;
        let Some(Written { edge, appended, unanswered }) = written? else { return Err(StoreError::Moved) };
        if let Some(source) = unanswered {
            self.is_lost = true;
            self.attempt =
                mark.map(|(server, mark)| Attempt { server, mark, edge, appended, keys: turn, now });
            return Err(StoreError::Unanswered { source, can_ask: self.attempt.is_some() });
        }
        let notice = self.keys.settle(turn, now).map(|error| error.to_string());
        self.edge = edge;
        self.checkpoint.clone_from(&appended.checkpoint);
        self.server = mark.map_or(self.server, |(server, _)| Some(server));
        self.empty_log(batch);
        Ok(Appended { notice, ..appended })
    }

    /// Where several servers write: which of them this is, also in the batch that makes it one, and a mark of its own.
    fn marks(&self, batch: &Batch<'_>, salt: &mut dyn FnMut() -> Salt) -> Option<(ServerId, Mark)> {
        let joins = |write: &SideWrite| match write {
            SideWrite::JoinServer(server) => Some(*server),
            _ => None,
        };
        let server = batch.side.iter().find_map(joins).or(self.server).filter(|_| self.is_shared())?;
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(&salt().as_bytes()[..MARK_BYTES]);
        Some((server, mark))
    }

    /// Writes all of it in one transaction; `None` where the ledger is not where this server thinks it is.
    fn write(
        &mut self,
        batch: &Batch<'_>,
        salt: &mut dyn FnMut() -> Salt,
        turn: Option<&keys::Turn>,
        now: Timestamp,
        mark: Option<&(ServerId, Mark)>,
    ) -> Result<Option<Written>, StoreError> {
        let first = self.edge.size();
        let transaction = match self.has_turn() {
            true => self.connection.go_on(),
            false => {
                let transaction = self.connection.begin(Begin::Write).map_err(writing)?;
                if transaction.lock_head()? != first {
                    return Ok(None);
                }
                transaction
            }
        };
        let mut buffers = (&mut self.body, &mut self.bytes);
        let Inserted { edge, born, rotated } =
            insert_entries(&transaction, self.edge.clone(), batch, salt, &mut buffers)?;
        let mut changes = batch.changes.to_vec();
        changes.sort_unstable();
        changes.dedup();
        for change in changes {
            row::write(&transaction, batch.state, change, &born)?;
        }
        for write in batch.side {
            side::write(&transaction, write)?;
        }
        if let Some((server, mark)) = mark {
            write_mark(&transaction, *server, mark)?;
        }
        let mut checkpoint = self.checkpoint.clone();
        if edge.size() > first {
            let over = Checkpoint::new(self.origin.clone(), edge.size(), edge.root());
            checkpoint = self.keys.sign(&over, turn, now)?.to_string();
            if let Some((index, bytes)) = rotated {
                keys::insert_change(&transaction, index, &bytes, &checkpoint)?;
            }
            write_head(&transaction, first, &edge, &checkpoint, batch.state)?;
            term::keep_up(&transaction, first, edge.size())?;
            transaction.notify().map_err(writing)?;
        }
        let unanswered = match transaction.commit() {
            Ok(()) => None,
            Err(source) if source.is_lost() && source.is_uncertain() => Some(source),
            Err(source) => return Err(writing(source)),
        };
        let appended = Appended { first, size: edge.size(), checkpoint, notice: None };
        Ok(Some(Written { edge, appended, unanswered }))
    }

    /// Empties SQLite's log after what was erased.
    fn empty_log(&mut self, batch: &Batch<'_>) {
        if batch.side.iter().any(|write| matches!(write, SideWrite::EraseMore { .. }))
            && retire::erasing(&self.connection).is_ok_and(|left| left.is_empty())
        {
            self.log_to_empty = Some(0);
        }
        self.log_to_empty = match self.log_to_empty {
            Some(0) => (!retire::empty_log(&self.connection)).then_some(EMPTY_LOG_EVERY),
            left => left.map(|left| left - 1),
        };
    }

    /// The answer that was kept for a key.
    pub fn idempotent(&self, user: UserId, key: &str) -> Result<Option<Idempotent>, StoreError> {
        side::idempotent(&self.connection, user, key)
    }

    /// The answers that were kept for some of these keys.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn idempotent_each(&self, keys: &[(UserId, String)]) -> Result<Vec<Idempotent>, StoreError> {
        side::idempotent_each(&self.connection, keys)
    }

    /// How an account proves who it is.
    pub fn credential(&self, user: UserId) -> Result<Credential, StoreError> {
        side::credential(&self.connection, user)
    }

    /// All sessions, by id.
    pub fn sessions(&self) -> Result<Vec<SessionRow>, StoreError> {
        side::sessions(&self.connection)
    }
}

/// A batch that was written, and committed as far as is known.
struct Written {
    edge: RightEdge,
    appended: Appended,
    /// Why nobody knows whether it was committed.
    unanswered: Option<crate::engine::Error>,
}

/// Entries that are written.
struct Inserted {
    edge: RightEdge,
    born: Born,
    /// The one that changes the key, by its index and bytes.
    rotated: Option<(u64, Vec<u8>)>,
}

fn insert_entries(
    connection: &Connection,
    mut edge: RightEdge,
    batch: &Batch<'_>,
    salt: &mut dyn FnMut() -> Salt,
    buffers: &mut (&mut Vec<u8>, &mut Vec<u8>),
) -> Result<Inserted, StoreError> {
    let (mut born, mut rotated) = (Born::new(), None);
    for entry in batch.entries {
        let index = edge.size();
        born.extend(row::born(&entry.event).map(|change| (change, index)));
        let leaf = insert_entry(connection, index, entry, batch.state, salt, buffers)?;
        if matches!(entry.event, Event::KeyRotated { .. }) {
            rotated = Some((index, buffers.1.clone()));
        }
        for node in edge.append(leaf) {
            insert_node(connection, &node)?;
        }
    }
    Ok(Inserted { edge, born, rotated })
}

fn insert_entry(
    connection: &Connection,
    index: u64,
    entry: &Entry,
    state: &State,
    salt: &mut dyn FnMut() -> Salt,
    (body, bytes): &mut (&mut Vec<u8>, &mut Vec<u8>),
) -> Result<Hash, StoreError> {
    let texts = salted(&entry.event, salt);
    encode_entry(index, entry, &texts, body, bytes).map_err(|error| StoreError::Entry(error.to_string()))?;
    let leaf = leaf_hash(bytes);
    let sql = "INSERT INTO entry (seq, kind, actor, request, leaf, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let request = row::request_of(connection, state, &entry.event)?;
    let actor = entry.actor.to_string();
    let kind = entry.event.kind().name;
    statement
        .execute_together(params![signed(index), kind, actor, request, leaf.as_bytes(), bytes.as_slice()])
        .map_err(writing)?;
    let sql = "INSERT INTO entry_text (seq, slot, salt, value) VALUES (?1, ?2, ?3, ?4)";
    for (slot, text) in (0_i64..).zip(&texts) {
        let mut statement = connection.prepare_cached(sql).map_err(writing)?;
        statement
            .execute_together(params![signed(index), slot, text.salt.as_bytes(), text.text])
            .map_err(writing)?;
    }
    Ok(leaf)
}

fn insert_node(connection: &Connection, node: &brevet_ledger::StoredNode) -> Result<(), StoreError> {
    let sql = "INSERT INTO node (level, place, hash) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement
        .execute_together(params![node.tile_level, signed(node.index), node.hash.as_bytes()])
        .map_err(writing)
}

/// Moves the head on, if it is still where this store thinks it is.
fn write_head(
    connection: &Connection,
    from: u64,
    edge: &RightEdge,
    checkpoint: &str,
    state: &State,
) -> Result<(), StoreError> {
    let mut counters = Vec::with_capacity(32);
    encode_value(&state.counters(), &mut counters);
    let size = signed(edge.size());
    let edge = edge.to_bytes();
    if from == 0 {
        let sql = "INSERT INTO head (one, size, edge, checkpoint, counters) VALUES (1, ?1, ?2, ?3, ?4)";
        return connection.execute_later(sql, params![size, edge, checkpoint, counters]).map_err(writing);
    }
    let sql =
        "UPDATE head SET size = ?1, edge = ?2, checkpoint = ?3, counters = ?4 WHERE one = 1 AND size = ?5";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    let values = params![size, edge, checkpoint, counters, signed(from)];
    if connection.sqlite().is_none() {
        // It is locked, and was looked at with the lock.
        return statement.execute_later(values).map_err(writing);
    }
    let changed = statement.execute(values).map_err(writing)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Moved) }
}
