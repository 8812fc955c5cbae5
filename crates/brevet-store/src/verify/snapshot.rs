//! A data folder as a source: read-only connections that all see the same state of the database, beside a running
//! server too.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use brevet_core::{Event, UserId};
use brevet_ledger::{Finding, Hash, Rotation, StoredNode, leaf_hash};
use rusqlite::OpenFlags;

use crate::engine::{Connection, NONE, OptionalExtension};

use super::Discrepancy;
use super::rows::{Reader, Wanted, text_differs};
use super::source::{PartReader, Source};
use crate::codec::decode_entry;
use crate::folder::DataFolder;
use crate::row::signed;
use crate::schema;

/// How often the connections are opened anew because a server wrote in between.
const OPENINGS_MAX: usize = 1_000;

/// The database of a data folder at one instant.
#[derive(Debug)]
pub struct Snapshot {
    readers: Mutex<Vec<Connection>>,
    head: Head,
}

/// The head as it is stored, and all checkpoints that lie with it.
#[derive(Debug)]
pub struct Head {
    /// How many entries it says there are.
    pub size: u64,
    /// The right edge.
    pub edge: Vec<u8>,
    /// The newest checkpoint.
    pub checkpoint: String,
    /// Checkpoints that witnesses cosigned, the oldest first.
    pub cosigned: Vec<String>,
    /// Changes of the key, the oldest first.
    pub handovers: Vec<Handover>,
    /// The ledger that this one goes on from, as entry 0 states it; not believed before that is verified.
    pub previous: Option<String>,
    /// People whose texts are still being erased, as the folder says.
    pub erasing: BTreeSet<UserId>,
}

/// A change of the key, kept beside the entries so that it outlives their archiving.
#[derive(Debug)]
pub struct Handover {
    /// The entry that says so.
    pub index: u64,
    /// The bytes of that entry.
    pub bytes: Vec<u8>,
    /// The checkpoint over it that both keys signed.
    pub checkpoint: String,
}

impl Handover {
    /// What the entry says, when its bytes have this leaf hash.
    pub fn rotation(&self, leaf: Hash) -> Option<Rotation> {
        if leaf_hash(&self.bytes) != leaf {
            return None;
        }
        match decode_entry(&self.bytes, Vec::new()).ok()?.1.event {
            Event::KeyRotated { old, new, .. } => {
                Some(Rotation { index: self.index, old: old.parse().ok()?, new: new.parse().ok()? })
            }
            _ => None,
        }
    }
}

impl Snapshot {
    /// Opens so many readers of one state of the folder's database.
    pub fn open(folder: &DataFolder, threads: NonZeroUsize) -> Result<Self, Discrepancy> {
        for _ in 0..OPENINGS_MAX {
            let opened: Vec<Connection> =
                (0..=threads.get()).map(|_| connect(folder)).collect::<Result<_, _>>()?;
            // What concerns the ledger comes with an entry, but for lists and what leaves in steps: with as many of each it is
            // the same state.
            let states = opened.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
            if states.windows(2).all(|pair| pair[0] == pair[1]) {
                return Self::of(opened);
            }
        }
        Err(crate::StoreError::damaged("it changes faster than it can be read; stop the server").into())
    }

    fn of(opened: Vec<Connection>) -> Result<Self, Discrepancy> {
        let head = head(opened.first().ok_or(Discrepancy::Nothing)?)?;
        Ok(Self { readers: Mutex::new(opened), head })
    }

    /// One of its connections; it goes back when it is dropped.
    pub(super) fn lend(&self) -> Result<Lent<'_>, Discrepancy> {
        let taken = self.readers.lock().map_or(None, |mut readers| readers.pop());
        let connection = taken.ok_or_else(|| crate::StoreError::damaged("more readers than were opened"))?;
        Ok(Lent { connection: Some(connection), to: &self.readers })
    }

    /// The head, as stored.
    pub const fn head(&self) -> &Head {
        &self.head
    }
}

/// The nodes as they are stored, in order.
pub(super) fn nodes(connection: &Connection) -> Result<Vec<StoredNode>, Discrepancy> {
    let mut statement = connection.prepare("SELECT level, place, hash FROM node ORDER BY level, place")?;
    let rows = statement.query_map(NONE, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
    })?;
    let mut nodes = Vec::new();
    for row in rows {
        let (level, place, hash) = row?;
        let (tile_level, index) = (u8::try_from(level).unwrap_or(u8::MAX), place.unsigned_abs());
        let hash = Hash::from_slice(&hash).map_err(|_| Finding::NodeDiffers { tile_level, index })?;
        nodes.push(StoredNode { tile_level, index, hash });
    }
    Ok(nodes)
}

/// Rows that no part reaches.
pub(super) fn check_outside(connection: &Connection, size: u64) -> Result<(), Discrepancy> {
    let sql = "SELECT seq FROM entry WHERE seq < 0 LIMIT 1";
    if let Some(seq) = connection.query_row(sql, NONE, |row| row.get::<_, i64>(0)).optional()? {
        return Err(Finding::Duplicate { index: seq.unsigned_abs() }.into());
    }
    // A slot below the first is found by who reads the texts; to look for it here would mean to read all of them again.
    let sql = "SELECT seq, slot FROM (SELECT seq, slot FROM entry_text WHERE seq < 0 LIMIT 1)
               UNION ALL SELECT seq, slot FROM (SELECT seq, slot FROM entry_text WHERE seq >= ?1 LIMIT 1)";
    let found: Option<(i64, i64)> =
        connection.query_row(sql, [signed(size)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map_or(Ok(()), |(seq, slot)| Err(text_differs(seq.unsigned_abs(), slot)))
}

fn connect(folder: &DataFolder) -> Result<Connection, Discrepancy> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(folder.database(), flags)?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 40)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let connection = Connection::from(connection);
    schema::check(&connection)?;
    Ok(connection)
}

