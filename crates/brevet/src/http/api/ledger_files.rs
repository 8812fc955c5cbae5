//! The ledger as files (C2SP tlog-tiles), so that monitors can follow it: checkpoint, tiles, entry bundles.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use brevet_store::{FileBytes, LedgerFile};

use super::audit::note_read;
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Permission, Routes, Server, Visitor};

/// Where all of it is.
const PREFIX: &str = "/ledger/";
/// A file of the ledger never changes: a larger one gets a name of its own.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/ledger/{*path}", Permission::Public, file, {
        operation("ledger_file", "One file of the ledger (C2SP tlog-tiles): checkpoint, tile, or entry bundle")
            .note(
                "`checkpoint` is the newest published checkpoint, a signed note; `tile/<L>/<N>[.p/<W>]` are hashes \
                 and `tile/entries/<N>[.p/<W>]` entries, up to the size of that checkpoint. Entries hold no personal \
                 text, only commitments to it; where the server does not publish them, an auditor's token reads \
                 them, and that is an entry of the ledger once an hour for each session.",
            )
            .gives(200, "The file.", "application/octet-stream")
            .also("text/plain; charset=utf-8")
            .gives(410, "These entries were archived; their hashes are still served.", "application/problem+json")
    })
}

async fn file(visitor: Visitor, uri: Uri, headers: HeaderMap) -> Answer {
    // As it was sent: a path that is encoded in another way is another path.
    let path = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let server = &visitor.server;
    let standing = server.app.standing();
    if standing.checkpoint.is_empty() {
        let detail = "no checkpoint is published yet; try again in a moment";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "no-checkpoint", detail));
    }
    if path == "checkpoint" {
        return Ok(
            ([(CONTENT_TYPE, "text/plain; charset=utf-8")], standing.checkpoint.clone()).into_response()
        );
    }
    let Some(file) = LedgerFile::parse(path, standing.checkpointed) else {
        let shown: String = path.chars().take(200).collect();
        let size = standing.checkpointed;
        let detail = format!("a ledger of {size} entries has no file {shown}; see c2sp.org/tlog-tiles");
        return Err(Failure::new(StatusCode::NOT_FOUND, "not-found", detail));
    };
    let is_public = !file.holds_entries() || server.app.settings().public_entries;
    if !is_public {
        admit(server, file, &headers).await?;
    }
    match server.app.stored(move |reader| reader.ledger_file(file)).await? {
        FileBytes::Here(bytes) => Ok(immutable(bytes, is_public)),
        FileBytes::Archived => {
            let detail = "these entries are not here any more: they were moved to an archive file, which \
                          `brevet audit verify` reads together with the rest; their hashes are still served";
            Err(Failure::new(StatusCode::GONE, "archived", detail))
        }
    }
}

/// Lets auditors pass, and puts on record that they read.
async fn admit(server: &Server, file: LedgerFile, headers: &HeaderMap) -> Result<(), Failure> {
    let caller = Permission::Auditor.admit(&server.app, headers).await?;
    let caller = caller.ok_or_else(|| Failure::bug("an auditor who is nobody"))?;
    let query = format!("entries from {} on, as files, for an hour", file.first());
    server.ledger_reads.note(caller.session.id, server.app.now(), note_read(&caller, &query)).await
}

/// What only some may read is kept by nobody on the way.
fn immutable(bytes: Vec<u8>, is_public: bool) -> Response {
    let mut response = ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response();
    if is_public {
        response.headers_mut().insert(CACHE_CONTROL, axum::http::HeaderValue::from_static(FOR_EVER));
    }
    response
}
