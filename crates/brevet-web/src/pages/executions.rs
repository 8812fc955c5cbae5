//! Executions: what runs and what ran, and what it wrote.

use askama::Template;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use brevet_wire::{Execution, ExecutionState, List, Problem};
use serde::Deserialize;

use crate::api::{query, segment};
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;
use crate::tail::{self, READ_BYTES_MAX, Tail};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/executions", get(list))
        .route("/executions/{id}", get(detail))
        .route("/executions/{id}/stop", post(stop))
        .route("/executions/{id}/output", get(stream))
        .route("/executions/{id}/output.txt", get(download))
}

/// The filters, as they stand above the list.
const TABS: &[(&str, &str)] = &[("all", "All"), ("running", "Running"), ("mine", "Mine")];

#[derive(Default, Deserialize)]
struct Wanted {
    show: Option<String>,
    authorization: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "executions/list.html")]
struct ListPage {
    page: Page,
    tab: &'static str,
    /// Only those under this one.
    authorization: Option<String>,
    executions: Vec<Execution>,
    first: Option<String>,
    next: Option<String>,
}

impl ListPage {
    fn seconds(&self, execution: &Execution) -> i64 {
        seconds(execution, self.page.now())
    }
}

/// How long a run took, or takes already, in seconds.
pub(super) fn seconds(execution: &Execution, now: jiff::Timestamp) -> i64 {
    let end = execution.finished_at.map_or(now, |at| at.0);
    (end.as_second() - execution.started_at.0.as_second()).max(0)
}

async fn list(visit: Visit, Query(wanted): Query<Wanted>) -> Answer {
    let wish = wanted.show.as_deref().unwrap_or("all");
    let tab = TABS.iter().find(|(name, _)| *name == wish).map_or("all", |(name, _)| name);
    let authorization = wanted.authorization.as_deref();
    let (running, mine) = ((tab == "running").then_some("true"), (tab == "mine").then_some("true"));
    let cursor = wanted.cursor.as_deref();
    let path = query(
        "/executions",
        [
            ("running", running),
            ("mine", mine),
            ("authorization", authorization),
            ("limit", Some("50")),
            ("cursor", cursor),
        ],
    );
    let List { items: executions, next } = visit.api.get::<List<Execution>>(&path).await?;
    let here = |cursor: Option<&str>| {
        query("/executions", [("show", Some(tab)), ("authorization", authorization), ("cursor", cursor)])
    };
    let (first, next) = (cursor.map(|_| here(None)), next.map(|next| here(Some(&next))));
    let page = visit.page("Executions", Here::Executions);
    show(&ListPage { page, tab, authorization: wanted.authorization.clone(), executions, first, next })
}

/// What a page shows of what a run wrote.
enum Output {
    /// Whoever looks may not see it.
    Hidden,
    /// The run is not over; a script follows it.
    Follows,
    /// All of it, or its end.
    Said(Tail),
    /// It is too long to be read for a page.
    Long,
}

#[derive(Template)]
#[template(path = "executions/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    execution: Execution,
    output: Output,
}

impl DetailPage {
    fn is_running(&self) -> bool {
        self.execution.state == ExecutionState::Running
    }

    fn is_readable(&self) -> bool {
        !matches!(self.output, Output::Hidden)
    }

    /// Whether a script shows it.
    fn is_shown(&self) -> bool {
        matches!(self.output, Output::Follows | Output::Said(_))
    }

    fn seconds(&self) -> i64 {
        seconds(&self.execution, self.page.now())
    }
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&detail_page(&visit, &id, None).await?)
}

async fn detail_page(visit: &Visit, id: &str, told: Option<Problem>) -> Result<DetailPage, Failure> {
    let execution: Execution = visit.api.get(&format!("/executions/{}", segment(id))).await?;
    let output = output(visit, &execution).await?;
    let page = visit.page(format!("{} {}", execution.task, execution.id), Here::Executions);
    Ok(DetailPage { page, told, execution, output })
}

async fn output(visit: &Visit, execution: &Execution) -> Result<Output, Failure> {
    // A page that refreshes itself has the output already.
    if visit.api.is_unattended() {
        return Ok(Output::Follows);
    }
    let answer = visit.api.raw(&output_path(&execution.id), "text/event-stream").await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) if failure.0.status == 404 => return Ok(Output::Hidden),
        // Whoever follows too many runs to follow this one can still stop it.
        Err(failure) if failure.0.status == 429 && execution.state == ExecutionState::Running => {
            return Ok(Output::Follows);
        }
        Err(failure) => return Err(failure),
    };
    match (execution.state, &execution.output) {
        (ExecutionState::Running, _) => Ok(Output::Follows),
        (_, Some(output)) if output.bytes > READ_BYTES_MAX => Ok(Output::Long),
        _ => tail::read(answer.into_body()).await.map(Output::Said),
    }
}

fn output_path(id: &str) -> String {
    format!("/executions/{}/output", segment(id))
}

async fn stop(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/executions/{}", segment(&id));
    let nothing = serde_json::json!({});
    let done = visit.api.post::<Execution>(&format!("{path}/stop"), &nothing, form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(&visit, &id, Some(problem)).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &path, Said::Stopping)),
        Err(answer) => answer,
    }
}

/// The stream of a run, as the API gives it.
async fn stream(visit: Visit, Path(id): Path<String>) -> Answer {
    visit.api.raw(&output_path(&id), "text/event-stream").await
}

/// What a run wrote to its standard output, byte for byte, as a file and never as a page.
async fn download(visit: Visit, Path(id): Path<String>) -> Answer {
    let bytes = visit.api.raw(&output_path(&id), "application/octet-stream").await?;
    let name: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.txt\""));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_DISPOSITION, disposition),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, bytes.into_body()).into_response())
}
