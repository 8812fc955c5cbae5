//! `brevet audit verify`: the offline check of a ledger, for people and for scripts.
//!
//! The subject is a data folder, an export, a server or an evidence bundle. What was kept elsewhere (keys, checkpoints,
//! receipts, an anchor, a policy) is held against it. Nothing that the subject says of itself is believed.

mod case;
mod export;
mod found;
mod given;
mod handovers;
mod previous;
mod progress;
mod report;
mod server;
mod witnessed;

pub(crate) use case::archives;
pub(crate) use export::{ExportFile, Joined};

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use brevet_core::escape_for_display;
use case::Case;
use found::Found;
use given::Given;
use progress::Bar;

use crate::bundle::{self, Trust};
use crate::cli::{Format, LedgerFiles, TokenFor, VerifyArgs};
use crate::world::Machine;

/// As much of a file as says what it is.
const BEGIN_BYTES: u64 = 64;

/// What is to be verified.
enum What {
    Folder(PathBuf),
    Export(PathBuf),
    Bundle(PathBuf),
    Server(String),
}

/// The command.
pub(crate) fn verify(args: VerifyArgs, format: Format) -> ExitCode {
    match run(&args, format) {
        Ok(code) => code,
        Err(found) => tell(&found, &report::only_found(&found), &args, format),
    }
}

fn run(args: &VerifyArgs, format: Format) -> Result<ExitCode, Found> {
    let Some(what) = what(args)? else {
        complain("brevet: say what to verify: a data folder, an export, or the address of a server");
        return Ok(ExitCode::from(2));
    };
    if let (What::Bundle(_), Some(option)) = (&what, unused_by_bundles(args)) {
        complain(&format!(
            "brevet: {option} cannot be held against an evidence bundle, which is verified by itself with --key and \
             --policy; leave it out, or verify the whole ledger"
        ));
        return Ok(ExitCode::from(2));
    }
    let mut given = Given::read(args, &Machine)?;
    let bar = Bar::new(std::io::stderr().is_terminal() && format == Format::Table);
    let progress = |done, all| bar.show(done, all);
    let case = match what {
        What::Bundle(path) => return check_bundle(&path, &given, format),
        What::Server(url) => {
            let token_for = if args.send_token { TokenFor::Whoever } else { TokenFor::ItsServer };
            LedgerFiles::of(&url, args.ca_file.clone(), token_for)
                .map_err(|failure| Found::cannot(failure.to_string()))
                .and_then(|files| Case::of_server(&url, files, &args.archive, &mut given, &progress))
        }
        What::Folder(path) => Case::of_folder(&path, &args.archive, &mut given, &progress),
        What::Export(path) => Case::of_export(&path, &args.archive, &mut given, &progress),
    };
    bar.clear();
    let case = case?;
    let outcome = case.judge(&given);
    let value = || report::machine_readable(&outcome, &given);
    let Some(first) = outcome.found.first() else {
        let text = match format {
            Format::Table => report::statements(&outcome, &given),
            format => format.written(&value()),
        };
        say(&text);
        return Ok(ExitCode::SUCCESS);
    };
    let code = tell(first, &value(), args, format);
    if format == Format::Table {
        outcome
            .found
            .iter()
            .skip(1)
            .for_each(|also| complain(&format!("Also: {}", escape_for_display(&also.sentence))));
    }
    Ok(code)
}

/// An option that says nothing about a bundle, when it was given.
fn unused_by_bundles(args: &VerifyArgs) -> Option<&'static str> {
    let given = [
        ("--checkpoint", !args.checkpoint.is_empty()),
        ("--receipts", !args.receipts.is_empty()),
        ("--anchor", !args.anchor.is_empty()),
        ("--archive", !args.archive.is_empty()),
        ("--max-age", args.max_age.is_some()),
    ];
    given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
}

/// What the arguments name; a path says by itself what it is.
fn what(args: &VerifyArgs) -> Result<Option<What>, Found> {
    if let Some(path) = &args.export {
        return Ok(Some(What::Export(path.clone())));
    }
    if let Some(path) = &args.bundle {
        return Ok(Some(What::Bundle(path.clone())));
    }
    if let Some(url) = &args.url {
        return Ok(Some(What::Server(url.clone())));
    }
    if let Some(path) = &args.data {
        return Ok(Some(What::Folder(path.clone())));
    }
    match &args.path {
        Some(path) => detect(path).map(Some),
        None => Ok(crate::config::default_data().map(What::Folder)),
    }
}

fn detect(text: &str) -> Result<What, Found> {
    if text.starts_with("https://") || text.starts_with("http://") {
        return Ok(What::Server(text.to_owned()));
    }
    let path = Path::new(text);
    let unreadable = |error: std::io::Error| Found::cannot(format!("{text} cannot be read: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(What::Folder(path.to_owned()));
    }
    let mut begin = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(BEGIN_BYTES).read_to_end(&mut begin))
        .map_err(unreadable)?;
    let begin: String = String::from_utf8_lossy(&begin).split_whitespace().collect();
    match begin.strip_prefix("{\"brevet\":\"") {
        Some(kind) if kind.starts_with("evidence-bundle\"") => Ok(What::Bundle(path.to_owned())),
        Some(_) => Ok(What::Export(path.to_owned())),
        None => Err(Found::cannot(format!(
            "{text} is nothing that can be verified: no data folder, no export and no evidence bundle"
        ))),
    }
}

/// A bundle is checked by itself: it has the story of one request, and not the ledger.
fn check_bundle(path: &Path, given: &Given, format: Format) -> Result<ExitCode, Found> {
    let bytes = given::read_bytes(path, bundle::BUNDLE_BYTES_MAX as u64)?;
    let trust = Trust { keys: &given.keys, policy: given.policy.as_ref() };
    let report = bundle::check(&bytes, &trust)?;
    say(&match format {
        Format::Table => displayed(&report.to_string()),
        format => format.written(&report.to_json()),
    });
    Ok(ExitCode::SUCCESS)
}

/// Says what was found first, with the evidence where it goes.
fn tell(found: &Found, value: &serde_json::Value, args: &VerifyArgs, format: Format) -> ExitCode {
    match format {
        Format::Table => complain(&format!("NOT VERIFIED: {}", escape_for_display(&found.sentence))),
        format => say(&format.written(value)),
    }
    match (&found.evidence, &args.evidence) {
        (Some(evidence), Some(path)) => match std::fs::write(path, evidence) {
            Ok(()) => complain(&format!("Evidence: {}", path.display())),
            Err(error) => {
                complain(&format!(
                    "brevet: {} cannot be written: {error}\n{}",
                    path.display(),
                    displayed(evidence)
                ));
            }
        },
        (Some(evidence), None) if format == Format::Table => say(&displayed(evidence)),
        _ => {}
    }
    ExitCode::from(found.kind.code())
}

/// Lines for the eyes of people: what a stranger wrote must not move their cursor.
fn displayed(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => escape_for_display(line) + "\n",
            None => escape_for_display(line),
        })
        .collect()
}

fn say(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
