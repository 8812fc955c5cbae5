use brevet_wire::{AuditEntry, Authorization, Execution, Explanation, Policy, Problem, Request, Task};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::cli::console::{Console, Format, Show, View};
use crate::cli::exit::Failure;
use crate::cli::table::{Row, table};
use crate::cli::testing::snapshot;

fn reference(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name})
}

fn pending() -> Value {
    json!({
        "id": "req-42", "requester": reference("usr-7", "maria"),
        "access": {"type": "task", "name": "Linux\\Restart-Service"}, "purpose": "new", "extends": null,
        "reason": "Config change 4711\u{1b}[2J\u{202e}", "parameters": {"unit": "nginx.service"},
        "free_parameters": ["delay"], "binding": "open",
        "command": ["/usr/bin/systemctl", "restart", "--", "nginx.service"], "run_as": "root", "digest": "ab12",
        "policy": "pol-3", "duration": "2h", "duration_seconds": 7200, "start_at": null, "max_uses": null,
        "submitted_at": "2026-11-23T16:25:00Z", "status": "pending", "expires_at": "2026-11-24T16:25:00Z",
        "ended_at": null, "approvals_needed": 2, "authorization": null, "may_decide": true, "may_cancel": false,
        "decisions": [{"by": reference("usr-2", "tom"), "verdict": "approve", "at": "2026-11-23T16:29:00Z",
            "duration": "1h", "duration_seconds": 3600, "comment": "Only an hour"}],
        "approver_groups": [reference("grp-1", "linux-approvers"), reference("grp-2", "security")],
    })
}

fn denied() -> Value {
    let mut request = pending();
    request["id"] = json!("req-41");
    request["status"] = json!("denied");
    request["extends"] = json!("aut-7");
    request["parameters"] = json!({});
    request["submitted_at"] = json!("2026-11-22T10:00:00Z");
    request
}

fn authorization() -> Value {
    json!({
        "id": "aut-7", "holder": reference("usr-7", "maria"), "access": {"type": "role", "name": "Linux\\Web-Operators"},
        "request": "req-40", "policy": "pol-4", "approved_by": [reference("usr-2", "tom")], "parameters": {},
        "binding": "open", "digest": "ab12", "state": "active", "granted_at": "2026-11-23T16:00:00Z",
        "starts_at": "2026-11-23T16:00:00Z", "ends_at": "2026-11-23T20:00:00Z", "claim_by": null, "duration": "4h",
        "duration_seconds": 14400, "uses": 1, "max_uses": 3, "ended_at": null, "ending": null, "revoked_by": null,
        "revocation_comment": null, "may_revoke": false, "may_give_back": true,
    })
}

fn execution(state: &str) -> Value {
    json!({
        "id": "exe-9", "user": reference("usr-7", "maria"), "task": "Linux\\Restart-Service", "digest": "ab12",
        "parameters": {"unit": "nginx.service"}, "basis": "authorization", "authorization": "aut-7", "flagged": false,
        "state": state, "started_at": "2026-11-23T16:28:00Z", "finished_at": null, "exit_code": null, "signal": null,
        "stop_cause": null, "stopped_by": null, "problem": null, "output": null, "may_stop": true,
    })
}

fn policy() -> Value {
    json!({
        "id": "pol-3", "revision": 2, "access": {"type": "task", "name": "Linux\\Restart-Service"},
        "approval_type": "manual", "approvals": 2, "uses_default_approver_group": false,
        "approver_groups": [{"group": reference("grp-1", "linux-approvers"), "minimum": 1},
            {"group": reference("grp-2", "security"), "minimum": 0}],
        "requesters": {"users": [reference("usr-7", "maria")], "groups": [reference("grp-3", "operators")]},
        "maximum_duration": "8h", "maximum_duration_seconds": 28800, "pending_lifetime": "24h",
        "pending_lifetime_seconds": 86400, "start": "first-use", "claim_within": "8h", "claim_within_seconds": 28800,
        "max_uses": null, "binding": "exact",
    })
}

