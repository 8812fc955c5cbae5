//! The ledger, for auditors: search, one entry with its proof, how far it is vouched for, and verifying it.
//!
//! Nothing here is live: reading the ledger is itself an entry, and a page that followed it would never come to rest.

mod detail;
mod files;
mod kinds;
mod questions;
mod standing;

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{AuditEntry, AuditProof, LedgerKeys, List, Problem};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;

use self::detail::DetailTree;
use self::kinds::{KINDS, OUTCOMES};
use self::standing::Offered;
use crate::api::query;
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show, show_again};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/audit", get(search))
        .route("/audit/{index}", get(entry))
        .route("/audit/{index}/proof", get(proof))
        .route("/audit/{index}/tlog-proof", get(files::proof))
        .route("/audit/verify", get(standing::verify))
        .route("/audit/verify/claims", get(standing::claims))
        .route("/audit/ledger", get(standing::ledger))
        .route("/audit/ledger/{*path}", get(files::ledger))
        .route("/audit/as-of", get(questions::as_of))
        .route("/audit/export", get(questions::export))
        .route("/audit/export/file", get(files::export))
        .route("/audit/bundle/{request}", get(files::bundle))
}

/// The conditions of a search, as they stand in the address.
#[derive(Debug, Default, Deserialize)]
struct Wanted {
    actor: Option<String>,
    kind: Option<String>,
    request: Option<String>,
    task: Option<String>,
    outcome: Option<String>,
    text: Option<String>,
    since: Option<String>,
    until: Option<String>,
    cursor: Option<String>,
}

impl Wanted {
    /// What is said at all, by the names that the API has for it.
    fn conditions(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("actor", said(self.actor.as_deref())),
            ("kind", said(self.kind.as_deref())),
            ("request", said(self.request.as_deref())),
            ("task", said(self.task.as_deref())),
            ("outcome", said(self.outcome.as_deref())),
            ("text", said(self.text.as_deref())),
            ("since", said(self.since.as_deref())),
            ("until", said(self.until.as_deref())),
        ]
    }

    /// The address of a page with the same conditions.
    fn here(&self, cursor: Option<&str>) -> String {
        query("/audit", self.conditions().into_iter().chain([("cursor", cursor)]))
    }
}

/// A field of an address; one that was left empty says nothing.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// An instant as a field for it says it, without a zone: it is meant in UTC. Anything else is left for the API to judge.
fn instant(text: &str) -> String {
    let day = || text.parse::<Date>().map(|date| date.at(0, 0, 0, 0));
    let civil = text.parse::<DateTime>().or_else(|_| day());
    match (text.parse::<Timestamp>(), civil) {
        (Err(_), Ok(civil)) => {
            TimeZone::UTC.to_timestamp(civil).map_or_else(|_| text.to_owned(), |at| at.to_string())
        }
        _ => text.to_owned(),
    }
}

/// The same conditions with instants as the API reads them.
fn as_asked<'a>(conditions: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Vec<(&'a str, String)> {
    let said = conditions.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    said.map(|(name, value)| match name {
        "since" | "until" | "time" => (name, instant(value)),
        _ => (name, value.to_owned()),
    })
    .collect()
}

fn asked<'a>(path: &str, conditions: &'a [(&'a str, String)], more: &[(&'a str, Option<&'a str>)]) -> String {
    let conditions = conditions.iter().map(|(name, value)| (*name, Some(value.as_str())));
    query(path, conditions.chain(more.iter().copied()))
}

/// What the API says is wrong with a question, to be told above it; other problems have a page of their own.
fn told(failure: Failure) -> Result<Problem, Failure> {
    match failure.0.status {
        400 | 404 | 409 | 422 | 429 | 503 => Ok(*failure.0),
        _ => Err(failure),
    }
}

#[derive(Template)]
#[template(path = "audit/search.html")]
struct SearchPage {
    page: Page,
    told: Option<Problem>,
    wanted: Wanted,
    entries: Vec<AuditEntry>,
    first: Option<String>,
    next: Option<String>,
}

async fn search(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let conditions = as_asked(wanted.conditions());
    let path =
        asked("/audit/entries", &conditions, &[("limit", Some("50")), ("cursor", wanted.cursor.as_deref())]);
    let found = visit.api.get::<List<AuditEntry>>(&path).await;
    let (List { items: entries, next }, told) = match found.map_err(told) {
        Ok(found) => (found, None),
        Err(Ok(problem)) => (List { items: Vec::new(), next: None }, Some(problem)),
        Err(Err(failure)) => return Err(failure),
    };
    let page = SearchPage {
        page: visit.page("Audit", Here::Audit),
        told,
        first: wanted.cursor.as_deref().map(|_| wanted.here(None)),
        next: next.map(|next| wanted.here(Some(&next))),
        wanted,
        entries,
    };
    match &page.told {
        Some(problem) => show_again(problem, &page),
        None => show(&page),
    }
}

#[derive(Template)]
#[template(path = "audit/entry.html")]
struct EntryPage {
    page: Page,
    entry: AuditEntry,
    details: DetailTree,
    offered: Offered,
}

async fn entry(visit: Visit, Path(index): Path<String>) -> Answer {
    let index = number(&index)?;
    let entry: AuditEntry = visit.api.get(&format!("/audit/entries/{index}")).await?;
    let keys: LedgerKeys = visit.api.get("/ledger/keys").await?;
    show(&EntryPage {
        page: visit.page(format!("Entry {}", entry.index), Here::Audit),
        details: DetailTree::of(&entry.kind, &entry.details),
        offered: Offered::of(&keys)?,
        entry,
    })
}

#[derive(Template)]
#[template(path = "audit/proof.html")]
struct ProofPage {
    page: Page,
    proof: AuditProof,
}

async fn proof(visit: Visit, Path(index): Path<String>) -> Answer {
    let index = number(&index)?;
    let proof: AuditProof = visit.api.get(&format!("/audit/entries/{index}/proof")).await?;
    show(&ProofPage { page: visit.page(format!("Proof of entry {index}"), Here::Audit), proof })
}

/// The place of an entry.
fn number(index: &str) -> Result<u64, Failure> {
    let no_such = || Failure::not_found("there is no such page here; an entry is named by its number");
    index.parse().map_err(|_| no_such())
}

#[cfg(test)]
mod tests {
    use super::{Wanted, instant};

    #[test]
    fn an_instant_without_a_zone_is_in_utc() {
        assert_eq!(instant("2026-11-08T09:05"), "2026-11-08T09:05:00Z");
        assert_eq!(instant("2026-11-08"), "2026-11-08T00:00:00Z");
        assert_eq!(instant("2026-11-08T09:05:06.5Z"), "2026-11-08T09:05:06.5Z");
        assert_eq!(instant("2026-11-08T09:05:06+02:00"), "2026-11-08T09:05:06+02:00");
        assert_eq!(instant("yesterday"), "yesterday");
    }

    #[test]
    fn an_empty_field_is_no_condition() {
        let wanted =
            Wanted { kind: Some(String::new()), actor: Some(" bob ".to_owned()), ..Wanted::default() };
        assert_eq!(wanted.here(None), "/audit?actor=bob");
        assert_eq!(wanted.here(Some("9")), "/audit?actor=bob&cursor=9");
    }
}
