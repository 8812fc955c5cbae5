//! The first start: five steps, each of which the state says whether it is done.

use askama::Template;
use axum::Router;
use axum::routing::{get, post};
use brevet_wire::{
    AccessControl, ApprovalType, Group, List, NewMember, NewPolicy, Policy, Problem, Request, Task, User,
};

use super::access_control::{SettingsFields, some_groups};
use super::administrators_only;
use super::groups::{GroupFields, new_group};
use super::people::{Back, PersonFields, add_user, show_first_code};
use crate::api::segment;
use crate::extract::Path;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Site, Visit, go, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/start", get(start))
        .route("/start/learn", get(learn))
        .route("/start/people", get(people))
        .route("/start/groups", post(create_group))
        .route("/start/groups/{id}/members", post(add_person))
        .route("/start/access-control", get(access_control))
        .route("/start/policy", get(policy).post(create_policy))
        .route("/start/done", get(done))
}

/// One step, as the list of them says.
struct Step {
    path: &'static str,
    name: &'static str,
    is_done: bool,
}

/// How far an organization is, as its state says.
struct Progress {
    steps: [Step; 5],
    groups: Vec<Group>,
    control: AccessControl,
}

impl Progress {
    async fn of(visit: &Visit) -> Result<Self, Failure> {
        administrators_only(visit)?;
        let groups = some_groups(visit).await?;
        let control: AccessControl = visit.api.get("/access-control").await?;
        let policies: List<Policy> = visit.api.get("/policies?limit=1").await?;
        let approved: List<Request> = visit.api.get("/requests?status=approved&limit=1").await?;
        let step = |path, name, is_done| Step { path, name, is_done };
        let has_approvers = groups.iter().any(|group| !group.members.is_empty());
        Ok(Self {
            steps: [
                step("/start/learn", "Learn, and the first administrator", true),
                step("/start/people", "The people who approve", has_approvers || control.enabled),
                step("/start/access-control", "Access control", control.enabled),
                step("/start/policy", "The first policy", !policies.items.is_empty()),
                step("/start/done", "Submit and approve", !approved.items.is_empty()),
            ],
            groups,
            control,
        })
    }

    /// The first step that is not done; the last one, when all are.
    fn next(&self) -> &Step {
        let [.., last] = &self.steps;
        self.steps.iter().find(|step| !step.is_done).unwrap_or(last)
    }

    fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.is_done)
    }

    /// The group that approves by default, or will.
    fn approvers(&self) -> Option<&Group> {
        let default = self.control.default_approver_group.as_ref();
        let default = default.and_then(|named| self.groups.iter().find(|group| group.id == named.id));
        let has_members = |group: &&Group| !group.members.is_empty();
        default.or_else(|| self.groups.iter().find(has_members)).or_else(|| self.groups.first())
    }
}

/// Whether a step is left, for the overview, which knows access control already: who approves comes before that is on.
pub(crate) async fn has_steps_left(visit: &Visit, control: &AccessControl) -> Result<bool, Failure> {
    if !control.enabled {
        return Ok(true);
    }
    let policies: List<Policy> = visit.api.get("/policies?limit=1").await?;
    let approved: List<Request> = visit.api.get("/requests?status=approved&limit=1").await?;
    Ok(policies.items.is_empty() || approved.items.is_empty())
}

async fn start(visit: Visit) -> Answer {
    Ok(go(Progress::of(&visit).await?.next().path))
}

#[derive(Template)]
#[template(path = "start/learn.html")]
struct LearnPage {
    page: Page,
    progress: Progress,
}

async fn learn(visit: Visit) -> Answer {
    let progress = Progress::of(&visit).await?;
    show(&LearnPage { page: visit.page("First start", Here::Nowhere), progress })
}

#[derive(Template)]
#[template(path = "start/people.html")]
struct PeoplePage {
    page: Page,
    told: Option<Problem>,
    progress: Progress,
    group: GroupFields,
    person: PersonFields,
}

async fn people_page(visit: &Visit, told: Option<Problem>, form: &Form) -> Result<PeoplePage, Failure> {
    let progress = Progress::of(visit).await?;
    let page = visit.page("The people who approve", Here::Nowhere);
    Ok(PeoplePage { page, told, progress, group: GroupFields::of(form), person: PersonFields::of(form) })
}

async fn people(visit: Visit) -> Answer {
    let suggestion = [("name", "Approvers"), ("description", "They decide on access requests")];
    let suggestion =
        suggestion.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let mut page = people_page(&visit, None, &suggestion).await?;
    page.person = PersonFields::default();
    show(&page)
}

