//! Objects as rows: what lists and a fast start read. A row is a function of the object alone, so that the
//! fold of the ledger can be compared with it.

use std::collections::HashMap;

use crate::engine::{Connection, OptionalExtension, params};
use brevet_core::{
    AuthorizationId, AuthorizationState, Basis, Change, Event, ExecutionId, ExecutionState, RequestId,
    RequestState, State, Text,
};

use crate::codec::encode_value;
use crate::error::{StoreError, writing};

/// Names in `object.kind`.
pub(crate) mod kind {
    pub(crate) const ACCESS_CONTROL: &str = "access-control";
    pub(crate) const ARCHIVE: &str = "archive";
    pub(crate) const ASSIGNMENT: &str = "assignment";
    pub(crate) const GROUP: &str = "group";
    pub(crate) const POLICY: &str = "policy";
    pub(crate) const ROLE: &str = "role";
    pub(crate) const ROLE_GROUP: &str = "role-group";
    pub(crate) const SERVER: &str = "server";
    pub(crate) const TASK: &str = "task";
    pub(crate) const USER: &str = "user";
}

/// A row as it should be. `None` in [`image`]'s answer says that there should be none.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    Object { kind: &'static str, id: i64, body: Vec<u8>, text1: Option<String>, text2: Option<String> },
    Request { id: i64, requester: i64, state: i64, body: Vec<u8> },
    Authorization { id: i64, holder: i64, state: i64, request: i64, body: Vec<u8> },
    Execution { id: i64, user: i64, state: i64, body: Vec<u8> },
}

/// The row of a changed object, as `state` has it.
pub(crate) fn image(state: &State, change: Change) -> Option<Row> {
    match change {
        Change::AccessControl => Some(object(kind::ACCESS_CONTROL, 1, state.access_control())),
        Change::Archive => Some(object(kind::ARCHIVE, 1, state.archive())),
        Change::User(id) => {
            let user = state.user(id)?;
            Some(with_texts(object(kind::USER, id.number().into(), user), &user.display_name, &user.email))
        }
        Change::Group(id) => {
            let group = state.group(id)?;
            Some(with_texts(object(kind::GROUP, id.number().into(), group), &group.email, &group.description))
        }
        Change::Assignment(id) => Some(object(kind::ASSIGNMENT, id.number().into(), state.assignment(id)?)),
        Change::Policy(id) => Some(object(kind::POLICY, id.number().into(), state.policy(id)?)),
        Change::Task(id) => Some(object(kind::TASK, id.number().into(), state.catalog().task(id)?)),
        Change::Role(id) => Some(object(kind::ROLE, id.number().into(), state.catalog().role(id)?)),
        Change::RoleGroup(id) => {
            Some(object(kind::ROLE_GROUP, id.number().into(), state.catalog().role_group(id)?))
        }
        Change::Request(id) => request(state, id),
        Change::Authorization(id) => authorization(state, id),
        Change::Execution(id) => execution(state, id),
        Change::Server(id) => {
            let server = state.servers().find(|server| server.id == id)?;
            Some(object(kind::SERVER, id.number().into(), server))
        }
    }
}

fn request(state: &State, id: RequestId) -> Option<Row> {
    let request = state.request(id)?;
    let code = request_code(&request.state);
    let requester = request.requester.number().into();
    Some(Row::Request { id: signed(id.number()), requester, state: code, body: body(request) })
}

fn authorization(state: &State, id: AuthorizationId) -> Option<Row> {
    let authorization = state.authorization(id)?;
    let code = match authorization.state {
        AuthorizationState::Scheduled { .. } => 0,
        AuthorizationState::Active { .. } => 1,
        AuthorizationState::Ended { .. } => 2,
    };
    Some(Row::Authorization {
        id: signed(id.number()),
        holder: authorization.holder.number().into(),
        state: code,
        request: signed(authorization.request.number()),
        body: body(authorization),
    })
}

fn execution(state: &State, id: ExecutionId) -> Option<Row> {
    let execution = state.execution(id)?;
    let code = match execution.state {
        ExecutionState::Running { .. } => 0,
        ExecutionState::Finished { .. } => 1,
    };
    let user = execution.user.number().into();
    Some(Row::Execution { id: signed(id.number()), user, state: code, body: body(execution) })
}

/// The state of a request as a number, for its index.
pub(crate) const fn request_code(state: &RequestState) -> i64 {
    match state {
        RequestState::Pending { .. } => 0,
        RequestState::Approved { .. } => 1,
        RequestState::Denied { .. } => 2,
        RequestState::Expired { .. } => 3,
        RequestState::Cancelled { .. } => 4,
    }
}

fn object<T: minicbor::Encode<()>>(kind: &'static str, id: i64, value: &T) -> Row {
    Row::Object { kind, id, body: body(value), text1: None, text2: None }
}

fn with_texts(row: Row, first: &Text, second: &Text) -> Row {
    let text = |text: &Text| text.as_str().map(str::to_owned);
    match row {
        Row::Object { kind, id, body, .. } => {
            Row::Object { kind, id, body, text1: text(first), text2: text(second) }
        }
        row => row,
    }
}

fn body<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    encode_value(value, &mut bytes);
    bytes
}

