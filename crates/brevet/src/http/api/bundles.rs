//! Evidence bundles, for auditors. That one was made is itself an entry.

use axum::http::StatusCode;
use brevet_core::RequestId;
use serde::Deserialize;

use super::audit::note_read;
use crate::app::Bundled;
use crate::bundle::{Bundle, OUTPUTS_BYTES_MAX};
use crate::http::answer::shown;
use crate::http::extract::{Query, Segments, id};
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/audit/bundles/{request}", Permission::Auditor, make, {
        operation("make_bundle", "Makes the evidence bundle of a request: its whole story, to be verified offline")
            .note(
                "The request, its decisions, its authorization and the runs under it; the policy, definitions, accounts \
                 and memberships that were in force; each with its bytes, texts and inclusion proof to one signed \
                 checkpoint. That it was made is itself an entry.",
            )
            .query::<Wanted>()
            .shows::<Bundle>("The bundle.")
    })
}

/// What to put in.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Whether what the runs wrote is embedded; otherwise its digest and length stand for it.
    outputs: Option<bool>,
}

async fn make(caller: Caller, Segments(given): Segments<String>, Query(wanted): Query<Wanted>) -> Answer {
    let id = id(RequestId::parse(&given))?;
    let outputs = wanted.outputs.unwrap_or(false);
    note_read(&caller, &format!("bundles/{id}?outputs={outputs}")).await?;
    let conflict = |reason: &str, detail: String| Err(Failure::new(StatusCode::CONFLICT, reason, detail));
    match caller.app.bundle(id, outputs).await? {
        Bundled::File(bundle) => shown(&bundle),
        Bundled::NoSuch => Err(Failure::no_such("request", id)),
        Bundled::Archived => conflict(
            "archived",
            format!(
                "a part of the story of {id} is in an archive file, and cannot be proven without it; on the server's \
                 machine this writes it: brevet audit bundle {id} --data FOLDER, with its data folder"
            ),
        ),
        Bundled::Recovered { previous } => conflict(
            "archived",
            format!(
                "a part of the story of {id} is in {previous}, which this ledger goes on from; on the server's machine \
                 this writes it: brevet audit bundle {id} --data FOLDER, with the data folder of that ledger, which \
                 the recovery left as it was"
            ),
        ),
        Bundled::TooLong => {
            conflict("too-long", format!("the story of {id} has more entries than one bundle holds"))
        }
        Bundled::TooMuchOutput => conflict(
            "too-much-output",
            format!("the runs of {id} wrote more than {OUTPUTS_BYTES_MAX} bytes; leave the outputs out"),
        ),
        Bundled::Faulty(fault) => {
            tracing::error!(%fault, %id, "a request has no whole story");
            conflict("no-story", format!("the ledger does not tell a whole story of {id}: {fault}"))
        }
    }
}
