//! What the tree costs a durable append: the same rows with leaf hashes, stored nodes, right edge and signed
//! checkpoint, beside the same rows without.

use brevet_ledger::{Checkpoint, KeyName, Origin, RightEdge, SigningKey, leaf_hash};
use rusqlite::{Connection, Transaction, params};

use super::Outcome;
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
    Line {
        what: format!("append with tree and checkpoint, {BATCH_ENTRIES} a transaction"),
        limit_is: "the same rows without",
        unit: Unit::PerSecond,
        ours: entries / median(with),
        limit: entries / median(without),
        bar: Bar::AtLeast(RATIO_MIN),
    }
    .print();
    Ok(())
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
