//! Authorizations: what approved requests gave, to whom, and for how long still.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use brevet_wire::{Authorization, AuthorizationState, Binding, Execution, List, Problem, Revoke};
use serde::Deserialize;

use super::executions::seconds;
use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/authorizations", get(list))
        .route("/authorizations/{id}", get(detail))
        .route("/authorizations/{id}/revoke", post(revoke))
        .route("/authorizations/{id}/give-back", post(give_back))
}

/// The filters, as they stand above the list.
const TABS: &[(&str, &str)] =
    &[("active", "In force"), ("scheduled", "Scheduled"), ("ended", "Ended"), ("mine", "Mine")];
/// Runs that the page of an authorization shows.
const RUNS_SHOWN: &str = "10";

#[derive(Default, Deserialize)]
struct Wanted {
    show: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "authorizations/list.html")]
struct ListPage {
    page: Page,
    tab: &'static str,
    authorizations: Vec<Authorization>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let wish = wanted.show.as_deref().unwrap_or("active");
    let tab = TABS.iter().find(|(name, _)| *name == wish).map_or("active", |(name, _)| name);
    let filter = if tab == "mine" { ("mine", Some("true")) } else { ("state", Some(tab)) };
    let cursor = wanted.cursor.as_deref();
    let path = query("/authorizations", [filter, ("limit", Some("50")), ("cursor", cursor)]);
    let List { items: authorizations, next } = visit.api.get::<List<Authorization>>(&path).await?;
    let here = |cursor: Option<&str>| query("/authorizations", [("show", Some(tab)), ("cursor", cursor)]);
    let (first, next) = (cursor.map(|_| here(None)), next.map(|next| here(Some(&next))));
    let page = visit.page("Authorizations", Here::Authorizations);
    show(&ListPage { page, tab, authorizations, first, next })
}

#[derive(Template)]
#[template(path = "authorizations/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    authorization: Authorization,
    runs: List<Execution>,
    comment: String,
}

impl DetailPage {
    fn seconds(&self, execution: &Execution) -> i64 {
        seconds(execution, self.page.now())
    }

    /// Whether whoever looks holds it, and it is not over.
    fn may_extend(&self) -> bool {
        let is_theirs = self.page.me().is_some_and(|me| me.user.id == self.authorization.holder.id);
        is_theirs && self.authorization.state == AuthorizationState::Active
    }
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&detail_page(&visit, &id, None, &Form::default()).await?)
}

async fn detail_page(
    visit: &Visit,
    id: &str,
    told: Option<Problem>,
    form: &Form,
) -> Result<DetailPage, Failure> {
    let authorization: Authorization = visit.api.get(&format!("/authorizations/{}", segment(id))).await?;
    let under = Some(authorization.id.as_str());
    let path = query("/executions", [("authorization", under), ("limit", Some(RUNS_SHOWN))]);
    let runs = visit.api.get(&path).await?;
    let title = format!("{} {}", authorization.access.name, authorization.id);
    let page = visit.page(title, Here::Authorizations);
    Ok(DetailPage { page, told, authorization, runs, comment: form.owned("comment").unwrap_or_default() })
}

async fn revoke(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let body = Revoke { comment: form.owned("comment") };
    end(&visit, &id, "revoke", &body, &form, Said::Revoked).await
}

async fn give_back(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    end(&visit, &id, "give-back", &serde_json::json!({}), &form, Said::GivenBack).await
}

async fn end(
    visit: &Visit,
    id: &str,
    verb: &str,
    body: &impl serde::Serialize,
    form: &Form,
    said: Said,
) -> Answer {
    let path = format!("/authorizations/{}", segment(id));
    let done = visit.api.post::<Authorization>(&format!("{path}/{verb}"), body, form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(visit, id, Some(problem), form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, said)),
        Err(answer) => answer,
    }
}
