//! What the ledger tells of one object: how it was made and changed, by whom and when. To read it is itself an entry, so that
//! it is a page of its own, and nothing here is loaded by itself.

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{AuditEntry, List};
use serde::Deserialize;
use serde_json::Value;

use crate::api::query;
use crate::extract::{Path, Query};
use crate::failure::Answer;
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};

/// Entries on a page.
const LIMIT: &str = "50";
/// What a policy's entry says of itself beside its terms.
const NO_TERMS: &[&str] = &["policy", "revision"];

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/history/{object}", get(history))
}

#[derive(Default, Deserialize)]
struct Wanted {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "history/object.html")]
struct HistoryPage {
    page: Page,
    object: String,
    /// Where the object itself is.
    place: String,
    told: Vec<Told>,
    first: Option<String>,
    next: Option<String>,
}

/// An entry, and what it made different.
pub(crate) struct Told {
    pub(crate) entry: AuditEntry,
    pub(crate) differences: Vec<Difference>,
}

/// One field of what an entry says, before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) field: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

async fn history(visit: Visit, Path(object): Path<String>, Query(wanted): Query<Wanted>) -> Answer {
    let cursor = wanted.cursor.as_deref();
    let conditions = [("object", Some(object.as_str())), ("limit", Some(LIMIT)), ("cursor", cursor)];
    let List { items, next } =
        visit.api.get::<List<AuditEntry>>(&query("/audit/entries", conditions)).await?;
    let here = format!("/history/{}", crate::api::segment(&object));
    show(&HistoryPage {
        page: visit.page(format!("History of {object}"), Here::Audit),
        place: place(&object),
        told: told(items),
        first: cursor.map(|_| here.clone()),
        next: next.map(|next| query(&here, [("cursor", Some(next.as_str()))])),
        object,
    })
}

/// Where an object has its own page.
fn place(object: &str) -> String {
    match object.split_once('-').map(|(prefix, _)| prefix) {
        Some("pol") => format!("/policies/{object}"),
        Some("grp") => format!("/groups/{object}"),
        Some("usr") => format!("/people/{object}"),
        Some("asg") => "/assignments".to_owned(),
        _ => "/access-control".to_owned(),
    }
}

/// Entries of one object, newest first, each held against the one before it where both tell all of the object.
pub(crate) fn told(entries: Vec<AuditEntry>) -> Vec<Told> {
    let differences: Vec<_> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let says_all = |entry: &&AuditEntry| {
                matches!(entry.kind.as_str(), "policy.created" | "policy.changed" | "access-control.enabled")
            };
            let older = entries.iter().skip(place + 1).find(says_all);
            match Some(entry).filter(says_all).zip(older) {
                Some((entry, older)) => differences(&older.details, &entry.details),
                None => Vec::new(),
            }
        })
        .collect();
    entries.into_iter().zip(differences).map(|(entry, differences)| Told { entry, differences }).collect()
}

fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let fields = after.as_object().into_iter().flatten();
    let fields = fields.filter(|(field, _)| !NO_TERMS.contains(&field.as_str()));
    let changed = fields.filter(|(field, value)| before.get(field.as_str()) != Some(value));
    changed
        .map(|(field, value)| Difference {
            field: field.replace('_', " "),
            before: before.get(field).map(in_words).unwrap_or_default(),
            after: in_words(value),
        })
        .collect()
}

/// A value of an entry as a line of text.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "not limited".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(field, value)| format!("{} {}", field.replace('_', " "), in_words(value)));
            fields.collect::<Vec<_>>().join(" · ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, differences};
    use serde_json::json;

    #[test]
    fn two_revisions_are_told_apart_field_by_field() {
        let groups = json!({"approvals": 2, "groups": [{"group": "grp-1", "minimum": 1}]});
        let before = json!({"policy": "pol-1", "revision": 1, "approval": "auto", "max_uses": null, "binding": "open"});
        let after =
            json!({"policy": "pol-1", "revision": 2, "approval": groups, "max_uses": 3, "binding": "open"});
        let told = |field: &str, before: &str, after: &str| Difference {
            field: field.into(),
            before: before.into(),
            after: after.into(),
        };
        assert_eq!(
            differences(&before, &after),
            [
                told("approval", "auto", "approvals 2 · groups group grp-1 · minimum 1"),
                told("max uses", "not limited", "3"),
            ]
        );
    }
}
