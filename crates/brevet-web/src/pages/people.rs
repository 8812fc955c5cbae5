//! People: their accounts, the codes by which they come in, and what ends when an account is disabled.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use brevet_wire::{List, NewUser, OneTimeCode, Problem, SecretText, Time, User};
use serde::Deserialize;
use serde_json::json;

use super::administrators_only;
use super::groups::suggested;
use crate::api::{Done, query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, go, keep, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/people", get(list).post(create))
        .route("/people/new", get(new))
        .route("/people/{id}", get(detail))
        .route("/people/{id}/code", post(issue))
        .route("/people/{id}/disable", get(ask_disable).post(disable))
        .route("/people/{id}/enable", post(enable))
}

#[derive(Default, Deserialize)]
struct Wanted {
    name: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct ListPage {
    page: Page,
    told: Option<Problem>,
    name: String,
    people: Vec<User>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let name = wanted.name.as_deref().unwrap_or_default().trim().to_owned();
    let told = match name.is_empty() {
        true => None,
        false => match find(&visit, &name).await {
            Ok(user) => return Ok(go(&format!("/people/{}", segment(&user.id)))),
            Err(failure) if failure.0.status == 404 => Some(*failure.0),
            Err(failure) => return Err(failure),
        },
    };
    let cursor = wanted.cursor.as_deref();
    let path = query("/users", [("limit", Some("50")), ("cursor", cursor)]);
    let List { items: people, next } = visit.api.get::<List<User>>(&path).await?;
    let page = ListPage {
        page: visit.page("People", Here::People),
        told,
        name,
        people,
        first: cursor.map(|_| "/people".to_owned()),
        next: next.map(|next| query("/people", [("cursor", Some(next.as_str()))])),
    };
    match page.told.clone() {
        Some(problem) => show_again(&problem, &page),
        None => show(&page),
    }
}

async fn find(visit: &Visit, user: &str) -> Result<User, Failure> {
    visit.api.get(&format!("/users/{}", segment(user))).await
}

/// What the form for a new account says.
#[derive(Default)]
pub(crate) struct PersonFields {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    owner: String,
    administrator: bool,
    auditor: bool,
}

impl PersonFields {
    pub(crate) fn of(form: &Form) -> Self {
        let text = |name| form.owned(name).unwrap_or_default();
        Self {
            name: text("name"),
            display_name: text("display_name"),
            email: text("email"),
            owner: text("owner"),
            administrator: form.has("administrator"),
            auditor: form.has("auditor"),
        }
    }
}

fn new_user(form: &Form) -> NewUser {
    NewUser {
        name: form.owned("name").unwrap_or_default(),
        display_name: form.owned("display_name"),
        email: form.owned("email"),
        owner: form.owned("owner"),
        administrator: form.has("administrator"),
        auditor: form.has("auditor"),
    }
}

#[derive(Template)]
#[template(path = "people/new.html")]
struct NewPage {
    page: Page,
    told: Option<Problem>,
    fields: PersonFields,
    people: Vec<User>,
}

async fn new(visit: Visit) -> Answer {
    administrators_only(&visit)?;
    let people = suggested(&visit).await?;
    let page = visit.page("New account", Here::People);
    show(&NewPage { page, told: None, fields: PersonFields::default(), people })
}

async fn create(visit: Visit, form: Form) -> Answer {
    let again = async |problem: Problem| {
        let people = suggested(&visit).await?;
        let page = visit.page("New account", Here::People);
        let (told, fields) = (Some(problem.clone()), PersonFields::of(&form));
        show_again(&problem, &NewPage { page, told, fields, people })
    };
    match or_told(add_user(&visit, &form).await, again).await {
        Ok(done) => show_first_code(&visit, &done, &form, Back::People, None).await,
        Err(answer) => answer,
    }
}

/// Makes the account that a form describes.
pub(crate) async fn add_user(visit: &Visit, form: &Form) -> Result<Done<User>, Failure> {
    // An owner who is not there is what was typed wrong.
    let done = visit.api.post::<User>("/users", &new_user(form), form.key()).await;
    done.map_err(Failure::about_what_is_named)
}

/// Where the page with a code leads back to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    People,
    Start,
}

