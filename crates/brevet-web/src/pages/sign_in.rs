//! Signing in: with a password, with a one-time code, or as the first administrator of a new server.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use brevet_wire::{Health, Problem, SecretText, Session, SetUp, SignIn};
use serde::Deserialize;

use crate::api::Done;
use crate::cookie;
use crate::extract::Query;
use crate::failure::Answer;
use crate::form::Form;
use crate::gate::{Guest, Site, go, go_with, or_told};
use crate::page::{Here, Page, show, show_again};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/sign-in", get(sign_in_form).post(sign_in))
        .route("/sign-in/code", get(code_form).post(enrol))
        .route("/setup", get(set_up_form).post(set_up))
}

/// Where a person wanted to be.
#[derive(Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in/password.html")]
struct SignInPage {
    page: Page,
    told: Option<Problem>,
    name: String,
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in/code.html")]
struct CodePage {
    page: Page,
    told: Option<Problem>,
    name: String,
}

#[derive(Template)]
#[template(path = "sign_in/setup.html")]
struct SetUpPage {
    page: Page,
    told: Option<Problem>,
    name: String,
    display_name: String,
    email: String,
}

async fn sign_in_form(guest: Guest, Query(wanted): Query<Wanted>) -> Answer {
    let health: Result<Health, _> = guest.api.get("/health").await;
    if health.is_ok_and(|health| health.needs_setup) {
        return Ok(go("/setup"));
    }
    show(&SignInPage {
        page: guest.page("Sign in", Here::Nowhere),
        told: None,
        name: String::new(),
        next: wanted.next,
    })
}

async fn sign_in(guest: Guest, form: Form) -> Answer {
    let (name, next) = (text(&form, "name"), text(&form, "next"));
    let body = SignIn { name: name.clone(), password: secret(&form, "password"), code: None };
    let done = guest.api.post::<Session>("/sessions", &body, None).await;
    let again = async |problem| {
        let page = guest.page("Sign in", Here::Nowhere);
        show_again(&problem, &SignInPage { page, told: Some(problem.clone()), name, next: next.clone() })
    };
    match or_told(done.map_err(as_told), again).await {
        Ok(done) => Ok(begin(&done, local(&next))),
        Err(answer) => answer,
    }
}

async fn code_form(guest: Guest) -> Answer {
    let page = guest.page("Set your password", Here::Nowhere);
    show(&CodePage { page, told: None, name: String::new() })
}

async fn enrol(guest: Guest, form: Form) -> Answer {
    let name = text(&form, "name");
    let (password, code) = (secret(&form, "password"), Some(typed(&form, "code")));
    let body = SignIn { name: name.clone(), password, code };
    let done = guest.api.post::<Session>("/sessions", &body, None).await;
    let again = async |problem| {
        let page = guest.page("Set your password", Here::Nowhere);
        show_again(&problem, &CodePage { page, told: Some(problem.clone()), name })
    };
    match or_told(done.map_err(as_told), again).await {
        Ok(done) => Ok(begin(&done, "/")),
        Err(answer) => answer,
    }
}

async fn set_up_form(guest: Guest) -> Answer {
    let health: Health = guest.api.get("/health").await?;
    if !health.needs_setup {
        return Ok(go("/sign-in"));
    }
    show(&SetUpPage {
        page: guest.page("Set Brevet up", Here::Nowhere),
        told: None,
        name: String::new(),
        display_name: String::new(),
        email: String::new(),
    })
}

async fn set_up(guest: Guest, form: Form) -> Answer {
    let body = SetUp {
        code: typed(&form, "code"),
        name: text(&form, "name"),
        password: secret(&form, "password"),
        display_name: form.owned("display_name"),
        email: form.owned("email"),
    };
    let done = guest.api.post::<Session>("/setup", &body, None).await;
    let again = async |problem| {
        show_again(
            &problem,
            &SetUpPage {
                page: guest.page("Set Brevet up", Here::Nowhere),
                told: Some(problem.clone()),
                name: text(&form, "name"),
                display_name: text(&form, "display_name"),
                email: text(&form, "email"),
            },
        )
    };
    match or_told(done.map_err(as_told), again).await {
        Ok(done) => Ok(begin(&done, "/start")),
        Err(answer) => answer,
    }
}

/// A wrong password is about what was typed, though the API says 401.
fn as_told(mut failure: crate::failure::Failure) -> crate::failure::Failure {
    if failure.0.status == 401 {
        (failure.0.status, failure.0.reason) = (422, None);
    }
    failure
}

fn begin(done: &Done<Session>, place: &str) -> Response {
    let mut response = go_with(done, place);
    cookie::keep_token(response.headers_mut(), &done.value.token);
    response
}

/// A page of this server and no other: a path that a browser cannot read as a host.
fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { next } else { "/" }
}

fn text(form: &Form, name: &str) -> String {
    form.owned(name).unwrap_or_default()
}

/// A code as it was copied, without what came along around it.
fn typed(form: &Form, name: &str) -> SecretText {
    SecretText::new(form.owned(name).unwrap_or_default())
}

fn secret(form: &Form, name: &str) -> SecretText {
    SecretText::new(form.exact(name).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn after_signing_in_nobody_is_led_elsewhere() {
        for page in ["/", "/requests/req-1?x=1", "/requests?status=all&next=//x"] {
            assert_eq!(local(page), page);
        }
        for elsewhere in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:1", "/a\nb", "/ä"]
        {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
