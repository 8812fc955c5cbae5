//! `brevet audit as-of`: who could run what at an instant, and why.

use std::path::PathBuf;

use brevet_wire::{Basis, Time, Way};
use clap::Args;

use super::args::{LimitArgs, shown_parameters};
use super::console::View;
use super::context::{Context, Listed};
use super::exit::{Done, Failure};

use super::table::{Row, Shown, Tone, plain, toned};

/// Show who could run what at an instant, and under which request
///
/// The server applies every entry up to that instant again and asks its gate, so this is what it would have said then.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit as-of 2026-11-23T16:10:36Z\n  \
    brevet audit as-of now --user maria\n  \
    brevet audit as-of 24h --task Linux/Restart-Service --limit 0 -o json\n  \
    brevet audit as-of 2025-06-01 --data /var/lib/brevet")]
pub(crate) struct AsOfArgs {
    /// The instant: now, a time, or how long ago, for example 24h
    #[arg(value_name = "TIME")]
    time: String,
    /// Of this account only, by name or id
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Of this task only, as Scope/Name
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Ask this data folder, and the archive files in it, instead of a server: for what is archived
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Archive files with older entries, or with those of the ledger before a recovery
    #[arg(long, value_name = "FILE", requires = "data", num_args = 1..)]
    archive: Vec<PathBuf>,
    #[command(flatten)]
    limit: LimitArgs,
}

/// A question to a data folder.
pub(crate) struct AskedAsOf {
    pub(crate) data: PathBuf,
    pub(crate) archive: Vec<PathBuf>,
    pub(crate) time: Time,
    pub(crate) user: Option<String>,
    pub(crate) task: Option<String>,
}

pub(super) async fn run(context: &mut Context, args: AsOfArgs) -> Result<Done, Failure> {
    let AsOfArgs { time, user, task, data: _, archive: _, limit } = args;
    let time = instant(context, &time)?;
    let fields = [("time", Some(time.0.to_string())), ("user", user), ("task", task)];
    let listed = context.list::<Way>("/audit/as-of", &fields, limit.limit).await?;
    show(context, &listed, time, &limit)
}

/// The same without a server.
pub(super) fn offline(
    context: &mut Context,
    args: AsOfArgs,
    ask: fn(&AskedAsOf) -> Result<Vec<Way>, String>,
) -> Result<Done, Failure> {
    let AsOfArgs { time, user, task, data, archive, limit } = args;
    let time = instant(context, &time)?;
    let data = data.unwrap_or_default();
    let mut items = ask(&AskedAsOf { data, archive, time, user, task }).map_err(Failure::Failed)?;
    let more = limit.limit > 0 && items.len() > limit.limit;
    items.truncate(if more { limit.limit } else { items.len() });
    let answered = items.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    let answered = answered.map_err(|error| Failure::Failed(error.to_string()))?;
    show(context, &Listed { items, answered, more }, time, &limit)
}

fn instant(context: &Context, time: &str) -> Result<Time, Failure> {
    let clock = &context.console.view.clock;
    match time {
        "now" => Ok(Time(clock.now)),
        time => Ok(clock.parse_past(time)?),
    }
}

fn show(context: &mut Context, listed: &Listed<Way>, time: Time, limit: &LimitArgs) -> Result<Done, Failure> {
    let none = format!("Nobody could run any of that at {}.", context.console.view.clock.local(time));
    context.console.list(&listed.items, &listed.answered, &none)?;
    limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

impl Row for Way {
    const HEADS: &'static [&'static str] = &["WHO", "TASK", "WHY", "UNTIL", "APPROVED BY", "POLICY"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let mut task = self.task.clone();
        if !self.parameters.is_empty() {
            task.push_str(&format!(" ({})", shown_parameters(&self.parameters)));
        }
        let approvers: Vec<&str> = self.approvers.iter().map(|approver| approver.name.as_str()).collect();
        let policy = self.policy.as_ref().zip(self.policy_revision);
        let policy = policy.map(|(policy, revision)| format!("{policy} revision {revision}"));
        vec![
            plain(&self.user.name),
            plain(task),
            why(self),
            plain(self.until.map(|until| view.clock.local(until)).unwrap_or_default()),
            plain(approvers.join(", ")),
            plain(policy.unwrap_or_default()),
        ]
    }
}

fn why(way: &Way) -> Shown {
    match (way.basis, &way.request, &way.authorization) {
        (Basis::Authorization, Some(request), Some(authorization)) => {
            let left = way.uses_left.map(|left| format!(", {left} runs left")).unwrap_or_default();
            plain(format!("{request}, {authorization}{left}"))
        }
        (Basis::Authorization, ..) => plain("an authorization"),
        (Basis::SystemAccount, ..) => toned("system account", Tone::Bad),
        (Basis::AccessControlOff, ..) => toned("assigned, access control off", Tone::Waiting),
        (Basis::Uncovered, ..) => plain("assigned, no policy"),
    }
}
