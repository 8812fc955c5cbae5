//! Writing entries for others to read: each format is a function from one entry, and what stands behind it, to one
//! line of bytes. Nothing here reads the ledger by itself or sends anything.
//!
//! Whatever somebody wrote into a name, a reason or a comment stays inside its own field in every format: no line
//! break, control or bidirectional character of it reaches the output as such (CWE-117), and no cell of a table
//! begins like a formula (CWE-1236).

mod csv;
mod jsonl;
mod names;
mod ocsf;
mod office365;
mod own;
mod record;

pub(crate) use jsonl::{Excerpt, Heading};
pub(crate) use names::Names;
pub(crate) use ocsf::syslog_severity as severity;
pub(crate) use record::{Gatherer, Record};

use brevet_wire as wire;
use serde_json::Value;

use crate::plain;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON lines with the bytes of each entry: what can be verified offline.
    Jsonl,
    /// A table (RFC 4180).
    Csv,
    /// The common schema of the Office 365 Management Activity API.
    Office365,
    /// Open Cybersecurity Schema Framework.
    Ocsf,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Office365, Self::Ocsf];

    /// As it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Office365 => "office365",
            Self::Ocsf => "ocsf",
        }
    }

    /// The format of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl | Self::Office365 | Self::Ocsf => "application/jsonl",
        }
    }

    /// Appends one entry, a line of its own. `entry` is the same entry as the API shows it.
    pub(crate) fn write(
        self,
        out: &mut Vec<u8>,
        entry: wire::AuditEntry,
        record: &Record,
        names: &Names<'_>,
    ) {
        let entry = names.shorten(record.complete(entry));
        match self {
            Self::Csv => csv::row(out, &entry),
            Self::Jsonl => append_line(out, &jsonl::entry(&entry, record)),
            Self::Office365 => append_line(out, &office365::record(&entry, record, names)),
            Self::Ocsf => append_line(out, &ocsf::event(&entry, record, names)),
        }
    }

    /// What stands before the first entry: the heads of a table.
    pub(crate) fn begin(self, out: &mut Vec<u8>) {
        match self {
            Self::Csv => csv::heads(out),
            Self::Jsonl | Self::Office365 | Self::Ocsf => {}
        }
    }
}

/// Appends a value and a line feed.
fn append_line(out: &mut Vec<u8>, value: &Value) {
    out.extend_from_slice(plain::json_line(value).as_bytes());
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
