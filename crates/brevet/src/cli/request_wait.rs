//! Waiting for a decision, with a line that shows that something goes on.

use std::time::Duration;

use brevet_wire::{Request, RequestStatus, Verdict};
use serde_json::Value;

use super::client::{Answer, Client, query};
use super::context::Context;
use super::exit::Failure;
use super::memory;
use super::request::path;
use super::settings;
use super::sign_in::names;

/// How long the server holds back one answer.
const HOLD_SECONDS: u64 = 25;
/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(250);
/// How long a server may be away while somebody waits, before it is given up.
const AWAY_ATTEMPTS_MAX: u32 = 20;
/// How long to wait before a server that is away is tried again.
const AWAY_PAUSE: Duration = Duration::from_secs(3);
/// How often is asked where too many of this account wait already.
const CROWDED_PAUSE: Duration = Duration::from_secs(5);

/// How the waiting ended.
pub(super) enum Outcome {
    /// There is an authorization.
    Approved(Request),
    /// There will be none.
    Ended(Request),
    /// Time was up.
    StillPending(Request),
}

/// Waits until a request is decided, or for `limit` seconds.
pub(super) async fn wait(
    context: &mut Context,
    client: &Client,
    request: &str,
    limit: Option<i64>,
) -> Result<(Outcome, Value), Failure> {
    // Waiting may take a day, and end with the terminal: what was asked for has its receipt before.
    memory::keep_receipts(context).await;
    let began = settings::now();
    let mut answer = client.get(&path(request)).await?;
    let mut found: Request = answer.read()?;
    if found.status == RequestStatus::Pending && !context.console.terminal.error {
        context.console.note(&format!("{} waits for approval by {}.", found.id, approvers(&found)));
    }
    loop {
        let waited = settings::now().duration_since(began).as_secs();
        let left = limit.map_or(i64::MAX, |limit| limit.saturating_sub(waited));
        let outcome = match found.status {
            RequestStatus::Approved => Outcome::Approved(found),
            RequestStatus::Pending if left <= 0 => Outcome::StillPending(found),
            RequestStatus::Pending => {
                let seconds = u64::try_from(left).unwrap_or(0).min(HOLD_SECONDS);
                answer = held(context, client, &found, seconds).await?;
                found = answer.read()?;
                continue;
            }
            RequestStatus::Denied | RequestStatus::Expired | RequestStatus::Cancelled => {
                Outcome::Ended(found)
            }
        };
        context.console.status("");
        return Ok((outcome, answer.value()?));
    }
}

/// One answer, which the server holds back while nothing changes; the line lives on meanwhile.
async fn held(
    context: &mut Context,
    client: &Client,
    found: &Request,
    seconds: u64,
) -> Result<Answer, Failure> {
    let url =
        |seconds: u64| query(&format!("{}/wait", path(&found.id)), &[("seconds", Some(seconds.to_string()))]);
    let (mut away, mut is_crowded) = (0, false);
    loop {
        let waits = !is_crowded;
        let asking = async {
            if !waits {
                tokio::time::sleep(CROWDED_PAUSE).await;
                // Who does not wait is never refused.
                return client.get(&url(0)).await;
            }
            client.get_patiently(&url(seconds), seconds).await
        };
        tokio::pin!(asking);
        let answer = loop {
            tokio::select! {
                answer = &mut asking => break answer,
                () = tokio::time::sleep(TICK) => {
                    let line = line(context, found);
                    context.console.status(&line);
                }
                () = context.interrupts.next() => {
                    context.console.status("");
                    return Err(Failure::Waiting(pending(&found.id)));
                }
            }
        };
        match answer {
            Err(Failure::Unreachable { .. }) if away < AWAY_ATTEMPTS_MAX => {
                away += 1;
                tokio::time::sleep(AWAY_PAUSE).await;
            }
            Err(Failure::Refused(problem)) if problem.status == 429 && !is_crowded => is_crowded = true,
            answer => return answer,
        }
    }
}

fn pending(request: &str) -> String {
    format!(
        "{request} stays pending. Wait again with: brevet request wait {request}; \
         withdraw it with: brevet request cancel {request}"
    )
}

fn line(context: &Context, request: &Request) -> String {
    const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
    let now = settings::now();
    let clock = super::moment::Clock { now, zone: context.console.view.clock.zone.clone() };
    let frame = usize::try_from(now.as_millisecond() / 250).unwrap_or(0) % FRAMES.len();
    let yes = request.decisions.iter().filter(|decision| decision.verdict == Verdict::Approve).count();
    let count = match request.approvals_needed {
        0 | 1 => String::new(),
        needed => format!(" ({yes} of {needed})"),
    };
    format!(
        "{} {} waits for approval by {}{count}; asked {}, expires {}",
        FRAMES[frame],
        request.id,
        super::console::safe(&approvers(request)),
        clock.relative(request.submitted_at),
        clock.relative(request.expires_at),
    )
}

/// Who can approve, in words.
pub(super) fn approvers(request: &Request) -> String {
    match request.approver_groups.is_empty() {
        true => "an approver".into(),
        false => names(&request.approver_groups),
    }
}

/// Why a request gave nothing, in a sentence.
pub(super) fn why_not(request: &Request) -> String {
    let id = &request.id;
    match request.status {
        RequestStatus::Denied => {
            match request.decisions.iter().rfind(|decision| decision.verdict == Verdict::Deny) {
                Some(decision) => match &decision.comment {
                    Some(comment) => format!("{id} was denied by {}: {comment}", decision.by.name),
                    None => format!("{id} was denied by {}.", decision.by.name),
                },
                None => format!("{id} was denied."),
            }
        }
        RequestStatus::Expired => {
            format!("{id} expired: nobody decided in time. Ask again, or tell {}.", approvers(request))
        }
        RequestStatus::Cancelled => format!("{id} was cancelled."),
        RequestStatus::Pending | RequestStatus::Approved => format!("{id} is not decided."),
    }
}
