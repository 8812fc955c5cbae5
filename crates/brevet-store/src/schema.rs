//! Tables, and the one way they change: forward.
//!
//! Times are microseconds, ids are their numbers, bodies are deterministic CBOR of the core's types.

use crate::engine::{Begin, Connection, NONE, OptionalExtension as _};

use crate::error::{StoreError, writing};

/// Each step makes version N+1 of version N. A step that has shipped never changes.
const STEPS: &[&str] = &[FIRST, SINKS, COSIGNED, TERMS, ARCHIVES, KEYS, LEAVING, SERVERS, RECORDINGS];

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
    CREATE TABLE \"authorization\" (
        id      INTEGER PRIMARY KEY,
        holder  INTEGER NOT NULL,
        state   INTEGER NOT NULL,
        request INTEGER NOT NULL,
        body    BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX authorization_by_state  ON \"authorization\" (state, id);
    CREATE INDEX authorization_by_holder ON \"authorization\" (holder, id);
    CREATE TABLE execution (
        id      INTEGER PRIMARY KEY,
        \"user\"    INTEGER NOT NULL,
        state   INTEGER NOT NULL,
        request INTEGER,
        body    BLOB    NOT NULL
    ) STRICT;
    CREATE INDEX execution_by_state ON execution (state, id);
    CREATE INDEX execution_by_user  ON execution (\"user\", id);

    -- What must not be in the ledger at all.
    CREATE TABLE credential (
        \"user\"         INTEGER PRIMARY KEY,
        password     TEXT,
        code_hash    BLOB,
        code_expires INTEGER
    ) STRICT;
    CREATE TABLE session (
        id      INTEGER PRIMARY KEY,
        hash    BLOB    NOT NULL UNIQUE,
        \"user\"    INTEGER NOT NULL,
        opened  INTEGER NOT NULL,
        seen    INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE idempotency (
        \"user\"        INTEGER NOT NULL,
        key         TEXT    NOT NULL,
        fingerprint BLOB    NOT NULL,
        reply       TEXT    NOT NULL,
        at          INTEGER NOT NULL,
        PRIMARY KEY (\"user\", key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_by_time ON idempotency (at);
";

/// How far each sink has come.
const SINKS: &str = "
    CREATE TABLE sink (
        name     TEXT    PRIMARY KEY,
        position INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

const COSIGNED: &str = "
    -- Checkpoints that enough witnesses signed: they date the entries between them.
    CREATE TABLE cosigned (
        size INTEGER PRIMARY KEY,
        note TEXT    NOT NULL
    ) STRICT;
";

/// What searches go by, in place of the two indexes that named their kinds and actors in every row. The lists are
/// filled when the store is opened, as far as they are not.
const TERMS: &str = "
    CREATE TABLE term (
        id   INTEGER PRIMARY KEY,
        word TEXT    NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE entry_term (
        term   INTEGER NOT NULL,
        block  INTEGER NOT NULL,
        places BLOB    NOT NULL,
        PRIMARY KEY (term, block)
    ) STRICT, WITHOUT ROWID;
    -- How many entries are in the lists.
    CREATE TABLE term_head (
        one  INTEGER PRIMARY KEY CHECK (one = 1),
        size INTEGER NOT NULL
    ) STRICT;
    INSERT INTO term_head (one, size) VALUES (1, 0);
    DROP INDEX entry_by_kind;
    DROP INDEX entry_by_actor;
";

const ARCHIVES: &str = "
    -- Files that old entries have moved to.
    CREATE TABLE archive_file (
        size   INTEGER PRIMARY KEY,
        first  INTEGER NOT NULL,
        name   TEXT    NOT NULL,
        digest BLOB    NOT NULL,
        pruned INTEGER NOT NULL
    ) STRICT;
";

/// Every change of the signing key: the entry, and the checkpoint over it that both keys signed.
const KEYS: &str = "
    CREATE TABLE ledger_key (
        seq        INTEGER PRIMARY KEY,
        bytes      BLOB    NOT NULL,
        checkpoint TEXT    NOT NULL
    ) STRICT;
";

/// How far has come what leaves the database in steps: the texts of a person, and the lists of archived entries.
const LEAVING: &str = "
    -- People of whom an entry says that their texts are gone, and whose texts beside the entries from `next` to
    -- `until` are still here.
    CREATE TABLE erasure (
        \"user\"  INTEGER PRIMARY KEY,
        next  INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT;
    -- The first term whose list may still have entries of the file. NULL before its entries have left, and after
    -- they have left all lists.
    ALTER TABLE archive_file ADD COLUMN next_term INTEGER;
";

/// What several servers say of themselves beside the ledger: which of them are there, the ledger says.
const SERVERS: &str = "
    -- How often each gave a sign of life, and the mark of the batch that it wrote last.
    CREATE TABLE server (
        id    INTEGER PRIMARY KEY,
        beats INTEGER NOT NULL,
        batch BLOB
    ) STRICT;
";

/// What runs wrote, for the other servers of a database that several reach; empty where the database is a file.
const RECORDINGS: &str = "
    -- The bytes of a recording from `place` on. All pieces of a run that is over, put together, have the digest that the
    -- ledger holds.
    CREATE TABLE recording (
        execution INTEGER NOT NULL,
        place     INTEGER NOT NULL,
        bytes     BLOB    NOT NULL,
        PRIMARY KEY (execution, place)
    ) STRICT, WITHOUT ROWID;
";

/// The version that this code writes.
pub(crate) fn version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Whether a table is still as the first step makes it, by the statement that SQLite keeps of it, word for word.
pub(crate) fn is_as_first(statement: &str) -> bool {
    FIRST.contains(&format!("{statement};"))
}

/// Refuses what a newer Brevet wrote, unless it says that this one can still read and write it: servers that share a ledger
/// are upgraded one after the other. Says which version it has.
pub(crate) fn check(connection: &Connection) -> Result<usize, StoreError> {
    let (found, since) = match connection.sqlite() {
        Some(sqlite) => {
            sqlite.pragma_query_value(None, "user_version", |row| Ok((row.get(0)?, row.get(0)?)))?
        }
        None => connection
            .query_row(POSTGRES_VERSION, NONE, |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .unwrap_or((0, 0)),
    };
    match usize::try_from(found) {
        Ok(done) if found <= version() || since <= version() => Ok(done),
        Err(_) if found < 0 => Err(StoreError::MovedAway),
        _ => Err(StoreError::Newer { found, known: version() }),
    }
}

/// Brings the tables to the newest version, each step in a transaction of its own.
pub(crate) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    if connection.sqlite().is_none() {
        connection.execute_batch(POSTGRES_VERSIONS).map_err(writing)?;
    }
    let done = check(connection)?;
    for (version, step) in (1_i64..).zip(STEPS).skip(done) {
        let transaction = connection.begin(Begin::Write).map_err(writing)?;
        match transaction.sqlite() {
            Some(sqlite) => {
                sqlite.execute_batch(step).map_err(writing)?;
                sqlite.pragma_update(None, "user_version", version).map_err(writing)?;
            }
            None => {
                transaction.execute_batch(&for_postgres(step)).map_err(writing)?;
                let sql = "UPDATE schema_version SET version = ?1, since = ?2";
                transaction.execute(sql, [version, version.min(SINCE)]).map_err(writing)?;
            }
        }
        transaction.commit().map_err(writing)?;
    }
    Ok(())
}

/// Lets no server go on with a ledger that is elsewhere now.
pub(crate) fn mark_moved(postgres: &Connection) -> Result<(), StoreError> {
    let sql = "UPDATE schema_version SET version = -version WHERE version > 0";
    postgres.execute(sql, NONE).map(drop).map_err(writing)
}

/// The oldest version whose code goes on with what this one writes. A step that only adds what others need not know leaves
/// it as it is.
const SINCE: i64 = 9;

const POSTGRES_VERSION: &str = "SELECT version, since FROM schema_version WHERE one = 1";
const POSTGRES_VERSIONS: &str = "
    CREATE TABLE IF NOT EXISTS schema_version (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL,
        since BIGINT NOT NULL);
    INSERT INTO schema_version (one, version, since) VALUES (1, 0, 0) ON CONFLICT DO NOTHING;";

/// A step as PostgreSQL has it: its own names of the types, texts in the order of their bytes, and tables that are neither
/// strict nor without row numbers because there all of them are.
fn for_postgres(step: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        (
            "id   INTEGER PRIMARY KEY,\n        word",
            "id   BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,\n        word",
        ),
        ("INTEGER", "BIGINT"),
        ("BLOB", "BYTEA"),
        ("TEXT", "TEXT COLLATE \"C\""),
        (") STRICT, WITHOUT ROWID", ")"),
        (") STRICT", ")"),
    ];
    WORDS.iter().fold(step.to_owned(), |step, (sqlite, postgres)| step.replace(sqlite, postgres))
}
