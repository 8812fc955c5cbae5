//! A ledger in which all is well, and what the checker says once it is doctored: a check that cannot fail is none.

use serde_json::{Value, json};

use super::Findings;

/// Administers.
const ADA: &str = "usr-1";
/// Approves.
const ALICE: &str = "usr-2";
/// Asks and runs.
const BOB: &str = "usr-3";

/// Everything happens once: people, a request that is approved and used, one that expires, an account that is disabled and
/// enabled again.
fn ledger() -> Vec<Value> {
    let asked = |request: &str, expires: &str| json!({"request": request, "requester": BOB, "policy": "pol-1", "reason": request, "expires_at": time(expires)});
    vec![
        entry("00:00", None, "user.added", json!({"user": ADA})),
        entry("00:00", None, "session.opened", json!({"user": ADA, "session": "ses-usr-1"})),
        entry("00:01", Some(ADA), "user.added", json!({"user": ALICE})),
        entry("00:01", Some(ADA), "user.added", json!({"user": BOB})),
        entry("00:02", None, "session.opened", json!({"user": ALICE, "session": "ses-usr-2"})),
        entry("00:02", None, "session.opened", json!({"user": BOB, "session": "ses-usr-3"})),
        entry("00:03", Some(ADA), "group.created", json!({"group": "grp-1"})),
        entry("00:03", Some(ADA), "group.member-added", json!({"group": "grp-1", "user": ALICE})),
        entry("00:04", Some(ADA), "access-control.enabled", json!({"default_approver_group": "grp-1"})),
        entry("00:05", Some(ADA), "policy.created", policy(json!({"approvals": 1, "groups": []}))),
        entry("00:10", Some(BOB), "request.submitted", asked("req-1", "00:20")),
        entry("00:11", Some(ALICE), "request.decided", decision("req-1", ALICE)),
        entry("00:11", Some(ALICE), "authorization.granted", grant("aut-1", "req-1", BOB)),
        entry("00:12", Some(BOB), "execution.started", run("exe-1", "one")),
        entry("00:13", None, "execution.finished", json!({"execution": "exe-1"})),
        entry("00:13", None, "authorization.ended", json!({"authorization": "aut-1"})),
        entry("00:20", Some(BOB), "request.submitted", asked("req-2", "00:30")),
        entry("00:30", None, "request.expired", json!({"request": "req-2"})),
        entry("00:31", Some(ADA), "user.disabled", json!({"user": BOB})),
        entry("00:32", Some(ADA), "user.enabled", json!({"user": BOB})),
        entry("00:33", None, "session.opened", json!({"user": BOB, "session": "ses-usr-3"})),
    ]
}

fn time(minute: &str) -> String {
    format!("2026-11-28T10:{minute}Z")
}

fn entry(minute: &str, actor: Option<&str>, kind: &str, details: Value) -> Value {
    let session = actor.map(|actor| format!("ses-{actor}"));
    json!({"time": time(minute), "actor": {"id": actor}, "session": session, "kind": kind, "details": details})
}

fn policy(approval: Value) -> Value {
    json!({"policy": "pol-1", "approval": approval})
}

fn decision(request: &str, by: &str) -> Value {
    json!({"request": request, "by": by, "verdict": "approve"})
}

fn grant(authorization: &str, request: &str, holder: &str) -> Value {
    json!({
        "authorization": authorization, "request": request, "holder": holder, "digest": "d0", "start": "now",
        "duration": "5s", "max_uses": 1, "parameters": {"text": "x"},
    })
}

fn run(execution: &str, tag: &str) -> Value {
    json!({
        "execution": execution, "user": BOB, "basis": "aut-1", "digest": "d0", "parameters": {"text": "x", "tag": tag},
    })
}

/// What the checker says of a ledger after the doctor was there.
fn findings(doctor: impl FnOnce(&mut Vec<Value>)) -> Findings {
    let mut entries = ledger();
    doctor(&mut entries);
    for (index, entry) in entries.iter_mut().enumerate() {
        if entry["index"].is_null() {
            entry["index"] = index.into();
        }
    }
    Findings::of(&entries)
}