/// From here on the connection sees one state; answers how many entries it has, how many of them are in lists, and how
/// far they have left it.
fn begin(connection: &Connection) -> Result<(Option<i64>, Option<i64>, String), Discrepancy> {
    connection.execute_batch("BEGIN")?;
    let size = connection.query_row("SELECT size FROM head", NONE, |row| row.get(0)).optional()?;
    let listed = match has_table(connection, "term_head")? {
        true => connection.query_row("SELECT size FROM term_head", NONE, |row| row.get(0)).optional()?,
        false => None,
    };
    let leaving = match has_table(connection, "erasure")? {
        true => connection.query_row(LEAVING, NONE, |row| row.get(0))?,
        false => String::new(),
    };
    Ok((size, listed, leaving))
}

/// How far erased texts and archived entries have left the database.
const LEAVING: &str = "SELECT coalesce(group_concat(step), '') FROM (
    SELECT \"user\" || ':' || next AS step FROM erasure
    UNION ALL SELECT size || ':' || pruned || ':' || coalesce(next_term, '') FROM archive_file)";

/// The people whose texts are still being erased.
fn erasing(connection: &Connection) -> Result<BTreeSet<UserId>, Discrepancy> {
    match has_table(connection, "erasure")? {
        true => Ok(crate::retire::erasing(connection)?.into_iter().collect()),
        false => Ok(BTreeSet::new()),
    }
}

fn head(connection: &Connection) -> Result<Head, Discrepancy> {
    let sql = "SELECT size, edge, CAST(checkpoint AS BLOB) FROM head";
    let head: Option<(i64, Vec<u8>, Vec<u8>)> =
        connection.query_row(sql, NONE, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    let Some((size, edge, checkpoint)) = head else {
        let entries: i64 = connection.query_row("SELECT count(*) FROM entry", NONE, |row| row.get(0))?;
        return Err(match entries {
            0 => Discrepancy::Nothing,
            entries => Finding::HeadDiffers { size: entries.unsigned_abs() }.into(),
        });
    };
    let checkpoint = lossy(&checkpoint);
    let (cosigned, handovers) = (cosigned(connection)?, handovers(connection)?);
    let (previous, erasing) = (previous(connection)?, erasing(connection)?);
    Ok(Head { size: size.unsigned_abs(), edge, checkpoint, cosigned, handovers, previous, erasing })
}

fn previous(connection: &Connection) -> Result<Option<String>, Discrepancy> {
    let sql = "SELECT bytes FROM entry WHERE seq = 0";
    let bytes: Option<Vec<u8>> = connection.query_row(sql, NONE, |row| row.get(0)).optional()?;
    match bytes.and_then(|bytes| decode_entry(&bytes, Vec::new()).ok()).map(|(_, entry)| entry.event) {
        Some(Event::LedgerRecovered { previous, .. }) => Ok(Some(previous)),
        _ => Ok(None),
    }
}

/// What is no text is no checkpoint either, and is found so.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder of an earlier version lacks some tables.
pub(super) fn has_table(connection: &Connection, name: &str) -> Result<bool, Discrepancy> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.query_row(sql, [name], |row| row.get::<_, i64>(0))? > 0)
}

fn cosigned(connection: &Connection) -> Result<Vec<String>, Discrepancy> {
    if !has_table(connection, "cosigned")? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT CAST(note AS BLOB) FROM cosigned ORDER BY size")?;
    let notes = statement.query_map(NONE, |row| Ok(lossy(&row.get::<_, Vec<u8>>(0)?)))?;
    Ok(notes.collect::<Result<_, _>>()?)
}

fn handovers(connection: &Connection) -> Result<Vec<Handover>, Discrepancy> {
    if !has_table(connection, "ledger_key")? {
        return Ok(Vec::new());
    }
    let sql = "SELECT seq, bytes, CAST(checkpoint AS BLOB) FROM ledger_key ORDER BY seq";
    let mut statement = connection.prepare(sql)?;
    let handovers = statement.query_map(NONE, |row| {
        // No entry is where nothing can be: a place below zero is that of none.
        let (index, bytes) = (u64::try_from(row.get::<_, i64>(0)?).unwrap_or(u64::MAX), row.get(1)?);
        Ok(Handover { index, bytes, checkpoint: lossy(&row.get::<_, Vec<u8>>(2)?) })
    })?;
    Ok(handovers.collect::<Result<_, _>>()?)
}

impl Source for Snapshot {
    fn size(&self) -> u64 {
        self.head.size
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        Ok(Box::new(Reader::new(self.lend()?, Wanted::Whole, self.head.size)))
    }
}

/// The same entries without what searches go by, which says nothing of the ledger itself.
pub(super) struct EntriesOnly<'s>(pub(super) &'s Snapshot);

impl Source for EntriesOnly<'_> {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn reader(&self) -> Result<Box<dyn PartReader + '_>, Discrepancy> {
        Ok(Box::new(Reader::new(self.0.lend()?, Wanted::NoColumns, self.0.head.size)))
    }
}

/// A connection that goes back when its reader is done.
pub(super) struct Lent<'s> {
    connection: Option<Connection>,
    to: &'s Mutex<Vec<Connection>>,
}

impl Lent<'_> {
    pub(super) fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("it is taken out when this is dropped, and not before")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let (Some(connection), Ok(mut to)) = (self.connection.take(), self.to.lock()) {
            to.push(connection);
        }
    }
}
