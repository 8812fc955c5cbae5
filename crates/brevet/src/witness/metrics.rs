//! What a witness did, for Prometheus (text exposition format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use brevet_store::{EvidenceKind, Standing};

use super::http::Outcome;

/// What the text is.
pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often each outcome was answered since the start.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// One more.
    pub(super) fn count(&self, outcome: &Outcome) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(outcome.name()).or_default() += 1;
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Everything, as text. Only ledgers that somebody told this witness about have lines of their own.
pub(super) fn text(standings: &[Standing], tally: &Tally) -> String {
    let mut page = Page(String::new());
    page.head("brevet_witness_requests_total", "counter", "Answers to add-checkpoint since the start.");
    for (outcome, count) in tally.counts() {
        page.line("brevet_witness_requests_total", &[("outcome", outcome)], count);
    }
    page.head("brevet_witness_log_keys", "gauge", "Keys that are trusted for a ledger.");
    for standing in standings {
        page.line("brevet_witness_log_keys", &[("origin", &standing.origin)], standing.keys);
    }
    page.head("brevet_witness_log_size", "gauge", "Size of the largest checkpoint that was cosigned.");
    for (origin, (size, _)) in cosigned(standings) {
        page.line("brevet_witness_log_size", &[("origin", origin)], size);
    }
    let name = "brevet_witness_log_cosigned_timestamp_seconds";
    page.head(name, "gauge", "Time of the last cosignature.");
    for (origin, (_, time)) in cosigned(standings) {
        page.line(name, &[("origin", origin)], time);
    }
    page.head("brevet_witness_evidence", "gauge", "Signed checkpoints that contradict each other, by kind.");
    for standing in standings {
        for kind in EvidenceKind::ALL {
            let found = standing.evidence.iter().find(|(found, _)| *found == kind);
            let labels = [("origin", standing.origin.as_str()), ("kind", kind.name())];
            page.line("brevet_witness_evidence", &labels, found.map_or(0, |(_, count)| *count));
        }
    }
    page.0
}

fn cosigned(standings: &[Standing]) -> impl Iterator<Item = (&str, (u64, u64))> {
    standings.iter().filter_map(|standing| Some((standing.origin.as_str(), standing.cosigned?)))
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }
}

/// A label's value: backslash, quotation mark and line feed are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use brevet_store::{EvidenceKind, Standing};

    use super::{Tally, text};
    use crate::witness::http::Outcome;

    #[test]
    fn what_was_seen_and_answered_is_shown_and_names_cannot_break_out_of_their_quotes() {
        let tally = Tally::default();
        for outcome in [Outcome::HasSize(7), Outcome::HasSize(8), Outcome::Busy] {
            tally.count(&outcome);
        }
        let evidence = vec![(EvidenceKind::TwoRoots, 2)];
        let origin = "a\"b\\c".to_owned();
        let standing = Standing { origin, keys: 1, cosigned: Some((17, 1_800_000_000)), evidence };
        let page = text(&[standing], &tally);
        for line in [
            "brevet_witness_requests_total{outcome=\"other-size\"} 2",
            "brevet_witness_requests_total{outcome=\"busy\"} 1",
            "brevet_witness_log_keys{origin=\"a\\\"b\\\\c\"} 1",
            "brevet_witness_log_size{origin=\"a\\\"b\\\\c\"} 17",
            "brevet_witness_log_cosigned_timestamp_seconds{origin=\"a\\\"b\\\\c\"} 1800000000",
            "brevet_witness_evidence{origin=\"a\\\"b\\\\c\",kind=\"two-roots\"} 2",
            "brevet_witness_evidence{origin=\"a\\\"b\\\\c\",kind=\"unproven\"} 0",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
    }
}
