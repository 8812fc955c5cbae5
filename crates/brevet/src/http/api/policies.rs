//! Approval policies, and why they say what they say.

use brevet_core::{Command, NewPolicy, PolicyId, PolicyStep, PolicyTerms, Refusal, Reply, State, explain};
use brevet_wire as wire;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::answer::{changed, created, removed, shown};
use crate::http::extract::{Given, Query, Segments, id};
use crate::http::operation::operation;
use crate::http::pages::Paging;
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes};
use crate::http::take;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/v1/policies", Permission::SignedIn, list, {
            operation("list_policies", "Lists policies").query::<Paging>().lists::<wire::Policy>("Policies, by id.")
        })
        .post("/api/v1/policies", Permission::Administrator, create, {
            operation("create_policy", "Creates a policy")
                .takes::<wire::NewPolicy>()
                .creates::<wire::Policy>("The policy.")
        })
        .post("/api/v1/policies/preview", Permission::Administrator, preview, {
            operation("preview_policy", "Says what a change of the policies would do; nothing is done")
                .note(
                    "It is carried out on a copy of the state, and refused like the change itself: what differs, how many people \
                     may ask or run in another way, and which requests, authorizations and runs would end.",
                )
                .takes::<wire::PolicyStep>()
                .shows::<wire::PolicyPreview>("What it would do.")
        })
        .get("/api/v1/policies/{id}", Permission::SignedIn, show, {
            operation("show_policy", "Shows a policy").shows::<wire::Policy>("The policy.")
        })
        .patch("/api/v1/policies/{id}", Permission::Administrator, change, {
            operation("change_policy", "Changes a policy")
                .note("A JSON merge patch; with `revision` it is refused when somebody else changed the policy meanwhile.")
                .takes::<wire::PolicyChange>()
                .shows::<wire::Policy>("The policy.")
        })
        .delete("/api/v1/policies/{id}", Permission::Administrator, remove, {
            operation("remove_policy", "Removes a policy; what was given under it ends")
                .note("With `revision` it is refused when somebody else changed the policy meanwhile.")
                .query::<Seen>()
                .removes()
        })
        .post("/api/v1/policies/explain", Permission::SignedIn, explain_run, {
            operation("explain_policy", "Says what would happen if somebody ran a task now, and why")
                .note("For others than oneself: administrators and auditors.")
                .takes::<wire::Explain>()
                .shows::<wire::Explanation>("What would happen, and why.")
        })
}

/// What the remover of a policy saw.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// The revision of the policy; it is not removed when it is another one now.
    revision: Option<u32>,
}

async fn list(caller: Caller, Query(paging): Query<Paging>) -> Answer {
    let page = paging.page()?;
    shown(&caller.view(|view| {
        page.ascending(
            view.state.policies(),
            |policy| policy.id.number().into(),
            |policy| view.policy(policy),
        )
    }))
}

async fn create(caller: Caller, given: Given<wire::NewPolicy>) -> Answer {
    let new = &given.value;
    let create = caller.app.read(|state| new_policy(state, new).map(Command::CreatePolicy))?;
    let done = caller.app.command(caller.origin(), create, given.key).await?;
    let Reply::Policy(id) = done.reply else { return Err(Failure::bug("a policy without an id")) };
    created(&done, &format!("/policies/{id}"), &policy(&caller, id)?)
}

async fn show(caller: Caller, Segments(given): Segments<String>) -> Answer {
    let id = id(PolicyId::parse(&given))?;
    shown(&policy(&caller, id)?)
}

async fn change(
    caller: Caller,
    Segments(named): Segments<String>,
    given: Given<wire::PolicyChange>,
) -> Answer {
    let id = id(PolicyId::parse(&named))?;
    let change = &given.value;
    let (seen, terms) = caller.app.read(|state| changed_terms(state, id, change))?;
    let set = Command::SetPolicy { policy: id, seen, terms };
    let done = caller.app.command(caller.origin(), set, given.key).await?;
    changed(&done, &policy(&caller, id)?)
}

async fn remove(caller: Caller, Segments(given): Segments<String>, Query(seen): Query<Seen>) -> Answer {
    let policy = id(PolicyId::parse(&given))?;
    let remove = Command::RemovePolicy { policy, seen: seen.revision };
    let done = caller.app.command(caller.origin(), remove, None).await?;
    Ok(removed(&done))
}

async fn preview(caller: Caller, given: Given<wire::PolicyStep>) -> Answer {
    let step = caller.app.read(|state| policy_step(state, &given.value))?;
    let told = caller.app.preview(caller.origin(), step).await?;
    shown(&caller.view(|view| view.preview(&told)))
}

fn policy_step(state: &State, given: &wire::PolicyStep) -> Result<PolicyStep, Failure> {
    match given {
        wire::PolicyStep::Create(new) => new_policy(state, new).map(PolicyStep::Create),
        wire::PolicyStep::Change { policy, change } => {
            let policy = id(PolicyId::parse(policy))?;
            let (seen, terms) = changed_terms(state, policy, change)?;
            Ok(PolicyStep::Set { policy, seen, terms })
        }
        wire::PolicyStep::Remove { policy } => id(PolicyId::parse(policy)).map(PolicyStep::Remove),
    }
}

fn new_policy(state: &State, new: &wire::NewPolicy) -> Result<NewPolicy, Failure> {
    let (task, role, role_group) = (new.task.as_deref(), new.role.as_deref(), new.role_group.as_deref());
    let access = take::access(state, task, role, role_group)?;
    Ok(NewPolicy { access, terms: take::terms(state, new)? })
}

/// The terms after a change, and the revision that it is of.
fn changed_terms(
    state: &State,
    id: PolicyId,
    change: &wire::PolicyChange,
) -> Result<(u32, PolicyTerms), Failure> {
    let policy = state.policy(id).ok_or_else(|| Failure::no_such("policy", id))?;
    Ok((change.revision.unwrap_or(policy.revision), take::change(state, policy, change)?))
}

async fn explain_run(caller: Caller, given: Given<wire::Explain>) -> Answer {
    let wire::Explain { user, task, parameters } = &given.value;
    let task = take::qualified("task", task)?;
    shown(&caller.view(|view| {
        if user.is_some() && !view.oversees() {
            let own = |named| take::user(view.state, named).is_ok_and(|named| named == view.viewer());
            if !user.as_deref().is_some_and(own) {
                return Err(Failure::from(Refusal::Forbidden { who: "an administrator or an auditor" }));
            }
        }
        let user = user.as_deref().map_or(Ok(view.viewer()), |user| take::user(view.state, user))?;
        let values = take::bound(view.state, &task, parameters)?;
        let explanation = explain(view.state, view.now, user, &task, &values);
        Ok(view.explanation(user, &task, parameters, explanation))
    })?)
}

fn policy(caller: &Caller, id: PolicyId) -> Result<wire::Policy, Failure> {
    let policy = caller.view(|view| view.state.policy(id).map(|policy| view.policy(policy)));
    policy.ok_or_else(|| Failure::no_such("policy", id))
}
