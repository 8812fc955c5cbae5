//! Access requests.

use std::time::Duration;

use brevet_core::{
    Command, NewPurpose, NewRequest, Parameters, Refusal, Reply, RequestId, TextKind, Verdict,
};
use brevet_store::RequestFilter;
use brevet_wire as wire;
use serde::Deserialize;

use super::scan::scan;
use crate::app::{AppError, IdempotencyKey};
use crate::http::answer::{changed, created, shown};
use crate::http::extract::{Given, Nothing, Query, Segments, id};
use crate::http::limit::WAIT_SECONDS_MAX;
use crate::http::operation::operation;
use crate::http::pages::{Page, listed};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Permission, Routes, Visitor};
use crate::http::view::RequestTold;
use crate::http::wait::until;
use crate::http::{take, view};

pub(super) fn routes(routes: Routes) -> Routes {
    let request = "The request.";
    routes
        .get("/api/v1/requests", Permission::SignedIn, list, {
            operation("list_requests", "Lists requests that the caller may see, newest first")
                .query::<Wanted>()
                .lists::<wire::Request>("Requests.")
        })
        .post("/api/v1/requests", Permission::SignedIn, submit, {
            operation("submit_request", "Asks for an access, or for more time")
                .takes::<wire::NewRequest>()
                .creates::<wire::Request>(request)
        })
        .get("/api/v1/requests/{id}", Permission::SignedIn, show, {
            operation("show_request", "Shows a request").shows::<wire::Request>(request)
        })
        .get("/api/v1/requests/{id}/wait", Permission::SignedIn, wait, {
            operation("wait_for_request", "Shows a request as soon as it is not pending any more")
                .note(
                    "Only so many calls of one account wait at once or follow runs, and so many of all: one more is \
                     answered 429 with the reason `too-many-waits`. With `seconds=0` none is refused.",
                )
                .query::<Patience>()
                .shows::<wire::Request>("The request, decided or not.")
        })
        .post("/api/v1/requests/{id}/approve", Permission::SignedIn, approve, {
            operation("approve_request", "Approves a request")
                .takes::<wire::Approve>()
                .shows::<wire::Request>(request)
        })
        .post("/api/v1/requests/{id}/deny", Permission::SignedIn, deny, {
            operation("deny_request", "Denies a request")
                .takes::<wire::Deny>()
                .shows::<wire::Request>(request)
        })
        .post("/api/v1/requests/{id}/cancel", Permission::SignedIn, cancel, {
            operation("cancel_request", "Withdraws a request")
                .takes::<Nothing>()
                .shows::<wire::Request>(request)
        })
}

/// Which requests.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `pending`, `approved`, `denied`, `expired`, `cancelled`, or `all`.
    #[param(inline)]
    status: Option<Status>,
    /// One's own only.
    #[serde(default)]
    mine: bool,
    /// Those on which the caller decides; the pending ones when no status is named.
    #[serde(default)]
    for_me: bool,
    /// How many at most: 50 when left out, never more than 200.
    limit: Option<usize>,
    /// What the last page said as `next`.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Status {
    All,
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
}

impl Status {
    /// As the store has it.
    const fn number(self) -> Option<u8> {
        match self {
            Self::All => None,
            Self::Pending => Some(0),
            Self::Approved => Some(1),
            Self::Denied => Some(2),
            Self::Expired => Some(3),
            Self::Cancelled => Some(4),
        }
    }
}

/// How long to wait.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
struct Patience {
    /// At most so many seconds, and never more than 60; 30 when left out.
    seconds: Option<u64>,
}

async fn list(caller: Caller, Query(wanted): Query<Wanted>) -> Answer {
    let page = Page::new(wanted.limit, wanted.cursor.as_deref())?;
    let status = wanted.status.unwrap_or(if wanted.for_me { Status::Pending } else { Status::All });
    let has_none = || {
        caller.view(|view| match status {
            Status::Pending => view.policies_with_waiting().is_empty(),
            _ => !view.decides_at_all(),
        })
    };
    if wanted.for_me && has_none() {
        return shown(&wire::List::<wire::Request> { items: Vec::new(), next: None });
    }
    let requester = (wanted.mine || caller.sees_only_own()).then(|| caller.user());
    let filter = RequestFilter { state: status.number(), requester };
    let seer = caller.clone();
    let rows = caller.app.stored(move |reader| {
        let number = |told: &brevet_store::RequestRow| told.request.id.number();
        let read = |before, limit| reader.requests(filter, before, limit);
        let sees = |row: &brevet_store::RequestRow| {
            let request = &row.request;
            seer.view(|view| view.sees_request(request) && (!wanted.for_me || view.decides_on(request)))
        };
        let rows = scan(page, number, read, sees)?;
        let told =
            rows.items.into_iter().map(|row| RequestTold::of(reader, row)).collect::<Result<Vec<_>, _>>()?;
        Ok((told, rows.next))
    });
    let (told, next) = rows.await?;
    shown(&caller.view(|view| listed(told, next, |told| view.request(&told))))
}

async fn submit(caller: Caller, given: Given<wire::NewRequest>) -> Answer {
    let new = new_request(&caller, &given.value)?;
    if let NewPurpose::Extension(authorization) = &new.purpose {
        // Nobody learns of those that they may not see.
        super::authorizations::told(&caller, *authorization).await?;
    }
    let done = caller.app.command(caller.origin(), Command::Submit(new), given.key).await?;
    let Reply::Request(id) = done.reply else { return Err(Failure::bug("a request without an id")) };
    created(&done, &format!("/requests/{id}"), &request(&caller, id).await?)
}

