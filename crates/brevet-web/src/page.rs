//! What all pages share.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use brevet_wire::{Problem, WhoAmI, reason};
use jiff::Timestamp;

use crate::assets;
use crate::failure::{Answer, Failure};
use crate::form::{Form, SECRET_PREFIX, is_secret};
use crate::said::Said;

/// As far as the API counts what waits for somebody.
const WAITING_COUNTED_MAX: usize = 100;

/// What is around a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// What the page's own scripts and styles are named by (CSP).
    pub(crate) nonce: String,
    /// What a form of this page is sent under, so that it is done once.
    pub(crate) key: String,
    pub(crate) now: Timestamp,
    pub(crate) said: Option<Said>,
    pub(crate) me: Option<Arc<WhoAmI>>,
    /// How much of the ledger the page knows at least.
    pub(crate) position: Option<u64>,
}

/// A page, before its content.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) here: Here,
    pub(crate) frame: Frame,
}

/// Which part of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Here {
    Nowhere,
    Overview,
    Access,
    Requests,
    Authorizations,
    Executions,
    Tasks,
    Policies,
    Groups,
    People,
    Assignments,
    AccessControl,
    Audit,
    Account,
}

/// A place in the navigation.
pub(crate) struct Place {
    pub(crate) here: Here,
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) icon: &'static str,
}

const fn place(here: Here, path: &'static str, name: &'static str, icon: &'static str) -> Place {
    Place { here, path, name, icon }
}

const WORK: &[Place] = &[
    place(Here::Overview, "/", "Overview", "overview"),
    place(Here::Access, "/access", "My access", "access"),
    place(Here::Requests, "/requests", "Requests", "requests"),
    place(Here::Authorizations, "/authorizations", "Authorizations", "clock"),
    place(Here::Executions, "/executions", "Executions", "executions"),
    place(Here::Tasks, "/tasks", "Tasks and roles", "tasks"),
];
const RULES: &[Place] = &[
    place(Here::Policies, "/policies", "Policies", "policies"),
    place(Here::Groups, "/groups", "Groups", "groups"),
    place(Here::Assignments, "/assignments", "Assignments", "assignments"),
    place(Here::AccessControl, "/access-control", "Access control", "switch"),
];
const PEOPLE: &[Place] = &[place(Here::People, "/people", "People", "people")];
const AUDIT: &[Place] = &[place(Here::Audit, "/audit", "Audit", "audit")];

impl Page {
    /// The groups of the navigation that whoever looks can use.
    pub(crate) fn navigation(&self) -> Vec<(&'static str, Vec<&'static Place>)> {
        let Some(me) = &self.frame.me else { return Vec::new() };
        let mut parts = vec![("Work", WORK.iter().collect::<Vec<_>>())];
        let mut rules: Vec<_> = RULES.iter().collect();
        if me.user.administrator || me.user.auditor {
            rules.extend(PEOPLE);
        }
        parts.push(("Rules", rules));
        if me.user.auditor {
            parts.push(("Proof", AUDIT.iter().collect()));
        }
        parts
    }

    pub(crate) fn me(&self) -> Option<&WhoAmI> {
        self.frame.me.as_deref()
    }

    pub(crate) fn administers(&self) -> bool {
        self.me().is_some_and(|me| me.user.administrator)
    }

    pub(crate) fn audits(&self) -> bool {
        self.me().is_some_and(|me| me.user.auditor)
    }

    /// How many requests wait for whoever looks, as it stands beside the navigation.
    pub(crate) fn waiting(&self) -> Option<String> {
        match self.me().map_or(0, |me| me.waiting) {
            0 => None,
            count if count >= WAITING_COUNTED_MAX => Some(format!("{}+", WAITING_COUNTED_MAX - 1)),
            count => Some(count.to_string()),
        }
    }

    pub(crate) fn nonce(&self) -> &str {
        &self.frame.nonce
    }

    /// From where on a page that shows what is new waits for more.
    pub(crate) const fn position(&self) -> Option<u64> {
        self.frame.position
    }

    /// For the hidden field `key` of a form.
    pub(crate) fn key(&self) -> &str {
        &self.frame.key
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.frame.now
    }

    pub(crate) fn said(&self) -> Option<&'static str> {
        self.frame.said.map(Said::sentence)
    }

    pub(crate) fn style(&self) -> &'static str {
        assets::style()
    }

    pub(crate) fn script(&self) -> &'static str {
        assets::script()
    }
}

/// A page as an answer.
pub(crate) fn show(page: &impl Template) -> Answer {
    show_as(StatusCode::OK, page)
}

/// A form that is shown again with what is wrong with it.
pub(crate) fn show_again(problem: &Problem, page: &impl Template) -> Answer {
    show_as(StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST), page)
}

fn show_as(status: StatusCode, page: &impl Template) -> Answer {
    let html = page.render().map_err(|error| Failure::bug(&error.to_string()))?;
    Ok((status, [(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    page: Page,
    problem: &'a Problem,
}

/// What a form says beside what was typed, or chosen, in it.
const NOT_TYPED: &[&str] = &["key", "seen", "revision", "next", "from", "under", "do", "more"];

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage<'a> {
    page: Page,
    told: Option<Problem>,
    action: &'a str,
    /// What is sent again as it was.
    fields: Vec<(&'a str, &'a str)>,
    /// What must be typed again.
    secrets: Vec<&'a str>,
}

impl KeptPage<'_> {
    /// What was typed, each with a name that people can read.
    fn typed(&self) -> Vec<(String, &str)> {
        let is_typed = |(name, value): &&(&str, &str)| !NOT_TYPED.contains(name) && !value.trim().is_empty();
        let readable = |name: &str| name.strip_prefix("p.").unwrap_or(name).replace('_', " ");
        self.fields.iter().filter(is_typed).map(|(name, value)| (readable(name), *value)).collect()
    }

    fn may_be_done(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.reason.as_deref() == Some(reason::OUTCOME_UNKNOWN))
    }

    /// Whether the form has a key, under which the API does it once.
    fn is_done_once(&self) -> bool {
        self.fields.iter().any(|(name, value)| *name == "key" && !value.is_empty())
    }

    fn readable<'a>(&self, secret: &&'a str) -> &'a str {
        secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret)
    }
}

/// A problem that is over in a moment, with all that was typed, to be sent once more. Nothing is asked of the API for it,
/// which may have nothing to say right now.
pub(crate) fn kept_page(frame: &Frame, failure: &Failure, action: &str, form: &Form) -> Response {
    let (secrets, fields): (Vec<_>, Vec<_>) = form.fields().partition(|(name, _)| is_secret(name));
    let shown = KeptPage {
        page: Page { title: "Not now".to_owned(), here: Here::Nowhere, frame: frame.clone() },
        told: Some((*failure.0).clone()),
        action,
        fields,
        secrets: secrets.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name).collect(),
    };
    let shown = show_as(failure.status(), &shown);
    shown.unwrap_or_else(|_| failure.status().into_response())
}

/// A problem as a page of its own.
pub(crate) fn problem_page(frame: &Frame, failure: &Failure) -> Response {
    let problem = &*failure.0;
    let title = if problem.title.is_empty() { "A problem".to_owned() } else { problem.title.clone() };
    let page = Page { title, here: Here::Nowhere, frame: frame.clone() };
    let shown = show_as(failure.status(), &ProblemPage { page, problem });
    shown.unwrap_or_else(|_| failure.status().into_response())
}
