//! Access requests: the inbox of those who decide, and the list of those who ask.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::{get, post};
use brevet_wire::{
    Approve, Authorization, Binding, Deny, List, Policy, Problem, Purpose, Request, RequestStatus, Verdict,
};
use serde::Deserialize;

use crate::api::{query, segment};
use crate::failure::Answer;
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/requests", get(list))
        .route("/requests/{id}", get(detail))
        .route("/requests/{id}/decide", post(decide))
        .route("/requests/{id}/cancel", post(cancel))
}

/// The filters, as they stand above the list.
const TABS: &[(&str, &str)] = &[
    ("for-me", "For me"),
    ("all", "All"),
    ("pending", "Pending"),
    ("approved", "Approved"),
    ("denied", "Denied"),
    ("expired", "Expired"),
    ("mine", "Mine"),
];

#[derive(Default, Deserialize)]
struct Wanted {
    show: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "requests/list.html")]
struct ListPage {
    page: Page,
    tab: &'static str,
    requests: Vec<Request>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let wish = wanted.show.as_deref().unwrap_or("for-me");
    let tab = TABS.iter().find(|(name, _)| *name == wish).map_or("for-me", |(name, _)| name);
    let filter = match tab {
        "for-me" => ("for_me", "true"),
        "mine" => ("mine", "true"),
        status => ("status", status),
    };
    let cursor = wanted.cursor.as_deref();
    let path = query("/requests", [(filter.0, Some(filter.1)), ("limit", Some("50")), ("cursor", cursor)]);
    let List { items: requests, next } = visit.api.get::<List<Request>>(&path).await?;
    let here = |cursor: Option<&str>| query("/requests", [("show", Some(tab)), ("cursor", cursor)]);
    show(&ListPage {
        page: visit.page("Requests", Here::Requests),
        tab,
        requests,
        first: cursor.map(|_| here(None)),
        next: next.map(|next| here(Some(&next))),
    })
}

#[derive(Template)]
#[template(path = "requests/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    request: Request,
    policy: Option<Policy>,
    authorization: Option<Authorization>,
    comment: String,
    duration: String,
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&detail_page(&visit, &id, None, &Form::default()).await?)
}

async fn detail_page(
    visit: &Visit,
    id: &str,
    told: Option<Problem>,
    form: &Form,
) -> Result<DetailPage, crate::failure::Failure> {
    let request: Request = visit.api.get(&format!("/requests/{}", segment(id))).await?;
    // The policy may be gone since; the request tells of itself what counts.
    let policy = visit.api.get(&format!("/policies/{}", segment(&request.policy))).await.ok();
    let authorization = match &request.authorization {
        Some(id) => visit.api.get(&format!("/authorizations/{}", segment(id))).await.ok(),
        None => None,
    };
    Ok(DetailPage {
        page: visit.page(format!("Request {}", request.id), Here::Requests),
        told,
        request,
        policy,
        authorization,
        comment: form.owned("comment").unwrap_or_default(),
        duration: form.owned("duration").unwrap_or_default(),
    })
}

async fn decide(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/requests/{}", segment(&id));
    let comment = form.owned("comment");
    let (done, said) = match form.text("verdict") {
        Some("approve") => {
            let body = Approve { comment, duration: form.owned("duration") };
            (visit.api.post::<Request>(&format!("{path}/approve"), &body, form.key()).await, Said::Approved)
        }
        _ => {
            let body = Deny { comment };
            (visit.api.post::<Request>(&format!("{path}/deny"), &body, form.key()).await, Said::Denied)
        }
    };
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, said)),
        Err(answer) => answer,
    }
}

async fn cancel(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/requests/{}", segment(&id));
    let nothing = serde_json::json!({});
    let done = visit.api.post::<Request>(&format!("{path}/cancel"), &nothing, form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, Said::Cancelled)),
        Err(answer) => answer,
    }
}
