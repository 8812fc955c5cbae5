//! What a change of the policies would do is told, and nothing is done; what it did is found again by its object.

use axum::http::Method;
use serde_json::json;

use crate::office::Office;

#[tokio::test]
async fn a_preview_tells_what_a_change_would_do_and_does_nothing() {
    let office = Office::open().await;
    office.grant().await;
    let before = office.get("ada", "/policies/1").await.ok();
    let change = json!({"change": {"policy": "pol-1", "change": {"requesters": {"users": ["anna"]}}}});
    let told = office.post("ada", "/policies/preview", change.clone()).await.ok();
    assert_eq!(
        told["differences"],
        json!([{"field": "Who may ask", "before": "anyone who is active", "after": "anna"}])
    );
    assert_eq!((&told["authorizations"], &told["authorizations_voided"]), (&json!(1), &json!(1)));
    assert_eq!((&told["may_ask"]["after"], &told["tasks"]), (&json!(1), &json!(1)));
    assert_eq!(office.get("ada", "/policies/1").await.ok(), before);
    assert_eq!(office.get("ada", "/authorizations/1").await.ok()["state"], "active");
    let removal = office.post("ada", "/policies/preview", json!({"remove": {"policy": "pol-1"}})).await.ok();
    assert_eq!((&removal["after"], &removal["governs"]), (&json!(null), &json!({"before": 1, "after": 0})));
    assert_eq!(office.post("rita", "/policies/preview", change).await.problem(403), "forbidden");
}

#[tokio::test]
async fn a_preview_refuses_what_the_change_would_be_refused() {
    let office = Office::open().await;
    let preview = |step| office.post("ada", "/policies/preview", step);
    let on_echo = json!({"create": {"task": "Linux/Echo", "approval_type": "manual"}});
    assert_eq!(preview(on_echo).await.problem(409), "exists");
    let stale = json!({"change": {"policy": "pol-1", "change": {"revision": 9, "max_uses": 3}}});
    assert_eq!(preview(stale).await.problem(409), "changed");
    let nothing = json!({"change": {"policy": "pol-99", "change": {"max_uses": 3}}});
    assert_eq!(preview(nothing).await.problem(404), "not-found");
    assert_eq!(preview(json!({"remove": {"policy": "pol-99"}})).await.problem(404), "not-found");
}

#[tokio::test]
async fn entries_are_found_by_the_object_that_they_are_about() {
    let office = Office::open().await;
    let patch = json!({"max_uses": 3});
    office.send(Some("ada"), Method::PATCH, "/api/v1/policies/1", Some(patch)).await.ok();
    let kinds = async |object: &str| {
        let found = office.get("aude", &format!("/audit/entries?object={object}")).await.ok();
        let found = found["items"].as_array().cloned().unwrap_or_default();
        found.iter().map(|entry| entry["kind"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("pol-1").await, ["policy.changed", "policy.created"]);
    assert_eq!(kinds("access-control").await, ["access-control.enabled"]);
    assert!(kinds("grp-1").await.ends_with(&["group.created".to_owned()]));
    assert!(kinds("pol-99").await.is_empty());
    assert_eq!(office.get("aude", "/audit/entries?object=req-1").await.problem(400), "bad-query");
}
