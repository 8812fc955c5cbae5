//! Tables, and the one way they change: forward.
//!
//! Times are microseconds, ids are their numbers, bodies are deterministic CBOR of the core's types.

use rusqlite::Connection;

use crate::error::{StoreError, writing};

/// Each step makes version N+1 of version N. A step that has shipped never changes.
const STEPS: &[&str] = &[FIRST];

const FIRST: &str = "
    -- The ledger.
    CREATE TABLE head (
        one        INTEGER PRIMARY KEY CHECK (one = 1),
        size       INTEGER NOT NULL,
        edge       BLOB    NOT NULL,
        checkpoint TEXT    NOT NULL,
        counters   BLOB    NOT NULL
    ) STRICT;
    CREATE TABLE entry (
        seq     INTEGER PRIMARY KEY,
        kind    TEXT    NOT NULL,
        actor   TEXT    NOT NULL,
        request INTEGER,
        leaf    BLOB    NOT NULL,
        bytes   BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX entry_by_kind    ON entry (kind, seq);
    CREATE INDEX entry_by_actor   ON entry (actor, seq);
    CREATE INDEX entry_by_request ON entry (request, seq) WHERE request IS NOT NULL;
    CREATE TABLE entry_text (
        seq   INTEGER NOT NULL,
        slot  INTEGER NOT NULL,
        salt  BLOB    NOT NULL,
        value TEXT    NOT NULL,
        PRIMARY KEY (seq, slot)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE node (
        level INTEGER NOT NULL,
        place INTEGER NOT NULL,
        hash  BLOB    NOT NULL,
        PRIMARY KEY (level, place)
    ) STRICT, WITHOUT ROWID;

    -- What the entries add up to.
    CREATE TABLE object (
        kind  TEXT    NOT NULL,
        id    INTEGER NOT NULL,
        body  BLOB    NOT NULL,
        text1 TEXT,
        text2 TEXT,
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE request (
        id        INTEGER PRIMARY KEY,
        requester INTEGER NOT NULL,
        state     INTEGER NOT NULL,
        first_seq INTEGER NOT NULL,
        body      BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX request_by_state     ON request (state, id);
    CREATE INDEX request_by_requester ON request (requester, id);
    CREATE TABLE authorization (
        id      INTEGER PRIMARY KEY,
        holder  INTEGER NOT NULL,
        state   INTEGER NOT NULL,
        request INTEGER NOT NULL,
        body    BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX authorization_by_state  ON authorization (state, id);
    CREATE INDEX authorization_by_holder ON authorization (holder, id);
    CREATE TABLE execution (
        id      INTEGER PRIMARY KEY,
        user    INTEGER NOT NULL,
        state   INTEGER NOT NULL,
        request INTEGER,
        body    BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX execution_by_state ON execution (state, id);
    CREATE INDEX execution_by_user  ON execution (user, id);

    -- What must not be in the ledger at all.
    CREATE TABLE credential (
        user         INTEGER PRIMARY KEY,
        password     TEXT,
        code_hash    BLOB,
        code_expires INTEGER
    ) STRICT;
    CREATE TABLE session (
        id      INTEGER PRIMARY KEY,
        hash    BLOB    NOT NULL UNIQUE,
        user    INTEGER NOT NULL,
        opened  INTEGER NOT NULL,
        seen    INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE idempotency (
        user        INTEGER NOT NULL,
        key         TEXT    NOT NULL,
        fingerprint BLOB    NOT NULL,
        reply       TEXT    NOT NULL,
        at          INTEGER NOT NULL,
        PRIMARY KEY (user, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_by_time ON idempotency (at);
";

/// The version that this code writes.
pub(crate) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Refuses a file that a newer Brevet wrote; says which version it has.
pub(crate) fn check(connection: &Connection) -> Result<usize, StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match usize::try_from(found) {
        Ok(done) if found <= version() => Ok(done),
        _ => Err(StoreError::Newer { found, known: version() }),
    }
}

/// Brings the tables to the newest version, each step in a transaction of its own.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let done = check(connection)?;
    for (version, step) in (1_i64..).zip(STEPS).skip(done) {
        let transaction = connection.transaction().map_err(writing)?;
        transaction.execute_batch(step).map_err(writing)?;
        transaction.pragma_update(None, "user_version", version).map_err(writing)?;
        transaction.commit().map_err(writing)?;
    }
    Ok(())
}
