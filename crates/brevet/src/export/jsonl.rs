//! The export that verifies: the bytes of every entry, the texts beside them with their salts, and at the end the
//! signed checkpoint over all of it. docs/exporting.md says how it is checked.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_store::ExportedText;
use brevet_wire::AuditEntry;
use serde_json::{Value, json};

use super::{Record, append_line};

/// The version of the first line.
const VERSION: u32 = 1;

/// An export of everything: its first and its last line.
pub(crate) struct Heading<'a> {
    /// The name of the ledger.
    pub(crate) origin: &'a str,
    /// The keys that verify its checkpoints.
    pub(crate) keys: Vec<String>,
    /// The first entry in it: not 0 where older ones are in an archive file.
    pub(crate) first: u64,
    /// How many entries the ledger has with the last one in it.
    pub(crate) size: u64,
}

/// An export of a part, which proves nothing about completeness and says so.
pub(crate) struct Excerpt<'a> {
    /// The name of the ledger.
    pub(crate) origin: &'a str,
    /// What was asked for.
    pub(crate) filter: Value,
}

impl Heading<'_> {
    /// The line before the entries.
    pub(crate) fn first_line(&self, out: &mut Vec<u8>) {
        let Self { origin, keys, first, size } = self;
        let line = json!({
            "brevet": "ledger", "version": VERSION, "origin": origin, "keys": keys, "first": first, "size": size,
        });
        append_line(out, &line);
    }

    /// The line behind the entries: the signed note over as many entries.
    pub(crate) fn last_line(checkpoint: &str, out: &mut Vec<u8>) {
        append_line(out, &json!({"checkpoint": checkpoint}));
    }
}

impl Excerpt<'_> {
    /// The line before the entries.
    pub(crate) fn first_line(&self, out: &mut Vec<u8>) {
        let Self { origin, filter } = self;
        let line = json!({
            "brevet": "excerpt", "version": VERSION, "origin": origin, "partial": true, "filter": filter,
        });
        append_line(out, &line);
    }

    /// The line behind the entries.
    pub(crate) fn last_line(entries: u64, out: &mut Vec<u8>) {
        append_line(out, &json!({"partial": true, "entries": entries}));
    }
}

/// An entry as the API shows it, with its bytes and the texts beside it.
pub(super) fn entry(entry: &AuditEntry, record: &Record) -> Value {
    let mut value = serde_json::to_value(entry).unwrap_or_default();
    let exported = &record.exported;
    let text = |text: &ExportedText| {
        let ExportedText { slot, salt, text } = text;
        json!({"slot": slot, "salt": salt, "text": text})
    };
    value["bytes"] = json!(STANDARD.encode(&exported.stored.bytes));
    value["texts"] = exported.texts.iter().map(text).collect();
    value
}
