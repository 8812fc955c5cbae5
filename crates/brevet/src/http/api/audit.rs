//! The ledger, for auditors. Each search and each export is itself an entry.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::{Command, RequestId, Text, TextKind};
use brevet_store::{EntryFilter, Object, Receipt, Words};
use brevet_wire as wire;
use serde::Deserialize;

use crate::http::answer::shown;
use crate::http::extract::{Query, Segments, id};
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/audit/entries", Permission::Auditor, search, {
            operation("search_entries", "Searches the ledger, newest first")
                .note(
                    "The search is itself an entry of the ledger; going on by cursor in the same session is not another one. A page takes \
                     the same short time however long the ledger is: one that looked at enough before it was full has \
                     fewer entries, perhaps none, and a cursor to go on with.",
                )
                .query::<Wanted>()
                .lists::<wire::AuditEntry>("Entries.")
        })
        .get("/api/v1/audit/entries/{index}", Permission::Auditor, show, {
            operation("show_entry", "Shows one entry of the ledger")
                .note("That it was read is itself an entry.")
                .shows::<wire::AuditEntry>("The entry.")
        })
        .get("/api/v1/audit/entries/{index}/proof", Permission::Auditor, prove, {
            operation("prove_entry", "Proves that an entry is in the ledger, for a verifier without a server")
                .note("That it was read is itself an entry.")
                .shows::<wire::AuditProof>("The entry and its proof (C2SP tlog-proof).")
        })
        .get("/api/v1/audit/checkpoint", Permission::Auditor, checkpoint, {
            operation("show_checkpoint", "Shows the newest checkpoint")
                .shows::<wire::Checkpoint>("The checkpoint.")
        })
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Caused by this account (name or id), or by `system`.
    actor: Option<String>,
    /// Of this kind, for example `request.submitted`, or of all that begin so: `request.*`.
    kind: Option<String>,
    /// Of this request's story.
    request: Option<String>,
    /// About this task, as `Scope\Name` or `Scope/Name`, in any case.
    task: Option<String>,
    /// About this policy, group, assignment or account by its id (`pol-1`, `grp-2`, `asg-3`, `usr-7`), or about
    /// `access-control`: how it was made and changed.
    object: Option<String>,
    /// With this outcome, for example `denied`.
    outcome: Option<String>,
    /// With all of these words, in any case, in a reason, a comment, a name, an address, a description or the value
    /// of a parameter; `migr*` stands for all words that begin so.
    text: Option<String>,
    /// Not before.
    since: Option<wire::Time>,
    /// Before.
    until: Option<wire::Time>,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

async fn search(caller: Caller, uri: Uri, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let filter = filter(&caller, &wanted)?;
    note_search(&caller, "entries", &uri, page.cursor.is_some()).await?;
    let rows = caller.app.stored(move |reader| reader.entries(&filter, page.cursor, page.limit)).await?;
    shown(&caller.view(|view| listed(rows.items, rows.next, |stored| view.entry(&stored))))
}

fn filter(caller: &Caller, wanted: &Wanted) -> Result<EntryFilter, Failure> {
    let actor = match wanted.actor.as_deref() {
        None => None,
        Some("system") => Some("system".to_owned()),
        Some(name) => Some(caller.app.read(|state| take::user(state, name))?.to_string()),
    };
    let request = wanted.request.as_deref().map(RequestId::parse).transpose();
    let object = wanted.object.as_deref().map(Object::parse).transpose();
    let text = wanted.text.as_deref().map(Words::parse).transpose();
    Ok(EntryFilter {
        kind: wanted.kind.clone(),
        actor,
        request: id(request)?,
        task: wanted.task.clone(),
        object: object.map_err(|bad| Failure::unreadable("bad-query", format!("object: {bad}")))?,
        outcome: wanted.outcome.clone(),
        text: text.map_err(|bad| Failure::unreadable("bad-query", format!("text: {bad}")))?,
        since: wanted.since.map(take::timestamp),
        until: wanted.until.map(take::timestamp),
    })
}

async fn show(caller: Caller, Segments(index): Segments<u64>) -> Answer {
    note_read(&caller, &format!("entries/{index}")).await?;
    let found = caller.app.stored(move |reader| reader.entry(index)).await?;
    let is_archived = || caller.app.read(|state| index < state.archive().size);
    let stored = found.ok_or_else(|| match is_archived() {
        true => archived(index),
        false => Failure::no_such("entry", index),
    })?;
    shown(&caller.view(|view| view.entry(&stored)))
}

fn archived(index: u64) -> Failure {
    let detail = format!(
        "entry {index} is not here any more: it was moved to an archive file, which `brevet audit verify` reads together \
         with the rest; its proof is still given"
    );
    Failure::new(StatusCode::GONE, "archived", detail)
}

async fn prove(caller: Caller, Segments(index): Segments<u64>) -> Answer {
    note_read(&caller, &format!("entries/{index}/proof")).await?;
    let found = caller.app.stored(move |reader| reader.receipt(index)).await?;
    let Receipt { index, bytes, proof } = found.ok_or_else(|| Failure::no_such("entry", index))?;
    shown(&wire::AuditProof { index, proof, entry: STANDARD.encode(bytes) })
}

async fn checkpoint(caller: Caller) -> Answer {
    let note = caller.app.published().checkpoint.clone();
    let mut lines = note.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    let (origin, size, root) = (line(), line(), line());
    let size = size.parse().map_err(|_| Failure::bug("a checkpoint without a size"))?;
    let time = caller.app.read(brevet_core::State::last).map(|last| wire::Time::from_micros(last.micros()));
    shown(&wire::Checkpoint { origin, size, root, time, note })
}

/// Searches that are remembered as noted, of all sessions together.
const SEARCHES_REMEMBERED_MAX: usize = 1_024;

/// Puts a search on record: once, not for each of its pages. What goes on by a cursor is noted too, unless this very
/// session began just that search before; anybody can make a cursor up.
pub(super) async fn note_search(
    caller: &Caller,
    what: &str,
    uri: &Uri,
    goes_on: bool,
) -> Result<(), Failure> {
    static NOTED: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
    let noted = || NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let query = uri.query().unwrap_or_default();
    let mut conditions: Vec<&str> =
        query.split('&').filter(|part| !part.starts_with("cursor=") && !part.starts_with("limit=")).collect();
    conditions.sort_unstable();
    let session = caller.session.id;
    let search = format!("{} {session} {what}?{}", caller.app.ledger_origin(), conditions.join("&"));
    if goes_on && noted().contains(&search) {
        return Ok(());
    }
    note_read(caller, &format!("{what}?{query}")).await?;
    let mut noted = noted();
    if noted.len() >= SEARCHES_REMEMBERED_MAX {
        noted.pop_front();
    }
    noted.push_back(search);
    Ok(())
}

/// Puts on record that somebody reads; answers how long the ledger is with that. What cannot be recorded is
/// not read.
pub(super) async fn note_read(caller: &Caller, query: &str) -> Result<u64, Failure> {
    let query = Text::parse(TextKind::Comment, query)
        .map_err(|error| Failure::unreadable("bad-query", error.to_string()))?;
    Ok(caller.app.command(caller.origin(), Command::NoteRead { query }, None).await?.position)
}
