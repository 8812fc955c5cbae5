//! Rows by many keys at once: to look each up for itself would cost a round trip to a database elsewhere.

use super::{Connection, Row, Value, params_from_iter};
use crate::error::StoreError;

/// How many keys one statement asks for: few sizes, so that few statements are kept, and the last is filled up.
const SIZES: [usize; 3] = [1, 16, 256];

/// Hands over the rows of all these keys, in no order. `sql` ends with `IN`, and has the numbers of `first` before that.
pub(crate) fn for_each_key(
    connection: &Connection,
    sql: &str,
    first: &[Value],
    mut keys: Vec<Value>,
    mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    // Each key once; floats and nothing are no keys.
    keys.sort_unstable_by(|one, other| order(one).cmp(&order(other)));
    keys.dedup();
    for some in keys.chunks(SIZES[2]) {
        let size = SIZES.into_iter().find(|size| some.len() <= *size).unwrap_or(SIZES[2]);
        let asked = some.iter().chain(std::iter::repeat(&some[0])).take(size);
        let values = first.iter().chain(asked).cloned();
        let mut statement = connection.prepare_cached(&format!("{sql} ({})", numbers(first.len(), size)))?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            take(&row)?;
        }
    }
    Ok(())
}

fn numbers(behind: usize, count: usize) -> String {
    let numbers: Vec<String> = (behind + 1..=behind + count).map(|number| format!("?{number}")).collect();
    numbers.join(", ")
}

fn order(value: &Value) -> (Option<i64>, Option<&str>) {
    match value {
        Value::Integer(number) => (Some(*number), None),
        Value::Text(text) => (None, Some(text)),
        Value::Null | Value::Real(_) | Value::Blob(_) => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection as Sqlite;

    use super::{SIZES, Value, for_each_key, numbers};
    use crate::engine::{Connection, NONE};

    #[test]
    fn each_row_is_handed_over_once_whatever_the_number_of_keys() {
        let connection = Connection::from(Sqlite::open_in_memory().unwrap());
        connection.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT, side INTEGER)").unwrap();
        for id in 0..600_i64 {
            let sql = "INSERT INTO t (id, word, side) VALUES (?1, ?2, ?3)";
            connection.execute(sql, (id, format!("w{id}"), id % 2)).unwrap();
        }
        for count in [0, 1, 2, 15, 16, 17, 255, 256, 257, 600] {
            let mut found = Vec::new();
            // Twice each, and one that is nowhere.
            let keys = (0..count).chain(0..count).chain([9_999]).map(Value::Integer).collect();
            for_each_key(&connection, "SELECT id FROM t WHERE id IN", &[], keys, |row| {
                found.push(row.get::<_, i64>(0)?);
                Ok(())
            })
            .unwrap();
            found.sort_unstable();
            assert_eq!(found, (0..count).collect::<Vec<_>>());
        }
        let mut found = Vec::new();
        let words = (0..20).map(|id| Value::Text(format!("w{id}"))).collect();
        let sql = "SELECT id FROM t WHERE side = ?1 AND word IN";
        for_each_key(&connection, sql, &[Value::Integer(1)], words, |row| {
            found.push(row.get::<_, i64>(0)?);
            Ok(())
        })
        .unwrap();
        assert_eq!(found.len(), 10);
        let all: i64 = connection.query_row("SELECT count(*) FROM t", NONE, |row| row.get(0)).unwrap();
        assert_eq!(all, 600);
    }

    #[test]
    fn the_numbers_go_on_behind_the_first() {
        assert_eq!(numbers(2, 3), "?3, ?4, ?5");
        assert!(SIZES.is_sorted());
    }
}
