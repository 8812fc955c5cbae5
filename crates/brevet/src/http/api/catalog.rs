//! Tasks, roles and role groups: read only. They are defined in files, never through the API.

use brevet_core::QualifiedName;
use brevet_wire as wire;
use serde::Deserialize;

use crate::http::answer::shown;
use crate::http::extract::{Query, Segments};
use crate::http::operation::operation;
use crate::http::pages::Page;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/tasks", Permission::SignedIn, tasks, {
            operation("list_tasks", "Lists tasks, and what the caller can do with them")
                .query::<WantedTasks>()
                .lists::<wire::Task>("Tasks, by id.")
        })
        .get("/api/v1/tasks/{scope}/{name}", Permission::SignedIn, task, {
            operation("show_task", "Shows a task").shows::<wire::Task>("The task.")
        })
        .get("/api/v1/roles", Permission::SignedIn, roles, {
            operation("list_roles", "Lists roles").query::<Wanted>().lists::<wire::Role>("Roles, by id.")
        })
        .get("/api/v1/roles/{scope}/{name}", Permission::SignedIn, role, {
            operation("show_role", "Shows a role").shows::<wire::Role>("The role.")
        })
        .get("/api/v1/role-groups", Permission::SignedIn, role_groups, {
            operation("list_role_groups", "Lists role groups")
                .query::<Wanted>()
                .lists::<wire::RoleGroup>("Role groups, by id.")
        })
        .get("/api/v1/role-groups/{scope}/{name}", Permission::SignedIn, role_group, {
            operation("show_role_group", "Shows a role group").shows::<wire::RoleGroup>("The role group.")
        })
}

/// Which tasks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct WantedTasks {
    /// Those with this text in their name or description, in any case.
    text: Option<String>,
    /// Those that the caller may ask for.
    #[serde(default)]
    may_ask: bool,
    /// Those that the caller may run now, with some values.
    #[serde(default)]
    may_run: bool,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

/// Which roles, or role groups.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Those with this text in their name or description, in any case.
    text: Option<String>,
    /// Those that the caller may ask for.
    #[serde(default)]
    may_ask: bool,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

/// What is looked for in names and descriptions.
struct Sought(Option<String>);

impl Sought {
    fn new(text: Option<&str>) -> Self {
        Self(text.map(|text| text.trim().replace('/', "\\").to_lowercase()))
    }

    fn is_in(&self, name: &QualifiedName, description: &str) -> bool {
        self.0.as_ref().is_none_or(|text| {
            name.to_string().to_lowercase().contains(text)
                || description.replace('/', "\\").to_lowercase().contains(text)
        })
    }
}

async fn tasks(caller: Caller, Query(wanted): Query<WantedTasks>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let sought = Sought::new(wanted.text.as_deref());
    shown(&caller.view(|view| {
        let tasks = view.state.catalog().tasks().iter();
        let found = tasks.filter(|task| sought.is_in(&task.spec.name, &task.spec.description));
        let fits = |task: &wire::Task| (!wanted.may_ask || task.may_ask) && (!wanted.may_run || task.may_run);
        let found =
            found.map(|task| (task.id.number(), task)).filter(|(id, _)| Some(u64::from(*id)) > page.cursor);
        let found = found.map(|(id, task)| (id, view.task(task))).filter(|(_, task)| fits(task));
        page.ascending(found, |(id, _)| u64::from(*id), |(_, task)| task)
    }))
}

async fn task(caller: Caller, Segments(name): Segments<(String, String)>) -> Answer {
    let name = qualified("task", &name)?;
    let found = caller.view(|view| view.state.catalog().task_named(&name).map(|task| view.task(task)));
    shown(&found.ok_or_else(|| Failure::no_such("task", name))?)
}

async fn roles(caller: Caller, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let sought = Sought::new(wanted.text.as_deref());
    shown(&caller.view(|view| {
        let found = view.state.catalog().roles().iter();
        let found = found.filter(|role| sought.is_in(&role.spec.name, &role.spec.description));
        let found = found.map(|role| (role.id.number(), view.role(role)));
        let found = found.filter(|(_, role)| !wanted.may_ask || role.may_ask);
        page.ascending(found, |(id, _)| u64::from(*id), |(_, role)| role)
    }))
}

async fn role(caller: Caller, Segments(name): Segments<(String, String)>) -> Answer {
    let name = qualified("role", &name)?;
    let found = caller.view(|view| view.state.catalog().role_named(&name).map(|role| view.role(role)));
    shown(&found.ok_or_else(|| Failure::no_such("role", name))?)
}

async fn role_groups(caller: Caller, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let sought = Sought::new(wanted.text.as_deref());
    shown(&caller.view(|view| {
        let found = view.state.catalog().role_groups().iter();
        let found = found.filter(|group| sought.is_in(&group.spec.name, &group.spec.description));
        let found = found.map(|group| (group.id.number(), view.role_group(group)));
        let found = found.filter(|(_, group)| !wanted.may_ask || group.may_ask);
        page.ascending(found, |(id, _)| u64::from(*id), |(_, group)| group)
    }))
}

async fn role_group(caller: Caller, Segments(name): Segments<(String, String)>) -> Answer {
    let name = qualified("role group", &name)?;
    let found =
        caller.view(|view| view.state.catalog().role_group_named(&name).map(|group| view.role_group(group)));
    shown(&found.ok_or_else(|| Failure::no_such("role group", name))?)
}

/// A name that nothing can have names nothing.
fn qualified(what: &'static str, (scope, name): &(String, String)) -> Result<QualifiedName, Failure> {
    let given: String = format!("{scope}\\{name}").chars().take(150).collect();
    QualifiedName::new(scope, name).map_err(|_| Failure::no_such(what, given))
}
