//! Rows that go to PostgreSQL together: a statement of its own for each costs more than the row.
//!
//! `INSERT INTO t (a, b) VALUES (?1, ?2)` becomes `INSERT INTO t (a, b) SELECT given.v1, given.v2 FROM unnest($1::…[],
//! $2::…[]) AS given (v1, v2)`, and an `UPDATE` gets the same behind its `SET`.

use std::sync::Arc;

use rusqlite::ToSql;
use tokio_postgres::Statement;

use super::value::{Given, given};
use super::{Fault, Session};

/// Rows that wait at most: PostgreSQL works at some while others are made.
const ROWS_MAX: usize = 48;
/// Bytes of rows that wait at most.
const BYTES_MAX: usize = 1 << 20;

/// Rows that wait, by their statements in the order in which these came first.
#[derive(Debug, Default)]
pub(super) struct Together {
    groups: Vec<Group>,
    rows: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Group {
    sql: String,
    columns: Vec<Vec<Given>>,
}

impl Together {
    fn add(&mut self, sql: &str, row: Vec<Given>) {
        self.rows += 1;
        self.bytes += row.iter().map(Given::bytes).sum::<usize>();
        if let Some(group) = self.groups.iter_mut().find(|group| group.sql == sql) {
            debug_assert_eq!(group.columns.len(), row.len(), "the same statement has as many values");
            return group.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        let columns = row.into_iter().map(|value| vec![value]).collect();
        self.groups.push(Group { sql: sql.to_owned(), columns });
    }

    const fn is_full(&self) -> bool {
        self.rows >= ROWS_MAX || self.bytes >= BYTES_MAX
    }
}

impl Session {
    /// Carries out a statement of the open transaction together with others of the same text, before anything else is done
    /// and at the latest when the transaction is committed. Each must be about another row; rows of different statements
    /// come in no order.
    pub(crate) fn execute_together(&self, sql: &str, values: &[&dyn ToSql]) -> Result<(), Fault> {
        if self.is_idle() {
            return self.execute(sql, values).map(drop);
        }
        let is_full = {
            let mut together = self.together.borrow_mut();
            together.add(sql, given(values)?);
            together.is_full()
        };
        if is_full { self.send_together() } else { Ok(()) }
    }

    /// Sends the rows that wait.
    pub(super) fn send_together(&self) -> Result<(), Fault> {
        for Group { sql, columns } in self.together.take().groups {
            self.begin_now()?;
            let one = self.statement(&sql)?;
            let client = Arc::clone(&self.client);
            if columns.iter().all(|column| column.len() == 1) {
                let values: Vec<Given> = columns.into_iter().flatten().collect();
                self.send(Box::pin(async move {
                    client.execute_raw(&one, values.iter().map(Given::lent)).await.map(drop)
                }))?;
                continue;
            }
            let all = self.statement(&for_rows(&sql, &one))?;
            self.send(Box::pin(async move { client.execute_raw(&all, columns.iter()).await.map(drop) }))?;
        }
        Ok(())
    }
}

/// The statement for as many rows as one likes, one array for each of its values.
fn for_rows(sql: &str, one: &Statement) -> String {
    let types: Vec<&str> = one.params().iter().map(|given| given.name()).collect();
    rewritten(sql, &types).expect("only an INSERT of plain values, or an UPDATE, is for many rows")
}

fn rewritten(sql: &str, types: &[&str]) -> Option<String> {
    let arrays: Vec<String> = types.iter().zip(1..).map(|(name, at)| format!("?{at}::{name}[]")).collect();
    let names: Vec<String> = (1..=types.len()).map(|at| format!("v{at}")).collect();
    let from = format!("FROM unnest({}) AS given ({})", arrays.join(", "), names.join(", "));
    let named = |text: &str| text.replace('?', "given.v");
    if sql.starts_with("UPDATE ") {
        let (set, condition) = sql.split_once(" WHERE ")?;
        return Some(format!("{} {from} WHERE {}", named(set), named(condition)));
    }
    let (into, values) = sql.split_once(" VALUES (")?;
    let (values, rest) = values.split_once(')').filter(|(values, _)| !values.contains('('))?;
    Some(format!("{into} SELECT {} {from}{rest}", named(values)))
}

#[cfg(test)]
mod tests {
    use super::rewritten;

    #[test]
    fn a_statement_for_one_row_becomes_one_for_many() {
        let insert = "INSERT INTO t (a, b) VALUES (?1, ?2) ON CONFLICT (a) DO UPDATE SET b = excluded.b";
        assert_eq!(
            rewritten(insert, &["int8", "text"]).unwrap(),
            "INSERT INTO t (a, b) SELECT given.v1, given.v2 FROM unnest(?1::int8[], ?2::text[]) AS given (v1, v2) \
             ON CONFLICT (a) DO UPDATE SET b = excluded.b"
        );
        assert_eq!(
            rewritten("UPDATE t SET b = ?2 WHERE a = ?1", &["int8", "bytea"]).unwrap(),
            "UPDATE t SET b = given.v2 FROM unnest(?1::int8[], ?2::bytea[]) AS given (v1, v2) WHERE a = given.v1"
        );
        assert_eq!(rewritten("DELETE FROM t", &[]), None);
        assert_eq!(rewritten("INSERT INTO t (a) VALUES (lower(?1))", &["text"]), None);
    }
}
