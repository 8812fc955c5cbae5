//! Answers that are no problem.

use axum::http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Failure;

/// How many entries the ledger has with what was just written: what a receipt is asked for with.
const POSITION: HeaderName = HeaderName::from_static("brevet-position");

/// Something to be seen.
pub(super) fn shown(value: &impl Serialize) -> Result<Response, Failure> {
    json(StatusCode::OK, value)
}

/// Something that was changed.
pub(super) fn changed(position: u64, value: &impl Serialize) -> Result<Response, Failure> {
    json(StatusCode::OK, value).map(|response| at(response, position))
}

/// Something that was made, and where it is.
pub(super) fn created(position: u64, place: &str, value: &impl Serialize) -> Result<Response, Failure> {
    let mut response = at(json(StatusCode::CREATED, value)?, position);
    if let Ok(place) = HeaderValue::try_from(format!("/api/v1{place}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Something that was removed; nothing is left to be seen.
pub(super) fn removed(position: u64) -> Response {
    at(StatusCode::NO_CONTENT.into_response(), position)
}

fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, Failure> {
    let body = serde_json::to_vec(value).map_err(|error| Failure::bug(&error.to_string()))?;
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn at(mut response: Response, position: u64) -> Response {
    response.headers_mut().insert(POSITION, HeaderValue::from(position));
    response
}
