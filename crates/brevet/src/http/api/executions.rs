//! Executions: starting, seeing and stopping runs. Their output is in `output.rs`.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use brevet_core::{
    Authorization, AuthorizationId, Basis, Command, Execution, ExecutionId, Refusal, RunOrder, StopCause,
};
use brevet_store::{ExecutionFilter, Reader, StoreError};
use brevet_wire as wire;
use serde::Deserialize;

use super::output;
use super::scan::scan;
use crate::app::AppError;
use crate::http::answer::{Recorded, at, changed, created, shown};
use crate::http::extract::{Given, Nothing, Query, Segments, id};
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};
use crate::http::{take, view};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/executions", Permission::SignedIn, list, {
            operation("list_executions", "Lists runs that the caller may see, newest first")
                .query::<Wanted>()
                .lists::<wire::Execution>("Runs.")
        })
        .post("/api/v1/executions", Permission::SignedIn, run, {
            operation("run_task", "Runs a task")
                .note("With `Accept: text/event-stream` the answer is the stream of the run: `started`, `output`…, \
                       `finished`. The run goes on when its caller goes away. Whoever follows as many runs as an account may \
                       have is answered 429 with the reason `too-many-waits`, and nothing is started.")
                .takes::<wire::NewExecution>()
                .creates::<wire::Execution>("It has started.")
                .also("text/event-stream")
        })
        .get("/api/v1/executions/{id}", Permission::SignedIn, show, {
            operation("show_execution", "Shows a run").shows::<wire::Execution>("The run.")
        })
        .get("/api/v1/executions/{id}/output", Permission::SignedIn, output::show, {
            operation("follow_output", "Shows what a run wrote, and follows while it runs")
                .note("For whoever ran it, those who approve such runs, and auditors. With \
                       `Accept: application/octet-stream`, the bytes of its standard output alone. Only so many \
                       calls of one account follow runs at once or wait, and so many of all: one more is answered 429 with the reason `too-many-waits`.")
                .gives(200, "The stream of the run, from its beginning.", "text/event-stream")
                .also("application/octet-stream")
        })
        .post("/api/v1/executions/{id}/stop", Permission::SignedIn, stop, {
            operation("stop_execution", "Stops a run").takes::<Nothing>().shows::<wire::Execution>("The run.")
        })
}

/// Which runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Those that run, or those that do not.
    running: Option<bool>,
    /// One's own only.
    #[serde(default)]
    mine: bool,
    /// Those under this authorization only.
    authorization: Option<String>,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

/// A run, and the authorization it ran under.
pub(super) struct Run {
    pub(super) execution: Execution,
    pub(super) under: Option<Authorization>,
}

impl Run {
    fn of(reader: &Reader, execution: Execution) -> Result<Self, StoreError> {
        let under = match execution.basis {
            Basis::Authorization(id) => reader.authorization(id)?,
            Basis::SystemAccount | Basis::AccessControlOff | Basis::Uncovered => None,
        };
        Ok(Self { execution, under })
    }
}

async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let user = (wanted.mine || caller.sees_only_own()).then(|| caller.user());
    let under = wanted.authorization.as_deref().map(|given| id(AuthorizationId::parse(given))).transpose()?;
    let seer = caller.clone();
    let rows = caller.app.stored(move |reader| {
        // Runs under an authorization are its holder's; of those there are few enough to look through.
        let holder = under.map(|under| reader.authorization(under)).transpose()?.flatten();
        if under.is_some() && holder.is_none() {
            return Ok(brevet_store::Page { items: Vec::new(), next: None });
        }
        let user = user.or(holder.map(|authorization| authorization.holder));
        let filter = ExecutionFilter { running: wanted.running, user };
        let read = |before, limit| {
            let rows = reader.executions(filter, before, limit)?;
            let items = rows.items.into_iter().map(|row| Run::of(reader, row)).collect::<Result<_, _>>()?;
            Ok(brevet_store::Page { items, next: rows.next })
        };
        let is_under =
            |run: &Run| under.is_none_or(|under| run.execution.basis == Basis::Authorization(under));
        let sees = |run: &Run| {
            is_under(run) && seer.view(|view| view.sees_execution(&run.execution, run.under.as_ref()))
        };
        scan(page, |run: &Run| run.execution.id.number(), read, sees)
    });
    let rows = rows.await?;
    shown(&caller.view(|view| listed(rows.items, rows.next, |run| view.execution(&run.execution))))
}

async fn run(
    caller: Caller,
    visitor: Visitor,
    headers: HeaderMap,
    given: Given<wire::NewExecution>,
) -> Answer {
    let wire::NewExecution { task, parameters, secrets } = &given.value;
    let task = take::qualified("task", task)?;
    let values = caller.app.read(|state| take::bound(state, &task, parameters))?;
    let order = RunOrder { task, parameters: values, secrets: take::secrets(secrets)? };
    let follows = accepts(&headers, "text/event-stream");
    let wait = follows.then(|| visitor.server.waits.for_own_run(&caller.session)).transpose()?;
    let started = caller.app.run(caller.origin(), order, given.key).await;
    let started = started.map_err(|error| Failure::from(error).asking_with(parameters))?;
    let (id, recorded) = (started.execution, Recorded::run(&started, caller.app.published().size));
    if let Some(wait) = wait {
        return Ok(at(output::stream(caller, id, wait).await?, recorded));
    }
    created(recorded, &format!("/executions/{id}"), &execution(&caller, id).await?)
}

/// Whether the caller asks for this type by name.
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let named = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    named
        .map(|one| one.split(';').next().unwrap_or_default().trim())
        .any(|one| one.eq_ignore_ascii_case(kind))
}

async fn show(caller: Caller, Segments(given): Segments<String>) -> Answer {
    let id = id(ExecutionId::parse(&given))?;
    shown(&execution(&caller, id).await?)
}

async fn stop(caller: Caller, Segments(given): Segments<String>, body: Given<Nothing>) -> Answer {
    let id = id(ExecutionId::parse(&given))?;
    found(&caller, id).await?;
    let stop = Command::StopRun { execution: id, cause: StopCause::ByUser(caller.user()) };
    match caller.app.command(caller.origin(), stop, body.key).await {
        Ok(done) => changed(&done, &stopped(&caller, id).await?),
        Err(AppError::Refused(Refusal::Over { .. })) => {
            let run = found(&caller, id).await?;
            Err(view::ended("execution", &id.to_string(), view::finished(&run.execution)))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn execution(caller: &Caller, id: ExecutionId) -> Result<wire::Execution, Failure> {
    let run = found(caller, id).await?;
    Ok(caller.view(|view| view.execution(&run.execution)))
}

/// The run that the caller just stopped. They hear what they did, also if they may not see it any more since.
async fn stopped(caller: &Caller, id: ExecutionId) -> Result<wire::Execution, Failure> {
    let run = find(caller, id).await?.ok_or_else(|| Failure::no_such("execution", id))?;
    Ok(caller.view(|view| view.execution(&run.execution)))
}

/// The run, if the caller may see it.
pub(super) async fn found(caller: &Caller, id: ExecutionId) -> Result<Run, Failure> {
    let run = find(caller, id).await?;
    let seen = run.filter(|run| caller.view(|view| view.sees_execution(&run.execution, run.under.as_ref())));
    seen.ok_or_else(|| Failure::no_such("execution", id))
}

async fn find(caller: &Caller, id: ExecutionId) -> Result<Option<Run>, AppError> {
    let read = move |reader: &Reader| reader.execution(id)?.map(|row| Run::of(reader, row)).transpose();
    caller.app.stored(read).await
}
