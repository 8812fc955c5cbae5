//! Who could run what at an instant; and what an export is to hold.

use askama::Template;
use brevet_wire::{Basis, Checkpoint, List, Problem, Time, Way};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::kinds::KINDS;
use super::{as_asked, asked, instant, said, told};
use crate::api::query;
use crate::extract::Query;
use crate::failure::Answer;
use crate::filters;
use crate::gate::Visit;
use crate::page::{Here, Page, show, show_again};

/// At which instant, and whose, as it stands in the address.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AsOfWanted {
    time: Option<String>,
    user: Option<String>,
    task: Option<String>,
    cursor: Option<String>,
}

impl AsOfWanted {
    fn conditions(&self) -> [(&'static str, Option<&str>); 3] {
        let AsOfWanted { time, user, task, cursor: _ } = self;
        [("time", said(time.as_deref())), ("user", said(user.as_deref())), ("task", said(task.as_deref()))]
    }

    fn here(&self, cursor: Option<&str>) -> String {
        query("/audit/as-of", self.conditions().into_iter().chain([("cursor", cursor)]))
    }
}

#[derive(Template)]
#[template(path = "audit/as_of.html")]
struct AsOfPage {
    page: Page,
    told: Option<Problem>,
    wanted: AsOfWanted,
    /// What stands in the field for the instant, for one without a zone.
    time: String,
    /// The instant that was asked about, where one was and can be read.
    at: Option<Time>,
    ways: Vec<Way>,
    first: Option<String>,
    next: Option<String>,
}

/// Who could run what.
pub(super) async fn as_of(visit: Visit, Query(wanted): Query<AsOfWanted>) -> Answer {
    let conditions = as_asked(wanted.conditions());
    let asks = conditions.iter().any(|(name, _)| *name == "time");
    let found = if asks {
        let more = [("limit", Some("100")), ("cursor", wanted.cursor.as_deref())];
        visit.api.get::<List<Way>>(&asked("/audit/as-of", &conditions, &more)).await
    } else {
        // The API says who may ask.
        let may = visit.api.get::<Checkpoint>("/audit/checkpoint").await;
        may.map(|_| List { items: Vec::new(), next: None })
    };
    let (List { items: ways, next }, told) = match found.map_err(told) {
        Ok(found) => (found, None),
        Err(Ok(problem)) => (List { items: Vec::new(), next: None }, Some(problem)),
        Err(Err(failure)) => return Err(failure),
    };
    let at = wanted.time.as_deref().and_then(|time| instant(time.trim()).parse().ok());
    let page = AsOfPage {
        page: visit.page("Who could run what", Here::Audit),
        told,
        time: field(at.unwrap_or_else(|| visit.now())),
        at: at.map(Time),
        ways,
        first: wanted.cursor.as_deref().map(|_| wanted.here(None)),
        next: next.map(|next| wanted.here(Some(&next))),
        wanted,
    };
    match &page.told {
        Some(problem) => show_again(problem, &page),
        None => show(&page),
    }
}

/// What a field for an instant holds: UTC, to the second, without a zone.
fn field(at: jiff::Timestamp) -> String {
    strtime::format("%Y-%m-%dT%H:%M:%S", &at.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

/// Why somebody could.
const fn basis(basis: &Basis) -> &'static str {
    match basis {
        Basis::Authorization => "Authorization",
        Basis::SystemAccount => "System account, excluded from access control",
        Basis::AccessControlOff => "Assigned, while access control was off",
        Basis::Uncovered => "Assigned, and no policy covers the task",
    }
}

/// In which form an export is written.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) ending: &'static str,
    title: &'static str,
    hint: &'static str,
}

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "jsonl",
        ending: "jsonl",
        title: "JSON lines",
        hint: "Without conditions it verifies: brevet audit verify FILE --key KEY",
    },
    Format { name: "csv", ending: "csv", title: "CSV", hint: "For a spreadsheet" },
    Format {
        name: "office365",
        ending: "office365.jsonl",
        title: "Office 365",
        hint: "Records as the Management Activity API has them",
    },
    Format { name: "ocsf", ending: "ocsf.jsonl", title: "OCSF", hint: "Events of version 1.8.0, for a SIEM" },
];

/// What an export is to hold.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ExportWanted {
    pub(super) format: Option<String>,
    actor: Option<String>,
    kind: Option<String>,
    request: Option<String>,
    task: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl ExportWanted {
    /// What is said at all, by the names that the API has for it.
    pub(super) fn conditions(&self) -> [(&'static str, Option<&str>); 7] {
        let ExportWanted { format, actor, kind, request, task, since, until } = self;
        [
            ("format", said(format.as_deref())),
            ("actor", said(actor.as_deref())),
            ("kind", said(kind.as_deref())),
            ("request", said(request.as_deref())),
            ("task", said(task.as_deref())),
            ("since", said(since.as_deref())),
            ("until", said(until.as_deref())),
        ]
    }
}

#[derive(Template)]
#[template(path = "audit/export.html")]
struct ExportPage {
    page: Page,
    wanted: ExportWanted,
}

/// The form of an export, with conditions that a link may have.
pub(super) async fn export(visit: Visit, Query(wanted): Query<ExportWanted>) -> Answer {
    visit.api.get::<Checkpoint>("/audit/checkpoint").await?;
    show(&ExportPage { page: visit.page("Export", Here::Audit), wanted })
}
