//! The whole story over the API, and what each step shows.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::office::{Office, events};

#[tokio::test]
async fn refused_asked_approved_run_revoked_refused_again() {
    let office = Office::open().await;
    let check = || json!({"task": "linux/echo", "parameters": {"text": "it's me"}});
    let refused = office.post("rita", "/check", check()).await;
    assert_eq!(refused.problem(403), "needs-approval");
    let problem = refused.json();
    assert_eq!(problem["detail"], "Insufficient permissions. Raise an access request for this task.");
    assert_eq!(problem["way_out"]["approver_groups"], json!(["Approvers"]));
    let ask = problem["way_out"]["ask"].as_str().unwrap();
    assert_eq!(ask, r#"brevet request new --task Linux/Echo -p 'text=it'\''s me' --reason "WHY""#);

    let request = office.ask().await;
    let seen = office.get("anna", &format!("/requests/{request}")).await.ok();
    assert_eq!(
        (&seen["status"], &seen["may_decide"], &seen["reason"]),
        (&json!("pending"), &json!(true), &json!("to say something"))
    );
    assert_eq!(seen["command"], json!(["/usr/bin/echo", "{text}", "{times}"]));
    assert_eq!(seen["free_parameters"], json!(["text", "times"]));
    assert_eq!(seen["approver_groups"][0]["name"], "Approvers");
    let for_me = office.get("anna", "/requests?for_me=true").await.ok();
    assert_eq!(for_me["items"][0]["id"], json!(request));
    assert_eq!(office.get("rita", "/requests?for_me=true").await.ok()["items"], json!([]));

    assert_eq!(
        office.post("rita", &format!("/requests/{request}/approve"), json!({})).await.problem(403),
        "self-approval"
    );
    assert_eq!(
        office.post("ada", &format!("/requests/{request}/approve"), json!({})).await.problem(403),
        "not-an-approver"
    );
    let approve = json!({"comment": "go on", "duration": "1h"});
    let approved = office.post("anna", &format!("/requests/{request}/approve"), approve).await;
    assert!(approved.headers["brevet-position"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    let approved = approved.ok();
    assert_eq!(
        (&approved["status"], &approved["decisions"][0]["comment"]),
        (&json!("approved"), &json!("go on"))
    );
    let authorization = approved["authorization"].as_str().unwrap().to_owned();

    let allowed = office.post("rita", "/check", check()).await.ok();
    assert_eq!((&allowed["allowed"], &allowed["authorization"]), (&json!(true), &json!(authorization)));
    let task = office.get("rita", "/tasks/Linux/Echo").await.ok();
    assert_eq!((&task["may_run"], &task["authorization"]), (&json!(true), &json!(authorization)));
    assert_eq!(task["authorizations"], json!([authorization]));
    assert_eq!(office.get("olaf", "/tasks/Linux/Echo").await.ok()["may_run"], json!(false));
    office.run("once").await;
    office.run("twice").await;
    let held = office.get("rita", &format!("/authorizations/{authorization}")).await.ok();
    assert_eq!(
        (&held["state"], &held["uses"], &held["duration"]),
        (&json!("active"), &json!(2), &json!("1h"))
    );
    assert_eq!((&held["approved_by"][0]["name"], &held["may_give_back"]), (&json!("anna"), &json!(true)));

    let revoke = format!("/authorizations/{authorization}/revoke");
    assert_eq!(office.post("rita", &revoke, json!({})).await.problem(403), "forbidden");
    let revoked = office.post("anna", &revoke, json!({"comment": "enough"})).await.ok();
    assert_eq!((&revoked["state"], &revoked["ending"]), (&json!("ended"), &json!("revoked")));
    assert_eq!(
        (&revoked["revoked_by"]["name"], &revoked["revocation_comment"]),
        (&json!("anna"), &json!("enough"))
    );
    assert_eq!(office.post("rita", "/check", check()).await.problem(403), "needs-approval");
    assert_eq!(office.post("rita", "/executions", check()).await.problem(403), "needs-approval");
}

#[tokio::test]
async fn whoever_comes_too_late_is_told_how_it_ended() {
    let office = Office::open().await;
    let request = office.ask().await;
    office.post("anna", &format!("/requests/{request}/deny"), json!({"comment": "no"})).await.ok();
    for verb in ["approve", "deny", "cancel"] {
        let late = office.post("anna", &format!("/requests/{request}/{verb}"), json!({})).await;
        assert_eq!(late.problem(409), "ended");
        let detail = late.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(&format!("request {request} was denied by anna at 20")), "{detail}");
    }
    let authorization = office.grant().await;
    office.post("rita", &format!("/authorizations/{authorization}/give-back"), json!({})).await.ok();
    let late = office.post("anna", &format!("/authorizations/{authorization}/revoke"), json!({})).await;
    assert_eq!(late.problem(409), "ended");
    assert!(late.json()["detail"].as_str().unwrap().contains("was given back at"));
}

#[tokio::test]
async fn a_run_says_what_ran_and_is_listed_under_its_authorization() {
    let office = Office::open().await;
    let first = office.grant().await;
    let one = office.run("hello").await;
    office.post("rita", &format!("/authorizations/{first}/give-back"), json!({})).await.ok();
    let second = office.grant().await;
    let two = office.run("again").await;
    let run = office.get("rita", &format!("/executions/{one}")).await.json();
    assert_eq!((&run["command"], &run["run_as"]), (&json!(["/usr/bin/echo", "hello", "1"]), &json!(null)));
    for (who, authorization, listed) in
        [("rita", &first, vec![&one]), ("anna", &second, vec![&two]), ("olaf", &first, vec![])]
    {
        let list = office.get(who, &format!("/executions?authorization={authorization}")).await.json();
        let ids: Vec<_> =
            list["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
        assert_eq!(ids, listed, "{who} {authorization}");
    }
    office.get("rita", "/executions?authorization=req-1").await.problem(400);
}

#[tokio::test]
async fn a_run_streams_what_it_writes_and_so_does_its_recording() {
    let office = Office::open().await;
    office.grant().await;
    let id = office.run("hello").await;
    let stream = office.get("rita", &format!("/executions/{id}/output")).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    let events = events(&stream.body);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("started", "finished"));
    let written: Vec<u8> = events
        .iter()
        .filter(|(name, _)| name == "output")
        .flat_map(|(_, chunk)| {
            base64::engine::general_purpose::STANDARD.decode(chunk["data"].as_str().unwrap()).unwrap()
        })
        .collect();
    assert_eq!(written, b"hello 1\n");
    let times: Vec<u64> = events.iter().filter_map(|(_, chunk)| chunk["after_micros"].as_u64()).collect();
    assert!(!times.is_empty() && times.is_sorted(), "{times:?}");
    let finished = &events.last().unwrap().1;
    assert_eq!((&finished["state"], &finished["exit_code"]), (&json!("succeeded"), &json!(0)));
    let request = Request::builder()
        .uri(format!("/api/v1/executions/{id}/output"))
        .header("authorization", format!("Bearer {}", office.token("aude")))
        .header("accept", "application/octet-stream");
    assert_eq!(office.raw(request.body(Body::empty()).unwrap()).await.body, b"hello 1\n");
    let late = office.post("rita", &format!("/executions/{id}/stop"), json!({})).await;
    assert_eq!(late.problem(409), "ended");
    assert!(late.json()["detail"].as_str().unwrap().contains("succeeded at"));
}

/// A task that never stops writing.
const TICKS: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Tick"
description = "Writes on and on"
run = ["/usr/bin/bash", "-c", "while :; do echo tick; sleep 0.2; done"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_disabled_is_told_no_more_however_much_is_written() {
    let office = std::sync::Arc::new(Office::open().await);
    std::fs::write(office.folder.path().join("tasks.d/ticks.toml"), TICKS).unwrap();
    office.app.reload().await.unwrap();
    office.post("ada", "/assignments", json!({"user": "rita", "task": "Linux/Tick"})).await.ok();
    office.post("ada", "/access-control/disable", json!({})).await.ok();
    let run = office.post("rita", "/executions", json!({"task": "Linux/Tick"})).await.ok();
    let id = run["id"].as_str().unwrap().to_owned();
    let (reading, path) = (std::sync::Arc::clone(&office), format!("/executions/{id}/output"));
    let reader = tokio::spawn(async move { reading.get("aude", &path).await.body });
    tokio::time::sleep(Duration::from_millis(500)).await;
    office.post("ada", "/users/aude/disable", json!({})).await.ok();
    let read = tokio::time::timeout(Duration::from_secs(8), reader).await.expect("they read on").unwrap();
    let last = events(&read).pop().unwrap();
    assert_eq!((last.0.as_str(), &last.1["reason"]), ("problem", &json!("not-signed-in")));
    assert_eq!(office.get("rita", &format!("/executions/{id}")).await.ok()["state"], "running");
    office.post("rita", &format!("/executions/{id}/stop"), json!({})).await.ok();
}

#[tokio::test]
async fn waiting_ends_with_the_decision() {
    let office = std::sync::Arc::new(Office::open().await);
    let request = office.ask().await;
    let path = format!("/requests/{request}/wait");
    let pending = office.get("rita", &format!("{path}?seconds=0")).await.ok();
    assert_eq!(pending["status"], "pending");
    let waiting = tokio::spawn({
        let office = std::sync::Arc::clone(&office);
        let path = format!("{path}?seconds=60");
        async move { office.get("rita", &path).await.ok() }
    });
    // Something else that happens meanwhile does not end it.
    office.post("ada", "/groups", json!({"name": "Others"})).await.ok();
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    office.post("anna", &format!("/requests/{request}/approve"), json!({})).await.ok();
    let decided = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap();
    assert_eq!(decided["status"], "approved");
}

#[tokio::test]
async fn signing_out_and_changing_the_password_end_sessions() {
    let office = Office::open().await;
    let wrong = json!({"current": "not the right one", "new": "another horse battery"});
    assert_eq!(office.post("olaf", "/password", wrong).await.problem(403), "bad-credentials");
    let change = json!({"current": crate::office::PASSWORD, "new": "another horse battery"});
    assert_eq!(office.post("olaf", "/password", change).await.status, 204);
    assert_eq!(office.get("olaf", "/whoami").await.problem(401), "not-signed-in");
    let out = office.send(Some("rita"), Method::DELETE, "/api/v1/sessions/current", None).await;
    assert_eq!(out.status, 204);
    assert_eq!(office.get("rita", "/whoami").await.problem(401), "not-signed-in");
    office.post("ada", "/users/anna/disable", json!({})).await.ok();
    assert_eq!(office.get("anna", "/whoami").await.problem(401), "not-signed-in");
}

#[tokio::test]
async fn who_changes_or_removes_what_they_saw_is_told_when_it_is_another_by_now() {
    let office = Office::open().await;
    let before = office.get("ada", "/access-control").await.ok();
    assert_eq!(before["enabled"], true);
    let seen = |accounts: Value, group: &str| json!({"enabled": true, "default_approver_group": group, "system_accounts": accounts, "uncovered": "refused"});
    let enable = |uncovered: &str, seen: Value| {
        let body = json!({
            "default_approver_group": "Approvers", "system_accounts": ["olaf"], "uncovered": uncovered, "seen": seen
        });
        office.post("ada", "/access-control/enable", body)
    };
    let id = before["default_approver_group"]["id"].as_str().unwrap().to_owned();
    enable("refused", seen(json!([]), &id)).await.ok();
    assert_eq!(enable("assigned", seen(json!([]), &id)).await.problem(409), "changed");
    assert_eq!(enable("assigned", seen(json!(["olaf"]), "no-such-group")).await.problem(409), "changed");
    assert_eq!(enable("assigned", json!({"enabled": true})).await.problem(400), "bad-body");
    enable("assigned", seen(json!(["olaf"]), "Approvers")).await.ok();

    let patch = json!({"max_uses": 3});
    office.send(Some("ada"), Method::PATCH, "/api/v1/policies/1", Some(patch)).await.ok();
    let remove = |query: &str| {
        let (office, path) = (&office, format!("/api/v1/policies/1{query}"));
        async move { office.send(Some("ada"), Method::DELETE, &path, None).await }
    };
    assert_eq!(remove("?revision=1").await.problem(409), "changed");
    assert_eq!(remove("?revision=x").await.problem(400), "bad-query");
    assert_eq!(remove("?revision=2").await.status, 204);
}

#[tokio::test]
async fn a_policy_is_changed_by_a_merge_patch_and_explained() {
    let office = Office::open().await;
    let patch = |body| office.send(Some("ada"), Method::PATCH, "/api/v1/policies/1", Some(body));
    let changed =
        patch(json!({"max_uses": 3, "maximum_duration": "8h", "requesters": {"users": ["rita"]}})).await.ok();
    assert_eq!(
        (&changed["revision"], &changed["max_uses"], &changed["maximum_duration"]),
        (&json!(2), &json!(3), &json!("8h"))
    );
    assert_eq!(patch(json!({"revision": 1, "max_uses": 4})).await.problem(409), "changed");
    let changed = patch(json!({"revision": 2, "max_uses": null, "requesters": null})).await.ok();
    assert_eq!(
        (&changed["max_uses"], &changed["requesters"], &changed["maximum_duration"]),
        (&json!(null), &json!(null), &json!("8h"))
    );
    let explain = json!({"task": "Linux/Echo", "parameters": {"text": "x"}});
    let explained = office.post("rita", "/policies/explain", explain).await.ok();
    assert_eq!((&explained["allowed"], &explained["policies"][0]["governs"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&explained["refusal"]["reason"], &explained["approvers"][0]["name"]),
        (&json!("needs-approval"), &json!("anna"))
    );
    let other = json!({"task": "Linux/Echo", "user": "anna"});
    assert_eq!(office.post("rita", "/policies/explain", other.clone()).await.problem(403), "forbidden");
    office.post("aude", "/policies/explain", other).await.ok();
}

#[tokio::test]
async fn of_an_exact_request_only_secrets_are_free() {
    const CHOICE: &str = r#"
[workload]
name = "Free"
kind = "command"

[[task]]
name = "Choose"
description = "Chooses"
run = ["/usr/bin/wc", "{which}"]
stdin = "{password}"

[task.parameters]
which = { type = "string", description = "Which", required = false }
password = { type = "string", description = "A secret", secret = true }
"#;
    let office = Office::open().await;
    std::fs::write(office.folder.path().join("tasks.d/free.toml"), CHOICE).unwrap();
    office.app.reload().await.unwrap_or_else(|error| panic!("{error}"));
    for (binding, free) in [("exact", json!(["password"])), ("open", json!(["password", "which"]))] {
        let policy = json!({"task": "Free/Choose", "approval_type": "manual", "binding": binding});
        let policy = office.post("ada", "/policies", policy).await.ok();
        let ask = json!({"task": "Free/Choose", "reason": "to choose"});
        let asked = office.post("rita", "/requests", ask).await.ok();
        assert_eq!((&asked["binding"], &asked["free_parameters"]), (&json!(binding), &free));
        let policy = format!("/api/v1/policies/{}?revision=1", policy["id"].as_str().unwrap());
        office.send(Some("ada"), Method::DELETE, &policy, None).await;
    }
}
