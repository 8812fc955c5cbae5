//! `brevet run`: runs a task, and says exactly how to ask where an approval is needed.

use brevet_wire::{Basis, Check, Execution, NewExecution, Permission, Problem, ask_command};
use clap::Args;
use serde_json::Value;

use super::args::{self, DurationArgs};
use super::client::Client;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::interrupt::Interrupts;
use super::run_ask::{self, Wish};
use super::run_output::{self, Writing};
use super::run_secrets;
use super::table::{Sheet, Tone};

/// Run a task; where an approval is needed, say how to ask, or ask
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet run Linux/Restart-Service -p unit=nginx.service\n  \
    brevet run Linux/Restart-Service -p unit=nginx.service --reason \"Change 4711\" --hours 2 --wait\n  \
    brevet run PostgreSQL/Set-Password -p role=app --secret password=@./new-password\n\n\
    Exit code: that of the task when it ran; 3 when an approval is needed; 125 when Brevet itself failed after the start.")]
pub(crate) struct RunArgs {
    /// The task, as Scope/Name
    task: String,
    /// A value; may be repeated, and repeating a name makes a list
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = args::assignment)]
    parameters: Vec<(String, String)>,
    /// A secret value: asked for, or read from a file, or from standard input
    #[arg(long = "secret", value_name = "NAME | NAME=@FILE | NAME=-")]
    secrets: Vec<String>,
    /// Ask with this reason where an approval is needed
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    duration: DurationArgs,
    /// Wait for the approval, then run
    #[arg(long, requires = "reason")]
    wait: bool,
    /// Do not wait for the end of the run; 'brevet execution output' shows what it writes
    #[arg(long, conflicts_with = "check")]
    detach: bool,
    /// Run nothing: only say whether it would run now
    #[arg(long, conflicts_with_all = ["reason", "secrets"])]
    check: bool,
    /// Write control characters to the terminal as they are
    #[arg(long)]
    raw: bool,
}

/// Runs, or asks and then runs.
pub(super) async fn run(context: &mut Context, args: RunArgs) -> Result<Done, Failure> {
    let task = args::with_scope(&args.task)?;
    let parameters = args::parameters(&args.parameters);
    let client = context.client()?;
    if args.check {
        return check(context, &client, Check { task, parameters }).await;
    }
    let secrets = run_secrets::read(&args.secrets, context.console.terminal)?;
    let order = NewExecution { task, parameters, secrets };
    match start(context, &client, &order, &args).await {
        Err(Failure::NeedsApproval(problem)) => {
            let Some(reason) = args.reason.clone() else { return Err(with_way_out(problem, &order)) };
            let wish = Wish { reason, duration: args.duration.text(), wait: args.wait };
            run_ask::ask(context, &client, &order, wish).await?;
            start(context, &client, &order, &args).await
        }
        other => other,
    }
}

async fn start(
    context: &mut Context,
    client: &Client,
    order: &NewExecution,
    args: &RunArgs,
) -> Result<Done, Failure> {
    if args.detach {
        let answer = client.post("/executions", order).await?;
        let execution: Execution = answer.read()?;
        let sentence = format!(
            "{} runs. See what it writes with: brevet execution output {}",
            execution.id, execution.id
        );
        context.console.done(&sentence, &answer.value()?)?;
        return Ok(Done::Well);
    }
    let writing = Writing::new(&context.console, args.raw);
    let body = interruptible(&mut context.interrupts, client.post_and_follow("/executions", order)).await?;
    run_output::follow(context, client, body, writing).await
}

/// Before anything has started, Ctrl-C just leaves.
async fn interruptible<T>(
    interrupts: &mut Interrupts,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        answer = call => answer,
        () = interrupts.next() => Err(Failure::Interrupted(
            "Left before the server said that the task started; 'brevet execution list --mine' tells whether it did.".into(),
        )),
    }
}

/// A refusal with its way out; the command that asks is written here where the server did not.
fn with_way_out(mut problem: Box<Problem>, order: &NewExecution) -> Failure {
    if let Some(way_out) = problem.way_out.as_mut().filter(|way_out| way_out.ask.is_empty()) {
        way_out.ask = ask_command(&order.task, &order.parameters);
    }
    Failure::NeedsApproval(problem)
}

async fn check(context: &mut Context, client: &Client, check: Check) -> Result<Done, Failure> {
    let answer = client.post("/check", &check).await?;
    let answered: Value = answer.value()?;
    context.console.one(&answer.read::<Permission>()?, &answered)?;
    Ok(Done::Well)
}

impl Show for Permission {
    fn show(&self, view: &View) -> String {
        let Self { allowed, basis, authorization, until } = self;
        let why = match basis {
            Basis::Authorization => "an authorization is in force",
            Basis::SystemAccount => "a system account, assigned to it; the run is flagged",
            Basis::AccessControlOff => "access control is off, and you are assigned to it",
            Basis::Uncovered => "no policy covers it, and you are assigned to it",
        };
        let (word, tone) = if *allowed { ("yes", Tone::Good) } else { ("no", Tone::Bad) };
        Sheet::default()
            .toned("Would run", word, tone)
            .line("Because", why)
            .maybe("Under", authorization.as_deref())
            .maybe("Until", until.map(|until| view.clock.both(until)))
            .text(view)
    }
}
