//! The ledger, for auditors. Each search and each export is itself an entry.

use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::{Command, REASON_BYTES_MAX, RequestId, Text, TextKind};
use brevet_store::{EntryFilter, Receipt, StoredEntry};
use serde::Deserialize;

use super::scan::scan;
use crate::http::answer::shown;
use crate::http::extract::{Query, Segments, id};
use crate::http::limit::EXPORT_ENTRIES;
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};
use crate::http::stream::{Gone, Pipe};
use crate::http::take;
use crate::wire;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/audit/entries", Permission::Auditor, search, {
            operation("search_entries", "Searches the ledger, newest first")
                .note("The search is itself an entry of the ledger; going on by cursor is not another one.")
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
        .get("/api/v1/audit/export", Permission::Auditor, export, {
            operation("export_entries", "Exports all entries, oldest first")
                .note("One JSON object a line. The export is itself an entry, and the last that it holds.")
                .gives(200, "Entries, one a line.", "application/jsonl")
        })
        .get("/ledger/checkpoint", Permission::Public, signed_note, {
            operation("ledger_checkpoint", "The newest checkpoint, a signed note (C2SP tlog-checkpoint)")
                .gives(200, "The signed note.", "text/plain; charset=utf-8")
        })
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Caused by this account (name or id), or by `system`.
    actor: Option<String>,
    /// Of this kind, for example `request.submitted`.
    kind: Option<String>,
    /// Of this request's story.
    request: Option<String>,
    /// About this task.
    task: Option<String>,
    /// With this text in the summary or the details, in any case.
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
    let (task, text) =
        (wanted.task.map(|task| task.replace('/', "\\")), wanted.text.map(|text| text.to_lowercase()));
    if page.cursor.is_none() {
        note_read(&caller, &format!("entries?{}", uri.query().unwrap_or_default())).await?;
    }
    let seer = caller.clone();
    let rows = caller.app.stored(move |reader| {
        let matches = |stored: &StoredEntry| {
            if task.is_none() && text.is_none() {
                return true;
            }
            let entry = seer.view(|view| view.entry(stored));
            let about =
                |task: &String| entry.task.as_ref().is_some_and(|about| about.eq_ignore_ascii_case(task));
            let says = |text: &String| {
                entry.summary.to_lowercase().contains(text)
                    || entry.details.to_string().to_lowercase().contains(text)
            };
            task.as_ref().is_none_or(about) && text.as_ref().is_none_or(says)
        };
        let read = |before, limit| reader.entries(&filter, before, limit);
        scan(page, |stored: &StoredEntry| stored.index, read, matches)
    });
    let rows = rows.await?;
    shown(&caller.view(|view| listed(rows.items, rows.next, |stored| view.entry(&stored))))
}

fn filter(caller: &Caller, wanted: &Wanted) -> Result<EntryFilter, Failure> {
    let actor = match wanted.actor.as_deref() {
        None => None,
        Some("system") => Some("system".to_owned()),
        Some(name) => Some(caller.app.read(|state| take::user(state, name))?.to_string()),
    };
    let request = wanted.request.as_deref().map(RequestId::parse).transpose();
    Ok(EntryFilter {
        kind: wanted.kind.clone(),
        actor,
        request: id(request)?,
        since: wanted.since.map(take::timestamp),
        until: wanted.until.map(take::timestamp),
    })
}

async fn show(caller: Caller, Segments(index): Segments<u64>) -> Answer {
    note_read(&caller, &format!("entries/{index}")).await?;
    let found = caller.app.stored(move |reader| reader.entry(index)).await?;
    let stored = found.ok_or_else(|| Failure::no_such("entry", index))?;
    shown(&caller.view(|view| view.entry(&stored)))
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

async fn signed_note(visitor: Visitor) -> Answer {
    let note = visitor.server.app.published().checkpoint.clone();
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response())
}

async fn export(caller: Caller) -> Answer {
    let end = note_read(&caller, "export").await?;
    let (pipe, response) = Pipe::new("application/jsonl");
    tokio::spawn(async move {
        if let Err(Some(failure)) = write_all(&caller, end, &pipe).await {
            pipe.break_off(&failure.into_problem().detail).await;
        }
    });
    Ok(response)
}

/// Writes the entries before `end`; the error is `None` where nobody reads any more.
async fn write_all(caller: &Caller, end: u64, pipe: &Pipe) -> Result<(), Option<Failure>> {
    let mut first = 0;
    while first < end {
        let limit = usize::try_from(end - first).map_or(EXPORT_ENTRIES, |left| left.min(EXPORT_ENTRIES));
        let entries = caller.app.stored(move |reader| reader.entries_from(first, limit)).await;
        let entries = entries.map_err(|error| Some(error.into()))?;
        let Some(last) = entries.last() else { return Err(Some(Failure::bug("an export ended too early"))) };
        first = last.index + 1;
        let mut lines = Vec::new();
        for stored in &entries {
            let entry = caller.view(|view| view.entry(stored));
            serde_json::to_writer(&mut lines, &entry)
                .map_err(|error| Some(Failure::bug(&error.to_string())))?;
            lines.push(b'\n');
        }
        pipe.send(lines).await.map_err(|Gone| None)?;
    }
    Ok(())
}

/// Puts on record that somebody reads; answers how long the ledger is with that. What cannot be recorded is
/// not read.
async fn note_read(caller: &Caller, query: &str) -> Result<u64, Failure> {
    let query = query.get(..REASON_BYTES_MAX).unwrap_or(query);
    let query = Text::parse(TextKind::Comment, query)
        .map_err(|error| Failure::unreadable("bad-query", error.to_string()))?;
    Ok(caller.app.command(caller.origin(), Command::NoteRead { query }, None).await?.position)
}
