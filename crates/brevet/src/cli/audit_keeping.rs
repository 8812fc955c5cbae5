//! `brevet audit status | erase | archive`: how far the ledger is vouched for, and what leaves it.

use brevet_wire::{ArchiveFile, Archives, Erased, Ledger, Witness};
use clap::Args;
use serde_json::json;

use super::console::{Show, View};
use super::context::Context;
use super::exit::{Done, Failure};
use super::table::{Sheet, Tone, toned};

/// Erase the personal texts of one person for good: names, addresses, reasons, comments. Every proof stays valid
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet user disable maria\n  brevet audit erase --user maria")]
pub(crate) struct EraseArgs {
    /// Whose: a disabled account, by name or id
    #[arg(long, value_name = "USER")]
    user: String,
}

/// Move old entries to an archive file that verifies together with the rest; a second person must agree
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  brevet audit archive --before 2025-01-01\n\n  \
    # the second administrator looks, then agrees to just that\n  brevet audit archive\n  \
    brevet audit archive --agree 48211")]
pub(crate) struct ArchiveArgs {
    /// Ask that the entries before this time go, by 256 as they are published
    #[arg(long, value_name = "TIME", conflicts_with_all = ["agree", "cancel"])]
    before: Option<String>,
    /// Agree to the archive of so many entries that somebody else asked for
    #[arg(long, value_name = "ENTRIES", conflicts_with = "cancel")]
    agree: Option<u64>,
    /// Withdraw, or refuse, what was asked for
    #[arg(long)]
    cancel: bool,
}

pub(super) async fn status(context: &mut Context) -> Result<Done, Failure> {
    context.show::<Ledger>("/ledger").await
}

pub(super) async fn erase(context: &mut Context, args: EraseArgs) -> Result<Done, Failure> {
    let EraseArgs { user } = args;
    let answer = context.client()?.post("/ledger/erasures", &json!({"user": user})).await?;
    let erased: Erased = answer.read()?;
    let mut told =
        format!("The personal texts of {user} ({}) are erased; all proofs stay valid.", erased.user);
    if !erased.archives.is_empty() {
        told += "\nThese archive files may still hold some, and so may exports and backups: ";
        told += &erased.archives.join(", ");
    }
    context.console.done(&told, &answer.value()?)?;
    Ok(Done::Well)
}

pub(super) async fn archive(context: &mut Context, args: ArchiveArgs) -> Result<Done, Failure> {
    match args {
        ArchiveArgs { before: Some(before), .. } => {
            let before = context.console.view.clock.parse_past(&before)?;
            let body = json!({"before": before.0.to_string()});
            let answer = context.client()?.post("/ledger/archives", &body).await?;
            let archives: Archives = answer.read()?;
            let size = archives.asked.map_or(0, |asked| asked.size);
            let told = format!(
                "Asked to archive {size} entries. A second administrator agrees with:\n  brevet audit archive --agree {size}"
            );
            context.console.done(&told, &answer.value()?)?;
        }
        ArchiveArgs { agree: Some(size), .. } => {
            let answer = context.client()?.post("/ledger/archives/agree", &json!({"size": size})).await?;
            let ArchiveFile { name, first, size, sha256 } = answer.read()?;
            let told = format!(
                "Entries {first} to {} are in {name} on the server (SHA-256 {sha256}). Keep it: to verify the whole \
                 ledger takes brevet audit verify --archive {name}",
                size.saturating_sub(1)
            );
            context.console.done(&told, &answer.value()?)?;
        }
        ArchiveArgs { cancel: true, .. } => {
            let answer = context.client()?.post("/ledger/archives/cancel", &json!({})).await?;
            context.console.done("Nothing will be archived.", &answer.value()?)?;
        }
        ArchiveArgs { .. } => return context.show::<Archives>("/ledger/archives").await,
    }
    Ok(Done::Well)
}

impl Show for Ledger {
    fn show(&self, view: &View) -> String {
        let covered = |entries: u64| match self.durable.saturating_sub(entries) {
            0 => format!("{entries}: all"),
            missing => format!("{entries}: all but the newest {missing}"),
        };
        let mut sheet = Sheet::default()
            .line("Ledger", &self.origin)
            .line("Key", self.keys.join(", "))
            .line("Durable", format!("{} entries", self.durable))
            .line("Checkpointed", covered(self.checkpointed));
        sheet = match (self.has_quorum, self.witnessed_at) {
            (false, _) => sheet.toned("Witnessed", NO_WITNESS, Tone::Bad),
            (true, None) => sheet.toned("Witnessed", "nothing yet since the server started", Tone::Waiting),
            (true, Some(at)) => {
                sheet.line("Witnessed", format!("{}, {}", covered(self.witnessed), view.clock.relative(at)))
            }
        };
        for witness in &self.witnesses {
            let Witness { name, size, at, problem } = witness;
            let stands = match (problem, at) {
                (Some(problem), _) => toned(format!("{name}: {problem}"), Tone::Bad),
                (None, Some(_)) => toned(format!("{name}: has signed {size} entries"), Tone::Good),
                (None, None) => toned(format!("{name}: has not answered yet"), Tone::Waiting),
            };
            sheet = sheet.shown("Witness", stands);
        }
        for sink in &self.sinks {
            let behind = self.durable.saturating_sub(sink.sent);
            let stands = match (&sink.problem, behind) {
                (Some(problem), _) => toned(format!("{}: {problem}", sink.name), Tone::Bad),
                (None, 0) => toned(format!("{}: has every entry", sink.name), Tone::Good),
                (None, _) => toned(format!("{}: {behind} entries behind", sink.name), Tone::Waiting),
            };
            sheet = sheet.shown("Sink", stands);
        }
        match (&self.anchor_problem, self.anchor_is_beside) {
            (Some(problem), _) => sheet.toned("Anchor", problem, Tone::Bad),
            (None, true) => sheet.toned("Anchor", ANCHOR_BESIDE, Tone::Waiting),
            (None, false) => sheet.line("Anchor", "on a path of its own"),
        }
        .text(view)
    }
}

const NO_WITNESS: &str = "no: this server has no witnesses, and nobody outside it would notice a rewritten ledger; \
                          see docs/witness.md";
const ANCHOR_BESIDE: &str = "in the data folder: a backup restored together with it is not noticed; \
                             set ledger.anchor to a path on other storage";

impl Show for Archives {
    fn show(&self, view: &View) -> String {
        let mut sheet = Sheet::default().line("Folder", &self.folder);
        for ArchiveFile { name, first, size, sha256 } in &self.files {
            let range = format!("entries {first} to {}", size.saturating_sub(1));
            sheet = sheet.line("File", format!("{name}: {range}, SHA-256 {sha256}"));
        }
        match &self.asked {
            None => sheet.line("Asked for", "nothing"),
            Some(asked) => {
                let before = view.clock.local(asked.before);
                let told = format!("{} entries before {before}, by {}", asked.size, asked.by.name);
                sheet.toned("Asked for", told, Tone::Waiting)
            }
        }
        .text(view)
    }
}
