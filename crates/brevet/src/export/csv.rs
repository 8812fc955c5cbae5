//! A table (RFC 4180) that stays a table: every field is quoted, what misleads a reader is shown escaped, and no field
//! begins like a formula of a spreadsheet (CWE-1236; OWASP, "CSV Injection").

use brevet_core::escape_for_display;
use brevet_wire::{AuditActor, AuditEntry};

use crate::plain;

const HEADS: [&str; 15] = [
    "index",
    "time",
    "kind",
    "version",
    "actor_id",
    "actor",
    "session",
    "summary",
    "request",
    "authorization",
    "execution",
    "task",
    "flagged",
    "details",
    "leaf_hash",
];
/// What a spreadsheet takes for the beginning of a formula, full-width forms included.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// At what spreadsheets split too, in the countries that write decimals with a comma.
const SEPARATOR: char = ';';

/// The first row.
pub(super) fn heads(out: &mut Vec<u8>) {
    write(out, HEADS.iter().map(|head| (*head).to_owned()));
}

/// One row.
pub(super) fn row(out: &mut Vec<u8>, entry: &AuditEntry) {
    let AuditActor { id, name } = &entry.actor;
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells: [String; HEADS.len()] = [
        entry.index.to_string(),
        entry.time.0.to_string(),
        entry.kind.clone(),
        entry.version.to_string(),
        maybe(id),
        name.clone(),
        maybe(&entry.session),
        entry.summary.clone(),
        maybe(&entry.request),
        maybe(&entry.authorization),
        maybe(&entry.execution),
        maybe(&entry.task),
        entry.flagged.to_string(),
        plain::json_line(&entry.details),
        entry.leaf_hash.clone(),
    ];
    write(out, cells.into_iter());
}

fn write(out: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (place, text) in cells.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(cell(&text).replace('"', "\"\"").as_bytes());
        out.push(b'"');
    }
    out.extend_from_slice(b"\r\n");
}

/// A field's text: one apostrophe more where it would be calculated. A quoted field is calculated like any other, and
/// where a spreadsheet splits at semicolons, whatever the quotes say, what is behind one is a field of its own. Tabs and
/// line breaks, at which others split, are escaped by then.
fn cell(text: &str) -> String {
    let shown = escape_for_display(text);
    let mut cell = String::with_capacity(shown.len() + 1);
    for (place, part) in shown.split(SEPARATOR).enumerate() {
        if place > 0 {
            cell.push(SEPARATOR);
        }
        let begins_blank = place == 0 && text.starts_with(['\t', '\r', '\n']);
        if begins_blank || begins_formula(part) {
            cell.push('\'');
        }
        cell.push_str(part);
    }
    cell
}

/// Whether it is calculated, also behind blanks and quotes, which some readers drop.
fn begins_formula(part: &str) -> bool {
    part.trim_start_matches(|c: char| c.is_whitespace() || c == '"').starts_with(FORMULA_STARTS)
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＠A"] {
            assert!(cell(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "a=1", "1-1", "'=1", "2026-11-01T00:00:00Z", "{\"a\":1}", "a; b", ";", "a;1=1"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn nor_does_what_is_behind_a_semicolon() {
        for (text, shown) in [
            ("a;=1+1", "a;'=1+1"),
            ("a; \u{a0}-1;b;+2", "a;' \u{a0}-1;b;'+2"),
            (";@A", ";'@A"),
            ("=1;=2", "'=1;'=2"),
            ("a;\"=1\"", "a;'\"=1\""),
            ("a;＝1", "a;'＝1"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
