//! Messages byte by byte, and what counts as delivered.

use std::time::Duration;

use brevet_core::Timestamp;
use tokio::time::Instant;

use super::{Header, RESEND, Unsettled, escaped};
use crate::sinks::feed::Message;

fn message(index: u64, line: &str) -> Message {
    Message {
        index,
        time: Timestamp::from_micros(1_793_000_000_123_456),
        kind: "request.submitted",
        severity: 6,
        actor: "usr-7".into(),
        request: Some("req-42".into()),
        leaf_hash: "ab".repeat(32),
        line: line.as_bytes().to_vec(),
    }
}

fn frames(messages: &[Message]) -> String {
    let header = Header { facility: 13, hostname: "host".into(), app_name: "brevet".into() };
    let mut frames = Vec::new();
    messages.iter().for_each(|message| header.frame(message, "log.example/one", &mut frames));
    String::from_utf8(frames).unwrap()
}

#[test]
fn a_message_is_one_of_rfc_5424_in_a_counted_frame() {
    let hash = "ab".repeat(32);
    let body = format!(
        "<110>1 2026-10-26T07:33:20.123456Z host brevet - request.submitted [meta sequenceId=\"8\"]\
         [brevet@32473 index=\"7\" origin=\"log.example/one\" actor=\"usr-7\" request=\"req-42\" leafHash=\"{hash}\"] \
         {{\"a\":\"ü\"}}"
    );
    assert_eq!(frames(&[message(7, "{\"a\":\"ü\"}\n")]), format!("{} {body}", body.len()));
}

#[test]
fn frames_are_told_apart_by_their_lengths_alone() {
    let text = frames(&[message(0, "{}\n"), message(1, "{\"a\":\"\\n9 <1>1\"}\n")]);
    let (mut rest, mut found) = (text.as_bytes(), Vec::new());
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').unwrap();
        let length: usize = std::str::from_utf8(&rest[..space]).unwrap().parse().unwrap();
        found.push(String::from_utf8(rest[space + 1..space + 1 + length].to_vec()).unwrap());
        rest = &rest[space + 1 + length..];
    }
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|message| message.starts_with("<110>1 ") && !message.contains('\n')));
}

#[test]
fn a_value_cannot_leave_its_quotes() {
    assert_eq!(escaped("a\"b]c\\d\r\n\u{202e}"), "a\\\"b\\]c\\\\d\\\\u{d}\\\\u{a}\\\\u{202e}");
}

#[test]
fn the_sequence_begins_anew_behind_its_limit() {
    assert!(frames(&[message(2_147_483_646, "{}\n")]).contains("sequenceId=\"2147483647\""));
    assert!(frames(&[message(2_147_483_647, "{}\n")]).contains("sequenceId=\"1\""));
}

#[test]
fn what_was_sent_counts_as_delivered_only_later() {
    let start = Instant::now();
    let after = |millis| start + Duration::from_millis(millis);
    let resend = u64::try_from(RESEND.as_millis()).unwrap();
    let mut unsettled = Unsettled::default();
    unsettled.sent(after(0), 10);
    unsettled.sent(after(900), 20);
    unsettled.sent(after(1_100), 30);
    assert_eq!(unsettled.settled(after(resend + 899)), None);
    assert_eq!(unsettled.settled(after(resend + 900)), Some(20));
    assert_eq!(unsettled.settled(after(resend + 1_099)), None);
    assert_eq!(unsettled.settled(after(resend + 1_100)), Some(30));
    assert_eq!(unsettled.settled(after(resend * 2)), None);
}

#[test]
fn much_that_is_sent_takes_little_memory() {
    let start = Instant::now();
    let mut unsettled = Unsettled::default();
    for millis in 0..60_000 {
        let now = start + Duration::from_millis(millis);
        unsettled.settled(now);
        unsettled.sent(now, millis);
    }
    assert!(unsettled.0.len() <= 32, "{}", unsettled.0.len());
}
