//! The REST API: it translates between HTTP and the use cases of [`crate::app`], and decides nothing.
//!
//! A request passes [`Front`] (paths with two meanings are refused, answers get their headers), the permission of
//! its route (`route.rs`, where a route cannot be registered without one), and a handler in `api/` that reads its
//! input (`take/`), calls one use case and shows the answer as the caller may see it (`view/`).
//!
//! What is no path of the API is a page of [`brevet_web`], which asks the same routes.
//!
//! Never here: a policy, a clock, SQL, a decision that the core does not take.

mod answer;
mod api;
mod door;
mod extract;
mod front;
mod ledger_reads;
mod limit;
mod openapi;
mod operation;
mod pages;
mod problem;
mod route;
mod serve;
mod stream;
mod take;
mod tls;
mod view;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Extensions, Method, StatusCode, Uri};
use bytes::Bytes;
use tower::{ServiceExt as _, service_fn};

use crate::app::App;
use crate::world::World as _;
use problem::Failure;
use route::{Routes, Server};
use wait::Waits;

pub use front::Front;
pub(crate) use serve::bind_to;
pub use serve::{Listening, ServeError, bind};
pub use tls::BadTls;

/// The whole service over an application, for connections that are `encrypted` or come from this machine.
pub fn service(app: App, encrypted: bool) -> Front {
    Front::new(router(app), encrypted)
}

fn router(app: App) -> Router {
    let (router, _) = routes().finish();
    let document = Bytes::from(document());
    let doors = Doors(app.clone());
    let server = Server { app, document, ledger_reads: Arc::default(), waits: Waits::default() };
    let api = router.fallback(unknown_route).method_not_allowed_fallback(wrong_method).with_state(server);
    let pages = brevet_web::router(api.clone(), doors);
    let faces = service_fn(move |request: Request| {
        let is_api = API_PATHS.iter().any(|start| is_below(request.uri().path(), start));
        let face = if is_api { api.clone() } else { pages.clone() };
        face.oneshot(request)
    });
    Router::new().fallback_service(faces)
}

/// What belongs to the API, with all that is below; everything else is a page.
const API_PATHS: [&str; 3] = ["/api", "/ledger", "/health"];

fn is_below(path: &str, start: &str) -> bool {
    path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The clock and chance of the pages: those of the application.
struct Doors(App);

impl brevet_web::World for Doors {
    fn now(&self) -> jiff::Timestamp {
        brevet_wire::Time::from_micros(self.0.now().micros()).0
    }

    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        self.0.world().fill(bytes)
    }

    fn connection(&self, request: &Extensions) -> Extensions {
        let mut connection = Extensions::new();
        if let Some(peer) = request.get::<front::Peer>() {
            connection.insert(*peer);
        }
        connection
    }
}

fn routes() -> Routes {
    api::PARTS.iter().fold(Routes::new(), |routes, part| part(routes))
}

/// An entry as the API shows it, for what writes entries elsewhere.
pub(crate) fn audit_entry(
    state: &brevet_core::State,
    now: brevet_core::Timestamp,
    stored: &brevet_store::StoredEntry,
) -> brevet_wire::AuditEntry {
    view::View::of_record(state, now).entry(stored)
}

/// Who could run what in a state of the past, as the API shows it, for whoever asks a data folder itself: with the names
/// that `state` has. A sentence where there is no such account or task.
pub(crate) fn who_could_run(
    state: &brevet_core::State,
    past: &brevet_core::Past,
    time: brevet_core::Timestamp,
    user: Option<&str>,
    task: Option<&str>,
) -> Result<Vec<brevet_wire::Way>, String> {
    let (user, task) = api::whose(state, user, task).map_err(Failure::into_sentence)?;
    let view = view::View::of_record(state, time);
    let ways = past.ways(time, brevet_core::UserId::new(0), user, task);
    Ok(ways.map(|way| view.way(past, &way)).collect())
}

/// The OpenAPI document, as it is served and checked in.
pub fn document() -> String {
    let (_, listed) = routes().finish();
    let document = openapi::document(listed);
    let json = serde_json::to_value(&document).and_then(|value| serde_json::to_string_pretty(&sorted(value)));
    json.unwrap_or_default() + "\n"
}

/// The same with the names of every object in order, so that two documents can be compared line by line.
fn sorted(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            fields.into_iter().map(|(name, value)| (name, sorted(value))).collect()
        }
        serde_json::Value::Array(values) => values.into_iter().map(sorted).collect(),
        value => value,
    }
}

/// Every route with its permission, one line each, for a reviewer to read.
pub fn route_list() -> String {
    let (_, listed) = routes().finish();
    let mut lines: Vec<String> = listed
        .iter()
        .map(|listed| {
            format!("{:6} {:50} {}\n", listed.method.as_str(), listed.shown_path(), listed.permission.name())
        })
        .collect();
    lines.sort_by_key(|line| line[7..].to_owned());
    lines.concat()
}

async fn unknown_route(uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure::new(
        StatusCode::NOT_FOUND,
        "not-found",
        format!("there is no {path} here; see /api/v1/openapi.json"),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    let detail = format!("{path} does not take {method}; the header Allow says what it takes");
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", detail)
}
