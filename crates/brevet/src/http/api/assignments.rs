//! Who may run what where no approval is demanded.

use brevet_core::{AssignmentId, Command, Reply};
use brevet_wire as wire;

use crate::http::answer::{created, removed, shown};
use crate::http::extract::{Given, Query, Segments, id};
use crate::http::operation::operation;
use crate::http::pages::Paging;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/assignments", Permission::SignedIn, list, {
            operation("list_assignments", "Lists assignments")
                .note("One's own and those of one's groups; all for administrators and auditors.")
                .query::<Paging>()
                .lists::<wire::Assignment>("Assignments, by id.")
        })
        .post("/api/v1/assignments", Permission::Administrator, add, {
            operation("add_assignment", "Adds an assignment")
                .takes::<wire::NewAssignment>()
                .creates::<wire::Assignment>("The assignment.")
        })
        .delete("/api/v1/assignments/{id}", Permission::Administrator, remove, {
            operation("remove_assignment", "Removes an assignment").removes()
        })
}

async fn list(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        let seen = view.state.assignments().filter(|assignment| view.sees_assignment(assignment));
        page.ascending(
            seen,
            |assignment| assignment.id.number().into(),
            |assignment| view.assignment(assignment),
        )
    }))
}

async fn add(caller: Caller, given: Given<wire::NewAssignment>) -> Answer {
    let wire::NewAssignment { user, group, task, role, role_group } = &given.value;
    let add = caller.app.read(|state| {
        let principal = take::principal(state, user.as_deref(), group.as_deref())?;
        let access = take::access(state, task.as_deref(), role.as_deref(), role_group.as_deref())?;
        Ok::<_, Failure>(Command::AddAssignment { principal, access })
    })?;
    let done = caller.app.command(caller.origin(), add, given.key).await?;
    let Reply::Assignment(id) = done.reply else { return Err(Failure::bug("an assignment without an id")) };
    let assignment =
        caller.view(|view| view.state.assignment(id).map(|assignment| view.assignment(assignment)));
    let assignment = assignment.ok_or_else(|| Failure::no_such("assignment", id))?;
    created(&done, &format!("/assignments/{id}"), &assignment)
}

async fn remove(caller: Caller, Segments(given): Segments<String>) -> Answer {
    let id = id(AssignmentId::parse(&given))?;
    let done = caller.app.command(caller.origin(), Command::RemoveAssignment(id), None).await?;
    Ok(removed(&done))
}
