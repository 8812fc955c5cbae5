//! What happens if somebody runs a task: the API's own explanation, step by step.

use askama::Template;
use brevet_wire::{AccessType, ApprovalType, Explain, Explanation, List, Parameter, Problem, Task, Value};

use super::policy;
use crate::api::qualified;
use crate::extract::Query;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::Visit;
use crate::page::{Here, Page, show, show_again};

/// What stands before the name of a parameter in the address.
const PARAMETER: &str = "p.";
/// Tasks that the field offers; others can be typed.
const OFFERED: &str = "limit=200";

#[derive(Template)]
#[template(path = "policies/explain.html")]
struct ExplainPage {
    page: Page,
    told: Option<Problem>,
    user: String,
    task: String,
    /// The parameters of the task that are no secrets, and what was given for each.
    parameters: Vec<(Parameter, String)>,
    tasks: Vec<Task>,
    explained: Option<Explanation>,
    /// Whether it is about whoever looks.
    is_own: bool,
    /// Whether the policy that governs approves by itself.
    is_auto: bool,
}

pub(super) async fn explain(visit: Visit, Query(given): Query<Vec<(String, String)>>) -> Answer {
    let form: Form = given.into_iter().collect();
    let task = form.owned("task").unwrap_or_default();
    let user = form.owned("user").filter(|_| visit.administers() || visit.audits());
    let mut told = None;
    let mut explained = None;
    let parameters = if task.is_empty() { Vec::new() } else { parameters(&visit, &task, &form).await };
    if !task.is_empty() {
        let named = |(name, value): (&str, &str)| {
            let name = name.strip_prefix(PARAMETER)?;
            (!value.trim().is_empty()).then(|| (name.to_owned(), Value::Text(value.trim().to_owned())))
        };
        let parameters = form.fields().filter_map(named).collect();
        let explain = Explain { user: user.clone(), task: task.clone(), parameters };
        match visit.api.post::<Explanation>("/policies/explain", &explain, None).await {
            Ok(done) => explained = Some(done.value),
            // What is not there is something that was typed wrong here.
            Err(failure) if failure.0.status == 404 => told = Some(*failure.0),
            Err(failure) => told = Some(failure.into_told()?),
        }
    }
    let List { items: tasks, .. } = visit.api.get::<List<Task>>(&format!("/tasks?{OFFERED}")).await?;
    let user = user.unwrap_or_else(|| visit.me.user.name.clone());
    let page = visit.page("What happens if", Here::Policies);
    let is_own = explained.as_ref().is_some_and(|told| told.user.id == visit.me.user.id);
    let governing = explained.iter().flat_map(|told| &told.policies).find(|policy| policy.governs);
    let is_auto = match governing {
        Some(governing) => policy(&visit, &governing.policy).await?.approval_type == ApprovalType::Auto,
        None => false,
    };
    let page = ExplainPage { page, told, user, task, parameters, tasks, explained, is_own, is_auto };
    match page.told.clone() {
        Some(problem) => show_again(&problem, &page),
        None => show(&page),
    }
}

/// Those of a task that is not there are none; the explanation says so.
async fn parameters(visit: &Visit, task: &str, form: &Form) -> Vec<(Parameter, String)> {
    let found: Result<Task, Failure> = visit.api.get(&format!("/tasks/{}", qualified(task))).await;
    let open = found.map(|task| task.parameters).unwrap_or_default().into_iter();
    let given = |name: &str| form.owned(&format!("{PARAMETER}{name}")).unwrap_or_default();
    let open = open.filter(|parameter| !parameter.secret);
    open.map(|parameter| {
        let value = given(&parameter.name);
        (parameter, value)
    })
    .collect()
}
