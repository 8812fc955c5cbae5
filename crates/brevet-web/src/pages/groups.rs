//! Groups: whose members decide requests, may ask, or are assigned.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use brevet_wire::{
    AccessControl, Assignment, Group, List, NewGroup, NewMember, Policy, Problem, Reference, User,
};
use serde::Deserialize;

use super::{NAMES_SUGGESTED_MAX, administrators_only};
use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::form::Form;
use crate::gate::{Site, Visit, go, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

/// Members on one page.
const MEMBERS_SHOWN_MAX: usize = 100;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/groups", get(list).post(create))
        .route("/groups/new", get(new))
        .route("/groups/{id}", get(detail))
        .route("/groups/{id}/members", post(add_member))
        .route("/groups/{id}/members/{user}/remove", post(remove_member))
        .route("/groups/{id}/delete", get(ask_delete).post(delete))
}

#[derive(Default, Deserialize)]
struct Wanted {
    name: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "groups/list.html")]
struct ListPage {
    page: Page,
    told: Option<Problem>,
    groups: Vec<Group>,
    default: Option<String>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let told = match wanted.name.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => match find(&visit, name).await {
            Ok(group) => return Ok(go(&format!("/groups/{}", segment(&group.id)))),
            Err(failure) if failure.0.status == 404 => Some(*failure.0),
            Err(failure) => return Err(failure),
        },
    };
    let cursor = wanted.cursor.as_deref();
    let path = query("/groups", [("limit", Some("50")), ("cursor", cursor)]);
    let List { items: groups, next } = visit.api.get::<List<Group>>(&path).await?;
    let control: AccessControl = visit.api.get("/access-control").await?;
    let page = ListPage {
        page: visit.page("Groups", Here::Groups),
        told,
        groups,
        default: control.default_approver_group.map(|group| group.id),
        first: cursor.map(|_| "/groups".to_owned()),
        next: next.map(|next| query("/groups", [("cursor", Some(next.as_str()))])),
    };
    match page.told.clone() {
        Some(problem) => show_again(&problem, &page),
        None => show(&page),
    }
}

async fn find(visit: &Visit, group: &str) -> Result<Group, Failure> {
    visit.api.get(&format!("/groups/{}", segment(group))).await
}

/// What the form for a new group says.
#[derive(Default)]
pub(crate) struct GroupFields {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) description: String,
}

impl GroupFields {
    pub(crate) fn of(form: &Form) -> Self {
        let text = |name| form.owned(name).unwrap_or_default();
        Self { name: text("name"), email: text("email"), description: text("description") }
    }
}

pub(crate) fn new_group(form: &Form) -> NewGroup {
    NewGroup {
        name: form.owned("name").unwrap_or_default(),
        email: form.owned("email"),
        description: form.owned("description"),
    }
}

#[derive(Template)]
#[template(path = "groups/new.html")]
struct NewPage {
    page: Page,
    told: Option<Problem>,
    fields: GroupFields,
}

async fn new(visit: Visit) -> Answer {
    administrators_only(&visit)?;
    show(&NewPage { page: visit.page("New group", Here::Groups), told: None, fields: GroupFields::default() })
}

async fn create(visit: Visit, form: Form) -> Answer {
    let done = visit.api.post::<Group>("/groups", &new_group(&form), form.key()).await;
    let again = async |problem: Problem| {
        let page = visit.page("New group", Here::Groups);
        show_again(&problem, &NewPage { page, told: Some(problem.clone()), fields: GroupFields::of(&form) })
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &format!("/groups/{}", done.value.id), Said::Created)),
        Err(answer) => answer,
    }
}

/// Where a group is named.
struct Uses {
    is_default: bool,
    decides: Vec<Policy>,
    asks: Vec<Policy>,
    assignments: Vec<Assignment>,
    /// Whether only a part of all policies and assignments was looked through.
    is_partial: bool,
}

