//! Asking for an access, or for more time: one form, made of what the task and its policy say.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use brevet_wire::{
    AccessType, ApprovalType, Authorization, Binding, NewRequest, Policy, Problem, Purpose, Request,
    RequestStatus, Role, RoleGroup, StartRule, Task, Time,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::api::{qualified, segment};
use crate::extract::Query;
use crate::failure::{Answer, Failure};
use crate::fields::{self, Control, Field, Piece, Wanted};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new().route("/requests/new", get(new).post(submit))
}

/// Lengths of time to choose from, with their seconds.
const DURATIONS: &[(&str, i64)] =
    &[("30m", 1_800), ("1h", 3_600), ("2h", 7_200), ("4h", 14_400), ("8h", 28_800), ("1d", 86_400)];
/// What an authorization has when a request names no duration.
const DURATION_DEFAULT: &str = "4h";

/// What is asked for.
pub(crate) enum Target {
    Task(Task),
    Role(Role),
    RoleGroup(RoleGroup),
    /// More time.
    Extension(Box<Authorization>),
}

impl Target {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Task(task) => &task.name,
            Self::Role(role) => &role.name,
            Self::RoleGroup(group) => &group.name,
            Self::Extension(authorization) => &authorization.access.name,
        }
    }

    /// The hidden field of the form that names it.
    pub(crate) fn hidden(&self) -> (&'static str, &str) {
        match self {
            Self::Task(task) => ("task", &task.name),
            Self::Role(role) => ("role", &role.name),
            Self::RoleGroup(group) => ("role_group", &group.name),
            Self::Extension(authorization) => ("extend", &authorization.id),
        }
    }

    const fn may_ask(&self) -> bool {
        match self {
            Self::Task(task) => task.may_ask,
            Self::Role(role) => role.may_ask,
            Self::RoleGroup(group) => group.may_ask,
            // Whoever holds it may; the API says otherwise where the policy does by now.
            Self::Extension(_) => true,
        }
    }

    fn policy(&self) -> Option<&str> {
        match self {
            Self::Task(task) => task.policy.as_deref(),
            Self::Role(role) => role.policy.as_deref(),
            Self::RoleGroup(group) => group.policy.as_deref(),
            Self::Extension(authorization) => Some(&authorization.policy),
        }
    }

    const fn task(&self) -> Option<&Task> {
        match self {
            Self::Task(task) => Some(task),
            Self::Role(_) | Self::RoleGroup(_) | Self::Extension(_) => None,
        }
    }

    pub(crate) const fn extends(&self) -> Option<&Authorization> {
        match self {
            Self::Extension(authorization) => Some(authorization),
            Self::Task(_) | Self::Role(_) | Self::RoleGroup(_) => None,
        }
    }
}

/// The form that asks, and what it is about.
pub(crate) struct Asking {
    pub(crate) target: Target,
    /// The policy that governs it; without one nobody can approve.
    pub(crate) policy: Option<Policy>,
    /// What the form says so far.
    pub(crate) form: Form,
    pub(crate) told: Option<Problem>,
    /// Whether the reason is what is to be filled in next.
    pub(crate) is_focused: bool,
}

impl Asking {
    /// Asks for what is needed to show the form.
    pub(crate) async fn new(visit: &Visit, target: Target, form: Form) -> Result<Self, Failure> {
        let policy = match target.policy() {
            Some(policy) => Some(visit.api.get(&format!("/policies/{}", segment(policy))).await?),
            None => None,
        };
        Ok(Self { target, policy, form, told: None, is_focused: false })
    }

    /// The policy, where whoever looks may ask under it.
    pub(crate) fn open(&self) -> Option<&Policy> {
        self.policy.as_ref().filter(|_| self.target.may_ask())
    }

