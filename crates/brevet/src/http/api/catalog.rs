//! Tasks, roles and role groups: read only. They are defined in files, never through the API.

use brevet_core::QualifiedName;
use brevet_wire as wire;

use crate::http::answer::shown;
use crate::http::extract::{Query, Segments};
use crate::http::operation::operation;
use crate::http::pages::Paging;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/tasks", Permission::SignedIn, tasks, {
            operation("list_tasks", "Lists tasks, and what the caller can do with them")
                .query::<Paging>()
                .lists::<wire::Task>("Tasks, by id.")
        })
        .get("/api/v1/tasks/{scope}/{name}", Permission::SignedIn, task, {
            operation("show_task", "Shows a task").shows::<wire::Task>("The task.")
        })
        .get("/api/v1/roles", Permission::SignedIn, roles, {
            operation("list_roles", "Lists roles").query::<Paging>().lists::<wire::Role>("Roles, by id.")
        })
        .get("/api/v1/roles/{scope}/{name}", Permission::SignedIn, role, {
            operation("show_role", "Shows a role").shows::<wire::Role>("The role.")
        })
        .get("/api/v1/role-groups", Permission::SignedIn, role_groups, {
            operation("list_role_groups", "Lists role groups")
                .query::<Paging>()
                .lists::<wire::RoleGroup>("Role groups, by id.")
        })
        .get("/api/v1/role-groups/{scope}/{name}", Permission::SignedIn, role_group, {
            operation("show_role_group", "Shows a role group").shows::<wire::RoleGroup>("The role group.")
        })
}

async fn tasks(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        let tasks = view.state.catalog().tasks().iter();
        page.ascending(tasks, |task| task.id.number().into(), |task| view.task(task))
    }))
}

async fn task(caller: Caller, Segments(name): Segments<(String, String)>) -> Answer {
    let name = qualified("task", &name)?;
    let found = caller.view(|view| view.state.catalog().task_named(&name).map(|task| view.task(task)));
    shown(&found.ok_or_else(|| Failure::no_such("task", name))?)
}

async fn roles(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        let roles = view.state.catalog().roles().iter();
        page.ascending(roles, |role| role.id.number().into(), |role| view.role(role))
    }))
}

async fn role(caller: Caller, Segments(name): Segments<(String, String)>) -> Answer {
    let name = qualified("role", &name)?;
    let found = caller.view(|view| view.state.catalog().role_named(&name).map(|role| view.role(role)));
    shown(&found.ok_or_else(|| Failure::no_such("role", name))?)
}

async fn role_groups(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        let groups = view.state.catalog().role_groups().iter();
        page.ascending(groups, |group| group.id.number().into(), |group| view.role_group(group))
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
