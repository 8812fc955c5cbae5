//! Reading what callers send: strictly, and with a sentence for what is wrong.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use brevet_wire as wire;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::limit::{BODY_BYTES_MAX, BODY_READ_MAX};
use super::problem::Failure;
use super::route::{Caller, Server};
use crate::app::IdempotencyKey;

/// The body of a request.
pub(super) trait Input: DeserializeOwned + Send {
    /// What of the body tells it from another under the same key. Nothing that is made of this may let a
    /// secret be guessed.
    fn to_fingerprint<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(body)
    }
}

/// A body of JSON, and the key under which it may be sent again.
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) key: Option<IdempotencyKey>,
}

/// An input that says nothing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

macro_rules! inputs {
    ($($type:ty),* $(,)?) => { $(impl Input for $type {})* };
}
inputs!(
    Nothing,
    wire::SetUp,
    wire::SignIn,
    wire::NewUser,
    wire::NewGroup,
    wire::NewMember,
    wire::EnableAccessControl,
    wire::NewAssignment,
    wire::NewPolicy,
    wire::PolicyChange,
    wire::PolicyStep,
    wire::Explain,
    wire::NewRequest,
    wire::Approve,
    wire::Deny,
    wire::Revoke,
    wire::RotateKey,
    wire::Check,
    wire::Erase,
    wire::AskForArchive,
    wire::AgreeToArchive,
);

impl Input for wire::NewExecution {
    /// The names of the secrets, not their values: a hash of a short secret gives it away.
    fn to_fingerprint<'a>(&self, _: &'a [u8]) -> Cow<'a, [u8]> {
        let Self { task, parameters, secrets } = self;
        let names: Vec<&String> = secrets.keys().collect();
        Cow::Owned(serde_json::to_vec(&(task, parameters, names)).unwrap_or_default())
    }
}

impl Input for wire::ChangePassword {
    /// Neither password: a hash of a weak one gives it away.
    fn to_fingerprint<'a>(&self, _: &'a [u8]) -> Cow<'a, [u8]> {
        let Self { current: _, new: _ } = self;
        Cow::Borrowed(b"")
    }
}

impl<T: Input> FromRequest<Server> for Given<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &Server) -> Result<Self, Failure> {
        check_is_json(request.headers())?;
        let (parts, body) = request.into_parts();
        let body = collect(&parts.headers, body).await?;
        let json: &[u8] = if body.is_empty() { b"{}" } else { &body };
        let value: T = serde_json::from_slice(json).map_err(|error| {
            Failure::unreadable(
                "bad-body",
                format!("the body is not what is taken here: {}", describe(&error)),
            )
        })?;
        let key = idempotency_key(&parts, || value.to_fingerprint(json))?;
        Ok(Self { value, key })
    }
}

/// A form, or a page of another site, cannot send this type without asking first.
fn check_is_json(headers: &HeaderMap) -> Result<(), Failure> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match sent.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        true => Ok(()),
        false => {
            let detail = "send JSON, with Content-Type: application/json";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", detail))
        }
    }
}

async fn collect(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Failure> {
    let too_large = || {
        let detail = format!("a body is at most {BODY_BYTES_MAX} bytes long");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_READ_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Failure::unreadable("bad-body", "the body broke off")),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", BODY_READ_MAX.as_secs());
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail))
        }
    }
}

/// What is wrong with JSON, without a value from it: it may be a secret.
fn describe(error: &serde_json::Error) -> String {
    let sentence = error.to_string();
    let quotes_a_value = ["invalid type: ", "invalid value: ", "invalid length "];
    if !quotes_a_value.iter().any(|start| sentence.starts_with(start)) {
        return match sentence.strip_prefix("data did not match any variant of untagged enum Value") {
            Some(place) => {
                format!("a value is a string, a whole number, true, false, or a list of these{place}")
            }
            None => sentence,
        };
    }
    match sentence.rsplit_once(", expected ") {
        Some((_, expected)) => format!("something else stands where there should be {expected}"),
        None => format!("something else is expected at line {} column {}", error.line(), error.column()),
    }
}

fn idempotency_key<'a>(
    parts: &Parts,
    said: impl FnOnce() -> Cow<'a, [u8]>,
) -> Result<Option<IdempotencyKey>, Failure> {
    let (Some(key), Some(caller)) = (parts.headers.get("idempotency-key"), parts.extensions.get::<Caller>())
    else {
        return Ok(None);
    };
    let mut hasher = Sha256::new();
    for part in
        [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), caller.user().to_string().as_bytes()]
    {
        hasher.update(part);
        hasher.update([0]);
    }
    hasher.update(said());
    let key = key.to_str().ok().and_then(|key| IdempotencyKey::new(key, hasher.finalize().into()));
    key.map(Some).ok_or_else(|| {
        let max = IdempotencyKey::BYTES_MAX;
        Failure::unreadable("bad-key", format!("an Idempotency-Key is 1 to {max} visible ASCII characters"))
    })
}

/// What stands after the `?`: unknown names are errors.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Server> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Failure> {
        let parsed = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        parsed
            .map(|query| Self(query.0))
            .map_err(|rejection| Failure::unreadable("bad-query", rejection.body_text()))
    }
}

/// The variable segments of a path.
pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Server> for Segments<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Failure> {
        let parsed = Path::<T>::from_request_parts(parts, server).await;
        parsed
            .map(|path| Self(path.0))
            .map_err(|rejection| Failure::unreadable("bad-path", rejection.body_text()))
    }
}

/// An id in a path.
pub(super) fn id<T>(parsed: Result<T, brevet_core::BadId>) -> Result<T, Failure> {
    parsed.map_err(|bad| Failure::unreadable("bad-id", bad.to_string()))
}

#[cfg(test)]
mod tests {
    use super::describe;
    use brevet_wire as wire;

    fn problem(json: &str) -> String {
        describe(&serde_json::from_str::<wire::SignIn>(json).unwrap_err())
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said_without_its_values() {
        let misspelt = problem(r#"{"name": "a", "pasword": "hunter2"}"#);
        let says = "unknown field `pasword`, expected one of `name`, `password`, `code`";
        assert!(misspelt.starts_with(says) && !misspelt.contains("hunter2"), "{misspelt}");
        for json in [r#"{"name": "a", "password": 12345}"#, r#"{"name": "a", "password": ["12345"]}"#] {
            let said = problem(json);
            assert!(!said.contains("12345") && said.contains("a string"), "{said}");
        }
        assert!(problem(r#"{"name": "a"}"#).starts_with("missing field `password`"));
    }

    #[test]
    fn json_can_only_be_so_deep() {
        let deep = format!(
            r#"{{"task": "A/b", "parameters": {{"x": {}{}}}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        let error = serde_json::from_str::<wire::Check>(&deep).unwrap_err();
        assert!(error.to_string().contains("recursion limit"), "{error}");
    }
}
