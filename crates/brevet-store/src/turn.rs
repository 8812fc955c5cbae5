//! Turns: where several servers write to one ledger, each batch begins with the lock of the head, and with what the others
//! appended since. Whoever has the turn decides on everything that was decided before.
//!
//! What others appended is held against what this server knows before it is believed: it must go on exactly where this
//! server's tree ends, and be what the newest signed checkpoint says.

use brevet_core::{Entry, Event, ServerId, Timestamp};
use brevet_ledger::{Checkpoint, EntryRef, Hash, RightEdge, leaf_hash};

use crate::append::{Appended, Store};
use crate::codec::decode_entry;
use crate::engine::{Begin, Connection, NONE, OptionalExtension, params};
use crate::error::{StoreError, writing};
use crate::keys;
use crate::load;
use crate::place::DatabasePlace;
use crate::row::signed;
use crate::schema;

/// Entries of others that are taken over at once: a server that missed more starts again, which costs what is live.
pub const TAIL_ENTRIES_MAX: u64 = 100_000;
/// Bytes of the mark by which a server finds its own last batch.
pub(crate) const MARK_BYTES: usize = 16;
/// A mark, drawn for each batch.
pub(crate) type Mark = [u8; MARK_BYTES];

/// What others appended since this server last looked.
#[derive(Debug, Default)]
pub struct Tail {
    /// Their entries, in order.
    pub entries: Vec<Entry>,
    /// How many entries there are with them.
    pub size: u64,
    /// The checkpoint over that size, a signed note.
    pub checkpoint: String,
}

/// What is known of a batch whose commit was not answered.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) server: ServerId,
    pub(crate) mark: Mark,
    pub(crate) edge: RightEdge,
    pub(crate) appended: Appended,
    /// The change of the key in it.
    pub(crate) keys: Option<keys::Turn>,
    /// When its last entry happened.
    pub(crate) now: Timestamp,
}

/// A sign of life of a server: another number each time it wrote, or had nothing to write for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// Whose.
    pub server: ServerId,
    /// How often it gave one.
    pub beats: u64,
}

/// Where the ledger ends, as its row says, and the rows of the entries behind a place in it.
#[derive(Default)]
struct Found {
    size: u64,
    edge: Vec<u8>,
    checkpoint: String,
    rows: Vec<EntryRow>,
}

impl Store {
    /// Whether several servers may write to this ledger.
    pub const fn is_shared(&self) -> bool {
        matches!(self.place, DatabasePlace::Postgres { .. })
    }

    /// Which of several servers this is, once its start is on record.
    pub const fn server(&self) -> Option<ServerId> {
        self.server
    }

    /// Waits until nobody else appends, and keeps everybody from it until [`Store::append`] or [`Store::end_turn`]. Answers
    /// what others appended meanwhile; `None` where that is nothing. On a ledger of one server there is nothing to do.
    ///
    /// # Errors
    /// When the database is away, or holds something else than what this server knows ([`StoreError::Moved`]).
    pub fn begin_turn(&mut self) -> Result<Option<Tail>, StoreError> {
        if !self.is_shared() || self.has_turn() {
            return Ok(None);
        }
        self.reconnect()?;
        let tail = self.lock_and_read();
        let tail = self.note_loss(tail)?;
        self.is_compared = true;
        self.expects_news = tail.is_some();
        Ok(tail.map(|(edge, tail)| self.take_over(edge, tail)))
    }

    fn lock_and_read(&self) -> Result<Option<(RightEdge, Tail)>, StoreError> {
        let turn = self.connection.begin(Begin::Write).map_err(writing)?;
        let tail = if self.expects_news {
            turn.lock_head_later()?;
            self.read_tail(&turn)?
        } else if turn.lock_head()? == self.edge.size() && self.is_compared {
            // Nobody puts another history of the same length in place while a connection lasts.
            None
        } else {
            self.read_tail(&turn)?
        };
        turn.stay_open();
        Ok(tail)
    }

