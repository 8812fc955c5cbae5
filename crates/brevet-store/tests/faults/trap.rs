//! Makes a database fail at the n-th row that a transaction writes, or at its commit.

use crate::engine::Home;

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// The statement is refused.
    Refused,
    /// There is no room. On SQLite only.
    Full,
    /// The connection ends. On PostgreSQL only.
    Ended,
}

/// What is in the way until it is taken away again.
pub(crate) struct Trap<'h, 'e> {
    home: &'h Home<'e>,
}

/// A table can have no more rows once it had the largest number.
const IN_FILE: &str = "
    CREATE TABLE fault (rest INTEGER NOT NULL, how TEXT NOT NULL);
    INSERT INTO fault VALUES (0, '');
    CREATE TABLE fault_full (id INTEGER PRIMARY KEY AUTOINCREMENT);
    INSERT INTO fault_full VALUES (9223372036854775807);
    CREATE TABLE fault_parent (id INTEGER PRIMARY KEY);
    CREATE TABLE fault_child (id INTEGER REFERENCES fault_parent (id) DEFERRABLE INITIALLY DEFERRED);";
const FALL_IN_FILE: &str = "
    UPDATE fault SET rest = rest - 1;
    SELECT RAISE(ABORT, 'fault') FROM fault WHERE rest = 0 AND how = 'Refused';
    INSERT INTO fault_full (id) SELECT NULL FROM fault WHERE rest = 0 AND how = 'Full';
    INSERT INTO fault_child SELECT 7 FROM fault WHERE how LIKE 'commit%';";
const TABLES: [&str; 21] = [
    "entry",
    "entry_text",
    "node",
    "head",
    "ledger_key",
    "cosigned",
    "archive_file",
    "object",
    "request",
    "authorization",
    "execution",
    "recording",
    "credential",
    "session",
    "idempotency",
    "erasure",
    "sink",
    "server",
    "term",
    "entry_term",
    "term_head",
];
const ELSEWHERE: &str = "
    CREATE TABLE fault (rest BIGINT NOT NULL, how TEXT NOT NULL);
    INSERT INTO fault VALUES (0, '');
    CREATE FUNCTION fall() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE now fault;
    BEGIN
        UPDATE fault SET rest = rest - 1 RETURNING * INTO now;
        IF now.rest = 0 AND now.how = 'Refused' THEN RAISE EXCEPTION 'fault'; END IF;
        IF now.rest = 0 AND now.how = 'Ended' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END $$;
    CREATE FUNCTION fall_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE now fault;
    BEGIN
        SELECT * INTO now FROM fault;
        IF now.how = 'commit Refused' THEN RAISE EXCEPTION 'fault'; END IF;
        IF now.how = 'commit Ended' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NULL;
    END $$;";

impl<'h, 'e> Trap<'h, 'e> {
    /// Sets it, and lets everything pass.
    pub(crate) fn set(home: &'h Home<'e>) -> Self {
        let mut sql = String::from(if home.elsewhere.is_some() { ELSEWHERE } else { IN_FILE });
        for table in TABLES {
            if home.elsewhere.is_some() {
                sql += &format!(
                    "CREATE TRIGGER fault BEFORE INSERT OR UPDATE OR DELETE ON \"{table}\" FOR EACH ROW EXECUTE FUNCTION fall();
                     CREATE CONSTRAINT TRIGGER fault_at_commit AFTER INSERT OR UPDATE OR DELETE ON \"{table}\"
                         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fall_at_commit();"
                );
                continue;
            }
            for event in ["INSERT", "UPDATE", "DELETE"] {
                sql += &format!(
                    "CREATE TRIGGER fault_{table}_{event} BEFORE {event} ON \"{table}\" BEGIN {FALL_IN_FILE} END;"
                );
            }
        }
        home.sql(&sql);
        Self { home }
    }

    /// Fails at the n-th row, from 1.
    pub(crate) fn at_row(&self, row: usize, how: How) {
        self.home.sql(&format!("UPDATE fault SET rest = {row}, how = '{how:?}'"));
    }

    /// Fails at the commit.
    pub(crate) fn at_commit(&self, how: How) {
        self.home.sql(&format!("UPDATE fault SET rest = 0, how = 'commit {how:?}'"));
    }

    /// Lets everything pass.
    pub(crate) fn open(&self) {
        self.home.sql("UPDATE fault SET rest = 0, how = ''");
    }

    /// Takes it away.
    pub(crate) fn remove(self) {
        let mut sql = String::new();
        match self.home.elsewhere {
            Some(_) => sql += "DROP FUNCTION fall, fall_at_commit CASCADE; DROP TABLE fault;",
            None => {
                for (table, event) in
                    TABLES.iter().flat_map(|table| ["INSERT", "UPDATE", "DELETE"].map(|event| (table, event)))
                {
                    sql += &format!("DROP TRIGGER fault_{table}_{event};");
                }
                sql += "DROP TABLE fault_child; DROP TABLE fault_parent; DROP TABLE fault_full; DROP TABLE fault;";
            }
        }
        self.home.sql(&sql);
    }
}