    pub(crate) fn is_exact(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.binding == Binding::Exact)
    }

    pub(crate) fn fields(&self) -> Vec<Field<'_>> {
        let wanted = Wanted::Bind { exact: self.is_exact() };
        let fields = |task| fields::fields(task, wanted, &self.form, self.told.as_ref());
        self.target.task().map(fields).unwrap_or_default()
    }

    /// Secret parameters, which whoever runs the task gives then.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let parameters = self.target.task().map_or(&[][..], |task| &task.parameters);
        parameters
            .iter()
            .filter(|parameter| parameter.secret)
            .map(|parameter| parameter.name.as_str())
            .collect()
    }

    /// What would run with the values named so far.
    pub(crate) fn command(&self) -> Vec<Vec<Piece>> {
        let task = self.target.task();
        task.map(|task| fields::command(task, &fields::parameters(task, &self.form))).unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.form.exact(name).unwrap_or_default()
    }

    /// Lengths of time to choose from: the usual ones within the policy's maximum, and that itself.
    pub(crate) fn durations(&self) -> Vec<(&str, i64)> {
        let Some(policy) = &self.policy else { return Vec::new() };
        let max = policy.maximum_duration_seconds.unwrap_or(i64::MAX);
        let mut choices: Vec<_> = DURATIONS.iter().filter(|(_, seconds)| *seconds <= max).copied().collect();
        if max < 86_400 && choices.last().is_none_or(|(_, seconds)| *seconds < max) {
            choices.push((policy.maximum_duration.as_str(), max));
        }
        choices
    }

    /// The one that is chosen; none where a length of one's own is said.
    pub(crate) fn duration(&self) -> Option<&str> {
        let choices = self.durations();
        let has = |wanted: &str| choices.iter().find(|(name, _)| *name == wanted).map(|(name, _)| *name);
        match (self.form.text("duration_own"), self.form.text("duration")) {
            (Some(_), _) => None,
            (None, Some(chosen)) => has(chosen),
            (None, None) => has(DURATION_DEFAULT).or_else(|| choices.last().map(|(name, _)| *name)),
        }
    }

    /// Whether a start can be named.
    pub(crate) fn may_start_later(&self) -> bool {
        let at_approval = self.policy.as_ref().is_some_and(|policy| policy.start == StartRule::Approval);
        at_approval && self.target.extends().is_none()
    }
}

#[derive(Template)]
#[template(path = "access/ask.html")]
struct AskPage {
    page: Page,
    told: Option<Problem>,
    ask: Asking,
}

impl AskPage {
    fn new(visit: &Visit, ask: Asking) -> Self {
        let title = match ask.target {
            Target::Extension(_) => "Ask for more time".to_owned(),
            _ => format!("Ask for {}", ask.target.name()),
        };
        Self { page: visit.page(title, Here::Requests), told: ask.told.clone(), ask }
    }
}

async fn new(visit: Visit, Query(said): Query<Vec<(String, String)>>) -> Answer {
    let mut form: Form = said.into_iter().collect();
    if let Some(from) = form.text("from") {
        form = clone_of(&visit.api.get(&format!("/requests/{}", segment(from))).await?);
    }
    let ask = Asking::new(&visit, target(&visit, &form).await?, form).await?;
    show(&AskPage::new(&visit, ask))
}

/// A request as the form that would make the same again, but for its start.
fn clone_of(request: &Request) -> Form {
    let target = match (&request.purpose, &request.extends, request.access.kind) {
        (Purpose::Extension, Some(extends), _) => ("extend", extends),
        (_, _, AccessType::Task) => ("task", &request.access.name),
        (_, _, AccessType::Role) => ("role", &request.access.name),
        (_, _, AccessType::RoleGroup) => ("role_group", &request.access.name),
    };
    let usual = DURATIONS.iter().any(|(name, _)| *name == request.duration);
    let mut fields = vec![
        (target.0.to_owned(), target.1.clone()),
        (if usual { "duration" } else { "duration_own" }.to_owned(), request.duration.clone()),
        ("reason".to_owned(), request.reason.clone().unwrap_or_default()),
    ];
    fields.extend(request.max_uses.map(|uses| ("max_uses".to_owned(), uses.to_string())));
    fields.extend(fields::written(&request.parameters));
    fields.into_iter().collect()
}

