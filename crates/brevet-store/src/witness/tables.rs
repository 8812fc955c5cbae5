//! The tables of a witness, and the one way they change: forward. Times are seconds since 1970 UTC.

use std::path::{Path, PathBuf};

use brevet_ledger::VerifierKey;
use rusqlite::{Connection, OptionalExtension as _};

use super::error::WitnessError;
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;

/// The database, in the witness's folder.
pub(super) const DATABASE: &str = "witness.db";

/// Each step makes version N+1 of version N. A step that has shipped never changes.
const STEPS: &[&str] = &[FIRST];

/// The triggers say once more, to whatever may ever write here, what a witness never does.
const FIRST: &str = "
    -- Whose memory this is.
    CREATE TABLE witness (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        key TEXT    NOT NULL
    ) STRICT;
    -- The keys that are trusted, by ledger.
    CREATE TABLE watched (
        origin TEXT    NOT NULL,
        key    TEXT    NOT NULL,
        added  INTEGER NOT NULL,
        PRIMARY KEY (origin, key)
    ) STRICT, WITHOUT ROWID;
    -- The largest checkpoint of each ledger that was cosigned. It stays when the ledger is not watched any more.
    CREATE TABLE seen (
        origin TEXT    PRIMARY KEY,
        size   INTEGER NOT NULL CHECK (size >= 0),
        root   BLOB    NOT NULL CHECK (length(root) = 32),
        time   INTEGER NOT NULL CHECK (time > 0),
        note   TEXT    NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER seen_never_goes_back BEFORE UPDATE ON seen
    WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR NEW.time < OLD.time
         OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
    BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
    CREATE TRIGGER seen_never_goes_away BEFORE DELETE ON seen
    BEGIN SELECT RAISE(ABORT, 'a witness never forgets'); END;
    CREATE TABLE evidence (
        id       INTEGER PRIMARY KEY,
        origin   TEXT    NOT NULL,
        kind     TEXT    NOT NULL,
        time     INTEGER NOT NULL,
        size     INTEGER NOT NULL,
        root     BLOB    NOT NULL,
        texts    BLOB    NOT NULL,
        cosigned TEXT,
        sent     TEXT    NOT NULL,
        UNIQUE (origin, kind, texts)
    ) STRICT;
";

/// Where the database is.
pub(super) fn database(folder: &DataFolder) -> PathBuf {
    folder.path().join(DATABASE)
}

/// Refuses a file that a newer Brevet wrote; says which version it has.
pub(super) fn check(connection: &Connection) -> Result<usize, StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match usize::try_from(found) {
        Ok(done) if done <= STEPS.len() => Ok(done),
        _ => Err(StoreError::Newer { found, known: i64::try_from(STEPS.len()).unwrap_or(i64::MAX) }),
    }
}

/// Brings the tables to the newest version, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let done = check(connection)?;
    for (version, step) in (1_i64..).zip(STEPS).skip(done) {
        let transaction = connection.transaction().map_err(writing)?;
        transaction.execute_batch(step).map_err(writing)?;
        transaction.pragma_update(None, "user_version", version).map_err(writing)?;
        transaction.commit().map_err(writing)?;
    }
    Ok(())
}

/// Writes down whose memory this will be, as long as nothing is in it.
pub(super) fn take_key(connection: &Connection, key: &VerifierKey) -> Result<(), WitnessError> {
    let sql = "INSERT INTO witness (one, key) SELECT 1, ?1 WHERE NOT EXISTS (SELECT 1 FROM seen)
               ON CONFLICT (one) DO UPDATE SET key = excluded.key";
    connection.execute(sql, [key.to_string()]).map(drop).map_err(writing)?;
    Ok(())
}

/// Checks that this is the memory of this key.
pub(super) fn check_key(connection: &Connection, key: &VerifierKey, path: &Path) -> Result<(), WitnessError> {
    let sql = "SELECT key FROM witness";
    let remembered: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    match remembered {
        Some(remembered) if remembered == key.to_string() => Ok(()),
        Some(remembered) => Err(WitnessError::OtherKey { remembered }),
        None => Err(WitnessError::Forgotten { path: path.to_owned() }),
    }
}