impl Uses {
    async fn of(visit: &Visit, group: &Group) -> Result<Self, Failure> {
        let control: AccessControl = visit.api.get("/access-control").await?;
        let policies: List<Policy> = visit.api.get("/policies?limit=200").await?;
        let assignments: List<Assignment> = visit.api.get("/assignments?limit=200").await?;
        let is_partial = policies.next.is_some() || assignments.next.is_some();
        let is_it = |named: &Reference| named.id == group.id;
        let decides = |policy: &Policy| policy.approver_groups.iter().any(|named| is_it(&named.group));
        let asks =
            |policy: &Policy| policy.requesters.as_ref().is_some_and(|named| named.groups.iter().any(is_it));
        let which = |named: &dyn Fn(&Policy) -> bool| {
            policies.items.iter().filter(|policy| named(policy)).cloned().collect()
        };
        Ok(Self {
            is_default: control.default_approver_group.as_ref().is_some_and(is_it),
            decides: which(&decides),
            asks: which(&asks),
            assignments: assignments.items.into_iter().filter(|one| one.principal.id == group.id).collect(),
            is_partial,
        })
    }

    const fn is_none(&self) -> bool {
        !self.is_default && self.decides.is_empty() && self.asks.is_empty() && self.assignments.is_empty()
    }
}

#[derive(Default, Deserialize)]
struct Shown {
    #[serde(default)]
    from: usize,
}

#[derive(Template)]
#[template(path = "groups/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    group: Group,
    count: usize,
    members: Vec<Reference>,
    first: Option<String>,
    next: Option<String>,
    uses: Uses,
    people: Vec<User>,
    user: String,
}

async fn detail(visit: Visit, Path(id): Path<String>, Query(shown): Query<Shown>) -> Answer {
    show(&detail_page(&visit, &id, shown.from, None, &Form::default()).await?)
}

async fn detail_page(
    visit: &Visit,
    id: &str,
    from: usize,
    told: Option<Problem>,
    form: &Form,
) -> Result<DetailPage, Failure> {
    let group = find(visit, id).await?;
    let uses = Uses::of(visit, &group).await?;
    let people = if visit.administers() { suggested(visit).await? } else { Vec::new() };
    let count = group.members.len();
    let here = format!("/groups/{}", segment(&group.id));
    let after = from.saturating_add(MEMBERS_SHOWN_MAX);
    Ok(DetailPage {
        page: visit.page(group.name.clone(), Here::Groups),
        told,
        count,
        members: group.members.iter().skip(from).take(MEMBERS_SHOWN_MAX).cloned().collect(),
        first: (from > 0).then(|| here.clone()),
        next: (after < count).then(|| format!("{here}?from={after}")),
        group,
        uses,
        people,
        user: form.owned("user").unwrap_or_default(),
    })
}

/// Some people, to be suggested where a name is typed.
pub(crate) async fn suggested(visit: &Visit) -> Result<Vec<User>, Failure> {
    let path = format!("/users?limit={NAMES_SUGGESTED_MAX}");
    Ok(visit.api.get::<List<User>>(&path).await?.items)
}

async fn add_member(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/groups/{}", segment(&id));
    let body = NewMember { user: form.owned("user").unwrap_or_default() };
    let done = visit.api.post::<Group>(&format!("{path}/members"), &body, form.key()).await;
    // Somebody whose name was mistyped is not there; the group is.
    let done = done.map_err(Failure::about_what_is_named);
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, 0, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, Said::MemberAdded)),
        Err(answer) => answer,
    }
}

async fn remove_member(visit: Visit, Path((id, user)): Path<(String, String)>, form: Form) -> Answer {
    let path = format!("/groups/{}", segment(&id));
    let done = visit.api.delete(&format!("{path}/members/{}", segment(&user))).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, 0, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, Said::MemberRemoved)),
        Err(answer) => answer,
    }
}

#[derive(Template)]
#[template(path = "groups/delete.html")]
struct DeletePage {
    page: Page,
    told: Option<Problem>,
    group: Group,
    uses: Uses,
}

async fn delete_page(visit: &Visit, id: &str, told: Option<Problem>) -> Result<DeletePage, Failure> {
    let group = find(visit, id).await?;
    let uses = Uses::of(visit, &group).await?;
    let page = visit.page(format!("Delete {}", group.name), Here::Groups);
    Ok(DeletePage { page, told, group, uses })
}

async fn ask_delete(visit: Visit, Path(id): Path<String>) -> Answer {
    administrators_only(&visit)?;
    show(&delete_page(&visit, &id, None).await?)
}

async fn delete(visit: Visit, Path(id): Path<String>) -> Answer {
    let done = visit.api.delete(&format!("/groups/{}", segment(&id))).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &delete_page(&visit, &id, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/groups", Said::GroupDeleted)),
        Err(answer) => answer,
    }
}
