//! Signing in and out, and what anybody may ask.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use brevet_core::{NewUser, Secret, TextKind, UserName};
use brevet_wire as wire;

use crate::app::{App, SESSION_IDLE, SignedIn};
use crate::http::answer::{created, removed, shown};
use crate::http::extract::Given;
use crate::http::operation::operation;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};
use crate::http::take;
use crate::http::view::View;

pub(super) fn routes(routes: Routes) -> Routes {
    let health = || operation("health", "Whether the server is there").shows::<wire::Health>("It is.");
    routes
        .get("/health", Permission::Public, self::health, health())
        .get("/api/v1/health", Permission::Public, self::health, {
            operation("api_health", "Whether the server is there").shows::<wire::Health>("It is.")
        })
        .get("/api/v1/openapi.json", Permission::Public, document, {
            operation("openapi", "This document").gives(200, "OpenAPI 3.1.", "application/json")
        })
        .post("/api/v1/setup", Permission::Public, set_up, {
            operation("set_up", "Creates the first administrator, and signs in")
                .note("Once, with the one-time code that the server printed at its first start.")
                .takes::<wire::SetUp>()
                .creates::<wire::Session>("The session that began.")
        })
        .post("/api/v1/sessions", Permission::Public, sign_in, {
            operation("sign_in", "Signs in")
                .note(
                    "With a password; or with a one-time code and the password that the account shall have.",
                )
                .takes::<wire::SignIn>()
                .creates::<wire::Session>("The session that began.")
        })
        .delete(
            "/api/v1/sessions/current",
            Permission::SignedIn,
            sign_out,
            operation("sign_out", "Signs out").removes(),
        )
        .get("/api/v1/whoami", Permission::SignedIn, whoami, {
            operation("whoami", "Who is signed in").shows::<wire::WhoAmI>("The account and the session.")
        })
        .post("/api/v1/password", Permission::SignedIn, change_password, {
            operation("change_password", "Sets another password")
                .note("All sessions of the account end, this one too.")
                .takes::<wire::ChangePassword>()
                .removes()
        })
}

async fn health(visitor: Visitor) -> Answer {
    let needs_setup = visitor.server.app.read(|state| state.users().is_empty());
    let version = env!("CARGO_PKG_VERSION").to_owned();
    if let Some(why) = visitor.server.app.ledger_problem() {
        // Whoever is not signed in learns that something is wrong, not where.
        tracing::error!(%why, "unhealthy");
        let told = "the ledger is not vouched for as it should be; the server's log says why";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unhealthy", told));
    }
    let standing = visitor.server.app.standing();
    let witnesses = match (standing.has_quorum, standing.witnessed_at) {
        (false, _) => "none",
        (true, None) => "waiting",
        (true, Some(_)) => "ok",
    };
    shown(&wire::Health { status: "ok".to_owned(), version, needs_setup, witnesses: witnesses.to_owned() })
}

async fn document(visitor: Visitor) -> Answer {
    Ok(([(CONTENT_TYPE, "application/json")], visitor.server.document).into_response())
}

async fn set_up(visitor: Visitor, given: Given<wire::SetUp>) -> Answer {
    let wire::SetUp { code, name, password, display_name, email } = &given.value;
    let new = NewUser {
        name: UserName::parse(name).map_err(|error| Failure::field("name", error))?,
        display_name: take::text("display_name", TextKind::DisplayName, display_name.as_deref())?,
        email: take::text("email", TextKind::Email, email.as_deref())?,
        owner: None,
        administrator: true,
        auditor: false,
    };
    let app = visitor.server.app;
    let signed_in = app.set_up(take::secret(code), new, take::secret(password), &visitor.source).await?;
    session(&app, &signed_in).await
}

async fn sign_in(visitor: Visitor, given: Given<wire::SignIn>) -> Answer {
    let wire::SignIn { name, password, code } = &given.value;
    let (app, password): (App, Secret) = (visitor.server.app, take::secret(password));
    let signed_in = match code {
        None => app.sign_in(name, password, &visitor.source).await?,
        Some(code) => app.enrol(name, take::secret(code), password, &visitor.source).await?,
    };
    session(&app, &signed_in).await
}

async fn session(app: &App, signed_in: &SignedIn) -> Answer {
    let SignedIn { token, session: _, user, ends } = signed_in;
    let caller = app.session(&token.reveal(str::to_owned)).await?;
    let token = token.reveal(|token| wire::SecretText::new(token.to_owned()));
    let caller = Caller { app: app.clone(), session: caller, is_attended: true };
    let user = caller.view(|view| view.state.user(*user).map(|user| view.user(user)));
    let user = user.ok_or_else(|| Failure::bug("a session of nobody"))?;
    let expires_at = wire::Time::from_micros(ends.micros());
    let session = wire::Session { token, user, expires_at, idle_seconds: SESSION_IDLE.whole_seconds() };
    created(app.published().size, "/sessions/current", &session)
}

async fn sign_out(caller: Caller) -> Answer {
    caller.app.sign_out(&caller.session).await?;
    Ok(removed(caller.app.published().size))
}

async fn whoami(caller: Caller) -> Answer {
    let user = |view: &View<'_>| view.state.user(view.viewer()).map(|user| view.user(user));
    shown(&wire::WhoAmI {
        user: caller.view(user).ok_or_else(|| Failure::bug("a session of nobody"))?,
        session: caller.session.id.to_string(),
        expires_at: wire::Time::from_micros(caller.session.ends().micros()),
        idle_seconds: SESSION_IDLE.whole_seconds(),
        waiting: caller.view(|view| view.waiting()),
        warning: caller.app.standing().warning().map(str::to_owned),
    })
}

async fn change_password(caller: Caller, given: Given<wire::ChangePassword>) -> Answer {
    let wire::ChangePassword { current, new } = &given.value;
    let (current, new) = (take::secret(current), take::secret(new));
    match caller.app.change_password(&caller.session, current, new, given.key).await {
        Ok(()) => Ok(removed(caller.app.published().size)),
        // Not 401: the session is good, only the password is not.
        Err(crate::app::AppError::BadCredentials) => {
            let detail = "the current password is another one";
            Err(Failure::new(StatusCode::FORBIDDEN, "bad-credentials", detail))
        }
        Err(error) => Err(error.into()),
    }
}
