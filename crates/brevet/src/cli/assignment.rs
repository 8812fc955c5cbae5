//! `brevet assignment`: who may run what where no approval is demanded.

use brevet_wire::{AccessType, Assignment, NewAssignment, Principal, PrincipalType};
use clap::{Args, Subcommand};

use super::args::AccessArgs;
use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::table::{Row, Shown, plain};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(AddArgs),
    /// List the assignments
    #[command(after_help = "Example:\n  brevet assignment list")]
    List,
    /// Remove an assignment
    #[command(after_help = "Example:\n  brevet assignment remove asg-5")]
    Remove {
        /// Its id
        assignment: String,
    },
}

/// Assign a user or a group to a task, a role or a role group
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet assignment add --group operators --role Linux/Web-Operators")]
#[command(group = clap::ArgGroup::new("principal").required(true).args(["user", "group"]))]
pub(crate) struct AddArgs {
    /// A user, by name or id
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Every member of a group, by name or id
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    access: AccessArgs,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Add(AddArgs { user, group, access: AccessArgs { task, role, role_group } }) => {
            let assignment = NewAssignment { user, group, task, role, role_group };
            let answer = context.client()?.post("/assignments", &assignment).await?;
            context.console.one(&answer.read::<Assignment>()?, &answer.value()?)?;
        }
        Command::List => {
            let listed = context.list::<Assignment>("/assignments", &[], 0).await?;
            let none = "No assignments. Add one with: brevet assignment add --user USER --task SCOPE/NAME";
            context.console.list(&listed.items, &listed.answered, none)?;
        }
        Command::Remove { assignment } => {
            let answer = context.client()?.delete(&format!("/assignments/{}", segment(&assignment))).await?;
            context.console.done(&format!("Removed {assignment}."), &answer.value()?)?;
        }
    }
    Ok(Done::Well)
}

impl Row for Assignment {
    const HEADS: &'static [&'static str] = &["ID", "WHO", "WHAT"];

    fn row(&self, _: &View) -> Vec<Shown> {
        vec![plain(&self.id), plain(who(&self.principal)), plain(access(&self.access))]
    }
}

impl Show for Assignment {
    fn show(&self, _: &View) -> String {
        let Self { id, principal, access: what } = self;
        format!("{id}: {} is assigned to {}.", who(principal), access(what))
    }
}

fn who(principal: &Principal) -> String {
    match principal.kind {
        PrincipalType::User => principal.name.clone(),
        PrincipalType::Group => format!("group {}", principal.name),
    }
}

/// `Linux\Restart-Service`, `role Linux\Operators`.
pub(super) fn access(access: &brevet_wire::Access) -> String {
    match access.kind {
        AccessType::Task => access.name.clone(),
        AccessType::Role => format!("role {}", access.name),
        AccessType::RoleGroup => format!("role group {}", access.name),
    }
}
