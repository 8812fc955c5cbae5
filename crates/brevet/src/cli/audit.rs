//! `brevet audit`: the ledger.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use http_body_util::BodyExt as _;

use super::VerifyArgs;
use super::args::LimitArgs;
use super::console::{Show, View, safe};
use super::context::Context;
use super::exit::{Done, Failure};
use super::settings;
use super::table::{Row, Sheet, Shown, Tone, plain, toned};
use crate::wire::{AuditEntry, AuditProof, Checkpoint};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Search(SearchArgs),
    /// Show one entry, with all that it says
    #[command(after_help = "Example:\n  brevet audit show 1042")]
    Show {
        /// Its place in the ledger, from 0
        index: u64,
    },
    /// Write every entry as a line of JSON, the oldest first
    #[command(after_help = "Example:\n  brevet audit export --out ledger.jsonl")]
    Export {
        /// Where to [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write the newest signed checkpoint: keep it elsewhere, and nobody can rewrite what is older unnoticed
    #[command(after_help = "Example:\n  brevet audit checkpoint > checkpoint.txt")]
    Checkpoint,
    /// Write a proof that an entry is in the ledger, which verifies offline
    #[command(after_help = "Example:\n  brevet audit proof 1042 > entry-1042.tlog-proof")]
    Proof {
        /// The entry's place in the ledger, from 0
        index: u64,
    },
    Verify(VerifyArgs),
}

/// Search the ledger, newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit search --request req-42\n  \
    brevet audit search --actor maria --since 24h\n  \
    brevet audit search --kind request.decided --since 2026-11-01 --until 2026-12-01 --limit 0 -o json")]
pub(crate) struct SearchArgs {
    /// Who caused it, by name or id
    #[arg(long, value_name = "USER")]
    actor: Option<String>,
    /// What happened, for example request.submitted
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
    /// What has these words in a reason or a comment
    #[arg(long, value_name = "WORDS")]
    text: Option<String>,
    #[command(flatten)]
    limit: LimitArgs,
}

pub(super) async fn run(context: &mut Context, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Search(args) => search(context, args).await,
        Command::Show { index } => context.show::<AuditEntry>(&format!("/audit/entries/{index}")).await,
        Command::Export { out } => export(context, out).await,
        Command::Checkpoint => context.show::<Checkpoint>("/audit/checkpoint").await,
        Command::Proof { index } => {
            context.show::<AuditProof>(&format!("/audit/entries/{index}/proof")).await
        }
        // Handed over before anything else: it needs no server.
        Command::Verify(_) => Ok(Done::Well),
    }
}

async fn search(context: &mut Context, args: SearchArgs) -> Result<Done, Failure> {
    let clock = &context.console.view.clock;
    let time = |text: Option<&String>| {
        text.map(|text| clock.parse_past(text).map(|time| time.0.to_string())).transpose()
    };
    let (since, until) = (time(args.since.as_ref())?, time(args.until.as_ref())?);
    let SearchArgs { actor, kind, request, task, since: _, until: _, text, limit } = args;
    let fields = [
        ("actor", actor),
        ("kind", kind),
        ("request", request),
        ("task", task),
        ("since", since),
        ("until", until),
        ("text", text),
    ];
    let listed = context.list::<AuditEntry>("/audit/entries", &fields, limit.limit).await?;
    context.console.list(&listed.items, &listed.answered, "No entries match.")?;
    limit.note(&mut context.console, listed.more);
    Ok(Done::Well)
}

async fn export(context: &mut Context, out: Option<PathBuf>) -> Result<Done, Failure> {
    let client = context.client()?;
    let mut body = client.stream("/audit/export").await?;
    let unwritable = |path: &PathBuf| Failure::io(format!("{} cannot be written", path.display()));
    let mut file = match &out {
        Some(path) => Some(std::fs::File::create(path).map_err(unwritable(path))?),
        None => None,
    };
    let shows_progress = file.is_some() || !context.console.terminal.output;
    let (mut entries, mut drawn) = (0_u64, settings::now());
    while let Some(frame) = body.frame().await {
        let broke = |error: hyper::Error| {
            Failure::Failed(format!("the export broke off after {entries} entries: {error}"))
        };
        let Ok(bytes) = frame.map_err(broke)?.into_data() else { continue };
        entries += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        match (&mut file, &out) {
            (Some(file), Some(path)) => file.write_all(&bytes).map_err(unwritable(path))?,
            _ => context.console.bytes(&bytes)?,
        }
        if shows_progress && settings::now().duration_since(drawn).as_millis() > 200 {
            drawn = settings::now();
            context.console.status(&format!("{entries} entries"));
        }
    }
    context.console.status("");
    if let (Some(file), Some(path)) = (file, &out) {
        file.sync_all().map_err(unwritable(path))?;
        let exported = serde_json::json!({"entries": entries, "file": path});
        context.console.done(&format!("Wrote {entries} entries to {}.", path.display()), &exported)?;
    }
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

impl Show for AuditProof {
    fn show(&self, _: &View) -> String {
        self.proof.split('\n').map(safe).collect::<Vec<_>>().join("\n")
    }
}
