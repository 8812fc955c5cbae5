//! What the tree costs a durable append. First the same rows with leaf hashes, stored nodes, right edge and signed
//! checkpoint, beside the same rows without; then the store's own append, beside itself less that difference.

use brevet_ledger::{Checkpoint, KeyName, Origin, RightEdge, SigningKey, leaf_hash};
use rusqlite::{Connection, Transaction, params};

use super::Outcome;
use super::history::Historian;
use super::measure::{Sizes, float, folder, median, seconds};
use super::table::{Bar, Line, Unit};

type Failure = Box<dyn std::error::Error>;

/// Of the appends without a tree.
const RATIO_MIN: f64 = 0.9;
/// Entries of one transaction, as 64 callers make it.
const BATCH_ENTRIES: u64 = 64;
/// Transactions of one round.
const BATCHES: u64 = 200;
/// What an entry is long.
const ENTRY_BYTES: usize = 300;

const TABLES: &str = "
    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE node (level INTEGER, place INTEGER, hash BLOB, PRIMARY KEY (level, place)) STRICT, WITHOUT ROWID;
    CREATE TABLE head (one INTEGER PRIMARY KEY, size INTEGER, edge BLOB, checkpoint TEXT) STRICT;
    INSERT INTO head VALUES (1, 0, x'', '');";

pub(crate) fn measure(sizes: &Sizes) -> Outcome {
    let place = folder()?;
    let mut bare = Ledger::open(&place.path().join("bare.db"), false)?;
    let mut tree = Ledger::open(&place.path().join("tree.db"), true)?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        let (took, done) = seconds(|| bare.append_all());
        done?;
        without.push(took);
        let (took, done) = seconds(|| tree.append_all());
        done?;
        with.push(took);
    }
    let entries = float(BATCH_ENTRIES * BATCHES);
    let (with, without) = (median(with) / entries, median(without) / entries);
    line(
        "rows with tree and checkpoint, 64 a transaction",
        with,
        without,
        "the same rows without",
        Bar::None,
    );
    let real = real_append(sizes)?;
    let bare = real - (with - without);
    let limit_is = "the same less what tree and checkpoint cost above";
    line("append of Brevet's store, 64 a transaction", real, bare, limit_is, Bar::AtLeast(RATIO_MIN));
    Ok(())
}

fn line(what: &str, ours: f64, limit: f64, limit_is: &'static str, bar: Bar) {
    Line {
        what: what.to_owned(),
        limit_is,
        unit: Unit::PerSecond,
        ours: 1.0 / ours,
        limit: 1.0 / limit,
        bar,
    }
    .print();
}

/// Seconds for one entry of requests, decisions and runs, with everything that is written for it.
fn real_append(sizes: &Sizes) -> Result<f64, Failure> {
    let place = folder()?;
    let mut historian = Historian::open(place.path(), 10_000)?;
    historian.batch(usize::try_from(BATCH_ENTRIES)?);
    let mut times = Vec::new();
    for _ in 0..sizes.rounds {
        let before = historian.entries();
        let enough = before + BATCH_ENTRIES * BATCHES / 4;
        let (took, written) = seconds(|| historian.write_until(|history| history.entries() >= enough));
        written?;
        times.push(took / float(historian.entries() - before));
    }
    Ok(median(times))
}

struct Ledger {
    connection: Connection,
    edge: RightEdge,
    key: Option<SigningKey>,
    size: u64,
}

impl Ledger {
    fn open(path: &std::path::Path, has_tree: bool) -> Result<Self, Failure> {
        let connection = Connection::open(path)?;
        connection.execute_batch(TABLES)?;
        let key = match has_tree {
            true => Some(SigningKey::from_seed(KeyName::parse("bench.example/ledger")?, &[7; 32])),
            false => None,
        };
        Ok(Self { connection, edge: RightEdge::new(), key, size: 0 })
    }

    fn append_all(&mut self) -> Outcome {
        (0..BATCHES).try_for_each(|_| self.append())
    }

    fn append(&mut self) -> Outcome {
        let transaction = self.connection.transaction()?;
        let mut edge = self.edge.clone();
        for _ in 0..BATCH_ENTRIES {
            let mut bytes = [0x5a; ENTRY_BYTES];
            bytes[..8].copy_from_slice(&self.size.to_be_bytes());
            let leaf = self.key.is_some().then(|| leaf_hash(&bytes));
            let mut insert =
                transaction.prepare_cached("INSERT INTO entry (seq, leaf, bytes) VALUES (?1, ?2, ?3)")?;
            let hash = leaf.as_ref().map(|leaf| leaf.as_bytes().as_slice());
            insert.execute(params![i64::try_from(self.size)?, hash, bytes.as_slice()])?;
            if let Some(leaf) = leaf {
                for node in edge.append(leaf) {
                    let mut insert = transaction
                        .prepare_cached("INSERT INTO node (level, place, hash) VALUES (?1, ?2, ?3)")?;
                    let place = i64::try_from(node.index)?;
                    insert.execute(params![node.tile_level, place, node.hash.as_bytes()])?;
                }
            }
            self.size += 1;
        }
        write_head(&transaction, self.size, &edge, self.key.as_ref())?;
        transaction.commit()?;
        self.edge = edge;
        Ok(())
    }
}

fn write_head(
    transaction: &Transaction<'_>,
    size: u64,
    edge: &RightEdge,
    key: Option<&SigningKey>,
) -> Outcome {
    let size = i64::try_from(size)?;
    let Some(key) = key else {
        transaction.prepare_cached("UPDATE head SET size = ?1")?.execute([size])?;
        return Ok(());
    };
    let origin = Origin::parse("bench.example/ledger")?;
    let checkpoint = Checkpoint::new(origin, edge.size(), edge.root()).sign(key)?.to_string();
    let mut update = transaction.prepare_cached("UPDATE head SET size = ?1, edge = ?2, checkpoint = ?3")?;
    update.execute(params![size, edge.to_bytes(), checkpoint])?;
    Ok(())
}