#[derive(Template)]
#[template(path = "people/code.html")]
struct CodePage {
    page: Page,
    user: User,
    code: SecretText,
    expires_at: Time,
    back: Back,
    /// What else was asked for, and was not done.
    told: Option<Problem>,
}

impl CodePage {
    fn is_first_start(&self) -> bool {
        self.back == Back::Start
    }

    /// The code, for the one page that shows it.
    fn code(&self) -> String {
        self.code.reveal(str::to_owned)
    }
}

/// The code of an account that was just made; the form's own key makes the second step happen once, too. What was to be done
/// besides, and was not, is told with it: it is shown this once.
pub(crate) async fn show_first_code(
    visit: &Visit,
    done: &Done<User>,
    form: &Form,
    back: Back,
    told: Option<Problem>,
) -> Answer {
    let user = &done.value;
    let key = form.key().map(|key| format!("{key}.code"));
    match issue_code(visit, &user.id, key.as_deref()).await {
        Ok(code) => show_code(visit, user.clone(), code, back, told),
        // The account is there: its page makes another code.
        Err(failure) => match failure.into_told() {
            Ok(_) => Ok(visit.done(done, &format!("/people/{}", segment(&user.id)), Said::CodeToldOnce)),
            Err(failure) => Err(failure),
        },
    }
}

async fn issue_code(visit: &Visit, id: &str, key: Option<&str>) -> Result<Done<OneTimeCode>, Failure> {
    visit.api.post(&format!("/users/{}/code", segment(id)), &json!({}), key).await
}

fn show_code(
    visit: &Visit,
    user: User,
    done: Done<OneTimeCode>,
    back: Back,
    told: Option<Problem>,
) -> Answer {
    let page = visit.page(format!("A code for {}", user.name), Here::People);
    let Done { value: OneTimeCode { code, expires_at }, position } = done;
    let shown = show(&CodePage { page, user, code, expires_at, back, told })?;
    Ok(keep(position.as_ref(), shown))
}

#[derive(Template)]
#[template(path = "people/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    user: User,
}

async fn detail_page(visit: &Visit, id: &str, told: Option<Problem>) -> Result<DetailPage, Failure> {
    let user = find(visit, id).await?;
    Ok(DetailPage { page: visit.page(user.name.clone(), Here::People), told, user })
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&detail_page(&visit, &id, None).await?)
}

async fn issue(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let done = issue_code(&visit, &id, form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => show_code(&visit, find(&visit, &id).await?, done, Back::People, None),
        Err(answer) => answer,
    }
}

#[derive(Template)]
#[template(path = "people/disable.html")]
struct DisablePage {
    page: Page,
    told: Option<Problem>,
    user: User,
}

async fn disable_page(visit: &Visit, id: &str, told: Option<Problem>) -> Result<DisablePage, Failure> {
    let user = find(visit, id).await?;
    Ok(DisablePage { page: visit.page(format!("Disable {}", user.name), Here::People), told, user })
}

async fn ask_disable(visit: Visit, Path(id): Path<String>) -> Answer {
    administrators_only(&visit)?;
    show(&disable_page(&visit, &id, None).await?)
}

async fn disable(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/users/{}/disable", segment(&id));
    let done = visit.api.post::<User>(&path, &json!({}), form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &disable_page(&visit, &id, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &format!("/people/{}", segment(&id)), Said::Disabled)),
        Err(answer) => answer,
    }
}

async fn enable(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/users/{}/enable", segment(&id));
    let done = visit.api.post::<User>(&path, &json!({}), form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &format!("/people/{}", segment(&id)), Said::Enabled)),
        Err(answer) => answer,
    }
}
