//! `brevet request`: asking for access, and deciding on what others ask for.

use brevet_wire::{Approve, Deny, NewRequest, Request};
use clap::{Args, Subcommand, ValueEnum};

use super::args::{self, DurationArgs, LimitArgs, duration};
use super::client::segment;
use super::context::Context;
use super::exit::{Done, Failure};
use super::request_wait::{self, Outcome};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(NewArgs),
    List(ListArgs),
    /// Show a request: what would run, who asks, who decided
    #[command(after_help = "Example:\n  brevet request show req-42")]
    Show {
        /// Its id
        request: String,
    },
    /// Approve a request of somebody else
    #[command(after_help = "Example:\n  brevet request approve req-42 --comment \"As agreed\" --duration 1h")]
    Approve {
        /// Its id
        request: String,
        /// For the requester and the ledger
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// A shorter duration than was asked for
        #[arg(long, value_name = "SPAN", value_parser = duration)]
        duration: Option<String>,
    },
    /// Deny a request of somebody else; one denial ends it
    #[command(after_help = "Example:\n  brevet request deny req-42 --comment \"Not during the freeze\"")]
    Deny {
        /// Its id
        request: String,
        /// For the requester and the ledger
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// Withdraw your own request
    #[command(after_help = "Example:\n  brevet request cancel req-42")]
    Cancel {
        /// Its id
        request: String,
    },
    /// Wait until a request is decided: exit code 0 when it was approved, 1 when not, 3 when time was up
    #[command(
        after_help = "Example:\n  brevet request wait req-42 && brevet run Linux/Restart-Service -p unit=nginx.service"
    )]
    Wait {
        /// Its id
        request: String,
        /// Wait at most so long [default: as long as the request does]
        #[arg(long, value_name = "SPAN", value_parser = duration)]
        timeout: Option<String>,
    },
}

/// Ask for access: to a task, a role or a role group, or for more time on an authorization
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("what").required(true).args(["task", "role", "role_group", "extend"]),
    after_help = "Examples:\n  brevet request new --task Exchange/New-MoveRequest \\\n    --reason \"Fix the user mailbox error\" --duration-hours 4\n  \
    brevet request new --task Linux/Restart-Service -p unit=nginx.service \\\n    --reason \"Change 4711\" --hours 2 --wait\n  \
    brevet request new --extend aut-7 --reason \"Not done yet\" --duration 90m"
)]
pub(crate) struct NewArgs {
    /// A task, as Scope/Name
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Every task of a role, as Scope/Name
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Every task of every role of a role group, as Scope/Name
    #[arg(long, value_name = "ROLE-GROUP")]
    role_group: Option<String>,
    /// More time on an authorization that you hold
    #[arg(long, value_name = "AUTHORIZATION")]
    extend: Option<String>,
    /// A value that will be the only one; may be repeated. What is not named stays free
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = args::assignment)]
    parameters: Vec<(String, String)>,
    /// Why; approvers read it, and it is in the ledger
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    duration: DurationArgs,
    /// Not before this time, for example 22:00 or '2026-11-24 22:00' (local) [default: at approval]
    #[arg(long, value_name = "TIME")]
    start_at: Option<String>,
    /// At most so many runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_uses: Option<u32>,
    /// Wait until it is decided
    #[arg(long)]
    wait: bool,
}

/// List requests
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet request list --for-me")]
pub(crate) struct ListArgs {
    /// Only those that stand there [default: all; pending with --for-me]
    #[arg(long, value_name = "STATUS", ignore_case = true)]
    status: Option<StatusFilter>,
    /// Only your own
    #[arg(long, conflicts_with = "for_me")]
    mine: bool,
    /// Only those that you may decide on
    #[arg(long)]
    for_me: bool,
    #[command(flatten)]
    limit: LimitArgs,
}

/// Which requests a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFilter {
    Pending,
    Approved,
    Denied,
    Expired,
    Cancelled,
    All,
}

impl StatusFilter {
    const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::All => "all",
        }
    }
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::New(args) => submit(context, args).await,
        Command::List(args) => list(context, &args).await,
        Command::Show { request } => context.show::<Request>(&path(&request)).await,
        Command::Approve { request, comment, duration } => {
            act(context, &request, "approve", &Approve { comment, duration }).await
        }
        Command::Deny { request, comment } => act(context, &request, "deny", &Deny { comment }).await,
        Command::Cancel { request } => act(context, &request, "cancel", &serde_json::json!({})).await,
        Command::Wait { request, timeout } => wait(context, &request, timeout.as_deref()).await,
    }
}

pub(super) fn path(request: &str) -> String {
    format!("/requests/{}", segment(request))
}

async fn submit(context: &mut Context, args: NewArgs) -> Result<Done, Failure> {
    let start_at =
        args.start_at.as_deref().map(|text| context.console.view.clock.parse_future(text)).transpose()?;
    let duration = args.duration.text();
    let NewArgs { task, role, role_group, extend, parameters, reason, max_uses, wait, .. } = args;
    for name in [&task, &role, &role_group].into_iter().flatten() {
        args::with_scope(name)?;
    }
    let parameters = args::parameters(&parameters);
    let new = NewRequest { task, role, role_group, extend, parameters, reason, duration, start_at, max_uses };
    let answer = context.client()?.post("/requests", &new).await?;
    let request: Request = answer.read()?;
    if !wait {
        context.console.one(&request, &answer.value()?)?;
        return Ok(Done::Well);
    }
    self::wait(context, &request.id, None).await
}

async fn list(context: &mut Context, args: &ListArgs) -> Result<Done, Failure> {
    let status = args.status.unwrap_or(if args.for_me { StatusFilter::Pending } else { StatusFilter::All });
    let yes = |wanted: bool| wanted.then(|| "true".to_owned());
    let fields =
        [("status", Some(status.word().to_owned())), ("mine", yes(args.mine)), ("for_me", yes(args.for_me))];
    let listed = context.list::<Request>("/requests", &fields, args.limit.limit).await?;
    let none = match (args.for_me, status) {
        (true, StatusFilter::Pending) => "Nothing waits for your decision.".to_owned(),
        (_, StatusFilter::All) => "No requests.".to_owned(),
        (_, status) => format!("No {} requests.", status.word()),
    };
    context.console.list(&listed.items, &listed.answered, &none)?;
    args.limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

async fn act(
    context: &mut Context,
    request: &str,
    verb: &str,
    body: &impl serde::Serialize,
) -> Result<Done, Failure> {
    let answer = context.client()?.post(&format!("{}/{verb}", path(request)), body).await?;
    context.console.one(&answer.read::<Request>()?, &answer.value()?)?;
    Ok(Done::Well)
}

async fn wait(context: &mut Context, request: &str, timeout: Option<&str>) -> Result<Done, Failure> {
    let client = context.client()?;
    let limit =
        timeout.and_then(|text| brevet_core::Span::parse(text).ok()).map(brevet_core::Span::whole_seconds);
    let (outcome, answered) = request_wait::wait(context, &client, request, limit).await?;
    match outcome {
        Outcome::Approved(request) => {
            context.console.one(&request, &answered)?;
            Ok(Done::Well)
        }
        Outcome::Ended(request) => {
            context.console.one(&request, &answered)?;
            Err(Failure::Failed(request_wait::why_not(&request)))
        }
        Outcome::StillPending(request) => {
            context.console.one(&request, &answered)?;
            Err(Failure::Waiting(format!("{} is still pending.", request.id)))
        }
    }
}