/// SQLite's integers are signed; no counter of Brevet gets near the sign.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What a batch brings into the world, with the index of the entry that does.
pub(crate) type Born = HashMap<Change, u64>;

pub(crate) fn born(event: &Event) -> Option<Change> {
    match event {
        Event::RequestSubmitted { request, .. } => Some(Change::Request(*request)),
        Event::AuthorizationGranted { authorization, .. } => Some(Change::Authorization(*authorization)),
        Event::ExecutionStarted { execution, .. } => Some(Change::Execution(*execution)),
        _ => None,
    }
}

/// Writes the row of a changed object: a new one, the changed one, or none any more.
pub(crate) fn write(
    connection: &Connection,
    state: &State,
    change: Change,
    born: &Born,
) -> Result<(), StoreError> {
    match image(state, change) {
        Some(row) => put(connection, state, &row, born.get(&change).copied()),
        None => remove(connection, change),
    }
}

fn put(connection: &Connection, state: &State, row: &Row, born: Option<u64>) -> Result<(), StoreError> {
    // What changed is there once for each batch.
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        connection.execute_together(sql, values).map_err(writing)
    };
    match (row, born) {
        (Row::Object { kind, id, body, text1, text2 }, _) => run(
            "INSERT INTO object (kind, id, body, text1, text2) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (kind, id)
             DO UPDATE SET body = excluded.body, text1 = excluded.text1, text2 = excluded.text2",
            params![kind, id, body, text1, text2],
        ),
        (Row::Request { id, requester, state, body }, Some(seq)) => run(
            "INSERT INTO request (id, requester, state, first_seq, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, requester, state, signed(seq), body],
        ),
        (Row::Request { id, state, body, .. }, None) => {
            run("UPDATE request SET state = ?2, body = ?3 WHERE id = ?1", params![id, state, body])
        }
        (Row::Authorization { id, holder, state, request, body }, Some(_)) => run(
            "INSERT INTO \"authorization\" (id, holder, state, request, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, holder, state, request, body],
        ),
        (Row::Authorization { id, state, body, .. }, None) => {
            run("UPDATE \"authorization\" SET state = ?2, body = ?3 WHERE id = ?1", params![id, state, body])
        }
        (Row::Execution { id, user, state: code, body }, Some(_)) => run(
            "INSERT INTO execution (id, \"user\", state, request, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, user, code, request_of_execution(connection, state, *id)?, body],
        ),
        (Row::Execution { id, state, body, .. }, None) => {
            run("UPDATE execution SET state = ?2, body = ?3 WHERE id = ?1", params![id, state, body])
        }
    }
}

fn remove(connection: &Connection, change: Change) -> Result<(), StoreError> {
    let (kind, id) = match change {
        Change::Group(id) => (kind::GROUP, id.number()),
        Change::Assignment(id) => (kind::ASSIGNMENT, id.number()),
        Change::Policy(id) => (kind::POLICY, id.number()),
        Change::Server(id) => (kind::SERVER, id.number()),
        _ => return Err(StoreError::Entry(format!("{change:?} has no object and cannot be removed"))),
    };
    let mut statement =
        connection.prepare_cached("DELETE FROM object WHERE kind = ?1 AND id = ?2").map_err(writing)?;
    statement.execute_later(params![kind, i64::from(id)]).map_err(writing)
}

fn request_of_execution(connection: &Connection, state: &State, id: i64) -> Result<Option<i64>, StoreError> {
    let id = ExecutionId::new(id.unsigned_abs());
    match state.execution(id).map(|execution| execution.basis) {
        Some(Basis::Authorization(authorization)) => request_behind(connection, state, authorization),
        _ => Ok(None),
    }
}

/// The request whose story an event belongs to.
pub(crate) fn request_of(
    connection: &Connection,
    state: &State,
    event: &Event,
) -> Result<Option<i64>, StoreError> {
    match event {
        Event::RequestSubmitted { request, .. }
        | Event::RequestDecided { request, .. }
        | Event::RequestExpired { request }
        | Event::RequestCancelled { request }
        | Event::AuthorizationGranted { request, .. }
        | Event::AuthorizationExtended { request, .. } => Ok(Some(signed(request.number()))),
        Event::AuthorizationStarted { authorization, .. }
        | Event::AuthorizationEnded { authorization, .. } => {
            request_behind(connection, state, *authorization)
        }
        Event::ExecutionStarted { basis: Basis::Authorization(authorization), .. } => {
            request_behind(connection, state, *authorization)
        }
        Event::ExecutionStopRequested { execution, .. } | Event::ExecutionFinished { execution, .. } => {
            request_of_execution(connection, state, signed(execution.number()))
        }
        _ => Ok(None),
    }
}

fn request_behind(
    connection: &Connection,
    state: &State,
    id: AuthorizationId,
) -> Result<Option<i64>, StoreError> {
    if let Some(authorization) = state.authorization(id) {
        return Ok(Some(signed(authorization.request.number())));
    }
    let mut statement = connection.prepare_cached("SELECT request FROM \"authorization\" WHERE id = ?1")?;
    Ok(statement.query_row([signed(id.number())], |row| row.get(0)).optional()?)
}
