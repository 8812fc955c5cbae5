//! `brevet audit as-of`: who could run what at an instant, and why.

use clap::Args;

use super::args::{LimitArgs, shown_parameters};
use super::console::View;
use super::context::Context;
use super::exit::{Done, Failure};

use super::table::{Row, Shown, Tone, plain, toned};
use crate::wire::{Basis, Time, Way};

/// Show who could run what at an instant, and under which request
///
/// The server applies every entry up to that instant again and asks its gate, so this is what it would have said then.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit as-of 2026-11-23T16:10:36Z\n  \
    brevet audit as-of now --user maria\n  \
    brevet audit as-of 24h --task Linux/Restart-Service --limit 0 -o json")]
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
    #[command(flatten)]
    limit: LimitArgs,
}

pub(super) async fn run(context: &mut Context, args: AsOfArgs) -> Result<Done, Failure> {
    let AsOfArgs { time, user, task, limit } = args;
    let clock = &context.console.view.clock;
    let Time(time) = match time.as_str() {
        "now" => Time(clock.now),
        time => clock.parse_past(time)?,
    };
    let fields = [("time", Some(time.to_string())), ("user", user), ("task", task)];
    let listed = context.list::<Way>("/audit/as-of", &fields, limit.limit).await?;
    let none = format!("Nobody could run any of that at {}.", context.console.view.clock.local(Time(time)));
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
