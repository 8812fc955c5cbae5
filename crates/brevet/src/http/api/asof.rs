//! Who could run what at an instant, for auditors. The question is itself an entry.

use axum::http::{StatusCode, Uri};
use brevet_core::{Span, State, TaskId, UserId};
use brevet_wire as wire;
use serde::Deserialize;

use super::audit::note_search;
use crate::app::{AsOf, AsOfAnswer};
use crate::http::answer::shown;
use crate::http::extract::Query;
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

/// A caller's clock may be ahead of the server's by so much; then now is meant.
const AHEAD_MAX: Span = Span::minutes(1);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get("/api/v1/audit/as-of", Permission::Auditor, as_of, {
        operation("who_could_run_what", "Says who could run what at an instant, and under which request")
            .note(
                "Every entry up to that instant is applied again, and the gate is asked for each person and task: the \
                 answer is what it would have said then. By person, task and authorization. That it was asked is \
                 itself an entry; going on by cursor in the same session is not another one. While as many others ask as there is room \
                 for, it answers 503.",
            )
            .query::<Wanted>()
            .lists::<wire::Way>("Ways to run a task.")
    })
}

/// At which instant, and whose.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The instant: RFC 3339, not in the future.
    time: wire::Time,
    /// Of this account only, by name or id.
    user: Option<String>,
    /// Of this task only, as `Scope\Name` or `Scope/Name`, in any case. By the name that it has now or had last.
    task: Option<String>,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

async fn as_of(caller: Caller, uri: Uri, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let question = question(&caller, &wanted)?;
    let time = wanted.time;
    note_search(&caller, "as-of", &uri, page.cursor.is_some()).await?;
    match caller.app.as_of(question, page.cursor.unwrap_or(0), page.limit).await? {
        AsOfAnswer::Page { past, ways, next } => {
            shown(&caller.view(|view| listed(ways, next, |way| view.way(&past, &way))))
        }
        AsOfAnswer::Archived { before } => Err(Failure::new(
            StatusCode::CONFLICT,
            "archived",
            format!(
                "who could run what is told by all entries from the first one on, and those before entry {before} are \
                 in an archive file; on the server's machine this answers with them: {}",
                offline(&wanted, time)
            ),
        )),
        AsOfAnswer::Recovered { previous } => Err(Failure::new(
            StatusCode::CONFLICT,
            "archived",
            format!(
                "who could run what is told by all entries from the first one on, and this ledger goes on from \
                 {previous}, whose entries are in an archive file; on the server's machine this answers with them: {}",
                offline(&wanted, time)
            ),
        )),
    }
}

/// What answers where the server cannot.
fn offline(wanted: &Wanted, time: wire::Time) -> String {
    let option = |name: &str, value: Option<&String>| value.map(|value| format!(" --{name} '{value}'"));
    let user = option("user", wanted.user.as_ref()).unwrap_or_default();
    let task = option("task", wanted.task.as_ref()).unwrap_or_default();
    format!("brevet audit as-of {}{user}{task} --data FOLDER, with its data folder", time.0)
}

fn question(caller: &Caller, wanted: &Wanted) -> Result<AsOf, Failure> {
    let (time, now) = (take::timestamp(wanted.time), caller.app.now());
    if time > now.plus(AHEAD_MAX) {
        return Err(Failure::field("time", "it lies in the future, and the ledger says only what was"));
    }
    let time = time.min(now);
    let (user, task) =
        caller.app.read(|state| whose(state, wanted.user.as_deref(), wanted.task.as_deref()))?;
    Ok(AsOf { time, user, task })
}

/// The account and the task of these names, as they are called now.
pub(in crate::http) fn whose(
    state: &State,
    user: Option<&str>,
    task: Option<&str>,
) -> Result<(Option<UserId>, Option<TaskId>), Failure> {
    let user = user.map(|name| take::user(state, name)).transpose()?;
    let task = task.map(|given| take::qualified("task", given)).transpose()?;
    let task = task.map(|name| {
        let id = state.catalog().task_named(&name).map(|task| task.id);
        id.ok_or_else(|| Failure::no_such("task", name))
    });
    Ok((user, task.transpose()?))
}
