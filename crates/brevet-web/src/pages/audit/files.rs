//! What is handed on as it is: proofs, exports, evidence bundles, and files of the ledger for the page that verifies it.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse as _, Response};
use brevet_wire::AuditProof;
use jiff::fmt::strtime;
use serde::Deserialize;

use super::questions::{ExportWanted, FORMATS};
use super::{as_asked, asked, number};
use crate::api::segment;
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::gate::Visit;

/// The proof of an entry, as a file.
pub(super) async fn proof(visit: Visit, Path(index): Path<String>) -> Answer {
    let index = number(&index)?;
    let proof: AuditProof = visit.api.get(&format!("/audit/entries/{index}/proof")).await?;
    let response = ([(CONTENT_TYPE, "text/plain; charset=utf-8")], proof.proof).into_response();
    as_file(response, &format!("entry-{index}.tlog-proof"))
}

/// An export, as it comes.
pub(super) async fn export(visit: Visit, Query(wanted): Query<ExportWanted>) -> Answer {
    let ending = FORMATS.iter().find(|format| Some(format.name) == wanted.format.as_deref());
    let ending = ending.map_or("jsonl", |format| format.ending);
    let path = asked("/audit/export", &as_asked(wanted.conditions()), &[]);
    let response = visit.api.raw(&path, "*/*").await?;
    let time = strtime::format("%Y-%m-%d-%H%M", &visit.now().to_zoned(jiff::tz::TimeZone::UTC));
    let time = time.map_err(|error| Failure::bug(&error.to_string()))?;
    as_file(response, &format!("brevet-ledger-{time}.{ending}"))
}

/// Whether what the runs wrote is in a bundle.
#[derive(Debug, Default, Deserialize)]
pub(super) struct WithOutputs {
    outputs: Option<bool>,
}

/// The evidence bundle of a request.
pub(super) async fn bundle(
    visit: Visit,
    Path(request): Path<String>,
    Query(WithOutputs { outputs }): Query<WithOutputs>,
) -> Answer {
    let outputs = outputs.unwrap_or(false);
    let path = format!("/audit/bundles/{}?outputs={outputs}", segment(&request));
    let response = visit.api.raw(&path, "application/json").await?;
    let letters = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let name: String = request.chars().filter(letters).take(40).collect();
    as_file(response, &format!("{name}.brevet-bundle"))
}

/// A file of the ledger (C2SP tlog-tiles), in the name of whoever is signed in: entries are not for everybody.
pub(super) async fn ledger(visit: Visit, uri: Uri) -> Answer {
    let path = uri.path().strip_prefix("/audit/ledger/").unwrap_or_default();
    Ok(only_body(visit.api.ledger_file(path).await?))
}

fn as_file(response: Response, name: &str) -> Answer {
    let mut response = only_body(response);
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition.map_err(|error| Failure::bug(&error.to_string()))?;
    response.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// The answer with what it says of its body and nothing else: the other headers were for whoever asks the API.
fn only_body(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).cloned();
    let mut headers = HeaderMap::new();
    headers.extend(kind.map(|kind| (CONTENT_TYPE, kind)));
    (headers, response.into_body()).into_response()
}
