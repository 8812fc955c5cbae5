//! The same thing sent twice under one key is done once.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use brevet::http::route_list;
use serde_json::{Value, json};

use crate::office::{Answer, Office, PASSWORD};

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

const LINGER: &str = r#"
[workload]
name = "Slow"
kind = "command"

[[task]]
name = "Linger"
description = "Stays"
run = ["/usr/bin/sleep", "300"]
"#;

/// Sends things twice.
struct Twice {
    office: Office,
    /// The routes that were tried.
    done: BTreeSet<&'static str>,
}

impl Twice {
    /// Sends the same thing twice under one key: it is answered twice and done once. `path` is one of `route`.
    async fn send(&mut self, who: &str, route: &'static str, path: &str, body: Value) -> Value {
        self.done.insert(route);
        let key = format!("key-{}", self.done.len());
        let first = post(&self.office, who, path, &key, body.clone()).await;
        let (answer, size) = (first.ok(), self.office.size());
        let again = post(&self.office, who, path, &key, body).await;
        match route {
            // The code is nowhere any more.
            "/users/{user}/code" => assert_eq!(again.problem(409), "told-once"),
            // It may have gone on.
            "/executions" | "/executions/{id}/stop" => assert_eq!(again.ok()["id"], answer["id"]),
            _ => assert_eq!((again.status, again.ok()), (first.status, answer.clone()), "{route}"),
        }
        // A run that was told to stop has an entry of its end.
        let ends = usize::from(route == "/executions/{id}/stop") as u64;
        assert!(self.office.size() <= size + ends, "{route}");
        let other = json!({"task": "Linux/Echo", "reason": "something else"});
        let other = post(&self.office, who, "/requests", &key, other).await;
        assert_eq!(other.problem(409), "key-reused", "{route}");
        answer
    }

    async fn people(&mut self) {
        self.send("ada", "/users", "/users", json!({"name": "uma"})).await;
        self.send("ada", "/users/{user}/code", "/users/uma/code", json!({})).await;
        self.send("ada", "/users/{user}/disable", "/users/uma/disable", json!({})).await;
        self.send("ada", "/users/{user}/enable", "/users/uma/enable", json!({})).await;
        self.send("ada", "/groups", "/groups", json!({"name": "Others"})).await;
        let member = json!({"user": "olaf"});
        self.send("ada", "/groups/{group}/members", "/groups/Others/members", member).await;
        let assignment = json!({"user": "olaf", "task": "Linux/Login"});
        self.send("ada", "/assignments", "/assignments", assignment).await;
        let policy = json!({"task": "Slow/Linger", "approval_type": "manual"});
        self.send("ada", "/policies", "/policies", policy).await;
    }

    async fn requests(&mut self) {
        let ask = json!({"task": "Slow/Linger", "reason": "to stay", "duration": "2h"});
        self.send("rita", "/requests", "/requests", ask).await;
        let approved =
            self.send("anna", "/requests/{id}/approve", "/requests/req-1/approve", json!({})).await;
        let run = self.send("rita", "/executions", "/executions", json!({"task": "Slow/Linger"})).await;
        let stop = format!("/executions/{}/stop", run["id"].as_str().unwrap());
        self.send("rita", "/executions/{id}/stop", &stop, json!({})).await;
        self.is_over(stop.trim_end_matches("/stop")).await;
        let given_back = format!("/authorizations/{}/give-back", approved["authorization"].as_str().unwrap());
        self.send("rita", "/authorizations/{id}/give-back", &given_back, json!({})).await;
        let revoke = format!("/authorizations/{}/revoke", self.office.grant().await);
        self.send("anna", "/authorizations/{id}/revoke", &revoke, json!({})).await;
        let deny = format!("/requests/{}/deny", self.office.ask().await);
        self.send("anna", "/requests/{id}/deny", &deny, json!({})).await;
        let cancel = format!("/requests/{}/cancel", self.office.ask().await);
        self.send("rita", "/requests/{id}/cancel", &cancel, json!({})).await;
    }

    /// Waits for the end of a run.
    async fn is_over(&self, run: &str) {
        while self.office.get("rita", run).await.ok()["state"] == "running" {
            tokio::task::yield_now().await;
        }
    }

    async fn ledger(&mut self) {
        self.send("ada", "/ledger/rotate-key", "/ledger/rotate-key", json!({"overlap_seconds": 60})).await;
        self.office.post("ada", "/users/uma/disable", json!({})).await.ok();
        self.send("ada", "/ledger/erasures", "/ledger/erasures", json!({"user": "usr-7"})).await;
        let old = json!({"before": "2021-01-01T00:00:00Z"});
        self.send("ada", "/ledger/archives", "/ledger/archives", old.clone()).await;
        self.send("ada", "/ledger/archives/cancel", "/ledger/archives/cancel", json!({})).await;
        let asked = self.office.post("ada", "/ledger/archives", old).await.ok();
        let agree = json!({"size": asked["asked"]["size"]});
        self.send("first", "/ledger/archives/agree", "/ledger/archives/agree", agree).await;
        self.send("ada", "/access-control/disable", "/access-control/disable", json!({})).await;
        let enable = json!({"default_approver_group": "approvers"});
        self.send("ada", "/access-control/enable", "/access-control/enable", enable).await;
    }
}

#[tokio::test]
async fn whatever_is_sent_again_under_its_key_is_done_once() {
    let office = Office::old().await;
    std::fs::write(office.folder.path().join("tasks.d/slow.toml"), LINGER).unwrap();
    office.app.reload().await.unwrap_or_else(|error| panic!("{error}"));
    let mut twice = Twice { office, done: BTreeSet::new() };
    twice.people().await;
    twice.requests().await;
    twice.ledger().await;
    // These change nothing, or whoever sends them is nobody yet; the password is below.
    let others = ["/check", "/policies/explain", "/policies/preview", "/sessions", "/setup", "/password"];
    let all = route_list();
    let all = all.lines().filter_map(|line| line.strip_prefix("POST   /api/v1"));
    let all: BTreeSet<&str> = all.filter_map(|line| line.split_whitespace().next()).collect();
    let tried: BTreeSet<&str> = twice.done.iter().copied().chain(others).collect();
    assert_eq!(tried, all);
}

#[tokio::test]
async fn a_password_that_is_changed_again_under_its_key_was_changed_once() {
    let mut office = Office::open().await;
    let change = || json!({"current": PASSWORD, "new": "battery horse correct"});
    post(&office, "rita", "/password", "k4", change()).await.ok();
    // The change ended her sessions. She did not get the answer, and signs in with the new one.
    office.sign_in_as("rita", "battery horse correct").await;
    let size = office.size();
    post(&office, "rita", "/password", "k4", change()).await.ok();
    assert_eq!(office.size(), size);
    let other = json!({"current": "battery horse correct", "new": "staple horse correct"});
    assert_eq!(post(&office, "rita", "/password", "k4", other).await.problem(409), "key-reused");
    assert_eq!(post(&office, "rita", "/password", "k5", change()).await.problem(403), "bad-credentials");
}
