//! What witnesses say: whether there are enough, how old the newest word of theirs is, and when entries cannot have been
//! written.

use brevet_core::{Span, Timestamp};
use brevet_ledger::{Judgement, Policy, PolicyMet, PolicyUnmet};
use brevet_store::Account;

use super::found::{Found, Kind};
use super::given::Given;

/// By how much the clocks of a server and a witness may differ, in seconds.
const CLOCK_SECONDS_MAX: i64 = 120;

/// The word of the witnesses on a ledger.
#[derive(Debug, Default)]
pub(super) struct Word {
    /// The largest checkpoint that the policy is met by, and who cosigned it.
    pub(super) met: Option<PolicyMet>,
    pub(super) found: Vec<Found>,
}

impl Word {
    /// Looks for the largest checkpoint that enough witnesses cosigned.
    pub(super) fn of(given: &Given, judged: &Judgement<'_>, account: &Account) -> Self {
        let mut word = Self::default();
        if let Some(policy) = &given.policy {
            word.look(policy, judged);
            word.found.extend(back_dated(policy, judged, account));
        }
        word.found.extend(stale(given, word.met.as_ref(), account));
        word
    }

    fn look(&mut self, policy: &Policy, judged: &Judgement<'_>) {
        let mut nearest: Option<(u64, PolicyUnmet)> = None;
        for claim in &judged.believed {
            let size = claim.checkpoint().size();
            match policy.check_with_logs(claim.note(), &judged.keys_at(size)) {
                Ok(met) if self.met.as_ref().is_none_or(|best| best.checkpoint.size() < size) => {
                    self.met = Some(met);
                }
                Ok(_) => {}
                Err(unmet) if nearest.as_ref().is_none_or(|(best, _)| *best <= size) => {
                    nearest = Some((size, unmet));
                }
                Err(_) => {}
            }
        }
        if self.met.is_none() {
            let why = nearest.map_or_else(|| "there is no checkpoint".to_owned(), |(_, why)| why.to_string());
            self.found.push(Found::new(Kind::PolicyNotMet, format!("the policy is not met: {why}")));
        }
    }
}

/// An entry that a witness saw at some time cannot be of later; one that came after cannot be of before.
fn back_dated(policy: &Policy, judged: &Judgement<'_>, account: &Account) -> Vec<Found> {
    let keys: Vec<_> = policy.witnesses().iter().map(|witness| witness.key.clone()).collect();
    let mut found = Vec::new();
    for claim in &judged.believed {
        let size = claim.checkpoint().size();
        let time_of = |index: u64| account.chronicle.times.get(&index).copied();
        for cosigned in claim.note().cosignatures(&keys).unwrap_or_default() {
            let Some(at) = micros(cosigned.unix_seconds) else { continue };
            let (name, slack) = (cosigned.key.name(), CLOCK_SECONDS_MAX * 1_000_000);
            if let Some((index, time)) = size.checked_sub(1).and_then(|last| Some((last, time_of(last)?)))
                && time.micros() > at.saturating_add(slack)
            {
                let sentence = format!(
                    "entry {index} is dated {} and cannot be: {name} saw it at {}",
                    show(time),
                    show(Timestamp::from_micros(at))
                );
                found.push(Found::new(Kind::BackDated, sentence).at(index));
            }
            if let Some(time) = time_of(size)
                && time.micros() < at.saturating_sub(slack)
            {
                let sentence = format!(
                    "entry {size} is back-dated: it says {}, and was not there yet when {name} looked at {}",
                    show(time),
                    show(Timestamp::from_micros(at))
                );
                found.push(Found::new(Kind::BackDated, sentence).at(size));
            }
        }
    }
    found
}

/// Where there is a quorum, its time counts; otherwise that of the last entry.
fn stale(given: &Given, met: Option<&PolicyMet>, account: &Account) -> Option<Found> {
    let max = given.max_age?;
    let has_quorum = given.policy.as_ref().is_some_and(Policy::has_quorum);
    let (what, at) = match (has_quorum, met.and_then(|met| met.quorum_at)) {
        (true, at) => ("the newest cosignatures are", at.and_then(micros)),
        (false, _) => ("the last entry is", account.derived.last_time_micros),
    };
    // What is not known is not fresh.
    let Some(at) = at else {
        let sentence = format!(
            "how old the ledger is cannot be told: no time was read or cosigned, and it may be {max} old; a newer end \
             may be missing"
        );
        return Some(Found::new(Kind::Stale, sentence));
    };
    let age = given.now.micros().saturating_sub(at);
    if age <= max.micros() {
        return None;
    }
    let (at, age) = (show(Timestamp::from_micros(at)), Span::from_micros(age).map_or(max, |age| age));
    let sentence = format!(
        "the ledger is stale: {what} of {at}, {} ago, and may be {max} old; a newer end may be missing",
        rough(age)
    );
    Some(Found::new(Kind::Stale, sentence))
}

fn micros(unix_seconds: u64) -> Option<i64> {
    i64::try_from(unix_seconds).ok().filter(|seconds| *seconds > 0)?.checked_mul(1_000_000)
}

/// A duration to be read: without what is too small to matter.
pub(super) fn rough(span: Span) -> Span {
    const SECOND: i64 = 1_000_000;
    Span::from_micros(span.micros() / SECOND * SECOND).unwrap_or(span)
}

/// A time to be read.
pub(super) fn show(time: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(time.micros())
        .map_or_else(|_| time.micros().to_string(), |time| time.to_string())
}
