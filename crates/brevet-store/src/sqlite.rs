//! Opening SQLite with settings that are read back: a setting that did not take stops the start.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;

/// 3.51.3: earlier versions can corrupt a write-ahead log when it is reset.
const VERSION_MIN: i32 = 3_051_003;
/// How long a connection waits for another one, as in [`SETTINGS`].
pub(crate) const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
/// Statements kept compiled for each connection.
const STATEMENTS_MAX: usize = 64;
/// Pages of 4 KiB that a connection keeps: 64 MiB.
const CACHE_KIB: i64 = 65_536;

/// Settings of every connection, as they are set and as they must read back.
const SETTINGS: [(&str, &str, &str); 7] = [
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    ("trusted_schema", "OFF", "0"),
    ("cell_size_check", "ON", "1"),
    // What is erased is overwritten, not only left out.
    ("secure_delete", "ON", "1"),
    ("busy_timeout", "5000", "5000"),
];

pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    for (name, value, wanted) in SETTINGS {
        connection.pragma_update(None, name, value)?;
        assert_setting(&connection, name, wanted)?;
    }
    // Only this process writes; keeping the lock saves a system call or two for each transaction, and
    // makes a second writer fail at once.
    Ok(connection)
}

pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    assert_setting(&connection, "query_only", "1")?;
    assert_setting(&connection, "trusted_schema", "0")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < VERSION_MIN {
        return Err(StoreError::SqliteVersion { found: rusqlite::version().to_owned() });
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn assert_setting(
    connection: &Connection,
    name: &'static str,
    wanted: &'static str,
) -> Result<(), StoreError> {
    let found: String = connection.pragma_query_value(None, name, |row| {
        let value: rusqlite::types::Value = row.get(0)?;
        Ok(match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        })
    })?;
    match found == wanted {
        true => Ok(()),
        false => Err(StoreError::Setting { name, found, wanted }),
    }
}
