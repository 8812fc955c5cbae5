//! The result, for people and for scripts: what was found, then what holds, in two statements: integrity (what is there
//! is what was signed) and completeness (nothing is missing, at the end or in between).

use brevet_core::{Span, Timestamp};
use brevet_store::{ClockStep, Gap, Rows};
use serde_json::{Value, json};

use super::case::Outcome;
use super::found::Found;
use super::given::{Counts, Given};
use super::witnessed::{rough, show};

/// Gaps and the like that are listed one by one; of more, the number is said.
const LISTED_MAX: usize = 10;

/// For people, on success.
pub(super) fn statements(outcome: &Outcome<'_>, given: &Given) -> String {
    let derived = &outcome.case.account.derived;
    let last =
        derived.last_time_micros.map_or_else(|| "never".to_owned(), |at| show(Timestamp::from_micros(at)));
    let (size, origin) = (derived.size, &outcome.case.origin);
    let mut head = match outcome.case.entries_read {
        true => format!("The ledger verifies: {size} entries of {origin}, the last at {last}."),
        false => format!("The hashes verify; no entry was read: {size} entries of {origin}."),
    };
    if !given.is_from_elsewhere() {
        head.push_str(" It agrees with itself; against its owner this proves nothing.");
    }
    let mut lines = vec![head, String::new()];
    lines.push("Integrity: what is there is what was signed.".to_owned());
    lines.extend(integrity(outcome));
    lines.push("Completeness: is anything missing?".to_owned());
    lines.extend(completeness(outcome, given));
    lines.extend(outcome.case.notes.iter().map(|note| format!("  note        {note}")));
    lines.iter().map(|line| brevet_core::escape_for_display(line) + "\n").collect()
}

fn integrity(outcome: &Outcome<'_>) -> Vec<String> {
    let derived = &outcome.case.account.derived;
    let trust = match outcome.is_own_key {
        true => "signed by a key that you gave",
        false => "signed by the key that lies with it; give --key from elsewhere to check against its owner",
    };
    let rows = match &outcome.case.account.rows {
        Some(Rows::Same(rows)) => format!("{rows}, each as the entries add up"),
        Some(Rows::Unknown) => "not compared: that needs every entry from the first".to_owned(),
        Some(Rows::Differ(_)) => "differ".to_owned(),
        None => "none beside these entries".to_owned(),
    };
    let mut lines = vec![
        format!("  root        {}", derived.root.to_base64()),
        format!("  checkpoint  {} entries, {trust}", outcome.judged.signed_size().unwrap_or(0)),
        match outcome.case.texts_read {
            true => format!(
                "  texts       {} as committed to, {} erased",
                derived.texts_present, derived.texts_erased
            ),
            false => "  texts       not read: a server publishes what commits to them, and not the texts"
                .to_owned(),
        },
        format!("  rows        {rows}"),
    ];
    if !outcome.case.account.chronicle.rotations.is_empty() {
        let (followed, all) = (outcome.judged.keys.len(), outcome.case.account.chronicle.rotations.len());
        lines.push(format!("  keys        {all} changes of the key, {followed} keys trusted by them"));
    }
    lines
}

fn completeness(outcome: &Outcome<'_>, given: &Given) -> Vec<String> {
    let (account, size) = (&outcome.case.account, outcome.case.account.derived.size);
    let Counts { checkpoints, receipts, anchors } = given.counts;
    let kept = match checkpoints + receipts + anchors {
        0 => "nothing that was kept elsewhere was given: an end that is missing would not show (--checkpoint, --receipts, \
              --anchor, --policy)"
            .to_owned(),
        all => format!(
            "{checkpoints} checkpoints, {receipts} receipts, {anchors} anchors: {}",
            match outcome.case.lost {
                0 => "all are part of this history".to_owned(),
                lost => format!("{} are part of this history, {lost} sign entries that are lost", all.saturating_sub(lost)),
            }
        ),
    };
    let unsigned = size - outcome.judged.signed_size().unwrap_or(0);
    let mut lines = vec![
        format!("  kept        {kept}"),
        format!("  unsigned    {unsigned} entries after the newest checkpoint"),
        format!("  witnesses   {}", witnesses(outcome, given)),
    ];
    let chronicle = &account.chronicle;
    if !outcome.case.entries_read {
        lines.extend(
            ["gaps", "crashes", "clock"].map(|head| format!("  {head:<11} not known: no entry was read")),
        );
        return lines;
    }
    let beat = chronicle
        .every
        .map_or_else(|| "no heartbeat".to_owned(), |every| format!("a heartbeat every {every}"));
    lines.extend(listed("gaps", &beat, "periods without a heartbeat", &chronicle.gaps, gap));
    lines.extend(listed("crashes", "", "starts without an orderly end before", &chronicle.crashes, gap));
    lines.extend(listed("clock", "", "times the clock was moved", &chronicle.clock_steps, |step| {
        format!(
            "at entry {}, {}: {}{}",
            step.index,
            show(step.time),
            if step.back { "-" } else { "+" },
            step.by
        )
    }));
    if chronicle.erasures > 0 {
        lines.push(format!("  erased      the texts of {} people, as entries say", chronicle.erasures));
    }
    for user in &chronicle.erasing {
        lines.push(format!(
            "  erasing     the texts of {user}: an entry says that they are gone, and a server was just removing them"
        ));
    }
    lines
}

