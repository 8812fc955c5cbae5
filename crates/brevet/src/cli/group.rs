//! `brevet group`: groups, whose members approve, may ask, or are assigned.

use brevet_wire::{Group, NewGroup, NewMember};
use clap::Subcommand;

use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::sign_in::names;
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a group
    #[command(
        after_help = "Example:\n  brevet group create linux-approvers --email linux@example.org --member maria --member tom"
    )]
    Create {
        /// Its name: letters, digits, spaces, and . _ - @
        name: String,
        /// The address for all of its members
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// A first member; may be repeated
        #[arg(long = "member", value_name = "USER")]
        members: Vec<String>,
    },
    /// List the groups
    #[command(after_help = "Example:\n  brevet group list")]
    List,
    /// Show a group and its members
    #[command(after_help = "Example:\n  brevet group show linux-approvers")]
    Show {
        /// Its name or id
        group: String,
    },
    /// Add members to a group
    #[command(after_help = "Example:\n  brevet group add-member linux-approvers maria tom")]
    AddMember {
        /// Its name or id
        group: String,
        /// Who, by name or id
        #[arg(required = true, value_name = "USER")]
        users: Vec<String>,
    },
    /// Remove members from a group
    #[command(after_help = "Example:\n  brevet group remove-member linux-approvers tom")]
    RemoveMember {
        /// Its name or id
        group: String,
        /// Who, by name or id
        #[arg(required = true, value_name = "USER")]
        users: Vec<String>,
    },
    /// Delete a group that no policy and no setting names
    #[command(after_help = "Example:\n  brevet group delete linux-approvers")]
    Delete {
        /// Its name or id
        group: String,
    },
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Create { name, email, description, members } => {
            let answer = context.client()?.post("/groups", &NewGroup { name, email, description }).await?;
            let group: Group = answer.read()?;
            if members.is_empty() {
                context.console.one(&group, &answer.value()?)?;
                return Ok(Done::Well);
            }
            add_members(context, &group.id, members).await
        }
        Command::List => {
            let listed = context.list::<Group>("/groups", &[], 0).await?;
            let none = "No groups. Create one with: brevet group create NAME";
            context.console.list(&listed.items, &listed.answered, none)?;
            Ok(Done::Well)
        }
        Command::Show { group } => context.show::<Group>(&path(&group)).await,
        Command::AddMember { group, users } => add_members(context, &group, users).await,
        Command::RemoveMember { group, users } => {
            let client = context.client()?;
            for user in &users {
                client.delete(&format!("{}/members/{}", path(&group), segment(user))).await?;
            }
            context.show::<Group>(&path(&group)).await
        }
        Command::Delete { group } => {
            let answer = context.client()?.delete(&path(&group)).await?;
            context.console.done(&format!("Deleted {group}."), &answer.value()?)?;
            Ok(Done::Well)
        }
    }
}

async fn add_members(context: &mut Context, group: &str, users: Vec<String>) -> Result<Done, Failure> {
    let client = context.client()?;
    for user in users {
        client.post(&format!("{}/members", path(group)), &NewMember { user }).await?;
    }
    context.show::<Group>(&path(group)).await
}

fn path(group: &str) -> String {
    format!("/groups/{}", segment(group))
}

impl Row for Group {
    const HEADS: &'static [&'static str] = &["ID", "GROUP", "MEMBERS", "E-MAIL", "DESCRIPTION"];

    fn row(&self, _: &View) -> Vec<Shown> {
        vec![
            plain(&self.id),
            plain(&self.name),
            members(self),
            plain(self.email.as_deref().unwrap_or_default()),
            plain(self.description.as_deref().unwrap_or_default()),
        ]
    }
}

fn members(group: &Group) -> Shown {
    match (group.members.is_empty(), group.member_count.saturating_sub(group.members.len())) {
        (true, _) => toned("nobody", Tone::Waiting),
        (false, 0) => plain(names(&group.members)),
        (false, more) => plain(format!("{} and {more} more", names(&group.members))),
    }
}

impl Show for Group {
    fn show(&self, view: &View) -> String {
        Sheet::default()
            .line("Group", format!("{} ({})", self.name, self.id))
            .maybe("E-mail", self.email.as_deref())
            .maybe("Description", self.description.as_deref())
            .shown("Members", members(self))
            .text(view)
    }
}
