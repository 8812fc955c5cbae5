//! Assignments: who may run what where no approval is demanded.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use brevet_wire::{
    AccessControl, Assignment, Group, List, NewAssignment, PrincipalType, Problem, Role, RoleGroup, Task,
    Uncovered, User,
};
use serde::Deserialize;

use super::NAMES_SUGGESTED_MAX;
use super::groups::suggested;
use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/assignments", get(list).post(add)).route("/assignments/{id}/remove", post(remove))
}

#[derive(Default, Deserialize)]
struct Wanted {
    cursor: Option<String>,
    #[serde(flatten)]
    fields: Fields,
}

/// What the form for a new assignment says.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    principal: String,
    who: String,
    kind: String,
    access: String,
}

/// Names to choose from while one is typed.
struct Suggestions {
    people: Vec<User>,
    groups: Vec<Group>,
    access: Vec<String>,
}

#[derive(Template)]
#[template(path = "assignments/list.html")]
struct ListPage {
    page: Page,
    told: Option<Problem>,
    control: AccessControl,
    assignments: Vec<Assignment>,
    first: Option<String>,
    next: Option<String>,
    fields: Fields,
    suggestions: Option<Suggestions>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    show(&list_page(&visit, wanted.cursor.as_deref(), wanted.fields, None).await?)
}

async fn list_page(
    visit: &Visit,
    cursor: Option<&str>,
    fields: Fields,
    told: Option<Problem>,
) -> Result<ListPage, Failure> {
    let path = query("/assignments", [("limit", Some("50")), ("cursor", cursor)]);
    let List { items: assignments, next } = visit.api.get::<List<Assignment>>(&path).await?;
    let control = visit.api.get("/access-control").await?;
    let suggestions = if visit.administers() { Some(suggestions(visit).await?) } else { None };
    Ok(ListPage {
        page: visit.page("Assignments", Here::Assignments),
        told,
        control,
        assignments,
        first: cursor.map(|_| "/assignments".to_owned()),
        next: next.map(|next| query("/assignments", [("cursor", Some(next.as_str()))])),
        fields,
        suggestions,
    })
}

async fn suggestions(visit: &Visit) -> Result<Suggestions, Failure> {
    let first = |of: &str| format!("/{of}?limit={NAMES_SUGGESTED_MAX}");
    let tasks: List<Task> = visit.api.get(&first("tasks")).await?;
    let roles: List<Role> = visit.api.get(&first("roles")).await?;
    let role_groups: List<RoleGroup> = visit.api.get(&first("role-groups")).await?;
    let tasks = tasks.items.into_iter().filter(|task| task.enabled).map(|task| task.name);
    let roles = roles.items.into_iter().filter(|role| role.enabled).map(|role| role.name);
    let role_groups = role_groups.items.into_iter().filter(|group| group.enabled).map(|group| group.name);
    Ok(Suggestions {
        people: suggested(visit).await?,
        groups: visit.api.get::<List<Group>>(&first("groups")).await?.items,
        access: tasks.chain(roles).chain(role_groups).collect(),
    })
}

fn new_assignment(form: &Form) -> NewAssignment {
    let (who, access) = (form.owned("who"), form.owned("access"));
    let mut new = NewAssignment::default();
    match form.text("principal") {
        Some("group") => new.group = who,
        _ => new.user = who,
    }
    match form.text("kind") {
        Some("role") => new.role = access,
        Some("role-group") => new.role_group = access,
        _ => new.task = access,
    }
    new
}

async fn add(visit: Visit, form: Form) -> Answer {
    let done = visit.api.post::<Assignment>("/assignments", &new_assignment(&form), form.key()).await;
    let done = done.map_err(Failure::about_what_is_named);
    let again = async |problem: Problem| {
        let text = |name| form.owned(name).unwrap_or_default();
        let fields = Fields {
            principal: text("principal"),
            who: text("who"),
            kind: text("kind"),
            access: text("access"),
        };
        show_again(&problem.clone(), &list_page(&visit, None, fields, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/assignments", Said::AssignmentAdded)),
        Err(answer) => answer,
    }
}

async fn remove(visit: Visit, Path(id): Path<String>) -> Answer {
    let done = visit.api.delete(&format!("/assignments/{}", segment(&id))).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &list_page(&visit, None, Fields::default(), Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/assignments", Said::AssignmentRemoved)),
        Err(answer) => answer,
    }
}