    /// Gives the turn back without having written anything.
    pub fn end_turn(&mut self) {
        if self.has_turn() {
            drop(self.connection.go_on());
        }
    }

    pub(crate) fn has_turn(&self) -> bool {
        self.is_shared() && !self.connection.is_autocommit()
    }

    /// What others appended, without keeping them from anything. To be asked often: while there is nothing new it is one
    /// short question.
    ///
    /// # Errors
    /// See [`Store::begin_turn`].
    pub fn look(&mut self) -> Result<Option<Tail>, StoreError> {
        if !self.is_shared() || self.has_turn() {
            return Ok(None);
        }
        self.reconnect()?;
        let tail = self.look_once();
        let tail = self.note_loss(tail)?;
        self.is_compared = true;
        Ok(tail.map(|(edge, tail)| self.take_over(edge, tail)))
    }

    fn look_once(&self) -> Result<Option<(RightEdge, Tail)>, StoreError> {
        if self.is_compared && load::size(&self.connection)? == self.edge.size() {
            return Ok(None);
        }
        let view = self.connection.view()?;
        self.read_tail(&view)
    }

    fn take_over(&mut self, edge: RightEdge, tail: Tail) -> Tail {
        self.edge = edge;
        self.checkpoint.clone_from(&tail.checkpoint);
        tail
    }

    fn read_tail(&self, connection: &Connection) -> Result<Option<(RightEdge, Tail)>, StoreError> {
        let known = self.edge.size();
        let Found { size, edge, checkpoint, rows } = find_after(connection, known)?;
        if size == known {
            let is_ours = size == 0 || edge == self.edge.to_bytes();
            return if is_ours { Ok(None) } else { Err(StoreError::Moved) };
        }
        if size < known {
            return Err(StoreError::Moved);
        }
        if size - known > TAIL_ENTRIES_MAX {
            return Err(StoreError::TooFarBehind { entries: size - known });
        }
        let mut grown = self.edge.clone();
        let entries = rows.into_iter().map(|row| row.entry(&mut grown)).collect::<Result<_, _>>()?;
        if grown.size() != size || grown.to_bytes() != edge {
            return Err(StoreError::Moved);
        }
        self.check_checkpoint(&checkpoint, &grown)?;
        Ok(Some((grown, Tail { entries, size, checkpoint })))
    }

    fn check_checkpoint(&self, note: &str, edge: &RightEdge) -> Result<(), StoreError> {
        let note = note.parse().map_err(StoreError::damaged)?;
        let opened = Checkpoint::open(&note, self.ledger_name(), &self.keys.verifiers());
        let signed = opened.map_err(|_| StoreError::OtherKey)?;
        match signed.size() == edge.size() && signed.root() == edge.root() {
            true => Ok(()),
            false => Err(StoreError::Moved),
        }
    }

    /// Finds out what became of the batch whose commit was not answered: where it went, or `None` if it never happened.
    /// Waits until nothing is on its way any more. Afterwards the commit is on every standby that others wait for.
    ///
    /// # Errors
    /// While the database is away; then it is still not known.
    pub fn look_up(&mut self) -> Result<Option<Appended>, StoreError> {
        self.reconnect()?;
        let Some(&Attempt { server, mark, .. }) = self.attempt.as_ref() else { return Ok(None) };
        let found = find_mark(&self.connection, server);
        let is_there = match self.note_loss(found)? {
            Some(found) => found.is_some_and(|found| found == mark),
            None => self.is_in_ledger()?,
        };
        let Some(attempt) = self.attempt.take().filter(|_| is_there) else { return Ok(None) };
        let Attempt { server, mark: _, edge, appended, keys, now } = attempt;
        let notice = self.keys.settle(keys, now).map(|error| error.to_string());
        self.server = Some(server);
        self.edge = edge;
        self.checkpoint.clone_from(&appended.checkpoint);
        Ok(Some(Appended { notice, ..appended }))
    }

