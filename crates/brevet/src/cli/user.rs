//! `brevet user`: accounts.

use brevet_wire::{NewUser, OneTimeCode, User};
use clap::{Args, Subcommand};

use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::sign_in::{names, rights};
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Add(AddArgs),
    /// List the accounts
    #[command(after_help = "Example:\n  brevet user list")]
    List,
    /// Show an account
    #[command(after_help = "Example:\n  brevet user show maria")]
    Show {
        /// Its name or id
        user: String,
    },
    /// Disable an account: its sessions, authorizations, requests and runs end at once
    #[command(after_help = "Example:\n  brevet user disable maria")]
    Disable {
        /// Its name or id
        user: String,
    },
    /// Enable an account again
    #[command(after_help = "Example:\n  brevet user enable maria")]
    Enable {
        /// Its name or id
        user: String,
    },
    /// Make a one-time code by which the owner of an account sets a new password
    #[command(after_help = "Example:\n  brevet user code maria")]
    Code {
        /// Its name or id
        user: String,
    },
}

/// Add an account, and make the one-time code by which its owner signs in for the first time
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  brevet user add maria --display-name \"Maria Nowak\" --email maria@example.org"
)]
pub(crate) struct AddArgs {
    /// Its name: letters, digits, and . _ - @
    name: String,
    /// How the person is shown
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Where mail goes
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// The account of the person behind it, where it is a second account or a service's
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// It may change people, groups, policies, assignments and access control
    #[arg(long)]
    administrator: bool,
    /// It may read everything, and the ledger
    #[arg(long)]
    auditor: bool,
    /// Make no code: 'brevet user code' makes one later
    #[arg(long)]
    no_code: bool,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Add(args) => add(context, args).await,
        Command::List => {
            let listed = context.list::<User>("/users", &[], 0).await?;
            context.console.list(&listed.items, &listed.answered, "No users.")?;
            Ok(Done::Well)
        }
        Command::Show { user } => context.show::<User>(&format!("/users/{}", segment(&user))).await,
        Command::Disable { user } => switch(context, &user, "disable", "can do nothing any more").await,
        Command::Enable { user } => switch(context, &user, "enable", "can sign in again").await,
        Command::Code { user } => {
            let code = code(context, &user).await?;
            context.console.one(&code.0, &code.1)?;
            Ok(Done::Well)
        }
    }
}

async fn add(context: &mut Context, args: AddArgs) -> Result<Done, Failure> {
    let AddArgs { name, display_name, email, owner, administrator, auditor, no_code } = args;
    let user = NewUser { name, display_name, email, owner, administrator, auditor };
    let answer = context.client()?.post("/users", &user).await?;
    let user: User = answer.read()?;
    if no_code || !context.console.for_people() {
        context.console.done(&format!("Added {} ({}).", user.name, user.id), &answer.value()?)?;
        return Ok(Done::Well);
    }
    context.console.say(&format!("Added {} ({}).", user.name, user.id))?;
    let (code, _) = code(context, &user.name).await?;
    let shown = code.show(&context.console.view);
    let sign_in = format!("brevet login --user {} --code", user.name);
    context.console.say(&format!(
        "{shown}\nThey sign in for the first time with this, which asks for the code:\n  {sign_in}"
    ))?;
    Ok(Done::Well)
}

async fn switch(context: &mut Context, user: &str, verb: &str, effect: &str) -> Result<Done, Failure> {
    let path = format!("/users/{}/{verb}", segment(user));
    let answer = context.client()?.post(&path, &serde_json::json!({})).await?;
    context.console.done(&format!("{user} {effect}."), &answer.value()?)?;
    Ok(Done::Well)
}

async fn code(context: &Context, user: &str) -> Result<(OneTimeCode, serde_json::Value), Failure> {
    let path = format!("/users/{}/code", segment(user));
    let answer = context.client()?.post(&path, &serde_json::json!({})).await?;
    Ok((answer.read()?, answer.value()?))
}

impl Show for OneTimeCode {
    fn show(&self, view: &View) -> String {
        let Self { code, expires_at } = self;
        let good = view.clock.both(*expires_at);
        code.reveal(|code| {
            format!("One-time code, good until {good}; give it to them and to nobody else:\n  {code}")
        })
    }
}

impl Row for User {
    const HEADS: &'static [&'static str] = &["ID", "USER", "NAME", "E-MAIL", "MAY", "GROUPS", "STATE"];

    fn row(&self, view: &View) -> Vec<Shown> {
        vec![
            plain(&self.id),
            plain(&self.name),
            plain(self.display_name.as_deref().unwrap_or_default()),
            plain(self.email.as_deref().unwrap_or_default()),
            plain(rights(self).unwrap_or_default()),
            plain(names(&self.groups)),
            state(self, view),
        ]
    }
}

fn state(user: &User, view: &View) -> Shown {
    let locked = user.locked_until.filter(|until| until.0 > view.clock.now);
    match (user.active, locked) {
        (false, _) => toned("disabled", Tone::Quiet),
        (true, Some(until)) => toned(format!("locked, opens {}", view.clock.relative(until)), Tone::Bad),
        (true, None) => toned("active", Tone::Good),
    }
}

impl Show for User {
    fn show(&self, view: &View) -> String {
        Sheet::default()
            .line("User", format!("{} ({})", self.name, self.id))
            .maybe("Name", self.display_name.as_deref())
            .maybe("E-mail", self.email.as_deref())
            .maybe("Owner", self.owner.as_ref().map(|owner| owner.name.as_str()))
            .maybe("May", rights(self))
            .maybe("Groups", Some(names(&self.groups)))
            .shown("State", state(self, view))
            .text(view)
    }
}
