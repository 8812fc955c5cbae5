//! The command line: parses, calls the API, shows the answer.
//!
//! It decides nothing. Everything that it can do, the API can do; the few commands that are no calls of the API
//! (`serve`, `demo`, `witness`, `audit verify`) are handed over to [`Programs`].

mod access;
mod args;
mod assignment;
mod audit;
mod audit_asof;
mod audit_bundle;
mod audit_export;
mod audit_keeping;
mod audit_keys;
mod authorization;
mod client;
mod connect;
mod console;
mod context;
mod events;
mod execution;
mod exit;
mod generate;
mod group;
mod interrupt;
mod ledger_files;
mod memory;
mod migrate_store;
mod moment;
mod neutral;
mod offline;
mod password;
mod policy;
mod policy_args;
mod policy_preview;
mod request;
mod request_show;
mod request_wait;
mod run;
mod run_ask;
mod run_output;
mod run_secrets;
mod server;
mod settings;
mod sign_in;
mod table;
mod task;
mod token;
mod user;
mod verify_args;
mod witness;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use brevet_wire::Way;
use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::bundle::Bundle;
pub(crate) use audit_asof::AskedAsOf;
pub(crate) use audit_bundle::AskedBundle;
use console::Console;
pub use console::Format;
use context::Context;
use exit::{Done, Failure};
pub(crate) use ledger_files::{Fetched, LedgerFiles, TokenFor};
pub use migrate_store::MigrateStoreArgs;
pub use offline::{AnchorArgs, RecoverArgs};
pub use settings::DEFAULT_ADDRESS;
use settings::Environment;
pub use verify_args::VerifyArgs;
pub use witness::{
    WitnessAddLogArgs, WitnessCommand, WitnessDataArgs, WitnessEvidenceArgs, WitnessKeyArgs,
    WitnessRemoveLogArgs, WitnessServeArgs,
};

/// Privileged access management: ask for the right to run a privileged task, for a while, and run it.
#[derive(Debug, Parser)]
#[command(
    name = "brevet",
    version,
    propagate_version = true,
    max_term_width = 120,
    after_help = "Examples:\n  brevet demo\n  brevet login --user maria\n  \
                  brevet run Linux/Restart-Service -p unit=nginx.service --reason \"Change 4711\" --wait\n\n\
                  Exit codes: 0 done; 1 refused or failed; 2 usage; 3 an approval is needed; 4 not signed in;\n\
                  for 'run', the exit code of the task when it ran, 125 when Brevet itself failed after its start.\n\n\
                  Environment: BREVET_SERVER, BREVET_TOKEN, BREVET_CA_FILE, BREVET_RECEIPTS, NO_COLOR."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The server [env: BREVET_SERVER] [default: the one signed in to last]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    server: Option<String>,
    /// Trust the certificates in this file alone [env: BREVET_CA_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    ca_file: Option<PathBuf>,
    /// How results are written
    #[arg(
        long,
        short,
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Everywhere"
    )]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(DemoArgs),
    Serve(ServeArgs),
    Login(sign_in::LoginArgs),
    /// Sign out: the session ends on the server, and the token is removed here
    #[command(after_help = "Example:\n  brevet logout")]
    Logout,
    /// Show who is signed in, and until when
    #[command(after_help = "Example:\n  brevet whoami -o json")]
    Whoami,
    Password(password::PasswordArgs),
    /// Switch access control on and off
    #[command(subcommand, after_help = "Example:\n  brevet access enable --approvers security-approvers")]
    Access(access::Command),
    /// Manage user accounts
    #[command(subcommand, after_help = "Example:\n  brevet user add maria --email maria@example.org")]
    User(user::Command),
    /// Manage groups, whose members approve, may ask, or are assigned
    #[command(subcommand, after_help = "Example:\n  brevet group create linux-approvers")]
    Group(group::Command),
    /// See the tasks that can be run
    #[command(subcommand, after_help = "Example:\n  brevet task show Linux/Restart-Service")]
    Task(task::TaskCommand),
    /// See the roles: named sets of tasks
    #[command(subcommand, after_help = "Example:\n  brevet role list")]
    Role(task::RoleCommand),
    /// See the role groups: named sets of roles
    #[command(subcommand, after_help = "Example:\n  brevet role-group list")]
    RoleGroup(task::RoleGroupCommand),
    /// Manage who may run what where no approval is demanded
    #[command(
        subcommand,
        after_help = "Example:\n  brevet assignment add --user maria --task Linux/Restart-Service"
    )]
    Assignment(assignment::Command),
    /// Manage approval policies: what an access demands before it is given
    #[command(
        subcommand,
        after_help = "Example:\n  brevet policy create --task Linux/Restart-Service --approval-type manual --approver-group linux-approvers"
    )]
    Policy(policy::Command),
    /// Ask for access, and decide on what others ask for
    #[command(
        subcommand,
        after_help = "Example:\n  brevet request new --task Linux/Restart-Service --reason \"Change 4711\" --hours 2"
    )]
    Request(request::Command),
    /// See, revoke and give back what was approved
    #[command(subcommand, after_help = "Example:\n  brevet authorization list --mine")]
    Authorization(authorization::Command),
    Run(run::RunArgs),
    /// See and stop runs
    #[command(subcommand, after_help = "Example:\n  brevet execution list --running")]
    Execution(execution::Command),
    /// Search, export and verify the ledger
    #[command(subcommand, after_help = "Example:\n  brevet audit search --request req-42")]
    Audit(audit::Command),
    /// Run a witness, which remembers ledgers of others and signs no second history of them
    #[command(
        subcommand,
        after_help = "Example:\n  brevet witness serve --data /var/lib/brevet-witness --name witness.example.org/w1"
    )]
    Witness(WitnessCommand),
    MigrateStore(migrate_store::MigrateStoreArgs),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}

