//! `brevet execution`: runs that are, and runs that were.

use brevet_wire::{Basis, Execution, ExecutionState, StopCause};
use clap::{Args, Subcommand};

use super::args::{LimitArgs, shown_parameters};
use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::run_output::{self, Writing};
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(ListArgs),
    /// Show a run
    #[command(after_help = "Example:\n  brevet execution show exe-9")]
    Show {
        /// Its id
        execution: String,
    },
    /// Write what a run wrote, and follow it while it runs
    #[command(after_help = "Example:\n  brevet execution output exe-9")]
    Output {
        /// Its id
        execution: String,
        /// Write control characters to the terminal as they are
        #[arg(long)]
        raw: bool,
    },
    /// Stop a run
    #[command(after_help = "Example:\n  brevet execution stop exe-9")]
    Stop {
        /// Its id
        execution: String,
    },
}

/// List runs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet execution list --running")]
pub(crate) struct ListArgs {
    /// Only your own
    #[arg(long)]
    mine: bool,
    /// Only those that are not over
    #[arg(long)]
    running: bool,
    /// Only those under this authorization
    #[arg(long, value_name = "ID")]
    authorization: Option<String>,
    #[command(flatten)]
    limit: LimitArgs,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::List(args) => list(context, &args).await,
        Command::Show { execution } => context.show::<Execution>(&path(&execution)).await,
        Command::Output { execution, raw } => {
            let client = context.client()?;
            let body = client.follow(&format!("{}/output", path(&execution))).await?;
            let writing = Writing::new(&context.console, raw);
            run_output::show(context, &client, body, writing).await
        }
        Command::Stop { execution } => {
            let path = format!("{}/stop", path(&execution));
            let answer = context.client()?.post(&path, &serde_json::json!({})).await?;
            context.console.one(&answer.read::<Execution>()?, &answer.value()?)?;
            Ok(Done::Well)
        }
    }
}

pub(super) fn path(execution: &str) -> String {
    format!("/executions/{}", segment(execution))
}

async fn list(context: &mut Context, args: &ListArgs) -> Result<Done, Failure> {
    let yes = |wanted: bool| wanted.then(|| "true".to_owned());
    let fields = [
        ("mine", yes(args.mine)),
        ("running", yes(args.running)),
        ("authorization", args.authorization.clone()),
    ];
    let listed = context.list::<Execution>("/executions", &fields, args.limit.limit).await?;
    let none = if args.running { "Nothing is running." } else { "No executions." };
    context.console.list(&listed.items, &listed.answered, none)?;
    args.limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

impl Row for Execution {
    const HEADS: &'static [&'static str] = &["ID", "USER", "TASK", "STARTED", "UNDER", "STATE"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let mut what = self.task.clone();
        if !self.parameters.is_empty() {
            what.push_str(&format!(" ({})", shown_parameters(&self.parameters)));
        }
        vec![
            plain(&self.id),
            plain(&self.user.name),
            plain(what),
            plain(view.clock.relative(self.started_at)),
            basis(self),
            state(self),
        ]
    }
}

fn basis(execution: &Execution) -> Shown {
    match (execution.basis, &execution.authorization) {
        (Basis::Authorization, Some(authorization)) => plain(authorization),
        (Basis::Authorization, None) => plain("an authorization"),
        (Basis::SystemAccount, _) => toned("system account", Tone::Bad),
        (Basis::AccessControlOff, _) => toned("access control off", Tone::Waiting),
        (Basis::Uncovered, _) => toned("no policy", Tone::Waiting),
    }
}

fn state(execution: &Execution) -> Shown {
    let stopped = execution.stop_cause.map_or("stopped", cause);
    match (execution.state, execution.exit_code, execution.signal) {
        (ExecutionState::Running, ..) if execution.stop_cause.is_some() => toned("stopping", Tone::Waiting),
        (ExecutionState::Running, ..) => toned("running", Tone::Good),
        (ExecutionState::Succeeded, ..) => plain("succeeded"),
        (ExecutionState::Failed, Some(code), _) => toned(format!("failed, exit code {code}"), Tone::Bad),
        (ExecutionState::Failed, None, Some(signal)) => {
            toned(format!("killed by signal {signal}"), Tone::Bad)
        }
        (ExecutionState::Failed, None, None) => toned("could not be started", Tone::Bad),
        (ExecutionState::Stopped, ..) => toned(format!("stopped: {stopped}"), Tone::Bad),
        (ExecutionState::Unknown, ..) => toned("unknown: the server went down", Tone::Bad),
    }
}

/// Why a run was stopped.
pub(super) const fn cause(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Revoked => "its authorization was taken away",
        StopCause::Expired => "its window ended",
        StopCause::TimedOut => "it took longer than its task allows",
        StopCause::ByUser => "somebody stopped it",
        StopCause::Shutdown => "the server was stopped",
        StopCause::LedgerUnavailable => "nothing could be put on record any more",
    }
}

impl Show for Execution {
    fn show(&self, view: &View) -> String {
        let clock = &view.clock;
        let output = self.output.as_ref().map(|output| match output.dropped {
            0 => format!("{} bytes, SHA-256 {}", output.bytes, output.digest),
            dropped => {
                format!("{} bytes, SHA-256 {}; {dropped} more were not kept", output.bytes, output.digest)
            }
        });
        Sheet::default()
            .line("Execution", &self.id)
            .shown("State", state(self))
            .line("Task", &self.task)
            .maybe("Command", Some(self.command.join(" ")))
            .maybe("Runs as", self.run_as.as_deref())
            .maybe("With", Some(shown_parameters(&self.parameters)))
            .line("User", &self.user.name)
            .shown("Under", basis(self))
            .maybe("Flagged", self.flagged.then_some("yes: an account excluded from access control"))
            .line("Started", clock.both(self.started_at))
            .maybe("Finished", self.finished_at.map(|at| clock.both(at)))
            .maybe("Stopped by", self.stopped_by.as_ref().map(|by| by.name.as_str()))
            .maybe("Problem", self.problem.as_deref())
            .maybe("Output", output)
            .line("Digest", &self.digest)
            .text(view)
    }
}