    /// The same for a server that the others have given up meanwhile, or whose batch said that it stopped: its mark went with
    /// its row, and its entries stay.
    fn is_in_ledger(&mut self) -> Result<bool, StoreError> {
        let Some(Attempt { appended: Appended { first, size, .. }, edge, .. }) = &self.attempt else {
            return Ok(false);
        };
        if first == size {
            return Err(StoreError::Unknowable);
        }
        let mut grown = self.edge.clone();
        let leaves = read_leaves(&self.connection, *first, *size);
        let is_same = |leaves: Vec<Hash>| {
            for leaf in leaves {
                grown.append(leaf);
            }
            grown.to_bytes() == edge.to_bytes()
        };
        let found = leaves.map(is_same);
        self.note_loss(found)
    }

    /// Whether a batch is still to be looked up.
    pub const fn is_uncertain(&self) -> bool {
        self.attempt.is_some()
    }

    /// Whether an entry from this index on says that somebody's texts are gone.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn has_erased_since(&self, index: u64) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM entry WHERE seq >= ?1 AND kind = 'ledger.texts-erased'";
        let erased: i64 = self.connection.query_row(sql, [signed(index)], |row| row.get(0))?;
        Ok(erased > 0)
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// When the database is away.
    pub fn beat(&mut self) -> Result<(), StoreError> {
        let Some(server) = self.server.filter(|_| !self.has_turn()) else { return Ok(()) };
        self.reconnect()?;
        // Nobody needs to find it after a crash; and it must not wait for a standby that is away.
        let beaten = self.connection.execute_batch(&format!(
            "SET LOCAL synchronous_commit = off; UPDATE server SET beats = beats + 1 WHERE id = {}",
            server.number()
        ));
        self.note_loss(beaten.map_err(writing))
    }

    /// Why a commit would not be as durable as it must be; `None` where it is. PostgreSQL's settings and its standbys can change
    /// at any time.
    ///
    /// # Errors
    /// When the database is away, or cannot be connected to for that reason.
    pub fn undurable(&mut self) -> Result<Option<String>, StoreError> {
        self.reconnect()?;
        match self.connection.check_durability() {
            Ok(Some(_accepted)) => Ok(None),
            Ok(None) => {
                // What is there again may not go missing again without a word.
                self.place = std::mem::take(&mut self.place).accepting_nothing();
                self.connection.accept_no_more_loss();
                Ok(None)
            }
            Err(error) if error.is_lost() => self.note_loss(Err(error.into())),
            Err(error) => Ok(Some(error.to_string())),
        }
    }

    /// The signs of life of all servers, as they are now.
    ///
    /// # Errors
    /// When the database is away.
    pub fn signs(&mut self) -> Result<Vec<Sign>, StoreError> {
        if !self.has_turn() {
            self.reconnect()?;
        }
        let signs = read_signs(&self.connection);
        self.note_loss(signs)
    }

    /// Connects again where the connection was lost.
    pub(crate) fn reconnect(&mut self) -> Result<(), StoreError> {
        if self.is_lost {
            let connection = self.place.open_writer(&self.folder)?;
            // Meanwhile it may have been moved elsewhere, or be a newer server's.
            schema::check(&connection)?;
            self.connection = connection;
            (self.is_lost, self.is_compared) = (false, false);
        }
        Ok(())
    }

    /// Remembers that the connection is gone.
    pub(crate) fn note_loss<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &done
            && error.is_lost()
        {
            self.is_lost = true;
        }
        done
    }
}

