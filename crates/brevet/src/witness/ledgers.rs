//! The commands beside a running witness: its key, the ledgers that it watches, the evidence that it kept.

use std::io::Write as _;

use anyhow::Context as _;
use brevet_core::escape_for_display;
use brevet_ledger::{Origin, VerifierKey};
use brevet_store::{
    Evidence, EvidenceKind, Standing, Watched, WitnessError, WitnessLedgers, WitnessReader, witness_key,
};
use serde_json::{Value, json};

use super::{run, unix_seconds};
use crate::cli::{
    Format, WitnessAddLogArgs, WitnessDataArgs, WitnessEvidenceArgs, WitnessKeyArgs, WitnessRemoveLogArgs,
};
use crate::world::Machine;

/// Before a line that says who the witness is and not where: enough to verify with, not to ask it.
const NO_URL: &str = "# Without an address: enough to verify by. A server that is to ask this witness needs one behind the key; \
                      --url URL adds it.";

/// `brevet witness key`.
pub(super) fn key(args: WitnessKeyArgs, format: Format) -> anyhow::Result<()> {
    let WitnessKeyArgs { data, name, url } = args;
    let key = match (witness_key(&data), &name) {
        (Err(WitnessError::Missing { .. }), Some(name)) => run::open(data, Some(name))?.verifier().clone(),
        (Ok(key), Some(name)) if key.name().as_str() != name => {
            let (is, given) = (key.name().to_string(), name.clone());
            return Err(WitnessError::OtherName { is, given }.into());
        }
        (found, _) => found?,
    };
    // A policy calls it by a word of its own: the last of its name's parts.
    let word = key.name().as_str().rsplit('/').next().unwrap_or_default();
    let line =
        ["witness", word, &key.to_string()].into_iter().chain(url.as_deref()).collect::<Vec<_>>().join(" ");
    let shown = match &url {
        Some(_) => line.clone(),
        // A remark, so that all of it can go into a policy file as it is.
        None => format!("{NO_URL}\n{line}"),
    };
    let value = json!({"name": key.name().as_str(), "key": key.to_string(), "url": url, "policy_line": line});
    write(format, &value, &shown)
}

/// `brevet witness add-log`.
pub(super) fn add(args: WitnessAddLogArgs, format: Format) -> anyhow::Result<()> {
    let WitnessAddLogArgs { data, key, origin } = args;
    let key: VerifierKey = key.trim().parse().context("this is not the public key of a ledger")?;
    let origin = Origin::parse(origin.as_deref().unwrap_or(key.name().as_str()))?;
    let is_new = WitnessLedgers::visit(&data)?.add(&origin, &key, unix_seconds(&Machine))?;
    let sentence = match is_new {
        true => format!("{origin} is watched; the key {:08x} is trusted for it.", key.id()),
        false => format!("{origin} was watched already, with this key."),
    };
    write(format, &json!({"origin": origin.as_str(), "key": key.to_string(), "added": is_new}), &sentence)
}

/// `brevet witness remove-log`.
pub(super) fn remove(args: &WitnessRemoveLogArgs, format: Format) -> anyhow::Result<()> {
    let removed = WitnessLedgers::visit(&args.data)?.remove(args.log.trim())?;
    let sentences: Vec<String> = removed
        .iter()
        .map(|Watched { origin, key, added: _ }| format!("{key} is not trusted for {origin} any more."))
        .collect();
    let removed: Vec<Value> =
        removed.iter().map(|watched| json!({"origin": watched.origin, "key": watched.key})).collect();
    write(format, &json!(removed), &sentences.join("\n"))
}

/// `brevet witness list-logs`.
pub(super) fn list(args: &WitnessDataArgs, format: Format) -> anyhow::Result<()> {
    let reader = WitnessReader::visit(&args.data)?;
    let (standings, watched) = (reader.standings()?, reader.watched()?);
    let keys_of = |origin: &str| -> Vec<String> {
        watched.iter().filter(|watched| watched.origin == origin).map(|watched| watched.key.clone()).collect()
    };
    let values: Vec<Value> =
        standings.iter().map(|standing| of_standing(standing, &keys_of(&standing.origin))).collect();
    let mut sentences: Vec<String> =
        standings.iter().map(|standing| shown(standing, &keys_of(&standing.origin))).collect();
    if sentences.is_empty() {
        sentences.push("No ledger is watched. Add one with: brevet witness add-log --data DIR KEY".into());
    }
    write(format, &json!(values), &sentences.join("\n"))
}

