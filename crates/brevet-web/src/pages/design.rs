//! The design system as it looks: every token and component, in both themes.

use askama::Template;
use axum::Router;
use axum::routing::get;

use crate::failure::Answer;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/design", get(design))
}

/// The colours, and what each is for.
const COLOURS: &[(&str, &str)] = &[
    ("paper", "behind everything"),
    ("card", "what content lies on"),
    ("sunk", "heads of tables, quiet states"),
    ("ink", "text"),
    ("ink-soft", "text beside"),
    ("line", "edges of cards"),
    ("line-strong", "edges of fields and buttons"),
    ("accent", "links, the main action, focus"),
    ("accent-ink", "text on the accent"),
    ("accent-soft", "notes, the row at hand"),
    ("nav", "the navigation, in both themes"),
    ("brass", "the mark, and where one is"),
    ("good", "it is so, it may"),
    ("good-soft", "behind it"),
    ("wait", "somebody has to do something"),
    ("wait-soft", "behind it"),
    ("bad", "no, danger"),
    ("bad-soft", "behind it"),
];

#[derive(Template)]
#[template(path = "design.html")]
struct DesignPage {
    page: Page,
}

async fn design(visit: Visit) -> Answer {
    show(&DesignPage { page: visit.page("Design", Here::Account) })
}
