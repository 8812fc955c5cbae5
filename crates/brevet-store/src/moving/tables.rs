//! Every table of a ledger's database, column by column, as both databases have it.

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its primary key first.
    pub(super) columns: &'static [&'static str],
    /// How many of the columns are the primary key.
    pub(super) key: usize,
}

const fn table(name: &'static str, key: usize, columns: &'static [&'static str]) -> Table {
    Table { name, columns, key }
}

/// All of them. A table that is not here is not moved, which a test refuses.
pub(super) const TABLES: &[Table] = &[
    table("entry", 1, &["seq", "kind", "actor", "request", "leaf", "bytes"]),
    table("entry_text", 2, &["seq", "slot", "salt", "value"]),
    table("node", 2, &["level", "place", "hash"]),
    table("head", 1, &["one", "size", "edge", "checkpoint", "counters"]),
    table("ledger_key", 1, &["seq", "bytes", "checkpoint"]),
    table("cosigned", 1, &["size", "note"]),
    table("archive_file", 1, &["size", "first", "name", "digest", "pruned", "next_term"]),
    table("object", 2, &["kind", "id", "body", "text1", "text2"]),
    table("request", 1, &["id", "requester", "state", "first_seq", "body"]),
    table("authorization", 1, &["id", "holder", "state", "request", "body"]),
    table("execution", 1, &["id", "user", "state", "request", "body"]),
    table("recording", 2, &["execution", "place", "bytes"]),
    table("credential", 1, &["user", "password", "code_hash", "code_expires"]),
    table("session", 1, &["id", "hash", "user", "opened", "seen"]),
    table("idempotency", 2, &["user", "key", "fingerprint", "reply", "at"]),
    table("erasure", 1, &["user", "next", "until"]),
    table("sink", 1, &["name", "position"]),
    table("server", 1, &["id", "beats", "batch"]),
    table("term", 1, &["id", "word"]),
    table("entry_term", 2, &["term", "block", "places"]),
    table("term_head", 1, &["one", "size"]),
];

impl Table {
    /// Its rows in the order of the key, `?1` at most, from the first or from behind a key on.
    pub(super) fn page(&self, from_the_first: bool) -> String {
        let (columns, keys) = (listed(self.columns), listed(&self.columns[..self.key]));
        let behind = match from_the_first {
            true => String::new(),
            false => format!("WHERE ({keys}) > ({}) ", numbered(2, self.key)),
        };
        format!("SELECT {columns} FROM \"{}\" {behind}ORDER BY {keys} LIMIT ?1", self.name)
    }

    /// Puts so many rows into it. `how` stands in front of the values.
    pub(super) fn insert(&self, how: &str, rows: usize) -> String {
        let width = self.columns.len();
        let rows: Vec<String> =
            (0..rows).map(|row| format!("({})", numbered(row * width + 1, width))).collect();
        format!("INSERT INTO \"{}\" ({}) {how} VALUES {}", self.name, listed(self.columns), rows.join(", "))
    }
}

fn listed(columns: &[&str]) -> String {
    columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ")
}

fn numbered(from: usize, count: usize) -> String {
    (from..from + count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::TABLES;
    use crate::engine::{Connection, NONE};
    use crate::schema;

    #[test]
    fn no_table_and_no_column_is_left_behind() {
        let database = Connection::from(rusqlite::Connection::open_in_memory().unwrap());
        schema::migrate(&database).unwrap();
        let sql = "SELECT m.name, c.name, c.pk FROM sqlite_master m, pragma_table_info(m.name) c
                   WHERE m.type = 'table' ORDER BY m.name, c.cid";
        let mut statement = database.prepare(sql).unwrap();
        let mut there: BTreeMap<String, (Vec<String>, usize)> = BTreeMap::new();
        let rows = statement.query_map(NONE, |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)));
        for row in rows.unwrap() {
            let (table, column, key): (String, String, i64) = row.unwrap();
            let (columns, keys) = there.entry(table).or_default();
            columns.push(column);
            *keys += usize::from(key > 0);
        }
        let known: BTreeMap<String, (Vec<String>, usize)> = TABLES
            .iter()
            .map(|table| {
                let columns = table.columns.iter().map(ToString::to_string).collect();
                (table.name.to_owned(), (columns, table.key))
            })
            .collect();
        assert_eq!(known, there);
    }
}