fn of_standing(standing: &Standing, keys: &[String]) -> Value {
    let Standing { origin, keys: _, cosigned, evidence } = standing;
    let evidence: serde_json::Map<String, Value> = EvidenceKind::ALL
        .iter()
        .map(|kind| {
            let found = evidence.iter().find(|(found, _)| found == kind);
            (kind.name().to_owned(), json!(found.map_or(0, |(_, count)| *count)))
        })
        .collect();
    json!({
        "origin": origin,
        "keys": keys,
        "size": cosigned.map(|(size, _)| size),
        "cosigned_at": cosigned.map(|(_, at)| time(at)),
        "evidence": evidence,
    })
}

fn shown(standing: &Standing, keys: &[String]) -> String {
    let Standing { origin, keys: _, cosigned, evidence } = standing;
    let seen = match cosigned {
        Some((size, at)) => format!("{size} entries, cosigned at {}", time(*at)),
        None => "nothing cosigned yet".to_owned(),
    };
    let mut lines = vec![origin.clone(), format!("  seen  {seen}")];
    lines.extend(keys.iter().map(|key| format!("  key   {key}")));
    if keys.is_empty() {
        lines.push("  key   none: it is not watched any more".into());
    }
    let count: u64 = evidence.iter().map(|(_, count)| count).sum();
    if count > 0 {
        lines.push(format!("  EVIDENCE  {count}; show it with: brevet witness evidence --data DIR"));
    }
    lines.join("\n")
}

/// `brevet witness evidence`.
pub(super) fn evidence(args: &WitnessEvidenceArgs, format: Format) -> anyhow::Result<()> {
    let found = WitnessReader::visit(&args.data)?.evidence(args.log.as_deref())?;
    let values: Vec<Value> = found.iter().map(of_evidence).collect();
    let sentences: Vec<String> = match found.is_empty() {
        true => vec!["There is none: no ledger contradicted itself here.".into()],
        false => found.iter().map(told).collect(),
    };
    write(format, &json!(values), &sentences.join("\n\n"))
}

fn of_evidence(evidence: &Evidence) -> Value {
    let Evidence { id, origin, kind, unix_seconds, cosigned, sent } = evidence;
    json!({
        "id": id,
        "origin": origin,
        "kind": kind.name(),
        "at": time(*unix_seconds),
        "cosigned": cosigned,
        "sent": sent,
    })
}

fn told(evidence: &Evidence) -> String {
    let Evidence { id, origin, kind, unix_seconds, cosigned, sent } = evidence;
    let what = match kind {
        EvidenceKind::TwoRoots => {
            "two checkpoints of one size with two roots. Both are signed: the ledger was forked or rewritten, or \
             somebody else has its key."
        }
        EvidenceKind::ImpossibleRoot => {
            "a signed checkpoint without entries whose root is not that of no entries."
        }
        EvidenceKind::Unproven => {
            "a larger checkpoint that was not shown to continue the one before. The ledger was rewritten, or \
             somebody sent a wrong proof: ask the ledger for a consistency proof between the two."
        }
    };
    let cosigned = cosigned.as_deref().unwrap_or("(none)\n");
    format!(
        "Evidence {id}, {}, at {}: {what}\nLedger: {origin}\n\n--- cosigned before ---\n{cosigned}\n--- sent then ---\n{sent}",
        kind.name(),
        time(*unix_seconds)
    )
}

fn time(unix_seconds: u64) -> String {
    i64::try_from(unix_seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| unix_seconds.to_string(), |time| time.to_string())
}

fn write(format: Format, value: &Value, sentence: &str) -> anyhow::Result<()> {
    let text = match format {
        // Ledgers name themselves, and whoever has a key can sign anything.
        Format::Table => sentence.split('\n').map(escape_for_display).collect::<Vec<_>>().join("\n"),
        format => format.written(value),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush()).context("standard output")
}