/// Where the ledger ends, and its entries from this one on with their texts: one question, so that it is one moment and one
/// round trip, and by ranges of keys: a database that has not counted its rows lately may read whole tables for a join.
fn find_after(connection: &Connection, known: u64) -> Result<Found, StoreError> {
    let sql = "SELECT size, -2, edge, NULL, checkpoint FROM head WHERE one = 1
               UNION ALL SELECT seq, -1, leaf, bytes, NULL FROM entry WHERE seq >= ?1 AND seq < ?2
               UNION ALL SELECT seq, slot, NULL, NULL, value FROM entry_text WHERE seq >= ?1 AND seq < ?2
               ORDER BY 1, 2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([signed(known), signed(known + TAIL_ENTRIES_MAX)])?;
    let mut found = Found::default();
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(0)?;
        match row.get::<_, i32>(1)? {
            HEAD => {
                (found.size, found.edge, found.checkpoint) =
                    (number.unsigned_abs(), row.get(2)?, row.get(4)?);
            }
            ENTRY => {
                let (leaf, bytes) = (row.get(2)?, row.get(3)?);
                found.rows.push(EntryRow { seq: number, leaf, bytes, texts: Vec::new() });
            }
            slot => {
                let text = (slot, row.get(4)?);
                // One without its entry is left for the check of the tree, which misses the entry.
                if let Some(row) = found.rows.last_mut().filter(|row| row.seq == number) {
                    row.texts.push(text);
                }
            }
        }
    }
    Ok(found)
}

/// What stands where a text has its place, in the row of the ledger's end.
const HEAD: i32 = -2;
/// The same in the row of an entry.
const ENTRY: i32 = -1;

/// An entry as it is stored, with the texts that are still there and their places.
struct EntryRow {
    seq: i64,
    leaf: [u8; 32],
    bytes: Vec<u8>,
    texts: Vec<(i32, String)>,
}

impl EntryRow {
    /// The entry, if it goes on where this edge ends; the edge grows with it.
    fn entry(self, edge: &mut RightEdge) -> Result<Entry, StoreError> {
        let Self { seq, leaf, bytes, texts: found } = self;
        let leaf = Hash::from_bytes(leaf);
        if leaf_hash(&bytes) != leaf || seq.unsigned_abs() != edge.size() {
            return Err(StoreError::damaged(format!("entry {seq} is not what was hashed")));
        }
        edge.append(leaf);
        let envelope = EntryRef::decode(&bytes).map_err(StoreError::damaged)?;
        if !Event::KINDS.iter().any(|kind| kind.name == envelope.kind) {
            return Err(StoreError::NewerEntry { kind: envelope.kind.to_owned() });
        }
        let mut texts = vec![None; envelope.commitments.len()];
        for (slot, text) in found {
            if let Some(place) = usize::try_from(slot).ok().and_then(|slot| texts.get_mut(slot)) {
                *place = Some(text);
            }
        }
        decode_entry(&bytes, texts).map(|(_, entry)| entry).map_err(StoreError::damaged)
    }
}

/// The mark of a server's last batch, once nobody is writing any more. What is written here makes the commit wait for all
/// that was committed before, there and on the standby.
///
/// `None` where there is no such server any more.
fn find_mark(connection: &Connection, server: ServerId) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    let turn = connection.begin(Begin::Write).map_err(writing)?;
    turn.lock_head()?;
    let sql = "SELECT batch FROM server WHERE id = ?1";
    let found: Option<Option<Vec<u8>>> =
        turn.query_row(sql, [server.number()], |row| row.get(0)).optional()?;
    turn.execute_later("UPDATE server SET beats = beats + 1 WHERE id = ?1", [server.number()])
        .map_err(writing)?;
    turn.commit().map_err(writing)?;
    Ok(found)
}

fn read_leaves(connection: &Connection, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
    let sql = "SELECT leaf FROM entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([signed(from), signed(to)], |row| row.get(0).map(Hash::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_signs(connection: &Connection) -> Result<Vec<Sign>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, beats FROM server ORDER BY id")?;
    let rows = statement.query_map(NONE, |row| {
        let (id, beats): (u32, i64) = (row.get(0)?, row.get(1)?);
        Ok(Sign { server: ServerId::new(id), beats: beats.unsigned_abs() })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes beside a batch of one of several servers that it gave a sign of life, and which batch it is.
pub(crate) fn write_mark(connection: &Connection, server: ServerId, mark: &Mark) -> Result<(), StoreError> {
    let sql = "UPDATE server SET beats = beats + 1, batch = ?2 WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement.execute_later(params![server.number(), mark.as_slice()]).map_err(writing)
}
