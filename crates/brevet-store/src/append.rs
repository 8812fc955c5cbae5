//! The one writer: a batch of entries, the texts beside them, the tree, the rows and the signed checkpoint
//! in one transaction, with one sync.

use brevet_core::{Change, Entry, State, UserId};
use brevet_ledger::{Checkpoint, Hash, KeyName, Note, Origin, RightEdge, Salt, SigningKey, leaf_hash};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::codec::{encode_entry, encode_value, salted};
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::load::{self, Head};
use crate::row::{self, Born, signed};
use crate::side::{self, Credential, Idempotent, SessionRow, SideWrite};
use crate::{schema, sqlite};

const KEY_FILE: &str = "ledger.key";
const VERIFIER_FILE: &str = "ledger.vkey";

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
}

/// The store of one server, for writing.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    folder: DataFolder,
    origin: Origin,
    key: SigningKey,
    edge: RightEdge,
    checkpoint: String,
    body: Vec<u8>,
    bytes: Vec<u8>,
}

impl Store {
    /// Opens the store in a folder that was claimed; `seed` is 32 random bytes, used for the key and the name
    /// of a ledger that does not exist yet.
    ///
    /// The head is compared with the entries it was made from: what does not fit stops the start.
    pub fn open(folder: DataFolder, seed: [u8; 32]) -> Result<Self, StoreError> {
        drop(folder.open_private("brevet.db")?);
        let mut connection = sqlite::open_writer(&folder.database())?;
        schema::migrate(&mut connection)?;
        let key = signing_key(&folder, seed)?;
        let origin = Origin::parse(key.verifier().name().as_str()).map_err(StoreError::damaged)?;
        let Head { edge, checkpoint } = load::head(&connection, &origin, key.verifier())?;
        let (body, bytes) = (Vec::new(), Vec::new());
        Ok(Self { connection, folder, origin, key, edge, checkpoint, body, bytes })
    }

    /// The state that the rows add up to.
    pub fn load(&self) -> Result<State, StoreError> {
        load::state(&self.connection)
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
        self.key.verifier().to_string()
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
    pub fn append(
        &mut self,
        batch: &Batch<'_>,
        salt: &mut dyn FnMut() -> Salt,
    ) -> Result<Appended, StoreError> {
        let first = self.edge.size();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
        let mut edge = self.edge.clone();
        let mut born = Born::new();
        let mut buffers = (&mut self.body, &mut self.bytes);
        for entry in batch.entries {
            let index = edge.size();
            born.extend(row::born(&entry.event).map(|change| (change, index)));
            let leaf = insert_entry(&transaction, index, entry, batch.state, salt, &mut buffers)?;
            for node in edge.append(leaf) {
                insert_node(&transaction, &node)?;
            }
        }
        let mut changes = batch.changes.to_vec();
        changes.sort_unstable();
        changes.dedup();
        for change in changes {
            row::write(&transaction, batch.state, change, &born)?;
        }
        for write in batch.side {
            side::write(&transaction, write)?;
        }
        let mut checkpoint = self.checkpoint.clone();
        if edge.size() > first {
            checkpoint = sign(&self.origin, &self.key, &edge)?;
            write_head(&transaction, first, &edge, &checkpoint, batch.state)?;
        }
        transaction.commit().map_err(writing)?;
        self.edge = edge;
        self.checkpoint.clone_from(&checkpoint);
        Ok(Appended { first, size: self.edge.size(), checkpoint })
    }

    /// The answer that was kept for a key.
    pub fn idempotent(&self, user: UserId, key: &str) -> Result<Option<Idempotent>, StoreError> {
        side::idempotent(&self.connection, user, key)
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

fn signing_key(folder: &DataFolder, seed: [u8; 32]) -> Result<SigningKey, StoreError> {
    if let Some(text) = folder.read(KEY_FILE)? {
        return SigningKey::parse(&text).map_err(|error| StoreError::damaged(format!("{KEY_FILE}: {error}")));
    }
    // The first half of the seed names the ledger; the key is drawn from all of it, one way.
    let name: String =
        leaf_hash(&seed[..16]).as_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = KeyName::parse(&format!("brevet.local/{name}")).map_err(StoreError::damaged)?;
    let key = SigningKey::from_seed(name, leaf_hash(&seed).as_bytes());
    key.reveal_text(|text| folder.write(KEY_FILE, &format!("{text}\n")))?;
    folder.write(VERIFIER_FILE, &format!("{}\n", key.verifier()))?;
    Ok(key)
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
        .execute(params![signed(index), kind, actor, request, leaf.as_bytes(), bytes.as_slice()])
        .map_err(writing)?;
    let sql = "INSERT INTO entry_text (seq, slot, salt, value) VALUES (?1, ?2, ?3, ?4)";
    for (slot, text) in (0_i64..).zip(&texts) {
        let mut statement = connection.prepare_cached(sql).map_err(writing)?;
        statement.execute(params![signed(index), slot, text.salt.as_bytes(), text.text]).map_err(writing)?;
    }
    Ok(leaf)
}

fn insert_node(connection: &Connection, node: &brevet_ledger::StoredNode) -> Result<(), StoreError> {
    let sql = "INSERT INTO node (level, place, hash) VALUES (?1, ?2, ?3)";
    let mut statement = connection.prepare_cached(sql).map_err(writing)?;
    statement
        .execute(params![node.tile_level, signed(node.index), node.hash.as_bytes()])
        .map(drop)
        .map_err(writing)
}

fn sign(origin: &Origin, key: &SigningKey, edge: &RightEdge) -> Result<String, StoreError> {
    let checkpoint = Checkpoint::new(origin.clone(), edge.size(), edge.root());
    let note: Note = checkpoint.sign(key).map_err(|error| StoreError::Entry(error.to_string()))?;
    Ok(note.to_string())
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
    let changed = if from == 0 {
        let sql = "INSERT INTO head (one, size, edge, checkpoint, counters) VALUES (1, ?1, ?2, ?3, ?4)";
        connection.execute(sql, params![size, edge, checkpoint, counters]).map_err(writing)?
    } else {
        let sql = "UPDATE head SET size = ?1, edge = ?2, checkpoint = ?3, counters = ?4 WHERE one = 1 AND size = ?5";
        let mut statement = connection.prepare_cached(sql).map_err(writing)?;
        statement.execute(params![size, edge, checkpoint, counters, signed(from)]).map_err(writing)?
    };
    if changed == 1 { Ok(()) } else { Err(StoreError::Moved) }
}
