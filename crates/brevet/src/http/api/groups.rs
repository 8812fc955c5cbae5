//! Groups and their members.

use brevet_core::{Command, GroupId, GroupName, NewGroup, Reply, TextKind};
use brevet_wire as wire;

use crate::http::answer::{changed, created, removed, shown};
use crate::http::extract::{Given, Query, Segments};
use crate::http::operation::operation;
use crate::http::pages::Paging;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/groups", Permission::SignedIn, list, {
            operation("list_groups", "Lists groups")
                .note("Members are shown to members, administrators and auditors: of each group the first 10, and how many.")
                .query::<Paging>()
                .lists::<wire::Group>("Groups, by id.")
        })
        .post("/api/v1/groups", Permission::Administrator, create, {
            operation("create_group", "Creates a group")
                .takes::<wire::NewGroup>()
                .creates::<wire::Group>("The group.")
        })
        .get("/api/v1/groups/{group}", Permission::SignedIn, show, {
            operation("show_group", "Shows a group").shows::<wire::Group>("The group.")
        })
        .delete("/api/v1/groups/{group}", Permission::Administrator, delete, {
            operation("delete_group", "Deletes a group that nothing names").removes()
        })
        .post("/api/v1/groups/{group}/members", Permission::Administrator, add_member, {
            operation("add_member", "Adds a member")
                .takes::<wire::NewMember>()
                .shows::<wire::Group>("The group.")
        })
        .delete("/api/v1/groups/{group}/members/{user}", Permission::Administrator, remove_member, {
            operation("remove_member", "Removes a member").removes()
        })
}

async fn list(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        page.ascending(
            view.state.groups(),
            |group| group.id.number().into(),
            |group| view.listed_group(group),
        )
    }))
}

async fn create(caller: Caller, given: Given<wire::NewGroup>) -> Answer {
    let wire::NewGroup { name, email, description } = &given.value;
    let new = NewGroup {
        name: GroupName::parse(name).map_err(|error| Failure::field("name", error))?,
        email: take::text("email", TextKind::Email, email.as_deref())?,
        description: take::text("description", TextKind::Description, description.as_deref())?,
    };
    let done = caller.app.command(caller.origin(), Command::CreateGroup(new), given.key).await?;
    let Reply::Group(id) = done.reply else { return Err(Failure::bug("a group without an id")) };
    created(&done, &format!("/groups/{id}"), &group(&caller, id)?)
}

async fn show(caller: Caller, Segments(name): Segments<String>) -> Answer {
    let id = caller.app.read(|state| take::group(state, &name))?;
    shown(&group(&caller, id)?)
}

async fn delete(caller: Caller, Segments(name): Segments<String>) -> Answer {
    let id = caller.app.read(|state| take::group(state, &name))?;
    let done = caller.app.command(caller.origin(), Command::DeleteGroup(id), None).await?;
    Ok(removed(&done))
}

async fn add_member(
    caller: Caller,
    Segments(name): Segments<String>,
    given: Given<wire::NewMember>,
) -> Answer {
    let member = given.value.user;
    let (id, user) = caller
        .app
        .read(|state| Ok::<_, Failure>((take::group(state, &name)?, take::user(state, &member)?)))?;
    let add = Command::AddMember { group: id, user };
    let done = caller.app.command(caller.origin(), add, given.key).await?;
    changed(&done, &group(&caller, id)?)
}

async fn remove_member(caller: Caller, Segments((name, member)): Segments<(String, String)>) -> Answer {
    let (group, user) = caller
        .app
        .read(|state| Ok::<_, Failure>((take::group(state, &name)?, take::user(state, &member)?)))?;
    let done = caller.app.command(caller.origin(), Command::RemoveMember { group, user }, None).await?;
    Ok(removed(&done))
}

fn group(caller: &Caller, id: GroupId) -> Result<wire::Group, Failure> {
    let group = caller.view(|view| view.state.group(id).map(|group| view.group(group)));
    group.ok_or_else(|| Failure::no_such("group", id))
}
