//! Which ledgers are watched: their origins, and the keys that are trusted to sign for them. May change while the
//! witness runs.

use std::path::Path;

use brevet_ledger::{KeyType, Origin, VerifierKey};
use rusqlite::{Connection, TransactionBehavior, params};

use super::error::WitnessError;
use super::{read, tables};
use crate::error::writing;
use crate::row::signed;
use crate::sqlite;

/// Keys that are watched at most.
pub(super) const WATCHED_MAX: u32 = 1_024;

/// A key that is trusted to sign checkpoints of a ledger. While a ledger changes its key it has two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Which ledger.
    pub origin: String,
    /// Its public key, as text.
    pub key: String,
    /// When it was added: seconds since 1970 UTC.
    pub added: u64,
}

/// The list of ledgers of a witness, to change it beside the running witness.
#[derive(Debug)]
pub struct WitnessLedgers {
    connection: Connection,
}

impl WitnessLedgers {
    /// Opens the list of the witness in this folder.
    ///
    /// # Errors
    /// [`WitnessError::Missing`] where there is no witness; others.
    pub fn visit(path: &Path) -> Result<Self, WitnessError> {
        let folder = read::visit(path)?;
        let mut connection = sqlite::open_writer(&tables::database(&folder))?;
        tables::migrate(&mut connection)?;
        Ok(Self { connection })
    }

    /// Trusts a key for a ledger from now on, beside those that are trusted already; false where it was trusted.
    ///
    /// # Errors
    /// [`WitnessError::NotALedger`] for the key of a witness; [`WitnessError::TooMany`]; others.
    pub fn add(&mut self, origin: &Origin, key: &VerifierKey, now: u64) -> Result<bool, WitnessError> {
        if key.key_type() != KeyType::Ed25519 {
            return Err(WitnessError::NotALedger { name: key.name().to_string() });
        }
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
        let watched: u32 = transaction.query_row("SELECT count(*) FROM watched", [], |row| row.get(0))?;
        if watched >= WATCHED_MAX {
            return Err(WitnessError::TooMany);
        }
        let sql = "INSERT INTO watched (origin, key, added) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
        let values = params![origin.as_str(), key.to_string(), signed(now)];
        let added = transaction.execute(sql, values).map_err(writing)?;
        transaction.commit().map_err(writing)?;
        Ok(added == 1)
    }

    /// Trusts a key, or all keys of a ledger named by its origin, no longer; answers those that were trusted. What was
    /// seen of the ledger stays: should it be watched again, it must continue there.
    ///
    /// # Errors
    /// [`WitnessError::NotWatched`]; others.
    pub fn remove(&mut self, given: &str) -> Result<Vec<Watched>, WitnessError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(writing)?;
        let is_meant = |watched: &Watched| watched.origin == given || watched.key == given;
        let meant: Vec<Watched> = all(&transaction)?.into_iter().filter(is_meant).collect();
        if meant.is_empty() {
            return Err(WitnessError::NotWatched { given: given.to_owned() });
        }
        for Watched { origin, key, added: _ } in &meant {
            let sql = "DELETE FROM watched WHERE origin = ?1 AND key = ?2";
            transaction.execute(sql, params![origin, key]).map_err(writing)?;
        }
        transaction.commit().map_err(writing)?;
        Ok(meant)
    }
}

/// Every key that is trusted, by ledger.
pub(super) fn all(connection: &Connection) -> Result<Vec<Watched>, WitnessError> {
    let mut statement =
        connection.prepare_cached("SELECT origin, key, added FROM watched ORDER BY origin, added, key")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let added = row.get::<_, i64>(2)?.unsigned_abs();
        found.push(Watched { origin: row.get(0)?, key: row.get(1)?, added });
    }
    Ok(found)
}