/// Play the whole story in a sample organization: server, people, tasks, a request, an approval, a run
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet demo --once")]
pub struct DemoArgs {
    /// End when the story is told, rather than leave the server running to be played with
    #[arg(long)]
    pub once: bool,
    /// Where its server listens [default: a free port of this machine]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// Run the server; the first start prints a one-time code to create the first administrator with
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet serve --config /etc/brevet/brevet.toml --data /var/lib/brevet")]
pub struct ServeArgs {
    /// Settings, in a file that only its owner can change, and not behind a symbolic link [default: those that are built in]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the ledger and everything else is kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where the task definitions are
    #[arg(long, value_name = "DIR")]
    pub tasks: Option<PathBuf>,
    /// Go on without the standby that database.ha asks for, although what is acknowledged can be lost; goes on record
    #[arg(long)]
    pub accept_loss: bool,
}

/// The parts of Brevet that are programs of their own rather than calls of the API.
pub struct Programs {
    /// `brevet serve`.
    pub serve: fn(ServeArgs) -> ExitCode,
    /// `brevet demo`.
    pub demo: fn(DemoArgs) -> ExitCode,
    /// `brevet audit verify`.
    pub verify: fn(VerifyArgs, Format) -> ExitCode,
    /// `brevet witness`.
    pub witness: fn(WitnessCommand, Format) -> ExitCode,
    /// `brevet audit anchor`.
    pub anchor: fn(AnchorArgs, Format) -> ExitCode,
    /// `brevet audit recover`.
    pub recover: fn(RecoverArgs, Format) -> ExitCode,
    /// `brevet migrate-store`.
    pub migrate_store: fn(MigrateStoreArgs, Format) -> ExitCode,
    /// `brevet audit as-of --data`.
    pub(crate) as_of: fn(&AskedAsOf) -> Result<Vec<Way>, String>,
    /// `brevet audit bundle --data`.
    pub(crate) bundle: fn(&AskedBundle) -> Result<Bundle, String>,
    /// `brevet spawner`.
    pub spawner: fn() -> ExitCode,
}

/// Does what the command line of this process says.
pub fn main(programs: &Programs) -> ExitCode {
    // Not a command of anybody: the server starts it, and neither help nor completions show it.
    if std::env::args_os().nth(1).is_some_and(|word| word == "spawner") {
        return (programs.spawner)();
    }
    let Cli { global, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return explain_usage(&error),
    };
    let command = match command {
        Command::Serve(args) => return (programs.serve)(args),
        Command::Demo(args) => return (programs.demo)(args),
        Command::Audit(audit::Command::Anchor(args)) => return (programs.anchor)(args, global.output),
        Command::Audit(audit::Command::Recover(args)) => return (programs.recover)(args, global.output),
        Command::Audit(audit::Command::Verify(args)) => {
            let args = VerifyArgs { ca_file: global.ca_file, ..args };
            return (programs.verify)(args, global.output);
        }
        Command::Witness(command) => return (programs.witness)(command, global.output),
        Command::MigrateStore(args) => return (programs.migrate_store)(args, global.output),
        command => command,
    };
    let environment = Environment::read();
    let console = Console::of_process(global.output, &environment);
    let mut context = Context::new(console, environment, global);
    match start(&mut context, command, programs) {
        Ok(done) => done.into(),
        Err(failure) => {
            context.console.complain(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn explain_usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::from(exit::USAGE),
        false => ExitCode::SUCCESS,
    }
}

fn start(context: &mut Context, command: Command, programs: &Programs) -> Result<Done, Failure> {
    match command {
        Command::Audit(audit::Command::AsOf(args)) if args.data.is_some() => {
            audit_asof::offline(context, args, programs.as_of)
        }
        Command::Audit(audit::Command::Bundle(args)) if args.data.is_some() => {
            audit_bundle::offline(context, args, programs.bundle)
        }
        Command::Completions(args) => generate::completions(context, &args, Cli::command()),
        Command::Man(args) => generate::man(context, &args, Cli::command()),
        command => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(Failure::io("this process cannot wait for anything"))?;
            let done = runtime.block_on(async {
                let done = dispatch(context, command).await;
                // After all output: nobody waits for a receipt to see what happened.
                memory::keep_receipts(context).await;
                done
            });
            // A name that is still being looked up must not keep somebody who has left with Ctrl-C.
            runtime.shutdown_background();
            done
        }
    }
}

async fn dispatch(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Login(args) => sign_in::login(context, args).await,
        Command::Logout => sign_in::logout(context).await,
        Command::Whoami => sign_in::whoami(context).await,
        Command::Password(args) => password::change(context, &args).await,
        Command::Access(command) => access::run(context, command).await,
        Command::User(command) => user::run(context, command).await,
        Command::Group(command) => group::run(context, command).await,
        Command::Task(command) => task::run_task(context, command).await,
        Command::Role(command) => task::run_role(context, command).await,
        Command::RoleGroup(command) => task::run_role_group(context, command).await,
        Command::Assignment(command) => assignment::run(context, command).await,
        Command::Policy(command) => policy::run(context, command).await,
        Command::Request(command) => request::run(context, command).await,
        Command::Authorization(command) => authorization::run(context, command).await,
        Command::Run(args) => run::run(context, args).await,
        Command::Execution(command) => execution::run(context, command).await,
        Command::Audit(command) => audit::run(context, command).await,
        Command::Demo(_)
        | Command::Serve(_)
        | Command::Witness(_)
        | Command::MigrateStore(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(Done::Well),
    }
}
