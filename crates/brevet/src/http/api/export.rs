//! Exports of the ledger: everything, so that it can be verified elsewhere, or a part, so that it can be read
//! elsewhere. Each is itself an entry.

use std::time::Duration;

use axum::http::Uri;
use brevet_core::{RequestId, Timestamp};
use brevet_store::{ExportFilter, Reader};
use brevet_wire as wire;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::export::{Excerpt, Format, Gatherer, Heading, Names};
use crate::http::audit_entry;
use crate::http::extract::{Query, id};
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};
use crate::http::stream::{Gone, Pipe};
use crate::http::take;

use super::audit::note_read;

/// How long an export waits for a checkpoint over itself that is in the anchor.
const CHECKPOINT_WAIT_MAX: Duration = Duration::from_secs(3);
/// How often it looks.
const CHECKPOINT_LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/audit/export", Permission::Auditor, export, {
        operation("export_entries", "Exports entries, oldest first")
            .note(
                "Without conditions and as JSON lines, it is all that is needed to verify the ledger elsewhere: the \
                 first line says which ledger, each further one has the exact bytes of an entry and the texts \
                 beside it with their salts, the last one has the signed checkpoint. With conditions, the first and \
                 the last line say that it is a part. The export is itself an entry. An answer that breaks off is \
                 not all there is. Exports count among the calls of one account that wait or follow runs: one more than \
                 may be is answered 429 with the reason `too-many-waits`.",
            )
            .query::<Wanted>()
            .gives(200, "Entries, one a line.", "application/jsonl")
            .also("text/csv")
    })
}

/// In which format, and which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `jsonl` when left out, `csv`, `office365` (Management Activity API) or `ocsf` (version 1.8.0).
    format: Option<String>,
    /// Caused by this account (name or id), or by `system`.
    actor: Option<String>,
    /// Of this kind, for example `request.submitted`, or of all that begin so: `request.*`.
    kind: Option<String>,
    /// Of this request's story.
    request: Option<String>,
    /// About this task.
    task: Option<String>,
    /// Not before.
    since: Option<wire::Time>,
    /// Before.
    until: Option<wire::Time>,
}

/// What is to be written.
struct Job {
    format: Format,
    filter: ExportFilter,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// The conditions as they were given; `null` where there are none.
    said: Value,
}

async fn export(caller: Caller, visitor: Visitor, uri: Uri, Query(wanted): Query<Wanted>) -> Answer {
    let job = Job::of(&caller, wanted)?;
    let wait = visitor.server.waits.for_anything(&caller.session)?;
    let query = uri.query().map(|query| format!("export?{query}"));
    let end = note_read(&caller, query.as_deref().unwrap_or("export")).await?;
    let (pipe, response) = Pipe::new(job.format.media_type(), wait);
    tokio::spawn(async move {
        if let Err(Some(failure)) = job.write(&caller, end, &pipe).await {
            pipe.break_off(&failure.into_problem().detail).await;
        }
    });
    Ok(response)
}

