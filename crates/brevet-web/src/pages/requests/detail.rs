//! One request: what it would allow, what was decided, and the decision itself.

use askama::Template;
use brevet_wire::{
    Access, AccessType, Approve, Authorization, AuthorizationState, Binding, Deny, Ending, List, Policy,
    Problem, Request, RequestStatus, Revoke, Role, RoleGroup, Task, Verdict,
};

use crate::api::{Done, qualified, query, scope_and_name, segment};
use crate::extract::Path;
use crate::failure::{Answer, Failure};
use crate::filters;
use crate::form::Form;
use crate::gate::{Visit, or_told};
use crate::page::{Here, Page, show, show_again};
use crate::said::Said;
use crate::show::access_path;

/// Of those that wait, so many are looked through for the ones before and after this one.
const NEIGHBOURS_MAX: &str = "50";

/// What is asked for, as the catalog has it now.
enum Asked {
    Task(Box<Task>),
    /// Its tasks.
    Role(Role),
    /// Its roles.
    RoleGroup(RoleGroup),
    /// Not there any more, or not to be seen.
    Gone,
}

impl Asked {
    /// Whether it still is what the request was made for, byte for byte.
    fn is_same(&self, request: &Request) -> bool {
        let digest = match self {
            Self::Task(task) => &task.digest,
            Self::Role(role) => &role.digest,
            Self::RoleGroup(group) => &group.digest,
            Self::Gone => return false,
        };
        *digest == request.digest
    }
}

/// What else waits for whoever looks.
#[derive(Default)]
struct Waiting {
    previous: Option<Request>,
    next: Option<Request>,
}

#[derive(Template)]
#[template(path = "requests/detail.html")]
struct DetailPage {
    page: Page,
    told: Option<Problem>,
    request: Request,
    asked: Asked,
    policy: Option<Policy>,
    authorization: Option<Authorization>,
    waiting: Waiting,
    comment: String,
    duration: String,
}

impl DetailPage {
    fn scope(&self) -> &str {
        scope_and_name(&self.request.access.name).0
    }

    fn is_secret(&self, name: &str) -> bool {
        let Asked::Task(task) = &self.asked else { return false };
        task.parameters.iter().any(|parameter| parameter.secret && parameter.name == name)
    }

    fn approvals(&self) -> usize {
        self.request.decisions.iter().filter(|decision| decision.verdict == Verdict::Approve).count()
    }

    fn is_mine(&self) -> bool {
        self.page.me().is_some_and(|me| me.user.id == self.request.requester.id)
    }

    /// Whether there is a way to ask for the same again.
    fn is_over_for_me(&self) -> bool {
        let is_over = self.authorization.as_ref().is_none_or(|one| one.state == AuthorizationState::Ended);
        self.is_mine() && self.request.status != RequestStatus::Pending && is_over
    }

    /// Whether there is a way to ask for more time.
    fn may_extend(&self) -> bool {
        let is_active = |one: &Authorization| one.state == AuthorizationState::Active;
        self.is_mine() && self.authorization.as_ref().is_some_and(is_active)
    }
}

pub(super) async fn detail(visit: Visit, Path(id): Path<String>) -> Answer {
    show(&detail_page(&visit, &id, None, &Form::default()).await?)
}

async fn detail_page(
    visit: &Visit,
    id: &str,
    told: Option<Problem>,
    form: &Form,
) -> Result<DetailPage, Failure> {
    let request: Request = visit.api.get(&format!("/requests/{}", segment(id))).await?;
    // Policy and authorization may be gone since; the request tells of itself what counts.
    let policy = visit.api.get(&format!("/policies/{}", segment(&request.policy))).await.ok();
    let authorization = match &request.authorization {
        Some(id) => visit.api.get(&format!("/authorizations/{}", segment(id))).await.ok(),
        None => None,
    };
    Ok(DetailPage {
        page: visit.page(format!("Request {}", request.id), Here::Requests),
        told,
        asked: asked(visit, &request.access).await,
        waiting: waiting(visit, &request).await?,
        request,
        policy,
        authorization,
        comment: form.owned("comment").unwrap_or_default(),
        duration: form.owned("duration").unwrap_or_default(),
    })
}

async fn asked(visit: &Visit, access: &Access) -> Asked {
    let path = format!("/{}/{}", access_path(access), qualified(&access.name));
    let found = match access.kind {
        AccessType::Task => visit.api.get(&path).await.map(Box::new).map(Asked::Task),
        AccessType::Role => visit.api.get(&path).await.map(Asked::Role),
        AccessType::RoleGroup => visit.api.get(&path).await.map(Asked::RoleGroup),
    };
    found.unwrap_or(Asked::Gone)
}

/// Those before and after this one in the list of what waits, newest first; behind the last comes the first.
async fn waiting(visit: &Visit, request: &Request) -> Result<Waiting, Failure> {
    if visit.me.waiting == 0 {
        return Ok(Waiting::default());
    }
    let path = query("/requests", [("for_me", Some("true")), ("limit", Some(NEIGHBOURS_MAX))]);
    let mut found = visit.api.get::<List<Request>>(&path).await?.items;
    found.retain(|other| other.id != request.id);
    let older = found.iter().position(|other| other.submitted_at.0 < request.submitted_at.0);
    let previous = older.unwrap_or(found.len()).checked_sub(1).and_then(|index| found.get(index).cloned());
    let next = older.and_then(|index| found.get(index)).or_else(|| found.first()).cloned();
    Ok(Waiting { previous, next })
}

pub(super) async fn decide(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/requests/{}", segment(&id));
    let comment = form.owned("comment");
    let (done, said) = match form.text("verdict") {
        Some("approve") => {
            let body = Approve { comment, duration: form.owned("duration") };
            (visit.api.post::<Request>(&format!("{path}/approve"), &body, form.key()).await, Said::Approved)
        }
        Some("deny") => {
            let body = Deny { comment };
            (visit.api.post::<Request>(&format!("{path}/deny"), &body, form.key()).await, Said::Denied)
        }
        _ => {
            (Err(Failure::unreadable("say whether to approve or to deny; nothing was decided")), Said::Denied)
        }
    };
    or_shown(&visit, &id, &form, done, said).await
}

pub(super) async fn cancel(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let path = format!("/requests/{}/cancel", segment(&id));
    let done = visit.api.post::<Request>(&path, &serde_json::json!({}), form.key()).await;
    or_shown(&visit, &id, &form, done, Said::Cancelled).await
}

/// Takes away what the request gave.
pub(super) async fn revoke(visit: Visit, Path(id): Path<String>, form: Form) -> Answer {
    let request: Request = visit.api.get(&format!("/requests/{}", segment(&id))).await?;
    let none = || Failure::not_found("this request gave no authorization; there is nothing to revoke");
    let authorization = request.authorization.ok_or_else(none)?;
    let path = format!("/authorizations/{}/revoke", segment(&authorization));
    let body = Revoke { comment: form.owned("comment") };
    let done = visit.api.post::<Authorization>(&path, &body, form.key()).await;
    or_shown(&visit, &id, &form, done, Said::Revoked).await
}

/// Back to the request with what was done, or once more with what is wrong.
async fn or_shown<T>(
    visit: &Visit,
    id: &str,
    form: &Form,
    done: Result<Done<T>, Failure>,
    said: Said,
) -> Answer {
    let again = async |problem: Problem| {
        show_again(&problem.clone(), &detail_page(visit, id, Some(problem), form).await?)
    };
    match or_told(done, again).await {
        Ok(done) => Ok(visit.done(&done, &format!("/requests/{}", segment(id)), said)),
        Err(answer) => answer,
    }
}
