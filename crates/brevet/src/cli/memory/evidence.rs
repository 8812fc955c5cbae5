//! What is said, loudly, when a server shows a history that cannot be true, and the file that proves it to others.

use std::fs;
use std::path::{Path, PathBuf};

use brevet_ledger::leaf_hash;
use serde::Serialize;

use super::folder::replace;
use super::judge::{Contradiction, Known};
use crate::cli::exit::Failure;
use crate::cli::settings;

/// What evidence is called.
const EVIDENCE: &str = "evidence";
/// How much of it is kept of one ledger: the first says all.
const EVIDENCE_MAX: usize = 16;

/// Evidence as it is written: two statements of one ledger, of which one must be false.
#[derive(Serialize)]
struct Written<'a> {
    brevet: &'static str,
    version: u32,
    what: String,
    server: &'a str,
    origin: String,
    keys: Vec<String>,
    found_at: String,
    seen_before: Option<String>,
    shown_now: &'a str,
}

/// Writes the evidence beside what is known of the ledger; answers where it is.
pub(super) fn write(
    folder: &Path,
    server: &str,
    known: &Known,
    contradiction: &Contradiction,
    shown: &str,
) -> Result<PathBuf, Failure> {
    let kept = kept(folder);
    let seen_before = known.seen.as_ref().map(|seen| seen.note.to_string());
    let both = format!("{}\n{shown}", seen_before.as_deref().unwrap_or_default());
    let path = folder.join(format!("{}.{EVIDENCE}", &leaf_hash(both.as_bytes()).to_string()[..16]));
    if let Some(first) = kept.first().filter(|_| kept.len() >= EVIDENCE_MAX && !kept.contains(&path)) {
        return Ok(first.clone());
    }
    let written = Written {
        brevet: "evidence",
        version: 1,
        what: what(contradiction),
        server,
        origin: known.origin.to_string(),
        keys: known.keys.iter().map(ToString::to_string).collect(),
        found_at: settings::now().to_string(),
        seen_before,
        shown_now: shown,
    };
    let text = serde_json::to_string_pretty(&written).unwrap_or_default();
    replace(&path, &(text + "\n"))?;
    Ok(path)
}

/// All evidence of a ledger.
pub(super) fn kept(folder: &Path) -> Vec<PathBuf> {
    let is_evidence = |path: &PathBuf| path.extension().is_some_and(|extension| extension == EVIDENCE);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut kept: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_evidence).collect();
    kept.sort();
    kept
}

/// The warning, in plain words: what is so, what it means, what to do.
pub(super) fn warning(server: &str, known: &Known, contradiction: &Contradiction, evidence: &str) -> String {
    let origin = &known.origin;
    let means = match contradiction {
        Contradiction::OtherKey { .. } => {
            "Either this is another server, or its ledger was begun anew, or somebody answers in its place."
        }
        Contradiction::Shorter { .. } => {
            "Either an older copy of the ledger was put in its place, or its end was cut off. What you and others did \
             since then may be on record no more."
        }
        Contradiction::Rewritten { .. } | Contradiction::Unproven { .. } => {
            "Either the ledger was rewritten, or two different ledgers are shown to different people. What you did \
             may be on record no more, or in another form."
        }
        Contradiction::OtherAct { .. } => {
            "The server said that it put on record what you did, and shows something else instead. It may not be on \
             record, or in another form."
        }
        Contradiction::BadReceipt { .. } => {
            "The server said that it put on record what you did, and cannot prove it. It may not be on record."
        }
    };
    format!(
        "brevet: WARNING: THE LEDGER OF THIS SERVER CANNOT BE TRUSTED\n\
         \x20 {server} ({origin}): {}\n\
         \x20 {means}\n\
         \x20 What to do: do not rely on what this server says. Give this file to your auditor; it proves what was \
         seen:\n\
         \x20   {evidence}\n\
         \x20 Your receipts are beside it. Should your auditor find that all is well and tell you the key of the \
         ledger, then: brevet audit receipts trust KEY",
        what(contradiction)
    )
}

/// The warning about a server that says it did something and names no entry. It signed nothing, so there is no evidence.
pub(super) fn unnamed(server: &str, kind: &str) -> String {
    format!(
        "brevet: WARNING: NOTHING SHOWS THAT THIS IS ON RECORD\n\
         \x20 {server} says that it was done, and names no entry ({kind}) that says so, so there is no receipt.\n\
         \x20 Either it is not on record, or the server, or somebody between you and it, keeps that from you.\n\
         \x20 What to do: run brevet audit receipts check, and have your auditor look for what you did:\n\
         \x20   brevet audit search --kind {kind}"
    )
}

/// What is so, as a sentence.
pub(super) fn what(contradiction: &Contradiction) -> String {
    match contradiction {
        Contradiction::OtherKey { why } => {
            format!("what it shows is not signed by the key that you know ({why}).")
        }
        Contradiction::Shorter { kept, shown } => {
            format!(
                "you have seen {kept} entries, signed; now it says that it never had that many, and shows {shown}."
            )
        }
        Contradiction::Rewritten { kept, shown } => format!(
            "the {kept} entries that you have seen, signed, and the {shown} that it shows now, signed as well, are \
             two different histories."
        ),
        Contradiction::Unproven { kept, shown } => format!(
            "it does not prove that the {kept} entries that you have seen are among the {shown} that it shows now."
        ),
        Contradiction::OtherAct { why } => format!("the entry that it names is not what you did: {why}."),
        Contradiction::BadReceipt { why } => format!("the receipt that it gave does not hold: {why}."),
    }
}