fn task() -> Value {
    json!({
        "id": "tsk-3", "name": "Linux\\Restart-Service", "scope": "Linux", "description": "Restart one systemd unit",
        "parameters": [
            {"name": "unit", "type": "string", "list": false, "required": true, "default": null, "secret": false,
             "description": "Unit to restart", "one_of": ["nginx.service", "postgresql.service"], "pattern": null,
             "min": null, "max": null, "min_length": null, "max_length": null, "allow_leading_dash": false},
            {"name": "delay", "type": "integer", "list": false, "required": false, "default": 5, "secret": false,
             "description": "Seconds to wait before", "one_of": [], "pattern": null, "min": 0, "max": 60,
             "min_length": null, "max_length": null, "allow_leading_dash": false},
        ],
        "command": ["/usr/bin/systemctl", "restart", "--", "{unit}"], "run_as": "root", "timeout": "1m",
        "timeout_seconds": 60, "on_expiry": "stop", "witnessed": false, "digest": "ab12", "enabled": true,
        "roles": ["Linux\\Web-Operators"], "policy": "pol-3", "may_run": true, "may_ask": true,
        "authorization": "aut-7", "until": "2026-11-23T20:00:00Z",
    })
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn listed<T: DeserializeOwned + Row>(values: impl IntoIterator<Item = Value>) -> String {
    let items: Vec<T> = values.into_iter().map(read).collect();
    table(&items, &View::for_tests())
}

fn shown<T: DeserializeOwned + Show>(value: Value) -> String {
    read::<T>(value).show(&View::for_tests())
}

#[test]
fn lists() {
    let mut failed = execution("failed");
    failed["exit_code"] = json!(3);
    let mut stopping = execution("running");
    stopping["stop_cause"] = json!("revoked");
    let entry = json!({
        "index": 1042, "time": "2026-11-23T16:25:00Z", "actor": {"id": "usr-7", "name": "maria"}, "session": "ses-1",
        "kind": "request.submitted", "version": 1, "summary": "maria asks for Linux\\Restart-Service for 2h",
        "request": "req-42", "authorization": null, "execution": null, "task": "Linux\\Restart-Service",
        "flagged": true, "details": {"a": 1}, "leaf_hash": "ff",
    });
    let text = [
        listed::<Request>([pending(), denied()]),
        listed::<Authorization>([authorization()]),
        listed::<Execution>([execution("running"), stopping, failed]),
        listed::<Policy>([policy()]),
        listed::<Task>([task()]),
        listed::<AuditEntry>([entry]),
    ];
    snapshot("lists.txt", &text.join("\n\n"));
}

#[test]
fn sheets() {
    let explanation = json!({
        "user": reference("usr-7", "maria"), "task": "Linux\\Restart-Service", "allowed": false, "permission": null,
        "refusal": {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "…", "reason": "needs-approval",
            "way_out": {"task": "Linux\\Restart-Service", "policy": "pol-3", "approver_groups": [], "held": [],
                "ask": "brevet request new --task Linux/Restart-Service --reason \"WHY\""}},
        "steps": [{"question": "is the account active?", "answer": "yes"}, {"question": "so?", "answer": "refused"}],
        "policies": [{"policy": "pol-3", "access": {"type": "task", "name": "Linux\\Restart-Service"}, "rank": "task",
            "governs": true, "why": "the most specific, and of those the strictest"}],
        "approvers": [reference("usr-2", "tom")], "held": ["aut-6 has ended"],
    });
    let text = [
        shown::<Request>(pending()),
        shown::<Authorization>(authorization()),
        shown::<Execution>(execution("running")),
        shown::<Policy>(policy()),
        shown::<Task>(task()),
        shown::<Explanation>(explanation),
    ];
    snapshot("sheets.txt", &text.join("\n\n---\n\n"));
}

#[test]
fn a_narrow_terminal_wraps_and_colours() {
    let view = View { width: Some(80), colour: true, ..View::for_tests() };
    let text = table(&[read::<Request>(pending())], &view);
    snapshot("narrow.txt", &text.replace('\u{1b}', "^"));
}

#[test]
fn scripts_get_what_the_server_answered_in_json_and_yaml() {
    for (format, name) in [(Format::Json, "authorization.json"), (Format::Yaml, "authorization.yaml")] {
        let (mut console, out, _) = Console::kept(format);
        let mut answered = authorization();
        answered["from_a_newer_server"] = json!([1, true, "yes"]);
        console.one(&read::<Authorization>(authorization()), &answered).unwrap();
        snapshot(name, &out.text());
    }
}

#[test]
fn an_empty_list_is_a_sentence_for_people_and_an_empty_array_for_scripts() {
    for (format, text) in [(Format::Table, "No requests.\n"), (Format::Json, "[]\n"), (Format::Yaml, "[]\n")]
    {
        let (mut console, out, _) = Console::kept(format);
        console.list::<Request>(&[], &[], "No requests.").unwrap();
        assert_eq!(out.text(), text);
    }
}

#[test]
fn what_scripts_get_does_nothing_to_a_terminal() {
    let hostile = "Config\u{9b}2J\u{7f}\u{202e}\u{2028}\u{200b}change";
    let mut answered = authorization();
    answered["request_reason"] = json!(hostile);
    let harmless = |text: &str| !text.chars().any(|c| brevet_wire::misleads(c) && c != '\n');
    for format in [Format::Json, Format::Yaml] {
        let (mut console, out, error) = Console::kept(format);
        console.one(&read::<Authorization>(authorization()), &answered).unwrap();
        console.list(&[read::<Request>(pending())], &[pending()], "").unwrap();
        let problem = Problem { detail: hostile.to_owned(), ..Problem::default() };
        console.complain(&Failure::Refused(Box::new(problem)));
        for text in [out.text(), error.text()] {
            assert!(text.contains("\\u202e") && harmless(&text), "{text:?}");
        }
    }
}
