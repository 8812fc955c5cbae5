//! The routes of a witness and their statuses (C2SP tlog-witness), plain text throughout.
//!
//! Nobody signs in: what is taken is signed by a ledger, and what is shown is public.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use brevet_ledger::NoteSignature;
use brevet_store::Refusal;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sha2::{Digest as _, Sha256};

use super::office::{Office, Unreadable};
use super::{SIZE_TYPE, health, metrics};

/// A body of `add-checkpoint`, in bytes: the longest proof, and a checkpoint with more than a dozen post-quantum
/// signatures.
const BODY_BYTES_MAX: usize = 64 << 10;
/// How long a body may take to arrive.
const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// When to come again who found too many waiting, in seconds.
const BUSY_SECONDS: &str = "1";

const PLAIN: &str = "text/plain; charset=utf-8";

/// Everything that a witness answers to.
pub(super) fn routes(office: Arc<Office>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .route("/metrics", get(show_metrics))
        .route("/health", get(show_health))
        .fallback(unknown_route)
        .with_state(office)
}

/// What came of one call of `add-checkpoint`.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is cosigned.
    Cosigned(NoteSignature),
    /// The sender took another size for the last one cosigned.
    HasSize(u64),
    /// It is not cosigned.
    Refused(Refusal),
    /// The body is longer than any that is read.
    TooLarge,
    /// The body did not come in time, or not to its end.
    TooSlow,
    /// Too many wait already.
    Busy,
    /// This machine does not know what time it is.
    ClockUnset,
    /// The folder cannot be read or written.
    Failed,
}

impl Outcome {
    pub(super) fn malformed(error: &brevet_ledger::Error) -> Self {
        Self::Refused(Refusal::Malformed(error.to_string()))
    }

    /// The word for it in the metrics.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Cosigned(_) => "cosigned",
            Self::HasSize(_) => "other-size",
            Self::Refused(Refusal::Malformed(_)) => "malformed",
            Self::Refused(Refusal::UnknownOrigin) => "unknown-log",
            Self::Refused(Refusal::NotSigned(_)) => "not-signed",
            Self::Refused(Refusal::OldAboveSize { .. }) => "old-above-size",
            Self::Refused(Refusal::Inconsistent(_)) => "inconsistent",
            Self::TooLarge => "too-large",
            Self::TooSlow => "too-slow",
            Self::Busy => "busy",
            Self::ClockUnset => "clock-unset",
            Self::Failed => "failed",
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Cosigned(_) => StatusCode::OK,
            Self::HasSize(_) => StatusCode::CONFLICT,
            Self::Refused(Refusal::Malformed(_) | Refusal::OldAboveSize { .. }) => StatusCode::BAD_REQUEST,
            Self::Refused(Refusal::UnknownOrigin) => StatusCode::NOT_FOUND,
            Self::Refused(Refusal::NotSigned(_)) => StatusCode::FORBIDDEN,
            Self::Refused(Refusal::Inconsistent(_)) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::ClockUnset => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Cosigned(signature) => signature.to_string(),
            Self::HasSize(size) => size.to_string(),
            Self::Refused(refusal) => refusal.to_string(),
            Self::TooLarge => format!("a body is at most {BODY_BYTES_MAX} bytes long"),
            Self::TooSlow => format!("a body must arrive within {} s", BODY_READ_MAX.as_secs()),
            Self::Busy => "too many checkpoints wait already; send it again in a second".into(),
            Self::ClockUnset => "this witness does not know what time it is; its clock must be set".into(),
            Self::Failed => "this witness cannot read or write its folder; its log says why".into(),
        }
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let kind = if matches!(self, Self::HasSize(_)) { SIZE_TYPE } else { PLAIN };
        let mut response = say(self.status(), kind, &self.text());
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(BUSY_SECONDS));
        }
        response
    }
}

/// A text, with a line feed at its end.
fn say(status: StatusCode, kind: &'static str, text: &str) -> Response {
    let text = format!("{}\n", text.trim_end_matches('\n'));
    (status, [(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

async fn add_checkpoint(State(office): State<Arc<Office>>, body: Body) -> Outcome {
    let outcome = match collect(body).await {
        Ok(body) => office.add_checkpoint(&body).await,
        Err(outcome) => outcome,
    };
    office.tally.count(&outcome);
    outcome
}

async fn collect(body: Body) -> Result<Bytes, Outcome> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_READ_MAX, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Outcome::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Outcome::TooSlow),
    }
}

/// The largest checkpoint that was cosigned of the ledger whose origin has this SHA-256, in lowercase hexadecimal.
async fn checkpoint(State(office): State<Arc<Office>>, Path(wanted): Path<String>) -> Response {
    let is_meant = move |origin: &str| hash_of(origin) == wanted;
    match office.read(move |reader| reader.latest(is_meant)).await {
        Ok(Some(note)) => say(StatusCode::OK, PLAIN, &note),
        Ok(None) => say(StatusCode::NOT_FOUND, PLAIN, "no checkpoint of that ledger was cosigned here"),
        Err(Unreadable) => Outcome::Failed.into_response(),
    }
}

fn hash_of(origin: &str) -> String {
    Sha256::digest(origin).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn show_metrics(State(office): State<Arc<Office>>) -> Response {
    match office.standings().await {
        Ok(standings) => say(StatusCode::OK, metrics::TYPE, &metrics::text(&standings, &office.tally)),
        Err(Unreadable) => Outcome::Failed.into_response(),
    }
}

async fn show_health(State(office): State<Arc<Office>>) -> Response {
    match health::look(&office).await {
        Ok(well) => say(StatusCode::OK, PLAIN, &well),
        Err(ill) => say(StatusCode::SERVICE_UNAVAILABLE, PLAIN, &ill),
    }
}

async fn unknown_route() -> Response {
    let paths = "a witness has /add-checkpoint, /<SHA-256 of an origin>/checkpoint, /metrics and /health";
    say(StatusCode::NOT_FOUND, PLAIN, paths)
}
