//! Tasks, roles and role groups: what there is, by workload. The page of one task is in `running.rs`.

use askama::Template;
use axum::Router;
use axum::routing::get;
use brevet_wire::{List, Role, RoleGroup, Task};
use serde::Deserialize;

use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::gate::{Site, Visit};
use crate::page::{Here, Page, show};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/tasks", get(tasks))
        .route("/roles", get(roles))
        .route("/role-groups", get(role_groups))
        .route("/roles/{scope}/{name}", get(role))
        .route("/role-groups/{scope}/{name}", get(role_group))
}

/// The lists: their addresses, here and in the API, and their names.
const TABS: &[(&str, &str)] = &[("/tasks", "Tasks"), ("/roles", "Roles"), ("/role-groups", "Role groups")];

#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    text: String,
    cursor: Option<String>,
}

/// What stands in a list.
struct Row {
    name: String,
    scope: String,
    /// Where its own page is: `tasks`, `roles` or `role-groups`.
    part: &'static str,
    description: String,
    policy: Option<String>,
    is_enabled: bool,
    /// What whoever looks can do with it.
    may: &'static str,
}

impl From<Task> for Row {
    fn from(task: Task) -> Self {
        let Task { name, scope, description, policy, enabled, may_run, may_ask, .. } = task;
        let may = match (may_run, may_ask) {
            (true, _) => "run it now",
            (false, true) => "ask for it",
            (false, false) => "",
        };
        Self { name, scope, part: "tasks", description, policy, is_enabled: enabled, may }
    }
}

impl From<Role> for Row {
    fn from(role: Role) -> Self {
        let Role { id: _, name, scope, description, tasks: _, digest: _, enabled, policy, may_ask } = role;
        let may = if may_ask { "ask for it" } else { "" };
        Self { name, scope, part: "roles", description, policy, is_enabled: enabled, may }
    }
}

impl From<RoleGroup> for Row {
    fn from(group: RoleGroup) -> Self {
        let RoleGroup { id: _, name, scope, description, roles: _, digest: _, enabled, policy, may_ask } =
            group;
        let may = if may_ask { "ask for it" } else { "" };
        Self { name, scope, part: "role-groups", description, policy, is_enabled: enabled, may }
    }
}

#[derive(Template)]
#[template(path = "catalog/list.html")]
struct ListPage {
    page: Page,
    tab: &'static str,
    text: String,
    workloads: Vec<(String, Vec<Row>)>,
    first: Option<String>,
    next: Option<String>,
}

async fn tasks(visit: Visit, wanted: Query<Wanted>) -> Answer {
    list::<Task>(visit, wanted, "/tasks").await
}

async fn roles(visit: Visit, wanted: Query<Wanted>) -> Answer {
    list::<Role>(visit, wanted, "/roles").await
}

async fn role_groups(visit: Visit, wanted: Query<Wanted>) -> Answer {
    list::<RoleGroup>(visit, wanted, "/role-groups").await
}

async fn list<T>(visit: Visit, Query(Wanted { text, cursor }): Query<Wanted>, tab: &'static str) -> Answer
where
    T: serde::de::DeserializeOwned,
    Row: From<T>,
{
    let sought = Some(text.trim()).filter(|text| !text.is_empty());
    let path = query(tab, [("limit", Some("100")), ("text", sought), ("cursor", cursor.as_deref())]);
    let List { items, next } = visit.api.get::<List<T>>(&path).await?;
    let here = |cursor: Option<&str>| query(tab, [("text", sought), ("cursor", cursor)]);
    show(&ListPage {
        page: visit.page("Tasks and roles", Here::Tasks),
        tab,
        workloads: by_workload(items.into_iter().map(Row::from), |row| &row.scope),
        first: cursor.as_ref().map(|_| here(None)),
        next: next.map(|next| here(Some(&next))),
        text,
    })
}

/// Things under the workloads that they belong to, in the order in which those come first.
pub(crate) fn by_workload<T>(
    things: impl Iterator<Item = T>,
    workload: impl Fn(&T) -> &str,
) -> Vec<(String, Vec<T>)> {
    let mut workloads: Vec<(String, Vec<T>)> = Vec::new();
    for thing in things {
        let name = workload(&thing);
        match workloads.iter_mut().find(|(known, _)| known == name) {
            Some((_, all)) => all.push(thing),
            None => workloads.push((name.to_owned(), vec![thing])),
        }
    }
    workloads
}

#[derive(Template)]
#[template(path = "catalog/role.html")]
struct RolePage {
    page: Page,
    kind: &'static str,
    /// What asks for it: `role` or `role_group`.
    field: &'static str,
    list: &'static str,
    name: String,
    description: String,
    /// What is in it, and where the pages of these are.
    members: Vec<String>,
    members_part: &'static str,
    members_kind: &'static str,
    digest: String,
    is_enabled: bool,
    policy: Option<String>,
    may_ask: bool,
}

async fn role(visit: Visit, Path((scope, name)): Path<(String, String)>) -> Answer {
    let role: Role = named(&visit, "roles", &scope, &name).await?;
    let Role { id: _, name, scope: _, description, tasks, digest, enabled, policy, may_ask } = role;
    show(&RolePage {
        page: visit.page(name.clone(), Here::Tasks),
        kind: "Role",
        field: "role",
        list: "/roles",
        name,
        description,
        members: tasks,
        members_part: "tasks",
        members_kind: "Tasks",
        digest,
        is_enabled: enabled,
        policy,
        may_ask,
    })
}

async fn role_group(visit: Visit, Path((scope, name)): Path<(String, String)>) -> Answer {
    let group: RoleGroup = named(&visit, "role-groups", &scope, &name).await?;
    let RoleGroup { id: _, name, scope: _, description, roles, digest, enabled, policy, may_ask } = group;
    show(&RolePage {
        page: visit.page(name.clone(), Here::Tasks),
        kind: "Role group",
        field: "role_group",
        list: "/role-groups",
        name,
        description,
        members: roles,
        members_part: "roles",
        members_kind: "Roles",
        digest,
        is_enabled: enabled,
        policy,
        may_ask,
    })
}

/// One of them, by both parts of its name.
pub(crate) async fn named<T: serde::de::DeserializeOwned>(
    visit: &Visit,
    part: &str,
    scope: &str,
    name: &str,
) -> Result<T, Failure> {
    visit.api.get(&format!("/{part}/{}/{}", segment(scope), segment(name))).await
}

#[cfg(test)]
mod tests {
    use super::by_workload;

    #[test]
    fn workloads_stand_in_the_order_in_which_they_come_first() {
        let things = ["b1", "a1", "b2"].into_iter();
        let grouped = by_workload(things, |thing| &thing[..1]);
        assert_eq!(grouped, [("b".to_owned(), vec!["b1", "b2"]), ("a".to_owned(), vec!["a1"])]);
    }
}
