//! `brevet audit`: the ledger.

use brevet_wire::{AuditEntry, Checkpoint};
use clap::{Args, Subcommand};

use super::args::LimitArgs;
use super::console::{Show, View, safe};
use super::context::Context;
use super::exit::{Done, Failure};
use super::offline::{AnchorArgs, RecoverArgs};
use super::table::{Row, Sheet, Shown, Tone, plain, toned};
use super::{VerifyArgs, audit_asof, audit_bundle, audit_export, audit_keeping, audit_keys, memory};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Search(SearchArgs),
    /// Show one entry, with all that it says
    #[command(after_help = "Example:\n  brevet audit show 1042")]
    Show {
        /// Its place in the ledger, from 0
        index: u64,
    },
    Export(audit_export::ExportArgs),
    /// Write the newest signed checkpoint: keep it elsewhere, and nobody can rewrite what is older unnoticed
    #[command(after_help = "Example:\n  brevet audit checkpoint > checkpoint.txt")]
    Checkpoint,
    Proof(memory::ProofArgs),
    /// Show and check the receipts of what you did
    #[command(after_help = "Examples:\n  brevet audit receipts\n  brevet audit receipts check")]
    Receipts {
        #[command(subcommand)]
        command: Option<memory::Command>,
    },
    /// Show how far the ledger is vouched for: durable, checkpointed, witnessed
    #[command(after_help = "Example:\n  brevet audit status")]
    Status,
    /// Show the keys that sign the ledger
    #[command(after_help = "Example:\n  brevet audit keys -o json")]
    Keys,
    RotateKey(audit_keys::RotateKeyArgs),
    Erase(audit_keeping::EraseArgs),
    Archive(audit_keeping::ArchiveArgs),
    AsOf(audit_asof::AsOfArgs),
    Bundle(audit_bundle::BundleArgs),
    Anchor(AnchorArgs),
    Recover(RecoverArgs),
    Verify(VerifyArgs),
}

/// Search the ledger, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit search --request req-42\n  \
    brevet audit search --actor maria --since 24h\n  \
    brevet audit search --task Linux/Restart-Service --outcome failed\n  \
    brevet audit search --text 'INC-20417' --kind 'request.*'\n  \
    brevet audit search --kind request.decided --since 2026-11-01 --until 2026-12-01 --limit 0 -o json")]
pub(crate) struct SearchArgs {
    /// Who caused it, by name or id
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// What happened, for example request.submitted, or 'request.*' for all that begin so
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// What concerns this request, its authorization and its runs
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// What concerns this task, as Scope/Name
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Not before: a time, or how long ago, for example 24h
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before: a time, or how long ago
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How it came out: approved, denied, expired, cancelled, granted, ran-out, given-back, revoked, used-up,
    /// voided, succeeded, failed, stopped, unknown or refused
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// All of these words, in a reason, a comment, a name or a parameter; 'migr*' is any word that begins so
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    #[command(flatten)]
    limit: LimitArgs,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Search(args) => search(context, args).await,
        Command::Show { index } => context.show::<AuditEntry>(&format!("/audit/entries/{index}")).await,
        Command::Export(args) => audit_export::run(context, args).await,
        Command::Checkpoint => memory::checkpoint(context).await,
        Command::Proof(args) => memory::prove(context, args).await,
        Command::Receipts { command } => memory::run(context, command).await,
        Command::Status => audit_keeping::status(context).await,
        Command::Keys => audit_keys::keys(context).await,
        Command::RotateKey(args) => audit_keys::rotate(context, args).await,
        Command::Erase(args) => audit_keeping::erase(context, args).await,
        Command::Archive(args) => audit_keeping::archive(context, args).await,
        Command::AsOf(args) => audit_asof::run(context, args).await,
        Command::Bundle(args) => audit_bundle::run(context, args).await,
        // Handed over before anything else: it needs no server.
        Command::Verify(_) | Command::Anchor(_) | Command::Recover(_) => Ok(Done::Well),
    }
}

async fn search(context: &mut Context, args: SearchArgs) -> Result<Done, Failure> {
    let clock = &context.console.view.clock;
    let time = |text: Option<&String>| {
        text.map(|text| clock.parse_past(text).map(|time| time.0.to_string())).transpose()
    };
    let (since, until) = (time(args.since.as_ref())?, time(args.until.as_ref())?);
    let SearchArgs { actor, kind, request, task, since: _, until: _, outcome, text, limit } = args;
    let fields = [
        ("actor", actor),
        ("kind", kind),
        ("request", request),
        ("task", task),
        ("outcome", outcome),
        ("since", since),
        ("until", until),
        ("text", text),
    ];
    let listed = context.list::<AuditEntry>("/audit/entries", &fields, limit.limit).await?;
    context.console.list(&listed.items, &listed.answered, "No entries match.")?;
    limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

impl Row for AuditEntry {
    const HEADS: &'static [&'static str] = &["ENTRY", "TIME", "WHO", "WHAT", "SUMMARY"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let who = match self.flagged {
            true => toned(format!("{} (flagged)", self.actor.name), Tone::Bad),
            false => plain(&self.actor.name),
        };
        vec![
            plain(self.index.to_string()),
            plain(view.clock.local(self.time)),
            who,
            plain(&self.kind),
            plain(&self.summary),
        ]
    }
}

impl Show for AuditEntry {
    fn show(&self, view: &View) -> String {
        let details = serde_json::to_string_pretty(&self.details).unwrap_or_default();
        Sheet::default()
            .line("Entry", self.index.to_string())
            .line("Time", view.clock.both(self.time))
            .line("Who", &self.actor.name)
            .maybe("Session", self.session.as_deref())
            .line("What", format!("{} (version {})", self.kind, self.version))
            .line("Summary", &self.summary)
            .maybe("Request", self.request.as_deref())
            .maybe("Authorization", self.authorization.as_deref())
            .maybe("Execution", self.execution.as_deref())
            .maybe("Task", self.task.as_deref())
            .maybe("Outcome", self.outcome.as_deref())
            .maybe("Flagged", self.flagged.then_some("yes: an account excluded from access control"))
            .line("Details", details)
            .line("Leaf hash", &self.leaf_hash)
            .text(view)
    }
}

impl Show for Checkpoint {
    /// The note itself: its signature is over these very bytes.
    fn show(&self, _: &View) -> String {
        self.note.split('\n').map(safe).collect::<Vec<_>>().join("\n")
    }
}