async fn create_group(visit: Visit, form: Form) -> Answer {
    let done = visit.api.post::<Group>("/groups", &new_group(&form), form.key()).await;
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &people_page(&visit, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/start/people", Said::Created)),
        Err(answer) => answer,
    }
}

/// A new account, a member of the group at once, and its code.
async fn add_person(visit: Visit, Path(group): Path<String>, form: Form) -> Answer {
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &people_page(&visit, Some(problem), &form).await?)
    };
    let added = match or_told(add_user(&visit, &form).await, again).await {
        Ok(added) => added,
        Err(answer) => return answer,
    };
    let told = match form.has("approves") {
        true => make_member(&visit, &group, &added.value, &form).await.err(),
        false => None,
    };
    match told {
        // Sent again, all three are done once.
        Some(failure) if failure.is_for_now() || failure.is_signed_out() => Err(failure),
        told => show_first_code(&visit, &added, &form, Back::Start, told.map(|failure| *failure.0)).await,
    }
}

async fn make_member(visit: &Visit, group: &str, user: &User, form: &Form) -> Result<(), Failure> {
    let path = format!("/groups/{}/members", segment(group));
    let key = form.key().map(|key| format!("{key}.member"));
    let body = NewMember { user: user.id.clone() };
    visit.api.post::<Group>(&path, &body, key.as_deref()).await.map(drop)
}

#[derive(Template)]
#[template(path = "start/access_control.html")]
struct AccessControlPage {
    page: Page,
    progress: Progress,
    fields: SettingsFields,
}

async fn access_control(visit: Visit) -> Answer {
    let progress = Progress::of(&visit).await?;
    let group = progress.approvers().map_or_else(String::new, |group| group.name.clone());
    let fields = SettingsFields { group, ..SettingsFields::default() };
    show(&AccessControlPage { page: visit.page("Access control", Here::Nowhere), progress, fields })
}

#[derive(Template)]
#[template(path = "start/policy.html")]
struct PolicyPage {
    page: Page,
    told: Option<Problem>,
    progress: Progress,
    tasks: Vec<Task>,
    task: String,
}

async fn policy_page(visit: &Visit, told: Option<Problem>, form: &Form) -> Result<PolicyPage, Failure> {
    let progress = Progress::of(visit).await?;
    let tasks: List<Task> = visit.api.get("/tasks?limit=200").await?;
    Ok(PolicyPage {
        page: visit.page("The first policy", Here::Nowhere),
        told,
        progress,
        tasks: tasks.items.into_iter().filter(|task| task.enabled && task.policy.is_none()).collect(),
        task: form.owned("task").unwrap_or_default(),
    })
}

async fn policy(visit: Visit) -> Answer {
    show(&policy_page(&visit, None, &Form::default()).await?)
}

async fn create_policy(visit: Visit, form: Form) -> Answer {
    let policy = NewPolicy {
        task: Some(form.owned("task").unwrap_or_default()),
        role: None,
        role_group: None,
        approval_type: ApprovalType::Manual,
        approvals: None,
        approver_groups: Vec::new(),
        requesters: None,
        maximum_duration: None,
        pending_lifetime: None,
        start: None,
        claim_within: None,
        max_uses: None,
        binding: None,
    };
    let done = visit.api.post::<Policy>("/policies", &policy, form.key()).await;
    let done = done.map_err(Failure::about_what_is_named);
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &policy_page(&visit, Some(problem), &form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, "/start", Said::PolicyCreated)),
        Err(answer) => answer,
    }
}

#[derive(Template)]
#[template(path = "start/done.html")]
struct DonePage {
    page: Page,
    progress: Progress,
    pending: Option<Request>,
    task: Option<Task>,
    is_alone: bool,
}

async fn done(visit: Visit) -> Answer {
    let progress = Progress::of(&visit).await?;
    let pending: List<Request> = visit.api.get("/requests?status=pending&limit=1").await?;
    let tasks: List<Task> = visit.api.get("/tasks?limit=200").await?;
    let users: List<User> = visit.api.get("/users?limit=2").await?;
    show(&DonePage {
        page: visit.page("Submit and approve", Here::Nowhere),
        progress,
        pending: pending.items.into_iter().next(),
        task: tasks.items.into_iter().find(|task| task.enabled && task.policy.is_some()),
        is_alone: users.items.len() < 2,
    })
}
