//! Pages of requests, authorizations and executions, newest first, by cursor: the same cost at any depth.

use crate::engine::{Row, ToSql};
use brevet_core::{Authorization, Execution, Request, UserId};

use crate::error::StoreError;
use crate::load::decode;
use crate::reader::{Reader, as_limit};
use crate::row::signed;

/// A request, and why it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// The request.
    pub request: Request,
    /// Its reason, unless erased.
    pub reason: Option<String>,
}

/// Some rows, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Give this as `before` for the next page; `None` on the last.
    pub next: Option<u64>,
}

/// Which requests. A state is its number: 0 pending, 1 approved, 2 denied, 3 expired, 4 cancelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestFilter {
    /// In this state only.
    pub state: Option<u8>,
    /// Of this person only.
    pub requester: Option<UserId>,
}

/// Which authorizations. A state is its number: 0 scheduled, 1 active, 2 ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuthorizationFilter {
    /// In this state only.
    pub state: Option<u8>,
    /// Of this holder only.
    pub holder: Option<UserId>,
}

/// Which executions.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExecutionFilter {
    /// Those that run, or those that do not.
    pub running: Option<bool>,
    /// Of this user only.
    pub user: Option<UserId>,
}

/// What to read of which rows.
struct Select<'a> {
    columns: &'a str,
    id: &'a str,
    conditions: [(&'a str, Option<i64>); 2],
}

impl Reader {
    /// Requests before an id, newest first.
    pub fn requests(
        &self,
        filter: RequestFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<RequestRow>, StoreError> {
        let select = "SELECT request.id, request.body, entry_text.value FROM request
                      LEFT JOIN entry_text ON entry_text.seq = request.first_seq AND entry_text.slot = 0";
        let conditions = [
            ("request.state", filter.state.map(i64::from)),
            ("request.requester", filter.requester.map(|user| user.number().into())),
        ];
        let select = Select { columns: select, id: "request.id", conditions };
        self.page(&select, before, limit, |row| {
            Ok(RequestRow { request: decode::<Request>(blob(row, 1)?)?, reason: row.get(2)? })
        })
    }

    /// Authorizations before an id, newest first.
    pub fn authorizations(
        &self,
        filter: AuthorizationFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<Authorization>, StoreError> {
        let conditions = [
            ("state", filter.state.map(i64::from)),
            ("holder", filter.holder.map(|user| user.number().into())),
        ];
        let select = Select { columns: "SELECT id, body FROM \"authorization\"", id: "id", conditions };
        self.page(&select, before, limit, |row| decode(blob(row, 1)?))
    }

    /// Executions before an id, newest first.
    pub fn executions(
        &self,
        filter: ExecutionFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError> {
        let conditions = [
            ("state", filter.running.map(|running| i64::from(!running))),
            ("\"user\"", filter.user.map(|user| user.number().into())),
        ];
        let select = Select { columns: "SELECT id, body FROM execution", id: "id", conditions };
        self.page(&select, before, limit, |row| decode(blob(row, 1)?))
    }

    /// One more row than asked for is read, to know whether there is a next page without counting.
    fn page<T>(
        &self,
        select: &Select<'_>,
        before: Option<u64>,
        limit: usize,
        item: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let Select { columns, id, conditions } = select;
        let mut sql = format!("{columns} WHERE {id} < ?1");
        let mut values = vec![signed(before.unwrap_or(i64::MAX.unsigned_abs()))];
        for (column, value) in conditions {
            if let Some(value) = value {
                values.push(*value);
                sql.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        }
        values.push(as_limit(limit).saturating_add(1));
        sql.push_str(&format!(" ORDER BY {id} DESC LIMIT ?{}", values.len()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
        let mut rows = statement.query(values.as_slice())?;
        let mut page = Page { items: Vec::new(), next: None };
        let mut last = 0;
        while let Some(row) = rows.next()? {
            if page.items.len() == limit {
                page.next = Some(last);
                break;
            }
            last = row.get::<_, i64>(0)?.unsigned_abs();
            page.items.push(item(&row)?);
        }
        Ok(page)
    }
}

fn blob<'a>(row: &'a Row<'_>, place: usize) -> Result<&'a [u8], StoreError> {
    row.get_ref(place)?.as_blob().map_err(StoreError::damaged)
}