/// The doctor is found out, by this rule.
#[track_caller]
fn check(rule: &str, doctor: impl FnOnce(&mut Vec<Value>)) {
    let Findings { violations, .. } = findings(doctor);
    assert!(violations.iter().any(|said| said.ends_with(rule)), "{rule:?} is not among {violations:#?}");
}

/// Where the first entry of this kind is.
fn place(entries: &[Value], kind: &str) -> usize {
    entries.iter().position(|entry| entry["kind"] == kind).unwrap()
}

/// One more entry just after the first of another kind, at the same time.
fn after(entries: &mut Vec<Value>, kind: &str, actor: Option<&str>, what: &str, details: Value) {
    let place = place(entries, kind);
    let mut new = entry("", actor, what, details);
    new["time"] = entries[place]["time"].clone();
    entries.insert(place + 1, new);
}

/// Changes a field of the first entry of a kind.
fn set(entries: &mut [Value], kind: &str, field: &str, value: Value) {
    let place = place(entries, kind);
    entries[place]["details"][field] = value;
}

fn remove(entries: &mut Vec<Value>, kind: &str) {
    entries.remove(place(entries, kind));
}

#[test]
fn where_all_is_well_nothing_is_found() {
    let Findings { violations, seen } = findings(|_| {});
    assert!(violations.is_empty(), "{violations:#?}");
    assert_eq!((seen["request.decided"], seen["execution.started"], seen.len()), (1, 1, 15));
}

#[test]
fn entries_follow_one_another() {
    check("it should have been entry 4", |entries| entries[4]["index"] = 5.into());
    check("time went back", |entries| entries[16]["time"] = time("00:09").into());
}

#[test]
fn one_use_is_one_run() {
    check("aut-1 has no uses left", |entries| {
        after(entries, "execution.started", Some(BOB), "execution.started", run("exe-2", "two"));
    });
}

#[test]
fn only_a_member_of_that_moment_decides() {
    let removed = || json!({"group": "grp-1", "user": ALICE});
    check("usr-2 is no approver of req-1", |entries| {
        after(entries, "request.submitted", Some(ADA), "group.member-removed", removed());
    });
    check("usr-2 is no approver of req-1", |entries| remove(entries, "group.member-added"));
    check("usr-2 is no approver of req-1", |entries| {
        after(entries, "request.submitted", Some(ADA), "group.deleted", json!({"group": "grp-1"}));
    });
    check("usr-2 is no approver of req-1", |entries| {
        set(entries, "access-control.enabled", "default_approver_group", Value::Null);
    });
    check("usr-2 is no approver of req-1", |entries| {
        let other = json!({"approvals": 1, "groups": [{"group": "grp-2", "minimum": 0}]});
        set(entries, "policy.created", "approval", other);
    });
    check("usr-3 decided on their own request", |entries| set(entries, "request.decided", "by", BOB.into()));
    check("usr-2 approved req-1 twice", |entries| {
        after(entries, "request.decided", Some(ALICE), "request.decided", decision("req-1", ALICE));
    });
}

#[test]
fn a_request_that_is_over_stays_so() {
    check("req-2 is expired already", |entries| {
        after(entries, "request.expired", Some(ALICE), "request.decided", decision("req-2", ALICE));
    });
    check("req-2 had expired by then", |entries| {
        let place = place(entries, "request.expired");
        entries[place] = entry("00:30", Some(ALICE), "request.decided", decision("req-2", ALICE));
    });
    check("req-2 is expired already", |entries| {
        after(entries, "request.expired", Some(ALICE), "authorization.granted", grant("aut-2", "req-2", BOB));
    });
    check("req-2 expired too early", |entries| {
        let place = place(entries, "request.expired");
        entries[place]["time"] = time("00:29").into();
    });
    check("req-1 is approved already", |entries| {
        after(entries, "authorization.granted", None, "request.expired", json!({"request": "req-1"}));
    });
    check("req-1 is cancelled already", |entries| {
        after(entries, "request.submitted", Some(BOB), "request.cancelled", json!({"request": "req-1"}));
    });
    check("req-1 is denied already", |entries| set(entries, "request.decided", "verdict", "deny".into()));
}

