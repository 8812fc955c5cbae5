//! Formats by their rules: every kind of event in every format, from the vectors that hold its bytes for ever.

mod schema;

use std::collections::BTreeSet;

use brevet_core::{Event, State, Text, Timestamp};
use brevet_store::{Exported, ExportedText, StoredEntry, decode_entry};
use serde_json::Value;

use super::{Format, Names, Record};
use crate::http::audit_entry;

/// One entry of each kind, its texts erased.
const VECTORS: &str = include_str!("../../../brevet-store/vectors/entries-v1.txt");
/// What somebody might write to deceive a reader of an export.
const HOSTILE: &str =
    "=cmd|'/C calc'!A0\r\n\"4711\",\"forged\"\u{85}\u{2028}\u{202e}txt\u{1b}[2J\u{0}\u{7f}\t";

fn entries() -> Vec<StoredEntry> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let entry = |line: &str| {
        let hex = line.split(' ').nth(2).unwrap();
        let byte = |place: usize| u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let (index, entry) = decode_entry(&bytes, Vec::new()).unwrap();
        StoredEntry { index, entry, bytes, about: brevet_store::About::default() }
    };
    lines.map(entry).collect()
}

/// The same with a text in every place that takes one.
fn hostile() -> Vec<StoredEntry> {
    let mut entries = entries();
    for stored in &mut entries {
        for text in stored.entry.event.texts_mut() {
            *text = Text::stored(Some(HOSTILE.to_owned()));
        }
        if let Event::RunRefused { why, .. } | Event::ServerStarted { version: why, .. } =
            &mut stored.entry.event
        {
            why.push_str(HOSTILE);
        }
    }
    entries
}

fn record(stored: StoredEntry) -> Record {
    let texts = vec![ExportedText { slot: 0, salt: "00".repeat(16), text: HOSTILE.to_owned() }];
    let exported = Exported { stored, texts };
    let source = Some(HOSTILE.to_owned());
    Record { exported, source, request: None, authorization: None, execution: None }
}

fn write(format: Format, stored: StoredEntry) -> String {
    let state = State::default();
    let names = Names { state: &state, origin: "log.example/one", texts: true };
    let record = record(stored);
    let mut out = Vec::new();
    let entry = audit_entry(&state, Timestamp::from_micros(0), &record.exported.stored);
    format.write(&mut out, entry, &record, &names);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_vectors_have_every_kind() {
    let kinds: BTreeSet<&str> = entries().iter().map(|stored| stored.entry.event.kind().name).collect();
    let all: BTreeSet<&str> = Event::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(kinds, all);
}

#[test]
fn every_kind_is_an_event_of_ocsf() {
    for stored in entries() {
        let kind = stored.entry.event.kind().name;
        let event: Value = serde_json::from_str(&write(Format::Ocsf, stored)).unwrap();
        let problems = schema::problems(&event);
        assert!(problems.is_empty(), "{kind}: {problems:#?}\n{event:#}");
    }
}

#[test]
fn every_kind_has_what_the_common_schema_of_office_365_requires() {
    let required = [
        "Id",
        "RecordType",
        "CreationTime",
        "Operation",
        "OrganizationId",
        "UserType",
        "UserKey",
        "Workload",
        "UserId",
        "ClientIP",
    ];
    for stored in entries() {
        let kind = stored.entry.event.kind().name;
        let record: Value = serde_json::from_str(&write(Format::Office365, stored)).unwrap();
        for name in required {
            assert!(record.get(name).is_some(), "{kind} has no {name}");
        }
        assert!(record["RecordType"].is_u64() && record["UserType"].is_u64(), "{record}");
        assert!(!record["Operation"].as_str().unwrap().is_empty());
    }
}

/// AU-3 of NIST SP 800-53 asks for what, when, where, by whom and with which outcome; CWE-117 for lines that nobody
/// else can write.
#[test]
fn nobody_forges_or_hides_a_line_in_any_format() {
    for format in Format::ALL {
        for stored in hostile() {
            let kind = stored.entry.event.kind().name;
            let line = write(format, stored);
            let end = if format == Format::Csv { "\r\n" } else { "\n" };
            let body = line.strip_suffix(end).unwrap_or_else(|| panic!("{kind}: {line:?}"));
            let shown = brevet_core::escape_for_display(body);
            assert_eq!(shown, body, "{format:?} {kind}: something acts on a terminal");
            if format == Format::Csv {
                assert!(
                    body.split("\",\"").all(|cell| !cell.trim_start_matches('"').starts_with('=')),
                    "{body}"
                );
            } else {
                assert!(serde_json::from_str::<Value>(body).is_ok(), "{body}");
            }
        }
    }
}

#[test]
fn without_texts_nothing_that_somebody_wrote_is_told() {
    let state = State::default();
    for format in Format::ALL {
        for stored in hostile() {
            let names = Names { state: &state, origin: "log.example/one", texts: false };
            let mut record = record(stored);
            record.source = None;
            record.exported = record.exported.without_texts();
            if matches!(record.event(), Event::RunRefused { .. } | Event::ServerStarted { .. }) {
                continue;
            }
            let mut out = Vec::new();
            let entry = audit_entry(&state, Timestamp::from_micros(0), &record.exported.stored);
            format.write(&mut out, entry, &record, &names);
            let line = String::from_utf8(out).unwrap();
            assert!(!line.contains("forged") && !line.contains("calc"), "{format:?}: {line}");
        }
    }
}

#[test]
fn a_line_is_known_by_the_format_that_it_was_written_in_and_by_no_other() {
    let formats = [Format::Jsonl, Format::Office365, Format::Ocsf];
    for stored in entries().into_iter().chain(hostile()) {
        for format in formats {
            let text = write(format, stored.clone());
            let line = text.trim_end_matches('\n').as_bytes();
            for other in formats {
                assert_eq!(other.is_line(line), other == format, "{text}");
            }
            assert!(!Format::Csv.is_line(line));
            for end in 1..line.len() {
                assert!(format.can_begin_with(&line[..end]) && !format.is_line(&line[..end]), "{text}");
            }
        }
    }
}
