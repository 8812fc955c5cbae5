//! `brevet access`: the switch of the whole organization.

use brevet_wire::{AccessControl, EnableAccessControl, Uncovered};
use clap::Subcommand;

use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::sign_in::names;
use super::table::{Sheet, Tone};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Switch access control on, or change its settings
    #[command(
        after_help = "Example:\n  brevet access enable --approvers security-approvers --system-account backup --uncovered assigned"
    )]
    Enable {
        /// The default approver group: its members decide where a policy names no group
        #[arg(long, value_name = "GROUP", visible_alias = "admin-group")]
        approvers: String,
        /// An account to exclude from access control; may be repeated. All that are not named are included again
        #[arg(
            long = "system-account",
            value_name = "USER",
            visible_alias = "system-accounts",
            value_delimiter = ','
        )]
        system_accounts: Vec<String>,
        /// What happens to tasks that no policy covers
        #[arg(long, value_name = "WHAT", default_value = "refused")]
        uncovered: Uncovered,
    },
    /// Switch access control off; policies and groups are kept
    #[command(after_help = "Example:\n  brevet access disable")]
    Disable,
    /// Show whether access control is on, and its settings
    #[command(after_help = "Example:\n  brevet access show")]
    Show,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    let answer = match command {
        Command::Show => return context.show::<AccessControl>("/access-control").await,
        Command::Enable { approvers: default_approver_group, system_accounts, uncovered } => {
            let uncovered = Some(uncovered);
            let enable =
                EnableAccessControl { default_approver_group, system_accounts, uncovered, seen: None };
            context.client()?.post("/access-control/enable", &enable).await?
        }
        Command::Disable => context.client()?.post("/access-control/disable", &serde_json::json!({})).await?,
    };
    context.console.one(&answer.read::<AccessControl>()?, &answer.value()?)?;
    Ok(Done::Well)
}

impl Show for AccessControl {
    fn show(&self, view: &View) -> String {
        let Self { enabled, default_approver_group, system_accounts, uncovered } = self;
        let (state, tone) = match enabled {
            true => ("on: approval counts", Tone::Good),
            false => ("off: assignments count, nothing needs approval", Tone::Waiting),
        };
        let group = default_approver_group.as_ref().map_or("none yet", |group| group.name.as_str());
        let accounts = if system_accounts.is_empty() { "none".into() } else { names(system_accounts) };
        let uncovered = match uncovered {
            Uncovered::Refused => "refused",
            Uncovered::Assigned => "those assigned may run them",
        };
        Sheet::default()
            .toned("Access control", state, tone)
            .line("Default approvers", group)
            .line("System accounts", accounts)
            .line("Tasks without a policy", uncovered)
            .text(view)
    }
}