fn witnesses(outcome: &Outcome<'_>, given: &Given) -> String {
    let size = outcome.case.account.derived.size;
    match (&outcome.word.met, &given.policy) {
        (Some(met), _) if met.quorum_at.is_some() => {
            let names: Vec<_> = met.witnessed.iter().map(|witness| witness.name.as_str()).collect();
            let at =
                met.quorum_at.and_then(|at| i64::try_from(at).ok()).unwrap_or(0).saturating_mul(1_000_000);
            format!(
                "{} cosigned the first {} entries at {}; {} entries came after",
                names.join(", "),
                met.checkpoint.size(),
                show(Timestamp::from_micros(at)),
                size.saturating_sub(met.checkpoint.size())
            )
        }
        (Some(_), _) => "the policy asks for none".to_owned(),
        (None, Some(_)) => "too few".to_owned(),
        (None, None) => "not asked about: give --policy".to_owned(),
    }
}

fn listed<T>(
    head: &str,
    when_none: &str,
    what: &str,
    items: &[T],
    line: impl Fn(&T) -> String,
) -> Vec<String> {
    if items.is_empty() {
        let when_none = if when_none.is_empty() { String::new() } else { format!(" ({when_none})") };
        return vec![format!("  {head:<11} none{when_none}")];
    }
    let mut lines = vec![format!("  {head:<11} {} {what}", items.len())];
    lines.extend(items.iter().take(LISTED_MAX).map(|item| format!("              {}", line(item))));
    if items.len() > LISTED_MAX {
        lines.push("              … (all of them with -o json)".to_owned());
    }
    lines
}

fn gap(gap: &Gap) -> String {
    let long = Span::from_micros(gap.to.micros().saturating_sub(gap.from.micros()));
    let long = long.map_or_else(|_| String::new(), |long| format!(" ({})", rough(long)));
    format!("{} to {}{long}, before entry {}", show(gap.from), show(gap.to), gap.index)
}

/// For scripts.
pub(super) fn machine_readable(outcome: &Outcome<'_>, given: &Given) -> Value {
    let account = &outcome.case.account;
    let derived = &account.derived;
    let time = |micros: Option<i64>| micros.map(|at| show(Timestamp::from_micros(at)));
    let rows = match &account.rows {
        Some(Rows::Same(rows)) => json!(rows),
        _ => Value::Null,
    };
    let mut value = json!({
        "verified": outcome.found.is_empty(),
        "origin": outcome.case.origin,
        "entries": derived.size,
        "root": derived.root.to_base64(),
        "checkpoint_size": outcome.judged.signed_size(),
        "own_key": outcome.is_own_key,
        "proves_against_owner": given.is_from_elsewhere(),
        "entries_read": outcome.case.entries_read,
        "first_at": time(derived.first_time_micros),
        "last_at": time(derived.last_time_micros),
        "rows": rows,
        "texts_present": derived.texts_present,
        "texts_erased": outcome.case.texts_read.then_some(derived.texts_erased),
        "entries_archived": derived.archived,
        "completeness": completeness_value(outcome, given),
        "notes": outcome.case.notes,
    });
    add_found(&mut value, &outcome.found);
    value
}

fn completeness_value(outcome: &Outcome<'_>, given: &Given) -> Value {
    let (account, counts) = (&outcome.case.account, given.counts);
    let size = account.derived.size;
    let chronicle = &account.chronicle;
    let gap = |gap: &Gap| json!({"entry": gap.index, "from": show(gap.from), "to": show(gap.to)});
    let step = |step: &ClockStep| json!({"entry": step.index, "at": show(step.time), "by": step.by.to_string(), "back": step.back});
    let is_read = outcome.case.entries_read;
    let witnessed = outcome.word.met.as_ref().filter(|met| met.quorum_at.is_some());
    json!({
        "checkpoints": counts.checkpoints,
        "receipts": counts.receipts,
        "anchors": counts.anchors,
        "entries_unsigned": size - outcome.judged.signed_size().unwrap_or(0),
        "entries_unwitnessed": witnessed.map(|met| size.saturating_sub(met.checkpoint.size())),
        "witnessed_size": witnessed.map(|met| met.checkpoint.size()),
        "quorum_at": witnessed
            .and_then(|met| i64::try_from(met.quorum_at?).ok())
            .map(|at| show(Timestamp::from_micros(at.saturating_mul(1_000_000)))),
        "witnesses": witnessed.map(|met| met.witnessed.iter().map(|it| it.name.clone()).collect::<Vec<_>>()),
        "heartbeat": chronicle.every.map(|every| every.to_string()),
        "gaps": is_read.then(|| chronicle.gaps.iter().map(gap).collect::<Vec<_>>()),
        "crashes": is_read.then(|| chronicle.crashes.iter().map(gap).collect::<Vec<_>>()),
        "erasing": chronicle.erasing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "clock_steps": is_read.then(|| chronicle.clock_steps.iter().map(step).collect::<Vec<_>>()),
    })
}

/// What is known when nothing could be derived.
pub(super) fn only_found(found: &Found) -> Value {
    let mut value = json!({"verified": false});
    add_found(&mut value, std::slice::from_ref(found));
    value
}

fn add_found(value: &mut Value, found: &[Found]) {
    let Some(first) = found.first() else { return };
    value["finding"] = json!(first.kind.word());
    value["code"] = json!(first.kind.code());
    value["entry"] = json!(first.entry);
    value["sentence"] = json!(first.sentence);
    value["evidence"] = json!(first.evidence);
    let also = found.iter().skip(1);
    value["also"] = also
        .map(|also| json!({"finding": also.kind.word(), "entry": also.entry, "sentence": also.sentence}))
        .collect();
}