impl Job {
    fn of(caller: &Caller, wanted: Wanted) -> Result<Self, Failure> {
        let Wanted { format, actor, kind, request, task, since, until } = wanted;
        let format = format.as_deref().unwrap_or(Format::Jsonl.name());
        let format = Format::parse(format).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            Failure::unreadable("bad-query", format!("format: one of {names}"))
        })?;
        let said = json!({
            "actor": actor, "kind": kind, "request": request, "task": task, "since": since, "until": until,
        });
        let has_conditions = said.as_object().is_some_and(|said| said.values().any(|value| !value.is_null()));
        let actor = match actor.as_deref() {
            None => None,
            Some("system") => Some("system".to_owned()),
            Some(name) => Some(caller.app.read(|state| take::user(state, name))?.to_string()),
        };
        let request = id(request.as_deref().map(RequestId::parse).transpose())?;
        let said = if has_conditions { said } else { Value::Null };
        let filter = ExportFilter { kind, actor, request, task };
        Ok(Self {
            format,
            filter,
            since: since.map(take::timestamp),
            until: until.map(take::timestamp),
            said,
        })
    }

    /// Writes the entries before `end`, or before the end of the checkpoint that covers it; the error is `None`
    /// where nobody reads any more.
    async fn write(self, caller: &Caller, end: u64, pipe: &Pipe) -> Result<(), Option<Failure>> {
        let kept = caller.app.read(|state| state.archive().size);
        let is_whole = self.said.is_null();
        let (end, checkpoint) = match self.format == Format::Jsonl && is_whole {
            true => covering(&caller.app, end).await,
            false => (end, String::new()),
        };
        let mut lines = Vec::new();
        self.begin(&caller.app, kept..end, &mut lines);
        let entries = self.write_entries(caller, kept..end, pipe, &mut lines).await?;
        if self.format == Format::Jsonl {
            // With these, a reader who trusts an older key can follow to the one that signed the last.
            let handovers = caller.app.stored(Reader::key_checkpoints).await.map_err(|e| Some(e.into()))?;
            if is_whole {
                handovers.iter().for_each(|note| Heading::last_line(note, &mut lines));
            }
            match is_whole {
                true => Heading::last_line(&checkpoint, &mut lines),
                false => Excerpt::last_line(entries, &mut lines),
            }
        }
        pipe.send(lines).await.map_err(|Gone| None)
    }

    fn begin(&self, app: &App, range: std::ops::Range<u64>, lines: &mut Vec<u8>) {
        let origin = app.ledger_origin();
        self.format.begin(lines);
        match (self.format, self.said.is_null()) {
            (Format::Jsonl, true) => {
                let keys = app.verifier_keys().iter().map(ToString::to_string).collect();
                Heading { origin, keys, first: range.start, size: range.end }.first_line(lines);
            }
            (Format::Jsonl, false) => Excerpt { origin, filter: self.said.clone() }.first_line(lines),
            (Format::Csv | Format::Office365 | Format::Ocsf, _) => {}
        }
    }

    /// Writes stretch after stretch; answers how many entries there were. What is left in `lines` was not sent yet.
    async fn write_entries(
        &self,
        caller: &Caller,
        range: std::ops::Range<u64>,
        pipe: &Pipe,
        lines: &mut Vec<u8>,
    ) -> Result<u64, Option<Failure>> {
        let (since, until) = (self.since, self.until);
        let range = caller.app.stored(move |reader| {
            let end = until.map_or(Ok(range.end), |until| reader.first_since(until, &range))?;
            let start = since.map_or(Ok(range.start), |since| reader.first_since(since, &range))?;
            Ok(start..end)
        });
        let mut range = range.await.map_err(failed)?;
        let (mut gatherer, mut written) = (Gatherer::default(), 0);
        while range.start < range.end {
            // An export can take long; whoever lost the right to it meanwhile gets no more of it.
            caller.check_open().map_err(failed)?;
            if !caller.standing().1 {
                return Err(Some(brevet_core::Refusal::Forbidden { who: "an auditor" }.into()));
            }
            let (app, format, filter, stretch) =
                (caller.app.clone(), self.format, self.filter.clone(), range.clone());
            let mut more = std::mem::take(lines);
            let found = caller.app.stored(move |reader| {
                let stretch = reader.export(&filter, &stretch)?;
                let count = stretch.entries.len() as u64;
                for exported in stretch.entries {
                    let record = gatherer.gather(reader, exported, true)?;
                    app.read(|state| {
                        let names = Names { state, origin: app.ledger_origin(), texts: true };
                        let entry = audit_entry(state, app.now(), &record.exported.stored);
                        format.write(&mut more, entry, &record, &names);
                    });
                }
                Ok((gatherer, more, count, stretch.next))
            });
            let (count, next);
            (gatherer, *lines, count, next) = found.await.map_err(failed)?;
            written += count;
            range.start = next;
            if !lines.is_empty() {
                pipe.send(std::mem::take(lines)).await.map_err(|Gone| None)?;
            }
        }
        Ok(written)
    }
}

/// A checkpoint that covers so many entries at least, and how many it does: that in the anchor, with the signatures
/// of witnesses that are there by then, or else the newest that this server signed.
async fn covering(app: &App, end: u64) -> (u64, String) {
    let anchored = async {
        loop {
            let standing = app.standing();
            if standing.checkpointed >= end {
                return (standing.checkpointed, standing.checkpoint.clone());
            }
            tokio::time::sleep(CHECKPOINT_LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(CHECKPOINT_WAIT_MAX, anchored).await {
        Ok(found) => found,
        Err(_) => {
            let published = app.published();
            (published.size, published.checkpoint.clone())
        }
    }
}

fn failed(error: crate::app::AppError) -> Option<Failure> {
    Some(error.into())
}
