//! Asking on behalf of a run that was refused.

use brevet_wire::{AccessType, NewExecution, NewRequest, Parameters, Request, RequestStatus};

use super::client::Client;
use super::context::Context;
use super::exit::Failure;
use super::request_wait::{self, Outcome, approvers};

/// What the person said about asking.
pub(super) struct Wish {
    /// Why.
    pub(super) reason: String,
    /// How long.
    pub(super) duration: Option<String>,
    /// Whether to wait.
    pub(super) wait: bool,
}

/// Asks, unless that was done already, and waits where that is wished. `Ok` means: try again.
pub(super) async fn ask(
    context: &mut Context,
    client: &Client,
    order: &NewExecution,
    wish: Wish,
) -> Result<(), Failure> {
    let request = match pending(context, order).await? {
        Some(request) => {
            context.console.note(&format!("{} asks for this already.", request.id));
            request
        }
        None => submit(client, order, wish.reason, wish.duration).await?,
    };
    if request.status == RequestStatus::Approved {
        context.console.note(&format!("{} was approved by its policy.", request.id));
        return Ok(());
    }
    if !wish.wait {
        let (id, who) = (&request.id, approvers(&request));
        return Err(Failure::Waiting(format!(
            "{id} asks for it now; {who} can approve. Then run the same command again, or wait with: brevet request wait {id}"
        )));
    }
    let (outcome, _) = request_wait::wait(context, client, &request.id, None).await?;
    match outcome {
        Outcome::Approved(request) => {
            let by: Vec<&str> = request.decisions.iter().map(|decision| decision.by.name.as_str()).collect();
            context.console.note(&format!("{} was approved by {}.", request.id, by.join(", ")));
            Ok(())
        }
        Outcome::Ended(request) => Err(Failure::Failed(request_wait::why_not(&request))),
        Outcome::StillPending(request) => Err(Failure::Waiting(format!("{} is still pending.", request.id))),
    }
}

async fn submit(
    client: &Client,
    order: &NewExecution,
    reason: String,
    duration: Option<String>,
) -> Result<Request, Failure> {
    let request = NewRequest {
        task: Some(order.task.clone()),
        parameters: order.parameters.clone(),
        reason,
        duration,
        ..NewRequest::default()
    };
    client.post("/requests", &request).await?.read()
}

/// One's own pending request for the same task with the same values.
async fn pending(context: &Context, order: &NewExecution) -> Result<Option<Request>, Failure> {
    let fields = [("status", Some("pending".to_owned())), ("mine", Some("true".to_owned()))];
    let own = context.list::<Request>("/requests", &fields, 0).await?;
    let task = order.task.trim().replace('/', "\\");
    let same = |request: &Request| {
        request.access.kind == AccessType::Task
            && request.access.name.eq_ignore_ascii_case(&task)
            && request.extends.is_none()
            && alike(&request.parameters, &order.parameters)
    };
    Ok(own.items.into_iter().find(same))
}

/// Whether two sets of values are the same as text: one comes from the command line, the other has its types.
fn alike(one: &Parameters, other: &Parameters) -> bool {
    let text = |parameters: &Parameters| -> Vec<(String, String)> {
        parameters.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
    };
    text(one) == text(other)
}
