//! Whoever signs out, or is signed out, hears nothing more of what they asked for before.

use axum::http::{Method, StatusCode};
use brevet_core::{Command, Origin, Span};
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::office::{Office, PASSWORD, events};

/// A task that goes on.
const SLOW: &str = r#"
[workload]
name = "Slow"
kind = "command"

[[task]]
name = "Wait"
description = "Waits"
run = ["/usr/bin/sleep", "60"]
"#;

#[tokio::test]
async fn output_is_followed_no_longer_than_the_session_is_open() {
    let mut office = Office::empty().await;
    office.set_up().await;
    std::fs::write(office.folder.path().join("tasks.d/slow.toml"), SLOW).unwrap();
    office.app.reload().await.unwrap_or_else(|error| panic!("{error}"));
    office.post("first", "/assignments", json!({"user": "first", "task": "Slow/Wait"})).await.ok();
    let run = office.post("first", "/executions", json!({"task": "Slow/Wait"})).await.ok();
    let path = format!("/executions/{}/output", run["id"].as_str().unwrap());
    let followed = office.begin("first", &path).await;
    assert_eq!(followed.status(), StatusCode::OK);
    office.send(Some("first"), Method::DELETE, "/api/v1/sessions/current", None).await.ok();
    let heard = events(&followed.into_body().collect().await.unwrap().to_bytes());
    let (name, problem) = heard.last().unwrap();
    assert_eq!((name.as_str(), &problem["reason"]), ("problem", &json!("not-signed-in")), "{heard:?}");
}

#[tokio::test]
async fn a_wait_that_outlives_its_session_tells_nothing() {
    let mut office = Office::open().await;
    let request = office.ask().await;
    let before = office.token("rita").to_owned();
    office.sign_in_as("rita", PASSWORD).await;
    let wait = async {
        let call = axum::http::Request::get(format!("/api/v1/requests/{request}/wait?seconds=60"));
        let call = call.header("authorization", format!("Bearer {before}"));
        office.raw(call.body(axum::body::Body::empty()).unwrap()).await
    };
    let change = async {
        let change = json!({"current": PASSWORD, "new": "another horse battery"});
        office.post("rita", "/password", change).await.ok();
        office.post("anna", &format!("/requests/{request}/deny"), json!({})).await.ok();
    };
    let (waited, ()) = tokio::join!(wait, change);
    assert_eq!(waited.problem(401), "not-signed-in");
}

/// More entries than an export sends to somebody who does not read yet.
const MANY: usize = 6_000;

#[tokio::test]
async fn an_export_breaks_off_when_the_session_ends() {
    let office = Office::open().await;
    for _ in 0..MANY / 250 {
        let beat = || office.app.command(Origin::SYSTEM, Command::Beat { every: Span::seconds(60) }, None);
        join_all((0..250).map(|_| beat())).await.into_iter().for_each(|done| drop(done.unwrap()));
    }
    let export = office.begin("aude", "/audit/export?since=2020-01-01T00:00:00Z").await;
    let mut export = export.into_body();
    let first = export.frame().await.unwrap().unwrap().into_data().unwrap();
    office.send(Some("aude"), Method::DELETE, "/api/v1/sessions/current", None).await.ok();
    let rest = export.collect().await;
    assert!(rest.is_err() && first.starts_with(b"{"), "all of it came");
}
