//! The same thing sent twice under one key is done once.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::office::{Answer, Office};

async fn post(office: &Office, who: &str, path: &str, key: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {}", office.token(who)))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    office.raw(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_request_sent_again_is_the_same_request() {
    let office = Office::open().await;
    let ask = || json!({"task": "Linux/Echo", "reason": "again"});
    let first = post(&office, "rita", "/requests", "k1", ask()).await;
    let size = office.size();
    let again = post(&office, "rita", "/requests", "k1", ask()).await;
    assert_eq!((again.status, again.json(), office.size()), (first.status, first.json(), size));
    // Another body, path or person under the same key is something else.
    let other =
        post(&office, "rita", "/requests", "k1", json!({"task": "Linux/Echo", "reason": "other"})).await;
    assert_eq!(other.problem(409), "key-reused");
    assert_eq!(
        post(&office, "rita", "/requests/req-1/cancel", "k1", json!({})).await.problem(409),
        "key-reused"
    );
    let anna = post(&office, "anna", "/groups", "k1", json!({"name": "x"})).await;
    assert_eq!(anna.problem(403), "forbidden");
    assert_eq!(post(&office, "olaf", "/requests", "k1", ask()).await.ok()["id"], "req-2");
}

#[tokio::test]
async fn a_run_sent_again_does_not_run_again_and_leaves_no_hash_of_a_secret() {
    let office = Office::open().await;
    office.post("ada", "/access-control/disable", json!({})).await.ok();
    office.post("ada", "/assignments", json!({"user": "rita", "task": "Linux/Login"})).await.ok();
    let run = |secret: &str| json!({"task": "Linux/Login", "secrets": {"password": secret}});
    let first = post(&office, "rita", "/executions", "k2", run("first")).await.ok();
    let again = post(&office, "rita", "/executions", "k2", run("first")).await.ok();
    assert_eq!(first["id"], again["id"]);
    // The secret is not part of the fingerprint, so another one under the same key is the same run.
    assert_eq!(post(&office, "rita", "/executions", "k2", run("second")).await.ok()["id"], first["id"]);
    assert_eq!(office.get("rita", "/executions").await.ok()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_code_is_told_once_and_a_key_has_a_shape() {
    let office = Office::open().await;
    post(&office, "ada", "/users/rita/code", "k3", json!({})).await.ok();
    assert_eq!(post(&office, "ada", "/users/rita/code", "k3", json!({})).await.problem(409), "told-once");
    for key in ["", "a b", &"k".repeat(129)] {
        assert_eq!(
            post(&office, "ada", "/users/rita/code", key, json!({})).await.problem(400),
            "bad-key",
            "{key}"
        );
    }
    post(&office, "ada", "/users/rita/code", &"k".repeat(128), json!({})).await.ok();
}
