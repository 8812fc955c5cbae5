//! The list, with the filters above it.

use askama::Template;
use brevet_wire::{List, Problem, Purpose, Request, RequestStatus};
use serde::Deserialize;

use crate::api::query;
use crate::extract::Query;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::Visit;
use crate::page::{Here, Page, show};

/// What a page holds at most.
const PAGE_REQUESTS_MAX: usize = 50;
/// How often one page asks for more, where the API looked at many requests and few of them may be seen.
const SEARCHES_MAX: usize = 4;

/// The filters, as they stand above the list.
const TABS: &[(&str, &str)] = &[
    ("all", "All"),
    ("pending", "Pending"),
    ("approved", "Approved"),
    ("denied", "Denied"),
    ("expired", "Expired"),
    ("mine", "Mine"),
    ("for-me", "For me"),
];

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    show: Option<String>,
    cursor: Option<String>,
}

impl Wanted {
    /// The list that a form was sent from.
    pub(super) fn of(form: &Form) -> Self {
        Self { show: form.owned("show"), cursor: form.owned("cursor") }
    }
}

#[derive(Template)]
#[template(path = "requests/list.html")]
pub(super) struct ListPage {
    page: Page,
    told: Option<Problem>,
    tab: &'static str,
    requests: Vec<Request>,
    cursor: Option<String>,
    first: Option<String>,
    next: Option<String>,
    comment: String,
    chosen: Vec<String>,
}

impl ListPage {
    /// Whether there is anything to choose.
    fn decides(&self) -> bool {
        self.requests.iter().any(|request| request.may_decide)
    }

    fn has_chosen(&self, request: &Request) -> bool {
        self.chosen.contains(&request.id)
    }
}

pub(super) async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    show(&list_page(&visit, wanted, None, &Form::default()).await?)
}

pub(super) async fn list_page(
    visit: &Visit,
    wanted: Wanted,
    told: Option<Problem>,
    form: &Form,
) -> Result<ListPage, Failure> {
    let named = TABS.iter().find(|(name, _)| wanted.show.as_deref() == Some(*name));
    let tab = named.map_or_else(|| usual_tab(visit), |(name, _)| name);
    let (requests, next) = search(visit, tab, wanted.cursor.as_deref()).await?;
    let here = |cursor: Option<&str>| query("/requests", [("show", Some(tab)), ("cursor", cursor)]);
    Ok(ListPage {
        page: visit.page("Requests", Here::Requests),
        told,
        tab,
        requests,
        first: wanted.cursor.as_ref().map(|_| here(None)),
        next: next.map(|next| here(Some(&next))),
        cursor: wanted.cursor,
        comment: form.owned("comment").unwrap_or_default(),
        chosen: form.all("request").map(str::to_owned).collect(),
    })
}

/// Whoever decides looks at what waits for them; the others at what they asked for.
fn usual_tab(visit: &Visit) -> &'static str {
    let decides = visit.me.waiting > 0 || !visit.me.user.groups.is_empty();
    if decides { "for-me" } else { "mine" }
}

/// A page of requests. The API looks at a bounded number of them for one answer, which may therefore hold few, or none, and
/// still say where to go on.
async fn search(
    visit: &Visit,
    tab: &str,
    cursor: Option<&str>,
) -> Result<(Vec<Request>, Option<String>), Failure> {
    let filter = match tab {
        "for-me" => ("for_me", "true"),
        "mine" => ("mine", "true"),
        status => ("status", status),
    };
    let (mut found, mut cursor) = (Vec::new(), cursor.map(str::to_owned));
    for _ in 0..SEARCHES_MAX {
        let limit = (PAGE_REQUESTS_MAX - found.len()).to_string();
        let said = [(filter.0, Some(filter.1)), ("limit", Some(&*limit)), ("cursor", cursor.as_deref())];
        let List { items, next } = visit.api.get::<List<Request>>(&query("/requests", said)).await?;
        found.extend(items);
        cursor = next;
        if cursor.is_none() || found.len() >= PAGE_REQUESTS_MAX {
            break;
        }
    }
    Ok((found, cursor))
}
