//! The page of one task: what it does and what runs, and running it.

use askama::Template;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use brevet_wire::{
    ApprovalType, Authorization, Binding, Execution, NewExecution, OnExpiry, Parameters, Policy, Problem,
    StartRule, Task, reason,
};

use super::asking::{Asking, Target};
use super::catalog::named;
use crate::api::segment;
use crate::extract::{Path, Query};
use crate::failure::{Answer, Failure};
use crate::fields::{self, Control, Field, Piece, Wanted};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, go_with, or_told};
use crate::page::{Here, Page, show, show_again};

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/tasks/{scope}/{name}", get(task))
        .route("/tasks/{scope}/{name}/command", post(command))
        .route("/tasks/{scope}/{name}/run", post(run))
}

#[derive(Template)]
#[template(path = "catalog/task.html")]
struct TaskPage {
    page: Page,
    task: Task,
    policy: Option<Policy>,
    /// What allows to run it now, where that is an authorization.
    authorization: Option<Authorization>,
    form: Form,
    told: Option<Problem>,
    /// The form that asks, where a run was refused for want of approval.
    ask: Option<Asking>,
}

impl TaskPage {
    async fn new(visit: &Visit, task: Task, form: Form) -> Result<Self, Failure> {
        // The policy may be gone since; what the task says of it counts.
        let policy = match &task.policy {
            Some(policy) => visit.api.get(&format!("/policies/{}", segment(policy))).await.ok(),
            None => None,
        };
        let authorization = match under(&task, form.text("under")) {
            Some(id) => visit.api.get(&format!("/authorizations/{}", segment(id))).await.ok(),
            None => None,
        };
        let page = visit.page(task.name.clone(), Here::Tasks);
        Ok(Self { page, task, policy, authorization, form, told: None, ask: None })
    }

    fn fields(&self) -> Vec<Field<'_>> {
        let none = Parameters::new();
        let (bound, exact) = match &self.authorization {
            Some(authorization) => (&authorization.parameters, authorization.binding == Binding::Exact),
            None => (&none, false),
        };
        fields::fields(&self.task, Wanted::Run { bound, exact }, &self.form, self.told.as_ref())
    }

    /// What would run with what the form says; a bound value is as it was bound.
    fn command(&self) -> Vec<Vec<Piece>> {
        let mut values = fields::parameters(&self.task, &self.form);
        if let Some(authorization) = &self.authorization {
            values.extend(authorization.parameters.clone());
        }
        fields::command(&self.task, &values)
    }

    fn limits(&self, parameter: &brevet_wire::Parameter) -> String {
        fields::limits(parameter)
    }

    /// Sentences on what is held already, and why it does not do.
    fn held(&self) -> &[String] {
        let way_out = self.told.as_ref().and_then(|told| told.way_out.as_ref());
        way_out.map_or(&[], |way_out| &way_out.held)
    }

    fn uses_left(&self) -> Option<u32> {
        let authorization = self.authorization.as_ref()?;
        authorization.max_uses.map(|most| most.saturating_sub(authorization.uses))
    }
}

/// The authorization that a run is shown with: the one that an address wishes, where it is in force for this task and whoever
/// looks; otherwise the one that the server would take.
fn under<'a>(task: &'a Task, wished: Option<&str>) -> Option<&'a str> {
    let wished = task.authorizations.iter().find(|id| Some(id.as_str()) == wished);
    wished.or(task.authorization.as_ref()).map(String::as_str)
}

async fn task(
    visit: Visit,
    Path((scope, name)): Path<(String, String)>,
    Query(said): Query<Vec<(String, String)>>,
) -> Answer {
    let task: Task = named(&visit, "tasks", &scope, &name).await?;
    show(&TaskPage::new(&visit, task, said.into_iter().collect()).await?)
}

/// What would run with what the form says, while somebody types. Nothing is run, and no secret is asked for.
async fn command(visit: Visit, Path((scope, name)): Path<(String, String)>, form: Form) -> Answer {
    let task: Task = named(&visit, "tasks", &scope, &name).await?;
    let page = TaskPage::new(&visit, task, form).await?;
    let arguments = page.command().into_iter().map(|argument| argument.into_iter().map(shown).collect());
    Ok(Json(arguments.collect::<Vec<Vec<_>>>()).into_response())
}

fn shown(piece: Piece) -> brevet_wire::Piece {
    let (text, parameter, is_free) = match piece {
        Piece::Plain(text) => (text, None, false),
        Piece::Of { parameter, value: Some(value) } => (value, Some(parameter), false),
        Piece::Of { parameter, value: None } => (format!("{{{parameter}}}"), Some(parameter), true),
    };
    brevet_wire::Piece { text, parameter, is_free }
}

async fn run(visit: Visit, Path((scope, name)): Path<(String, String)>, form: Form) -> Answer {
    let task: Task = named(&visit, "tasks", &scope, &name).await?;
    let new = NewExecution {
        task: task.name.clone(),
        parameters: fields::parameters(&task, &form),
        secrets: fields::secrets(&task, &form),
    };
    let done = visit.api.post::<Execution>("/executions", &new, form.key()).await;
    let again = async |problem: Problem| refused(&visit, task, form, problem).await;
    match or_told(done, again).await {
        Ok(done) => Ok(go_with(&done, &format!("/executions/{}", segment(&done.value.id)))),
        Err(answer) => answer,
    }
}

/// The page again, with why not, and with the way out where there is one.
async fn refused(visit: &Visit, task: Task, form: Form, problem: Problem) -> Answer {
    let ask = match problem.reason.as_deref() {
        Some(reason::NEEDS_APPROVAL) => {
            let values = fields::written(&fields::parameters(&task, &form));
            let mut ask =
                Asking::new(visit, Target::Task(task.clone()), values.into_iter().collect()).await?;
            ask.is_focused = true;
            Some(ask)
        }
        _ => None,
    };
    let mut page = TaskPage::new(visit, task, form).await?;
    page.ask = ask;
    page.told = Some(problem.clone());
    show_again(&problem, &page)
}
