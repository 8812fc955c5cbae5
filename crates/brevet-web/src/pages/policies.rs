//! Approval policies: what there is, what each says, and how it goes.

mod draft;
mod edit;
mod explain;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use brevet_wire::{
    AccessType, ApprovalType, List, Policy, PolicyPreview, PolicyStep, Problem, Role, RoleGroup, reason,
};
use serde::Deserialize;

use crate::api::{qualified, query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/policies", get(list))
        .route("/policies/new", get(edit::blank).post(edit::create))
        .route("/policies/explain", get(explain::explain))
        .route("/policies/{id}", get(detail))
        .route("/policies/{id}/edit", get(edit::filled).post(edit::change))
        .route("/policies/{id}/remove", get(removal).post(remove))
}

/// Tasks, or roles, that a page of a policy names; the others are behind the link to its access.
const COVERED_SHOWN_MAX: usize = 30;

#[derive(Default, Deserialize)]
struct Wanted {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "policies/list.html")]
struct ListPage {
    page: Page,
    policies: Vec<Policy>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let cursor = wanted.cursor.as_deref();
    let path = query("/policies", [("limit", Some("50")), ("cursor", cursor)]);
    let List { items: policies, next } = visit.api.get::<List<Policy>>(&path).await?;
    show(&ListPage {
        page: visit.page("Policies", Here::Policies),
        policies,
        first: cursor.map(|_| "/policies".to_owned()),
        next: next.map(|next| query("/policies", [("cursor", Some(next.as_str()))])),
    })
}

/// What an access is made of, as far as a page shows it.
struct Covered {
    /// Tasks of a role, or the task itself; roles of a role group.
    names: Vec<String>,
    more: usize,
    are_roles: bool,
}

impl Covered {
    fn new(mut names: Vec<String>, are_roles: bool) -> Self {
        let more = names.len().saturating_sub(COVERED_SHOWN_MAX);
        names.truncate(COVERED_SHOWN_MAX);
        Self { names, more, are_roles }
    }

    /// What was defined once, and is not any more, has nothing in it.
    async fn by(visit: &Visit, policy: &Policy) -> Self {
        let path = qualified(&policy.access.name);
        match policy.access.kind {
            AccessType::Task => Self::new(vec![policy.access.name.clone()], false),
            AccessType::Role => {
                let role = visit.api.get::<Role>(&format!("/roles/{path}")).await;
                Self::new(role.map(|role| role.tasks).unwrap_or_default(), false)
            }
            AccessType::RoleGroup => {
                let group = visit.api.get::<RoleGroup>(&format!("/role-groups/{path}")).await;
                Self::new(group.map(|group| group.roles).unwrap_or_default(), true)
            }
        }
    }
}

#[derive(Template)]
#[template(path = "policies/detail.html")]
struct DetailPage {
    page: Page,
    policy: Policy,
    covered: Covered,
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    let policy = policy(&visit, &id).await?;
    let covered = Covered::by(&visit, &policy).await;
    show(&DetailPage { page: visit.page(format!("Policy {}", policy.id), Here::Policies), policy, covered })
}

async fn policy(visit: &Visit, id: &str) -> Result<Policy, Failure> {
    visit.api.get(&format!("/policies/{}", segment(id))).await
}

async fn preview(visit: &Visit, step: &PolicyStep) -> Result<PolicyPreview, Failure> {
    Ok(visit.api.post::<PolicyPreview>("/policies/preview", step, None).await?.value)
}

#[derive(Template)]
#[template(path = "policies/remove.html")]
struct RemovePage {
    page: Page,
    told: Option<Problem>,
    policy: Policy,
    preview: PolicyPreview,
    has_changed: bool,
}

async fn removal(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&removal_page(&visit, &id, None, false).await?)
}

async fn removal_page(
    visit: &Visit,
    id: &str,
    told: Option<Problem>,
    has_changed: bool,
) -> Result<RemovePage, Failure> {
    let policy = policy(visit, id).await?;
    let preview = preview(visit, &PolicyStep::Remove { policy: policy.id.clone() }).await?;
    let page = visit.page(format!("Remove {}", policy.id), Here::Policies);
    Ok(RemovePage { page, told, policy, preview, has_changed })
}

async fn remove(visit: Visit, Path(id): Path<String>, form: Form) -> Result<Response, Failure> {
    let done = match draft::revision(form.text("revision")) {
        Ok(seen) => {
            let seen = seen.to_string();
            let path = query(&format!("/policies/{}", segment(&id)), [("revision", Some(seen.as_str()))]);
            visit.api.delete(&path).await
        }
        Err(failure) => Err(failure),
    };
    let again = async |problem: Problem| {
        let has_changed = problem.reason.as_deref() == Some(reason::CHANGED);
        let told = Some(problem.clone()).filter(|_| !has_changed);
        show_again(&problem, &removal_page(&visit, &id, told, has_changed).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/policies", Said::Removed)),
        Err(answer) => answer,
    }
}