#[test]
fn nothing_is_given_without_approval() {
    check("not enough people approved req-1", |entries| remove(entries, "request.decided"));
    check("not enough people approved req-1", |entries| {
        set(entries, "policy.created", "approval", json!({"approvals": 2, "groups": []}));
    });
    check("usr-3 asked, and usr-2 holds it", |entries| {
        set(entries, "authorization.granted", "holder", ALICE.into());
    });
    check("there is no req-1", |entries| remove(entries, "request.submitted"));
}

#[test]
fn nothing_runs_after_the_end_of_what_allows_it() {
    check("aut-1 has ended", |entries| {
        let ended = json!({"authorization": "aut-1"});
        after(entries, "authorization.granted", Some(ADA), "authorization.ended", ended);
    });
    check("aut-1 has ended already", |entries| {
        after(entries, "authorization.ended", None, "authorization.ended", json!({"authorization": "aut-1"}));
    });
    check("the window of aut-1 was over", |entries| {
        set(entries, "authorization.granted", "duration", "1s".into());
    });
}

#[test]
fn what_runs_is_what_was_given_to_whoever_runs_it() {
    check("nothing allows it: aut-1", |entries| remove(entries, "authorization.granted"));
    check("nothing allows it: uncovered", |entries| {
        set(entries, "execution.started", "basis", "uncovered".into());
    });
    check("aut-1 is not usr-2's", |entries| set(entries, "execution.started", "user", ALICE.into()));
    check("aut-1 is for another definition", |entries| {
        set(entries, "execution.started", "digest", "d1".into());
    });
    check("aut-1 is for other values", |entries| {
        set(entries, "execution.started", "parameters", json!({"text": "y"}));
    });
}

#[test]
fn a_disabled_account_does_nothing_until_it_is_enabled() {
    for (kind, details) in [
        (
            "request.submitted",
            json!({"request": "req-3", "requester": BOB, "policy": "pol-1", "reason": "late",
            "expires_at": time("00:59")}),
        ),
        ("request.decided", decision("req-1", BOB)),
        ("authorization.ended", json!({"authorization": "aut-1"})),
        ("execution.started", run("exe-2", "two")),
    ] {
        for rule in ["usr-3 is disabled", "ses-usr-3 is no open session of usr-3"] {
            check(rule, |entries| after(entries, "user.disabled", Some(BOB), kind, details.clone()));
        }
    }
    check("usr-3 signed in while disabled", |entries| remove(entries, "user.enabled"));
    check("usr-3 is disabled", |entries| {
        // Somebody else's doing gives it to them all the same.
        after(entries, "authorization.granted", Some(ADA), "user.disabled", json!({"user": BOB}));
    });
    check("ses-usr-3 is no open session of usr-3", |entries| {
        let closed = json!({"user": BOB, "session": "ses-usr-3"});
        after(entries, "authorization.granted", None, "session.closed", closed);
    });
}

#[test]
fn what_is_sent_under_one_key_is_done_once() {
    check("\"req-1\" was asked for twice", |entries| {
        let again = json!({"request": "req-3", "requester": BOB, "policy": "pol-1", "reason": "req-1",
            "expires_at": time("00:20")});
        after(entries, "request.submitted", Some(BOB), "request.submitted", again);
    });
    check("\"one\" ran twice", |entries| {
        after(entries, "execution.started", Some(BOB), "execution.started", run("exe-2", "one"));
    });
    check("exe-1 was there already", |entries| {
        after(entries, "execution.started", Some(BOB), "execution.started", run("exe-1", "two"));
    });
}

#[test]
fn what_begins_ends_once() {
    check("exe-1 never ended", |entries| remove(entries, "execution.finished"));
    check("exe-1 did not run", |entries| remove(entries, "execution.started"));
    check("exe-1 did not run", |entries| {
        after(entries, "execution.finished", None, "execution.finished", json!({"execution": "exe-1"}));
    });
}
