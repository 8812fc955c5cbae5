use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::{Odd, Pager, Walk, root_of};
use crate::schema;
use crate::verify::record::Column;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut roll = self.0;
        roll = (roll ^ (roll >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        roll = (roll ^ (roll >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (roll ^ (roll >> 31)) % sides
    }

    /// Mostly short, sometimes longer than a page.
    fn bytes(&mut self) -> Vec<u8> {
        let len = if self.roll(12) == 0 { self.roll(9_000) } else { self.roll(150) };
        (0..len).map(|_| u8::try_from(self.roll(94) + 33).unwrap()).collect()
    }
}

/// Both kinds of table, with holes and long rows, in pages of this size.
fn database(folder: &TempDir, page_bytes: i64, seed: u64) -> Connection {
    let connection = Connection::open(folder.path().join("some.db")).unwrap();
    connection.pragma_update(None, "page_size", page_bytes).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection
        .execute_batch(
            "CREATE TABLE plain (seq INTEGER PRIMARY KEY, word TEXT NOT NULL, number INTEGER, bytes BLOB NOT NULL) STRICT;
             CREATE TABLE keyed (seq INTEGER NOT NULL, slot INTEGER NOT NULL, word TEXT NOT NULL,
                                 PRIMARY KEY (seq, slot)) STRICT, WITHOUT ROWID;",
        )
        .unwrap();
    let mut dice = Dice(seed);
    connection.execute_batch("BEGIN").unwrap();
    for seq in 0..3_000_i64 {
        let word = String::from_utf8(dice.bytes()).unwrap();
        let number = (dice.roll(3) > 0).then(|| dice.roll(u64::MAX).cast_signed() >> dice.roll(64));
        connection
            .execute("INSERT INTO plain VALUES (?1, ?2, ?3, ?4)", params![seq, word, number, dice.bytes()])
            .unwrap();
        for slot in 0..dice.roll(3).cast_signed() {
            let word = String::from_utf8(dice.bytes()).unwrap();
            connection.execute("INSERT INTO keyed VALUES (?1, ?2, ?3)", params![seq, slot, word]).unwrap();
        }
        if dice.roll(5) == 0 {
            let from = dice.roll(seq.unsigned_abs() + 1).cast_signed();
            connection.execute("DELETE FROM plain WHERE seq BETWEEN ?1 AND ?1 + 3", [from]).unwrap();
            connection.execute("DELETE FROM keyed WHERE seq BETWEEN ?1 AND ?1 + 3", [from]).unwrap();
        }
    }
    connection.execute_batch("COMMIT").unwrap();
    connection
}

type Plain = (i64, Vec<u8>, Option<i64>, Vec<u8>);
type Keyed = (i64, i64, Vec<u8>);

fn plain_of_pages(connection: &Connection, from: i64) -> Result<Vec<Plain>, Odd> {
    let mut pager = Pager::of(connection)?;
    let mut walk = Walk::from(&mut pager, root_of(connection, "plain", |_| true)?, from)?;
    let mut rows = Vec::new();
    while let Some(row) = walk.advance()? {
        let mut record = walk.record()?;
        let Column::Null = record.column()? else { return Err(Odd) };
        let Column::Text(word) = record.column()? else { return Err(Odd) };
        let number = match record.column()? {
            Column::Null => None,
            number => Some(number.integer()?),
        };
        rows.push((row.ok_or(Odd)?, word.to_vec(), number, record.column()?.blob()?.to_vec()));
    }
    Ok(rows)
}

fn keyed_of_pages(connection: &Connection, from: i64) -> Result<Vec<Keyed>, Odd> {
    let mut pager = Pager::of(connection)?;
    let mut walk = Walk::from(&mut pager, root_of(connection, "keyed", |_| true)?, from)?;
    let mut rows = Vec::new();
    while walk.advance()?.is_some() {
        let mut record = walk.record()?;
        let (seq, slot) = (record.column()?.integer()?, record.column()?.integer()?);
        let Column::Text(word) = record.column()? else { return Err(Odd) };
        rows.push((seq, slot, word.to_vec()));
    }
    Ok(rows)
}

fn plain_of_sqlite(connection: &Connection, from: i64) -> Vec<Plain> {
    let sql = "SELECT seq, CAST(word AS BLOB), number, bytes FROM plain WHERE seq >= ?1 ORDER BY seq";
    let mut statement = connection.prepare(sql).unwrap();
    let rows =
        statement.query_map([from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn keyed_of_sqlite(connection: &Connection, from: i64) -> Vec<Keyed> {
    let sql = "SELECT seq, slot, CAST(word AS BLOB) FROM keyed WHERE seq >= ?1 ORDER BY seq, slot";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([from], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn rows_of_pages_are_those_that_sqlite_reads_from_any_key_on() {
    for (page_bytes, seed) in [(512, 1), (1_024, 2), (4_096, 3), (65_536, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let connection = database(&folder, page_bytes, seed);
        for from in [i64::MIN, 0, 1, 17, 1_499, 2_998, 2_999, 3_000, i64::MAX] {
            assert_eq!(plain_of_pages(&connection, from), Ok(plain_of_sqlite(&connection, from)));
            assert_eq!(keyed_of_pages(&connection, from), Ok(keyed_of_sqlite(&connection, from)));
        }
    }
}

#[test]
fn the_pages_are_those_of_the_transaction_whatever_is_written_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let writer = database(&folder, 4_096, 5);
    let reader = Connection::open(folder.path().join("some.db")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let before = plain_of_sqlite(&reader, 0);
    writer.execute_batch("DELETE FROM plain WHERE seq % 2 = 0; DELETE FROM keyed;").unwrap();
    assert_eq!(plain_of_pages(&reader, 0), Ok(before));
    reader.execute_batch("COMMIT; BEGIN").unwrap();
    assert_eq!(plain_of_pages(&reader, 0), Ok(plain_of_sqlite(&writer, 0)));
}

#[test]
fn pages_with_bytes_changed_at_random_end_somehow() {
    let folder = tempfile::tempdir().unwrap();
    let connection = database(&folder, 1_024, 6);
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(connection);
    let sound = std::fs::read(folder.path().join("some.db")).unwrap();
    let (mut dice, mut odd) = (Dice(7), 0);
    for round in 0..300 {
        let mut bytes = sound.clone();
        for _ in 0..40 {
            // Headers and cell pointers more often than the rest; the first page has the tables' names.
            let page = 1 + dice.roll(sound.len() as u64 / 1_024 - 1);
            let place = if dice.roll(2) == 0 { dice.roll(40) } else { dice.roll(1_024) };
            bytes[usize::try_from(page * 1_024 + place).unwrap()] = u8::try_from(dice.roll(256)).unwrap();
        }
        let path = folder.path().join(format!("{round}.db"));
        std::fs::write(&path, bytes).unwrap();
        let connection = Connection::open(&path).unwrap();
        odd += usize::from(plain_of_pages(&connection, 1_000).is_err());
        odd += usize::from(keyed_of_pages(&connection, 1_000).is_err());
    }
    assert!(odd > 100, "hardly anything was noticed: {odd}");
}

#[test]
fn only_a_table_that_is_as_it_was_made_is_read_out_of_pages() {
    let tables = ["entry", "entry_text"];
    for change in [
        "",
        "ALTER TABLE entry RENAME COLUMN bytes TO other; ALTER TABLE entry_text RENAME COLUMN value TO other;",
        "ALTER TABLE entry ADD COLUMN other BLOB; ALTER TABLE entry_text ADD COLUMN other BLOB;",
        "DROP TABLE entry; CREATE VIEW entry AS SELECT 1; DROP TABLE entry_text;
         CREATE TABLE entry_text (
        seq   INTEGER NOT NULL,
        slot  INTEGER NOT NULL,
        salt  BLOB    NOT NULL,
        value TEXT    NOT NULL,
        PRIMARY KEY (seq DESC, slot)
    ) STRICT, WITHOUT ROWID;",
    ] {
        let connection = crate::engine::Connection::from(Connection::open_in_memory().unwrap());
        schema::migrate(&connection).unwrap();
        let connection = connection.sqlite().unwrap();
        connection.execute_batch(change).unwrap();
        for table in tables {
            let root = root_of(connection, table, schema::is_as_first);
            assert_eq!(root.is_ok(), change.is_empty(), "{table} {change}");
        }
    }
}
