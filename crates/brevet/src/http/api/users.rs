//! People.

use brevet_core::{Command, NewUser, Reply, TextKind, UserId, UserName};
use brevet_wire as wire;

use crate::http::answer::{Recorded, changed, created, shown};
use crate::http::extract::{Given, Nothing, Query, Segments};
use crate::http::operation::operation;
use crate::http::pages::Paging;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/users", Permission::Oversight, list, {
            operation("list_users", "Lists accounts")
                .query::<Paging>()
                .lists::<wire::User>("Accounts, by id.")
        })
        .post("/api/v1/users", Permission::Administrator, add, {
            operation("add_user", "Adds an account")
                .takes::<wire::NewUser>()
                .creates::<wire::User>("The account.")
        })
        .get("/api/v1/users/{user}", Permission::SignedIn, show, {
            operation("show_user", "Shows an account")
                .note("One's own; others for administrators and auditors.")
                .shows::<wire::User>("The account.")
        })
        .post("/api/v1/users/{user}/disable", Permission::Administrator, disable, {
            operation("disable_user", "Disables an account; all that it holds ends")
                .takes::<Nothing>()
                .shows::<wire::User>("The account.")
        })
        .post("/api/v1/users/{user}/enable", Permission::Administrator, enable, {
            operation("enable_user", "Enables or unlocks an account")
                .takes::<Nothing>()
                .shows::<wire::User>("The account.")
        })
        .post("/api/v1/users/{user}/code", Permission::Administrator, code, {
            operation(
                "issue_code",
                "Makes a one-time code, by which the owner of the account sets a password",
            )
            .takes::<Nothing>()
            .creates::<wire::OneTimeCode>("The code, told once.")
        })
}

async fn list(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        let users = view.state.users().iter();
        page.ascending(users, |user| user.id.number().into(), |user| view.user(user))
    }))
}

async fn add(caller: Caller, given: Given<wire::NewUser>) -> Answer {
    let wire::NewUser { name, display_name, email, owner, administrator, auditor } = &given.value;
    let new = NewUser {
        name: UserName::parse(name).map_err(|error| Failure::field("name", error))?,
        display_name: take::text("display_name", TextKind::DisplayName, display_name.as_deref())?,
        email: take::text("email", TextKind::Email, email.as_deref())?,
        owner: owner.as_deref().map(|owner| caller.app.read(|state| take::user(state, owner))).transpose()?,
        administrator: *administrator,
        auditor: *auditor,
    };
    let done = caller.app.command(caller.origin(), Command::AddUser(new), given.key).await?;
    let Reply::User(id) = done.reply else { return Err(Failure::bug("an account without an id")) };
    created(&done, &format!("/users/{id}"), &user(&caller, id)?)
}

async fn show(caller: Caller, Segments(name): Segments<String>) -> Answer {
    let found = caller.app.read(|state| take::user(state, &name))?;
    let sees = found == caller.user() || caller.view(|view| view.oversees());
    if !sees {
        return Err(Failure::no_such("user", name.chars().take(80).collect::<String>()));
    }
    shown(&user(&caller, found)?)
}

async fn disable(caller: Caller, Segments(name): Segments<String>, given: Given<Nothing>) -> Answer {
    act(&caller, &name, given, Command::DisableUser).await
}

async fn enable(caller: Caller, Segments(name): Segments<String>, given: Given<Nothing>) -> Answer {
    act(&caller, &name, given, Command::EnableUser).await
}

async fn code(caller: Caller, Segments(name): Segments<String>, given: Given<Nothing>) -> Answer {
    let user = caller.app.read(|state| take::user(state, &name))?;
    let code = caller.app.issue_code(caller.origin(), user, given.key).await?;
    let expires_at = wire::Time::from_micros(code.expires.micros());
    let recorded = Recorded::as_entry(code.entry, caller.app.published().size);
    let code = code.code.reveal(|code| wire::SecretText::new(code.to_owned()));
    created(recorded, &format!("/users/{user}"), &wire::OneTimeCode { code, expires_at })
}

async fn act(caller: &Caller, name: &str, given: Given<Nothing>, command: fn(UserId) -> Command) -> Answer {
    let id = caller.app.read(|state| take::user(state, name))?;
    let done = caller.app.command(caller.origin(), command(id), given.key).await?;
    changed(&done, &user(caller, id)?)
}

fn user(caller: &Caller, id: UserId) -> Result<wire::User, Failure> {
    let user = caller.view(|view| view.state.user(id).map(|user| view.user(user)));
    user.ok_or_else(|| Failure::no_such("user", id))
}
