//! One's own account: who is signed in, the password, signing out.

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use brevet_wire::{ChangePassword, Problem, SecretText};

use crate::cookie;
use crate::failure::Answer;
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, go, go_saying, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/account", get(account))
        .route("/account/password", post(change_password))
        .route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    told: Option<Problem>,
}

async fn account(visit: Visit) -> Answer {
    show(&AccountPage { page: visit.page("Your account", Here::Account), told: None })
}

async fn change_password(visit: Visit, form: Form) -> Answer {
    let secret = |name| SecretText::new(form.exact(name).unwrap_or_default().to_owned());
    let body = ChangePassword { current: secret("current"), new: secret("new") };
    let done = visit.api.post::<()>("/password", &body, form.key()).await;
    let again = async |problem| {
        let page = visit.page("Your account", Here::Account);
        show_again(&problem, &AccountPage { page, told: Some(problem.clone()) })
    };
    match or_told(done, again).await {
        Ok(_) => Ok(signed_out(Said::PasswordChanged)),
        Err(answer) => answer,
    }
}

async fn sign_out(visit: Visit) -> Answer {
    visit.api.delete("/sessions/current").await?;
    Ok(signed_out(Said::SignedOut))
}

fn signed_out(said: Said) -> Response {
    let mut response = go_saying(go("/sign-in"), said);
    cookie::drop_token(response.headers_mut());
    cookie::drop_position(response.headers_mut());
    response
}