async fn target(visit: &Visit, form: &Form) -> Result<Target, Failure> {
    let path = |part: &str, name: &str| format!("/{part}/{}", qualified(name));
    if let Some(task) = form.text("task") {
        return Ok(Target::Task(visit.api.get(&path("tasks", task)).await?));
    }
    if let Some(role) = form.text("role") {
        return Ok(Target::Role(visit.api.get(&path("roles", role)).await?));
    }
    if let Some(group) = form.text("role_group") {
        return Ok(Target::RoleGroup(visit.api.get(&path("role-groups", group)).await?));
    }
    match form.text("extend") {
        Some(extend) => {
            let authorization = visit.api.get(&format!("/authorizations/{}", segment(extend))).await?;
            Ok(Target::Extension(Box::new(authorization)))
        }
        None => Err(Failure::not_found(
            "this address does not say what to ask for; choose it on the page 'My access'",
        )),
    }
}

async fn submit(visit: Visit, form: Form) -> Answer {
    let target = target(&visit, &form).await?;
    if form.text("do") == Some("look") {
        let ask = Asking::new(&visit, target, form).await?;
        return show(&AskPage::new(&visit, ask));
    }
    let done = match request(&target, &form) {
        Ok(new) => visit.api.post::<Request>("/requests", &new, form.key()).await,
        Err(failure) => Err(failure),
    };
    let again = async |problem: Problem| {
        let mut ask = Asking::new(&visit, target, form).await?;
        ask.told = Some(problem.clone());
        show_again(&problem, &AskPage::new(&visit, ask))
    };
    match or_told(done, again).await {
        Ok(done) => {
            let at_once = done.value.status == RequestStatus::Approved;
            let said = if at_once { Said::ApprovedAtOnce } else { Said::Submitted };
            Ok(visit.done(&done, &format!("/requests/{}", segment(&done.value.id)), said))
        }
        Err(answer) => answer,
    }
}

/// What the form asks for.
fn request(target: &Target, form: &Form) -> Result<NewRequest, Failure> {
    let named = |field: &str| (target.hidden().0 == field).then(|| target.hidden().1.to_owned());
    Ok(NewRequest {
        task: named("task"),
        role: named("role"),
        role_group: named("role_group"),
        extend: named("extend"),
        parameters: target.task().map(|task| fields::parameters(task, form)).unwrap_or_default(),
        reason: form.owned("reason").unwrap_or_default(),
        duration: form.owned("duration_own").or_else(|| form.owned("duration")),
        start_at: form.text("start").map(start).transpose()?,
        max_uses: form.text("max_uses").map(uses).transpose()?,
    })
}

/// An instant as a field for date and time says it, in UTC.
fn start(text: &str) -> Result<Time, Failure> {
    let wrong = || wrong("the start is a date and time in UTC, for example 2026-12-24T18:00");
    let at: DateTime = text.trim_end_matches('Z').parse().map_err(|_| wrong())?;
    Ok(Time(TimeZone::UTC.to_timestamp(at).map_err(|_| wrong())?))
}

fn uses(text: &str) -> Result<u32, Failure> {
    text.parse()
        .map_err(|_| wrong("the number of runs is a whole number from 1; left empty, there is no limit"))
}

fn wrong(detail: &str) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "Not as it must be", detail)
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn a_start_is_read_as_utc() {
        for (said, at) in [
            ("2026-12-24T18:00", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:30", "2026-12-24T18:00:30Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
        ] {
            assert_eq!(start(said).unwrap().0.to_string(), at);
        }
        for bad in ["", "tomorrow", "2026-13-01T00:00", "18:00"] {
            assert!(start(bad).is_err(), "{bad}");
        }
    }
}
