//! A policy that is made or changed: a form, a review of all that it would do, and only then the API's own yes or no.

use askama::Template;
use axum::http::StatusCode;
use brevet_wire::{
    Group, List, Policy, PolicyPreview, PolicyStep, Problem, Role, RoleGroup, Task, User, reason,
};
use serde::Deserialize;

use super::draft::Draft;
use super::{policy, preview};
use crate::api::segment;
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::form::Form;
use crate::gate::{Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

/// Names that a field offers; others can be typed.
const OFFERED: &str = "limit=200";

#[derive(Template)]
#[template(path = "policies/form.html")]
struct FormPage {
    page: Page,
    told: Option<Problem>,
    draft: Draft,
    /// The policy that is changed; none where one is made.
    id: Option<String>,
    /// Names for its access, by workload.
    offered: Vec<String>,
    groups: Vec<Group>,
    users: Vec<User>,
}

#[derive(Template)]
#[template(path = "policies/review.html")]
struct ReviewPage {
    page: Page,
    draft: Draft,
    id: Option<String>,
    preview: PolicyPreview,
    /// Whether somebody else changed the policy since the form was opened.
    has_changed: bool,
}

#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "type")]
    kind: Option<String>,
    task: Option<String>,
    role: Option<String>,
    role_group: Option<String>,
}

pub(super) async fn blank(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let Wanted { kind, task, role, role_group } = wanted;
    let (kind, access) = match (&task, &role, &role_group) {
        (Some(task), ..) => ("task", task.as_str()),
        (_, Some(role), _) => ("role", role.as_str()),
        (.., Some(group)) => ("role-group", group.as_str()),
        _ => (kind.as_deref().unwrap_or("task"), ""),
    };
    show(&form_page(&visit, None, None, Draft::blank(kind, access)).await?)
}

pub(super) async fn filled(visit: Visit, Path(id): Path<String>) -> Answer {
    let policy = policy(&visit, &id).await?;
    show(&form_page(&visit, Some(policy.id.clone()), None, Draft::of(&policy)).await?)
}

async fn form_page(
    visit: &Visit,
    id: Option<String>,
    told: Option<Problem>,
    draft: Draft,
) -> Result<FormPage, Failure> {
    if !visit.administers() {
        let detail = "only an administrator makes and changes policies";
        return Err(Failure::new(StatusCode::FORBIDDEN, "Not for you", detail));
    }
    let offered = if id.is_some() { Vec::new() } else { offered(visit, &draft).await? };
    let List { items: groups, .. } = visit.api.get::<List<Group>>(&format!("/groups?{OFFERED}")).await?;
    let List { items: users, .. } = visit.api.get::<List<User>>(&format!("/users?{OFFERED}")).await?;
    let title = id.as_ref().map_or_else(|| "New policy".to_owned(), |id| format!("Change {id}"));
    Ok(FormPage { page: visit.page(title, Here::Policies), told, draft, id, offered, groups, users })
}

async fn offered(visit: &Visit, draft: &Draft) -> Result<Vec<String>, Failure> {
    let api = &visit.api;
    let mut names: Vec<String> = match draft.kind.as_str() {
        "role" => {
            let roles = api.get::<List<Role>>(&format!("/roles?{OFFERED}")).await?.items.into_iter();
            roles.filter(|role| role.enabled).map(|role| role.name).collect()
        }
        "role-group" => {
            let groups =
                api.get::<List<RoleGroup>>(&format!("/role-groups?{OFFERED}")).await?.items.into_iter();
            groups.filter(|group| group.enabled).map(|group| group.name).collect()
        }
        _ => {
            let tasks = api.get::<List<Task>>(&format!("/tasks?{OFFERED}")).await?.items.into_iter();
            tasks.filter(|task| task.enabled).map(|task| task.name).collect()
        }
    };
    names.sort();
    Ok(names)
}

pub(super) async fn create(visit: Visit, form: Form) -> Answer {
    let draft = Draft::sent(&form);
    if form.text("do") != Some("save") {
        let step = || draft.new_policy().map(PolicyStep::Create);
        return review(&visit, &form, None, draft.clone(), step, false).await;
    }
    let done = match draft.new_policy() {
        Ok(new) => visit
            .api
            .post::<Policy>("/policies", &new, form.key())
            .await
            .map_err(Failure::about_what_is_named),
        Err(failure) => Err(failure),
    };
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &form_page(&visit, None, Some(problem), draft.clone()).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &format!("/policies/{}", done.value.id), Said::Created)),
        Err(answer) => answer,
    }
}

pub(super) async fn change(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let draft = Draft::sent(&form);
    let path = format!("/policies/{}", segment(&id));
    if form.text("do") != Some("save") {
        return review_change(&visit, &form, &id, draft, false).await;
    }
    let done = match draft.change() {
        Ok(change) => visit.api.patch::<Policy>(&path, &change).await.map_err(Failure::about_what_is_named),
        Err(failure) => Err(failure),
    };
    let again = async |problem: Problem| match problem.reason.as_deref() {
        Some(reason::CHANGED) => against_now(&visit, &form, &id, draft.clone()).await,
        _ => show_again(
            &problem.clone(),
            &form_page(&visit, Some(id.clone()), Some(problem), draft.clone()).await?,
        ),
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, Said::Saved)),
        Err(answer) => answer,
    }
}

/// The same draft held against the policy as it is by now.
async fn against_now(visit: &Visit, form: &Form, id: &str, draft: Draft) -> Answer {
    let now = policy(visit, id).await?;
    let draft = Draft { revision: now.revision.to_string(), ..draft };
    review_change(visit, form, id, draft, true).await
}

async fn review_change(visit: &Visit, form: &Form, id: &str, draft: Draft, has_changed: bool) -> Answer {
    let step = || Ok(PolicyStep::Change { policy: id.to_owned(), change: draft.change()? });
    Box::pin(review(visit, form, Some(id.to_owned()), draft.clone(), step, has_changed)).await
}

/// Shows all that a draft would do; or the form again, where something is wrong with it or somebody is not done with it.
async fn review(
    visit: &Visit,
    form: &Form,
    id: Option<String>,
    draft: Draft,
    step: impl Fn() -> Result<PolicyStep, Failure>,
    has_changed: bool,
) -> Answer {
    if form.has("more") || form.text("do") == Some("edit") {
        return show(&form_page(visit, id, None, draft).await?);
    }
    let seen = match step() {
        Ok(step) => preview(visit, &step).await.map_err(Failure::about_what_is_named),
        Err(failure) => Err(failure),
    };
    let problem = match seen.map_err(Failure::into_told) {
        Ok(preview) => {
            let page = visit.page("Review", Here::Policies);
            return show(&ReviewPage { page, draft, id, preview, has_changed });
        }
        Err(told) => told?,
    };
    match (problem.reason.as_deref(), &id) {
        (Some(reason::CHANGED), Some(id)) if !has_changed => against_now(visit, form, id, draft).await,
        _ => show_again(&problem.clone(), &form_page(visit, id, Some(problem), draft).await?),
    }
}
