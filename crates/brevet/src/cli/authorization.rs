//! `brevet authorization`: what was approved, and how it ends.

use brevet_wire::{Authorization, AuthorizationState, Ending, Revoke};
use clap::{Args, Subcommand};

use super::args::{LimitArgs, shown_parameters};
use super::assignment::access;
use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::sign_in::names;
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(ListArgs),
    /// Show an authorization
    #[command(after_help = "Example:\n  brevet authorization show aut-7")]
    Show {
        /// Its id
        authorization: String,
    },
    /// Take an authorization away; what runs under it ends within seconds
    #[command(after_help = "Example:\n  brevet authorization revoke aut-7 --comment \"Wrong host\"")]
    Revoke {
        /// Its id
        authorization: String,
        /// For its holder and the ledger
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
    },
    /// End your own authorization, because you need it no more
    #[command(after_help = "Example:\n  brevet authorization give-back aut-7")]
    GiveBack {
        /// Its id
        authorization: String,
    },
}

/// List authorizations
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet authorization list --mine --state active")]
pub(crate) struct ListArgs {
    /// Only your own
    #[arg(long)]
    mine: bool,
    /// Only those that stand there
    #[arg(long, value_name = "STATE")]
    state: Option<AuthorizationState>,
    #[command(flatten)]
    limit: LimitArgs,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::List(args) => list(context, &args).await,
        Command::Show { authorization } => context.show::<Authorization>(&path(&authorization)).await,
        Command::Revoke { authorization, comment } => {
            end(context, &format!("{}/revoke", path(&authorization)), &Revoke { comment }).await
        }
        Command::GiveBack { authorization } => {
            end(context, &format!("{}/give-back", path(&authorization)), &serde_json::json!({})).await
        }
    }
}

fn path(authorization: &str) -> String {
    format!("/authorizations/{}", segment(authorization))
}

async fn list(context: &mut Context, args: &ListArgs) -> Result<Done, Failure> {
    let state = args.state.map(word);
    let fields = [("mine", args.mine.then(|| "true".to_owned())), ("state", state.map(str::to_owned))];
    let listed = context.list::<Authorization>("/authorizations", &fields, args.limit.limit).await?;
    let none = match (args.mine, state) {
        (true, None) => "You hold no authorizations. Ask with: brevet request new".to_owned(),
        (false, None) => "No authorizations.".to_owned(),
        (_, Some(state)) => format!("No {state} authorizations."),
    };
    context.console.list(&listed.items, &listed.answered, &none)?;
    args.limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

async fn end(context: &mut Context, path: &str, body: &impl serde::Serialize) -> Result<Done, Failure> {
    let answer = context.client()?.post(path, body).await?;
    context.console.one(&answer.read::<Authorization>()?, &answer.value()?)?;
    Ok(Done::Well)
}

const fn word(state: AuthorizationState) -> &'static str {
    match state {
        AuthorizationState::Scheduled => "scheduled",
        AuthorizationState::Active => "active",
        AuthorizationState::Ended => "ended",
    }
}

impl Row for Authorization {
    const HEADS: &'static [&'static str] = &["ID", "HOLDER", "ACCESS", "USES", "STATE"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let mut what = access(&self.access);
        if !self.parameters.is_empty() {
            what.push_str(&format!(" ({})", shown_parameters(&self.parameters)));
        }
        vec![plain(&self.id), plain(&self.holder.name), plain(what), plain(uses(self)), state(self, view)]
    }
}

fn uses(authorization: &Authorization) -> String {
    match authorization.max_uses {
        Some(max) => format!("{} of {max}", authorization.uses),
        None => authorization.uses.to_string(),
    }
}

fn state(authorization: &Authorization, view: &View) -> Shown {
    let clock = &view.clock;
    let Authorization { state, starts_at, ends_at, claim_by, ending, .. } = authorization;
    match (state, starts_at, ends_at) {
        (AuthorizationState::Active, _, Some(ends)) => {
            toned(format!("active, ends {}", clock.relative(*ends)), Tone::Good)
        }
        (AuthorizationState::Active, _, None) => toned("active", Tone::Good),
        (AuthorizationState::Scheduled, Some(starts), _) => {
            toned(format!("starts {}", clock.relative(*starts)), Tone::Waiting)
        }
        (AuthorizationState::Scheduled, None, _) => match claim_by {
            Some(claim) => {
                toned(format!("starts at its first use, lapses {}", clock.relative(*claim)), Tone::Waiting)
            }
            None => toned("starts at its first use", Tone::Waiting),
        },
        (AuthorizationState::Ended, ..) => match ending {
            Some(Ending::Revoked) => toned("revoked", Tone::Bad),
            Some(Ending::Voided) => toned("voided", Tone::Bad),
            Some(Ending::GivenBack) => toned("given back", Tone::Quiet),
            Some(Ending::UsedUp) => toned("used up", Tone::Quiet),
            Some(Ending::RanOut) | None => toned("ran out", Tone::Quiet),
        },
    }
}

impl Show for Authorization {
    fn show(&self, view: &View) -> String {
        let clock = &view.clock;
        Sheet::default()
            .line("Authorization", &self.id)
            .shown("State", state(self, view))
            .line("Holder", &self.holder.name)
            .line("Access", access(&self.access))
            .maybe("Only with", Some(shown_parameters(&self.parameters)))
            .line("Request", &self.request)
            .line("Policy", &self.policy)
            .maybe("Approved by", Some(names(&self.approved_by)))
            .line("Duration", &self.duration)
            .maybe("From", self.starts_at.map(|at| clock.both(at)))
            .maybe("Until", self.ends_at.map(|at| clock.both(at)))
            .maybe("First use by", self.claim_by.map(|at| clock.both(at)))
            .line("Uses", uses(self))
            .maybe("Ended", self.ended_at.map(|at| clock.both(at)))
            .maybe("Revoked by", self.revoked_by.as_ref().map(|by| by.name.as_str()))
            .maybe("Comment", self.revocation_comment.as_deref())
            .text(view)
    }
}