fn new_request(caller: &Caller, new: &wire::NewRequest) -> Result<NewRequest, Failure> {
    let wire::NewRequest { task, role, role_group, extend, parameters, reason, duration, start_at, max_uses } =
        new;
    let purpose = match extend {
        Some(_) if task.is_some() || role.is_some() || role_group.is_some() => {
            return Err(Failure::field(
                "extend",
                "stands alone: it names the authorization, and that its access",
            ));
        }
        Some(_) if !parameters.is_empty() => {
            return Err(Failure::field("parameters", "an extension keeps the values of its authorization"));
        }
        Some(extend) => NewPurpose::Extension(id(brevet_core::AuthorizationId::parse(extend))?),
        None => caller.app.read(|state| {
            let access = take::access(state, task.as_deref(), role.as_deref(), role_group.as_deref())?;
            let bound = match task {
                Some(task) => take::bound(state, &take::qualified("task", task)?, parameters)?,
                None if parameters.is_empty() => Parameters::new(),
                None => take::plain_parameters(parameters)?,
            };
            Ok::<_, Failure>(NewPurpose::Access { access, bound })
        })?,
    };
    Ok(NewRequest {
        purpose,
        reason: take::text("reason", TextKind::Reason, Some(reason))?,
        duration: take::span("duration", duration.as_deref())?,
        not_before: start_at.map(take::timestamp),
        max_uses: *max_uses,
    })
}

async fn show(caller: Caller, Segments(given): Segments<String>) -> Answer {
    let id = id(RequestId::parse(&given))?;
    shown(&request(&caller, id).await?)
}

async fn wait(
    caller: Caller,
    visitor: Visitor,
    Segments(given): Segments<String>,
    Query(patience): Query<Patience>,
) -> Answer {
    let id = id(RequestId::parse(&given))?;
    let seconds = patience.seconds.unwrap_or(30);
    if seconds > WAIT_SECONDS_MAX {
        return Err(Failure::unreadable("bad-query", format!("seconds: at most {WAIT_SECONDS_MAX}")));
    }
    told(&caller, id).await?;
    let decided = |state: &brevet_core::State| state.request(id).is_none_or(|request| !request.is_pending());
    if seconds > 0 && !caller.app.read(decided) {
        let _wait = visitor.server.waits.for_anything(&caller.session)?;
        until(&caller.app, Duration::from_secs(seconds), decided).await;
    }
    caller.check_open()?;
    shown(&request(&caller, id).await?)
}

async fn approve(caller: Caller, Segments(given): Segments<String>, body: Given<wire::Approve>) -> Answer {
    let wire::Approve { comment, duration } = body.value;
    let comment = take::text("comment", TextKind::Comment, comment.as_deref())?;
    let duration = take::span("duration", duration.as_deref())?;
    let verdict = Verdict::Approve;
    act(&caller, &given, body.key, |request| Command::Decide { request, verdict, duration, comment }).await
}

async fn deny(caller: Caller, Segments(given): Segments<String>, body: Given<wire::Deny>) -> Answer {
    let comment = take::text("comment", TextKind::Comment, body.value.comment.as_deref())?;
    let verdict = Verdict::Deny;
    act(&caller, &given, body.key, |request| Command::Decide { request, verdict, duration: None, comment })
        .await
}

async fn cancel(caller: Caller, Segments(given): Segments<String>, body: Given<Nothing>) -> Answer {
    act(&caller, &given, body.key, Command::Cancel).await
}

async fn act(
    caller: &Caller,
    given: &str,
    key: Option<IdempotencyKey>,
    command: impl FnOnce(RequestId) -> Command,
) -> Answer {
    let id = id(RequestId::parse(given))?;
    told(caller, id).await?;
    match caller.app.command(caller.origin(), command(id), key).await {
        Ok(done) => changed(&done, &acted_on(caller, id).await?),
        Err(AppError::Refused(Refusal::Over { .. })) => Err(over(caller, id).await?),
        Err(error) => Err(error.into()),
    }
}

/// How a request ended, for whoever came too late.
async fn over(caller: &Caller, id: RequestId) -> Result<Failure, Failure> {
    let told = told(caller, id).await?;
    Ok(caller.view(|view| view::ended("request", &id.to_string(), told.ended(view))))
}

async fn request(caller: &Caller, id: RequestId) -> Result<wire::Request, Failure> {
    let told = told(caller, id).await?;
    Ok(caller.view(|view| view.request(&told)))
}

/// The request that the caller just acted on. They hear what they did, also if they may not see it any more since.
async fn acted_on(caller: &Caller, id: RequestId) -> Result<wire::Request, Failure> {
    let told = find(caller, id).await?.ok_or_else(|| Failure::no_such("request", id))?;
    Ok(caller.view(|view| view.request(&told)))
}

/// The request, if the caller may see it.
async fn told(caller: &Caller, id: RequestId) -> Result<RequestTold, Failure> {
    let found = find(caller, id).await?;
    let seen = found.filter(|told| caller.view(|view| view.sees_request(&told.row.request)));
    seen.ok_or_else(|| Failure::no_such("request", id))
}

async fn find(caller: &Caller, id: RequestId) -> Result<Option<RequestTold>, AppError> {
    let read = move |reader: &brevet_store::Reader| {
        let row = reader.request(id)?;
        row.map(|row| RequestTold::of(reader, row)).transpose()
    };
    caller.app.stored(read).await
}
