//! My access: what somebody can run now, and what they can ask for.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use brevet_wire::{AccessType, Authorization, List, Problem, Request, Role, RoleGroup, Task};
use serde::Deserialize;

use super::catalog::by_workload;
use crate::api::{qualified, query, segment};
use crate::extract::Query;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;
use crate::show::access_path;

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/access", get(access)).route("/access/give-back", post(give_back))
}

/// How many tasks that need no request are shown.
const TASKS_LIMIT: &str = "100";
/// How much of what can be asked for is on one page.
const TO_ASK_FOR_MAX: usize = 100;
/// How many authorizations of each state are shown.
const AUTHORIZATIONS_LIMIT: &str = "50";
/// How many of one's pending requests are shown; all of them are on the page 'Requests'.
const PENDING_LIMIT: &str = "5";

#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    text: String,
    cursor: Option<String>,
}

/// Something to ask for.
struct Row {
    kind: &'static str,
    /// What asks for it: `task`, `role` or `role_group`.
    field: &'static str,
    /// Where its page is.
    part: &'static str,
    name: String,
    scope: String,
    description: String,
    policy: Option<String>,
}

#[derive(Template)]
#[template(path = "access/list.html")]
struct AccessPage {
    page: Page,
    told: Option<Problem>,
    active: Vec<Authorization>,
    scheduled: Vec<Authorization>,
    /// What needs no request.
    standing: Vec<Task>,
    pending: Vec<Request>,
    has_more_pending: bool,
    text: String,
    workloads: Vec<(String, Vec<Row>)>,
    first: Option<String>,
    next: Option<String>,
}

impl AccessPage {
    fn uses_left(&self, authorization: &Authorization) -> Option<u32> {
        authorization.max_uses.map(|most| most.saturating_sub(authorization.uses))
    }

    /// Where it is run.
    fn run(&self, authorization: &Authorization) -> String {
        let access = &authorization.access;
        let under = Some(authorization.id.as_str()).filter(|_| access.kind == AccessType::Task);
        query(&format!("/{}/{}", access_path(access), qualified(&access.name)), [("under", under)])
    }

    fn is_task(&self, authorization: &Authorization) -> bool {
        authorization.access.kind == AccessType::Task
    }
}

async fn access(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    show(&page(&visit, wanted, None).await?)
}

async fn page(visit: &Visit, wanted: Wanted, told: Option<Problem>) -> Result<AccessPage, Failure> {
    let Wanted { text, cursor } = wanted;
    let mine = |state| {
        query(
            "/authorizations",
            [("mine", Some("true")), ("limit", Some(AUTHORIZATIONS_LIMIT)), ("state", state)],
        )
    };
    let active: List<Authorization> = visit.api.get(&mine(Some("active"))).await?;
    let scheduled: List<Authorization> = visit.api.get(&mine(Some("scheduled"))).await?;
    let may_run = query("/tasks", [("may_run", Some("true")), ("limit", Some(TASKS_LIMIT))]);
    let runnable: List<Task> = visit.api.get(&may_run).await?;
    let pending = [("mine", Some("true")), ("status", Some("pending")), ("limit", Some(PENDING_LIMIT))];
    let pending: List<Request> = visit.api.get(&query("/requests", pending)).await?;
    let sought = Some(text.trim()).filter(|text| !text.is_empty());
    let (rows, next) = to_ask_for(visit, sought, cursor.as_deref()).await?;
    let here = |cursor: Option<&str>| query("/access", [("text", sought), ("cursor", cursor)]) + "#ask";
    Ok(AccessPage {
        page: visit.page("My access", Here::Access),
        told,
        active: active.items,
        scheduled: scheduled.items,
        standing: runnable.items.into_iter().filter(|task| task.authorization.is_none()).collect(),
        pending: pending.items,
        has_more_pending: pending.next.is_some(),
        workloads: by_workload(rows.into_iter(), |row| &row.scope),
        first: cursor.as_ref().map(|_| here(None)),
        next: next.map(|next| here(Some(&next))),
        text,
    })
}

/// What can be asked for, kind after kind: there are fewer roles and role groups than tasks.
const KINDS: [&str; 3] = ["roles", "role-groups", "tasks"];

/// One page of roles, role groups and tasks, and the cursor of the next: a kind, and where its list goes on.
async fn to_ask_for(
    visit: &Visit,
    text: Option<&str>,
    cursor: Option<&str>,
) -> Result<(Vec<Row>, Option<String>), Failure> {
    let (from, mut cursor) = match cursor.map(|cursor| cursor.split_once('.').unwrap_or(("tasks", cursor))) {
        None => (KINDS[0], None),
        Some((kind, cursor)) => (kind, Some(cursor.to_owned()).filter(|cursor| !cursor.is_empty())),
    };
    let mut rows: Vec<Row> = Vec::new();
    for kind in KINDS.into_iter().skip_while(|kind| *kind != from) {
        let room = TO_ASK_FOR_MAX - rows.len();
        // Whether there is one at all, where there is no room for any.
        let (found, next) = some_of(visit, kind, text, room.max(1), cursor.take()).await?;
        match (kind, room, found.is_empty()) {
            (_, 0, true) => continue,
            (_, 0, false) => return Ok((rows, Some(format!("{kind}.")))),
            // On one page tasks come first.
            ("tasks", ..) => drop(rows.splice(0..0, found)),
            _ => rows.extend(found),
        }
        if let Some(next) = next {
            return Ok((rows, Some(format!("{kind}.{next}"))));
        }
    }
    Ok((rows, None))
}

async fn some_of(
    visit: &Visit,
    kind: &str,
    text: Option<&str>,
    limit: usize,
    cursor: Option<String>,
) -> Result<(Vec<Row>, Option<String>), Failure> {
    let limit = limit.to_string();
    let limit = Some(limit.as_str());
    let conditions =
        [("may_ask", Some("true")), ("limit", limit), ("text", text), ("cursor", cursor.as_deref())];
    let path = query(&format!("/{kind}"), conditions);
    Ok(match kind {
        "roles" => rows_of(visit.api.get(&path).await?, of_role),
        "role-groups" => rows_of(visit.api.get(&path).await?, of_role_group),
        _ => rows_of(visit.api.get(&path).await?, of_task),
    })
}

fn rows_of<T>(List { items, next }: List<T>, row: fn(T) -> Row) -> (Vec<Row>, Option<String>) {
    (items.into_iter().map(row).collect(), next)
}

fn of_task(task: Task) -> Row {
    let Task { name, scope, description, policy, .. } = task;
    Row { kind: "Task", field: "task", part: "tasks", name, scope, description, policy }
}

fn of_role(role: Role) -> Row {
    let Role { name, scope, description, policy, .. } = role;
    Row { kind: "Role", field: "role", part: "roles", name, scope, description, policy }
}

fn of_role_group(group: RoleGroup) -> Row {
    let RoleGroup { name, scope, description, policy, .. } = group;
    Row { kind: "Role group", field: "role_group", part: "role-groups", name, scope, description, policy }
}

async fn give_back(visit: Visit, form: Form) -> Result<Response, Failure> {
    let id = form.text("authorization").unwrap_or_default();
    let path = format!("/authorizations/{}/give-back", segment(id));
    let done = visit.api.post::<Authorization>(&path, &serde_json::json!({}), form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem, &page(&visit, Wanted::default(), Some(problem.clone())).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/access", Said::GivenBack)),
        Err(answer) => answer,
    }
}
