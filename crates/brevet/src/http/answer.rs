//! Answers that are no problem.

use axum::http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Failure;
use crate::app::{Done, Started};

/// How many entries the ledger has with what was just written, or seen. A caller that sends it to another server is not
/// answered from less.
pub(super) const POSITION: HeaderName = HeaderName::from_static("brevet-position");
/// The index of the entry that says what the caller did: what a receipt is asked for with.
const ENTRY: HeaderName = HeaderName::from_static("brevet-entry");

/// Where in the ledger something was put on record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recorded {
    position: u64,
    entry: Option<u64>,
}

/// So many entries; which of them is about it is not told.
impl From<u64> for Recorded {
    fn from(position: u64) -> Self {
        Self { position, entry: None }
    }
}

impl From<&Done> for Recorded {
    fn from(done: &Done) -> Self {
        Self { position: done.position, entry: done.entry }
    }
}

impl Recorded {
    /// This entry, in a ledger of this size by now.
    pub(super) const fn as_entry(entry: Option<u64>, position: u64) -> Self {
        Self { position, entry }
    }

    /// A run, in a ledger of this size by now.
    pub(super) const fn run(started: &Started, position: u64) -> Self {
        Self { position, entry: started.entry }
    }
}

/// Something to be seen.
pub(super) fn shown(value: &impl Serialize) -> Result<Response, Failure> {
    json(StatusCode::OK, value)
}

/// Something that was changed.
pub(super) fn changed(recorded: impl Into<Recorded>, value: &impl Serialize) -> Result<Response, Failure> {
    json(StatusCode::OK, value).map(|response| at(response, recorded))
}

/// Something that was made, and where it is.
pub(super) fn created(
    recorded: impl Into<Recorded>,
    place: &str,
    value: &impl Serialize,
) -> Result<Response, Failure> {
    let mut response = at(json(StatusCode::CREATED, value)?, recorded);
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1{place}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Something that was removed; nothing is left to be seen.
pub(super) fn removed(recorded: impl Into<Recorded>) -> Response {
    at(StatusCode::NO_CONTENT.into_response(), recorded)
}

fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Failure> {
    let body = serde_json::to_vec(value).map_err(|error| Failure::bug(&error.to_string()))?;
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The same answer, with where it is on record.
pub(super) fn at(mut response: Response, recorded: impl Into<Recorded>) -> Response {
    let Recorded { position, entry } = recorded.into();
    response.headers_mut().insert(POSITION, HeaderValue::from(position));
    if let Some(entry) = entry {
        response.headers_mut().insert(ENTRY, HeaderValue::from(entry));
    }
    response
}
