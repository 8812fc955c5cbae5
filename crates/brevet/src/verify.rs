//! `brevet audit verify`: the offline check of a data folder, for people and for scripts.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use brevet_core::Timestamp;
use brevet_store::{Discrepancy, FolderReport, verify_folder};

use crate::cli::{Format, VerifyArgs};

/// How often progress is shown: once per so many hundredths of the work.
const PROGRESS_STEPS: u64 = 50;

pub(crate) fn verify(args: VerifyArgs, format: Format) -> ExitCode {
    let VerifyArgs { data, key, checkpoint } = args;
    let Some(data) = data.or_else(crate::config::default_data) else {
        complain("brevet: say which data folder: --data DIR");
        return ExitCode::from(2);
    };
    let kept = match checkpoint.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>() {
        Ok(kept) => kept,
        Err(error) => {
            complain(&format!("brevet: the checkpoint cannot be read: {error}"));
            return ExitCode::from(2);
        }
    };
    let shown = AtomicU64::new(0);
    let is_watched = std::io::stderr().is_terminal() && format == Format::Table;
    let progress = |done: u64, all: u64| {
        let step = done * PROGRESS_STEPS / all.max(1);
        if is_watched && shown.swap(step, Ordering::Relaxed) != step {
            complain_on_line(&format!("\rverifying entry {done} of {all}"));
        }
    };
    let outcome = verify_folder(&data, key.as_deref(), &kept, &progress);
    if is_watched && shown.load(Ordering::Relaxed) > 0 {
        complain_on_line("\r\x1b[K");
    }
    report(&outcome, &data, key.is_some(), format)
}

fn report(
    outcome: &Result<FolderReport, Discrepancy>,
    data: &Path,
    own_key: bool,
    format: Format,
) -> ExitCode {
    let text = match (outcome, format) {
        (outcome, Format::Json | Format::Yaml) => machine_readable(outcome, format),
        (Ok(report), Format::Table) => for_people(report, own_key),
        (Err(found), Format::Table) => {
            complain(&format!("NOT VERIFIED: {found}\n(in {})", data.display()));
            String::new()
        }
    };
    drop(std::io::stdout().write_all(text.as_bytes()));
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn for_people(report: &FolderReport, own_key: bool) -> String {
    let FolderReport { ledger, rows } = report;
    let last = ledger.last_time_micros.map_or_else(|| "never".to_owned(), time);
    let trust = match own_key {
        true => "signed by the key that you gave",
        false => "signed by the key in the same folder; give --key from elsewhere to check against its owner",
    };
    format!(
        "The ledger verifies: {} entries, the last at {last}.\n\
         root        {}\n\
         checkpoint  {} entries, {trust}\n\
         rows        {rows}, each as the entries add up\n\
         texts       {} as committed to, {} erased\n",
        ledger.size,
        ledger.root.to_base64(),
        ledger.signed_size.unwrap_or(0),
        ledger.texts_present,
        ledger.texts_erased,
    )
}

fn machine_readable(outcome: &Result<FolderReport, Discrepancy>, format: Format) -> String {
    let value = match outcome {
        Ok(FolderReport { ledger, rows }) => serde_json::json!({
            "verified": true,
            "entries": ledger.size,
            "root": ledger.root.to_base64(),
            "checkpoint_size": ledger.signed_size,
            "first_at": ledger.first_time_micros.map(time),
            "last_at": ledger.last_time_micros.map(time),
            "rows": rows,
            "texts_present": ledger.texts_present,
            "texts_erased": ledger.texts_erased,
        }),
        Err(found) => serde_json::json!({
            "verified": false,
            "finding": found.to_string(),
            "entry": found.index(),
        }),
    };
    match format {
        Format::Yaml => serde_saphyr::to_string(&value).unwrap_or_default(),
        _ => format!("{value:#}\n"),
    }
}

fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(Timestamp::from_micros(micros).micros())
        .map_or_else(|_| micros.to_string(), |time| time.to_string())
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

fn complain_on_line(text: &str) {
    let mut err = std::io::stderr();
    drop(write!(err, "{text}").and_then(|()| err.flush()));
}
