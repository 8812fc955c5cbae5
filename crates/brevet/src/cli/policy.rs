//! `brevet policy`: what an access demands before it is given.

use brevet_wire::{
    AccessType, ApprovalType, Binding, Explain, Explanation, Policy, PolicyPreview, PolicyStep,
};
use clap::{Args, Subcommand};

use super::args;
use super::assignment::access;
use super::client::segment;
use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::policy_args::{CreateArgs, SetArgs};
use super::sign_in::names;
use super::table::{Row, Sheet, Shown, Tone, plain};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(CreateArgs),
    /// List the policies
    #[command(after_help = "Example:\n  brevet policy list")]
    List,
    /// Show a policy
    #[command(after_help = "Example:\n  brevet policy show pol-3")]
    Show {
        /// Its id
        policy: String,
    },
    Set(SetArgs),
    /// Remove a policy: pending requests and authorizations under it end
    #[command(after_help = "Example:\n  brevet policy remove pol-3 --dry-run")]
    Remove {
        /// Its id
        policy: String,
        /// Only say what it would do
        #[arg(long)]
        dry_run: bool,
    },
    Explain(ExplainArgs),
}

/// Explain what would happen if somebody ran a task now, step by step, and which policy governs it
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  brevet policy explain --task Linux/Restart-Service --user maria -p unit=nginx.service"
)]
pub(crate) struct ExplainArgs {
    /// The task, as Scope/Name
    #[arg(long, value_name = "TASK")]
    task: String,
    /// Who would run it [default: you]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// A value; may be repeated
    #[arg(long = "param", short = 'p', value_name = "NAME=VALUE", value_parser = args::assignment)]
    parameters: Vec<(String, String)>,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Create(args) if args.dry_run => {
            return preview(context, PolicyStep::Create(args.policy()?)).await;
        }
        Command::Set(args) if args.dry_run => {
            let policy = args.policy.clone();
            return preview(context, PolicyStep::Change { policy, change: args.change()? }).await;
        }
        Command::Remove { policy, dry_run: true } => {
            return preview(context, PolicyStep::Remove { policy }).await;
        }
        Command::Create(args) => {
            let answer = context.client()?.post("/policies", &args.policy()?).await?;
            context.console.one(&answer.read::<Policy>()?, &answer.value()?)?;
        }
        Command::List => {
            let listed = context.list::<Policy>("/policies", &[], 0).await?;
            let none =
                "No policies. Create one with: brevet policy create --task SCOPE/NAME --approval-type manual";
            context.console.list(&listed.items, &listed.answered, none)?;
        }
        Command::Show { policy } => return context.show::<Policy>(&path(&policy)).await,
        Command::Set(args) => {
            let path = path(&args.policy);
            let answer = context.client()?.patch(&path, &args.change()?).await?;
            context.console.one(&answer.read::<Policy>()?, &answer.value()?)?;
        }
        Command::Remove { policy, dry_run: false } => {
            let answer = context.client()?.delete(&path(&policy)).await?;
            context.console.done(&format!("Removed {policy}."), &answer.value()?)?;
        }
        Command::Explain(ExplainArgs { task, user, parameters }) => {
            let explain =
                Explain { user, task: args::with_scope(&task)?, parameters: args::parameters(&parameters) };
            let answer = context.client()?.post("/policies/explain", &explain).await?;
            context.console.one(&answer.read::<Explanation>()?, &answer.value()?)?;
        }
    }
    Ok(Done::Well)
}

/// Says what would be done, and does nothing.
async fn preview(context: &mut Context, step: PolicyStep) -> Result<Done, Failure> {
    let answer = context.client()?.post("/policies/preview", &step).await?;
    context.console.one(&answer.read::<PolicyPreview>()?, &answer.value()?)?;
    Ok(Done::Well)
}

fn path(policy: &str) -> String {
    format!("/policies/{}", segment(policy))
}

impl Row for Policy {
    const HEADS: &'static [&'static str] =
        &["ID", "COVERS", "APPROVAL", "WHO MAY ASK", "AT MOST", "USES", "BINDING"];

    fn row(&self, _: &View) -> Vec<Shown> {
        vec![
            plain(&self.id),
            plain(access(&self.access)),
            plain(approval(self)),
            plain(requesters(self)),
            plain(&self.maximum_duration),
            plain(self.max_uses.map_or("any".into(), |uses| uses.to_string())),
            plain(match self.binding {
                Binding::Open => "open",
                Binding::Exact => "exact",
            }),
        ]
    }
}

impl Show for Policy {
    fn show(&self, view: &View) -> String {
        let binding = match self.binding {
            Binding::Open => "open: values that a request does not name stay free",
            Binding::Exact => "exact: a request names every value, and only those run",
        };
        Sheet::default()
            .line("Policy", format!("{} (revision {})", self.id, self.revision))
            .line("Covers", access(&self.access))
            .line("Approval", approval(self))
            .line("Who may ask", requesters(self))
            .line("Longest duration", &self.maximum_duration)
            .line("A request waits", &self.pending_lifetime)
            .line("The clock starts", self.start_in_words())
            .line("Runs", self.max_uses.map_or("any number".into(), |uses| format!("at most {uses}")))
            .line("Binding", binding)
            .text(view)
    }
}

/// `auto`, or `2 of linux-approvers, security (at least 1)`.
fn approval(policy: &Policy) -> String {
    if policy.approval_type == ApprovalType::Auto {
        return "auto".into();
    }
    let group = |group: &brevet_wire::ApproverGroup| match group.minimum {
        0 => group.group.name.clone(),
        minimum => format!("{} (at least {minimum})", group.group.name),
    };
    let groups: Vec<String> = policy.approver_groups.iter().map(group).collect();
    let default = if policy.uses_default_approver_group { " (default)" } else { "" };
    format!("{} of {}{default}", policy.approvals, groups.join(", "))
}

fn requesters(policy: &Policy) -> String {
    let Some(named) = &policy.requesters else { return "anyone".into() };
    let groups = named.groups.iter().map(|group| format!("group {}", group.name));
    let all: Vec<String> = named.users.iter().map(|user| user.name.clone()).chain(groups).collect();
    match all.is_empty() {
        true => "nobody".into(),
        false => all.join(", "),
    }
}

impl Show for Explanation {
    fn show(&self, view: &View) -> String {
        let (verdict, tone) = match self.allowed {
            true => ("would run", Tone::Good),
            false => ("would be refused", Tone::Bad),
        };
        let mut sheet =
            Sheet::default().toned("Verdict", format!("{} by {} {verdict}", self.task, self.user.name), tone);
        for step in &self.steps {
            sheet = sheet.line("", format!("{} {}", step.question, step.answer));
        }
        for policy in &self.policies {
            let rank = match policy.rank {
                AccessType::Task => "on the task",
                AccessType::Role => "on a role",
                AccessType::RoleGroup => "on a role group",
            };
            let governs = if policy.governs { "governs" } else { "does not govern" };
            let on = access(&policy.access);
            sheet =
                sheet.line("Policy", format!("{} {rank} ({on}) {governs}: {}", policy.policy, policy.why));
        }
        for held in &self.held {
            sheet = sheet.line("Held", held);
        }
        let way_out = self.refusal.as_ref().and_then(|refusal| refusal.way_out.as_ref());
        sheet
            .maybe("Could approve", Some(names(&self.approvers)))
            .maybe("Ask with", way_out.map(|way_out| way_out.ask.as_str()))
            .text(view)
    }
}
