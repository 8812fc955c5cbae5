//! What the ledger tells of one object: how it was made and changed, by whom and when. To read it is itself an entry, so that
//! it is a page of its own, and nothing here is loaded by itself.

use std::collections::BTreeMap;

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{AuditEntry, Group, List, Policy, User};
use serde::Deserialize;
use serde_json::Value;

use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::Answer;
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};

/// Entries on a page.
const LIMIT: &str = "50";
/// Accounts and groups whose names one page looks up; the others keep their ids.
const NAMES_LOOKED_UP_MAX: usize = 20;
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
    /// The object as people know it.
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
    pub(crate) before: Vec<Piece>,
    pub(crate) after: Vec<Piece>,
}

/// A part of what an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Words(String),
    /// An account or a group, by its id until its name is found.
    Named {
        id: String,
        name: Option<String>,
    },
}

impl Piece {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Words(text) => text,
            Self::Named { id, name } => name.as_ref().unwrap_or(id),
        }
    }

    /// Where it has a page of its own; what is not there any more has none.
    pub(crate) fn place(&self) -> Option<String> {
        match self {
            Self::Named { id, name: Some(_) } => Some(place(id)),
            Self::Words(_) | Self::Named { .. } => None,
        }
    }
}

async fn history(visit: Visit, Path(object): Path<String>, Query(wanted): Query<Wanted>) -> Answer {
    let cursor = wanted.cursor.as_deref();
    let conditions = [("object", Some(object.as_str())), ("limit", Some(LIMIT)), ("cursor", cursor)];
    let List { items, next } =
        visit.api.get::<List<AuditEntry>>(&query("/audit/entries", conditions)).await?;
    let here = format!("/history/{}", segment(&object));
    let mut told = told(items);
    tell_names(&visit, &mut told).await;
    let name = name_of(&visit, &object).await.unwrap_or_else(|| object.clone());
    show(&HistoryPage {
        page: visit.page(format!("History of {name}"), Here::Audit),
        place: place(&object),
        told,
        first: cursor.map(|_| here.clone()),
        next: next.map(|next| query(&here, [("cursor", Some(next.as_str()))])),
        object: name,
    })
}

/// Looks the names of accounts and groups up, each once.
async fn tell_names(visit: &Visit, told: &mut [Told]) {
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    for_each_named(told, |id, _| {
        if names.len() < NAMES_LOOKED_UP_MAX {
            names.insert(id.to_owned(), None);
        }
    });
    for (id, name) in &mut names {
        *name = name_of(visit, id).await;
    }
    for_each_named(told, |id, name| *name = names.get(id).cloned().flatten());
}

fn for_each_named(told: &mut [Told], mut tell: impl FnMut(&str, &mut Option<String>)) {
    for Difference { field: _, before, after } in told.iter_mut().flat_map(|one| &mut one.differences) {
        for piece in before.iter_mut().chain(after) {
            if let Piece::Named { id, name } = piece {
                tell(id, name);
            }
        }
    }
}

/// What people know an object by; `None` where it has no name, or is not there any more.
async fn name_of(visit: &Visit, object: &str) -> Option<String> {
    let at = |list: &str| format!("/{list}/{}", segment(object));
    match object.split_once('-')?.0 {
        "usr" => visit.api.get::<User>(&at("users")).await.ok().map(|user| user.name),
        "grp" => visit.api.get::<Group>(&at("groups")).await.ok().map(|group| group.name),
        "pol" => {
            let policy = visit.api.get::<Policy>(&at("policies")).await.ok()?;
            Some(format!("{object} on {}", policy.access.name))
        }
        _ => None,
    }
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

/// A value of an entry in words. Entries that are compared hold no text of people: what looks like an id is one.
fn in_words(value: &Value) -> Vec<Piece> {
    let words = |text: &str| vec![Piece::Words(text.to_owned())];
    match value {
        Value::Null => words("not limited"),
        Value::String(text) if text.starts_with("usr-") || text.starts_with("grp-") => {
            vec![Piece::Named { id: text.clone(), name: None }]
        }
        Value::String(text) => words(text),
        Value::Array(values) if values.is_empty() => words("none"),
        Value::Array(values) => joined(values.iter().map(in_words), ", "),
        Value::Object(fields) => {
            let field = |(field, value): (&String, &Value)| {
                let mut said = words(&format!("{} ", field.replace('_', " ")));
                said.extend(in_words(value));
                said
            };
            joined(fields.iter().map(field), " · ")
        }
        other => words(&other.to_string()),
    }
}

fn joined(parts: impl Iterator<Item = Vec<Piece>>, between: &str) -> Vec<Piece> {
    let between = |place| (place > 0).then(|| Piece::Words(between.to_owned()));
    parts.enumerate().flat_map(|(place, part)| between(place).into_iter().chain(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Difference, Piece, differences};
    use serde_json::json;

    #[test]
    fn two_revisions_are_told_apart_field_by_field() {
        let groups = json!({"approvals": 2, "groups": [{"group": "grp-1", "minimum": 1}]});
        let before = json!({"policy": "pol-1", "revision": 1, "approval": "auto", "max_uses": null, "requesters": ["usr-9"]});
        let after = json!({"policy": "pol-1", "revision": 2, "approval": groups, "max_uses": 3, "requesters": ["grp-1", "usr-9"]});
        let told: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|Difference { field, before, after }| (field, line(&before), line(&after)))
            .collect();
        let expected = [
            ("approval", "auto", "approvals 2 · groups group Approvers (/groups/grp-1) · minimum 1"),
            ("max uses", "not limited", "3"),
            ("requesters", "usr-9", "Approvers (/groups/grp-1), usr-9"),
        ];
        assert_eq!(told, expected.map(|(field, before, after)| (field.into(), before.into(), after.into())));
    }

    /// As it is shown where the group has a name, and the account is not there any more.
    fn line(pieces: &[Piece]) -> String {
        let shown = pieces.iter().cloned().map(|piece| {
            let piece = match piece {
                Piece::Named { id, .. } if id == "grp-1" => {
                    Piece::Named { id, name: Some("Approvers".to_owned()) }
                }
                other => other,
            };
            let place = piece.place().map(|place| format!(" ({place})")).unwrap_or_default();
            format!("{}{place}", piece.text())
        });
        shown.collect()
    }
}
