//! A sample organization behind the API: Ada administers, Aude audits, Anna approves, Rita asks, Olaf is anybody.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use brevet::app::{App, Workloads};
use brevet::http::{Front, service};
use brevet::world::{Machine, World};
use brevet_core::Timestamp;
use brevet_store::DataFolder;
use brevet_workloads::spawn::Spawner;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::Service as _;

pub(crate) const PASSWORD: &str = "correct horse battery";

const TASKS: &str = r#"
[workload]
name = "Linux"
kind = "command"

[[task]]
name = "Echo"
description = "Says something"
run = ["/usr/bin/echo", "{text}", "{times}"]

[task.parameters.text]
type = "string"

[task.parameters.times]
type = "integer"
required = false
default = 1

[[task]]
name = "Login"
description = "Takes a secret"
run = ["/usr/bin/echo", "hello"]
stdin = "{password}"

[task.parameters.password]
type = "string"
secret = true

[[role]]
name = "Speakers"
tasks = ["Echo"]

[[role_group]]
name = "Everybody"
roles = ["Speakers"]
"#;

pub(crate) struct Office {
    pub(crate) app: App,
    front: Front,
    tokens: HashMap<&'static str, String>,
    pub(crate) folder: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let shown = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {shown}", self.status))
    }

    /// The reason of a problem, after its shape was checked.
    pub(crate) fn problem(&self, status: u16) -> String {
        let problem = self.json();
        assert_eq!(self.status.as_u16(), status, "{problem}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["status"], status);
        let reason = problem["reason"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:brevet:problem:{reason}"));
        assert!(
            !problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty()
        );
        reason
    }

    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// September 2020.
struct LongAgo;

impl World for LongAgo {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_600_000_000_000_000)
    }

    fn steady(&self) -> Option<std::time::Duration> {
        None
    }

    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        Machine.fill(bytes)
    }
}

/// A ledger that was begun long ago, and rested since.
async fn begin_long_ago(data: &Path) {
    let spawner = Spawner::start(Path::new(env!("CARGO_BIN_EXE_brevet")), &["spawner"]).unwrap();
    let claimed = DataFolder::claim(data).unwrap();
    let workloads = Workloads::new(spawner, data, &data.join("tasks.d")).unwrap();
    let app = App::open(claimed, LongAgo, Arc::new(workloads)).await.unwrap();
    for _ in 0..brevet_core::ARCHIVE_MULTIPLE {
        let beat = brevet_core::Command::Beat { every: brevet_core::Span::seconds(60) };
        app.command(brevet_core::Origin::SYSTEM, beat, None).await.unwrap();
    }
    app.shut_down(std::time::Duration::from_secs(10)).await;
    drop(app);
    // Its last thread lets go of the folder a moment later.
    while DataFolder::claim(data).is_err() {
        tokio::task::yield_now().await;
    }
}

impl Office {
    /// A ledger without an account.
    pub(crate) async fn empty() -> Self {
        Self::empty_in(tempfile::tempdir().unwrap()).await
    }

    /// The organization of [`Office::open`], in a ledger whose first entries are old enough to be archived.
    pub(crate) async fn old() -> Self {
        let folder = tempfile::tempdir().unwrap();
        begin_long_ago(&folder.path().join("data")).await;
        Self::empty_in(folder).await.opened().await
    }

    async fn empty_in(folder: tempfile::TempDir) -> Self {
        let data = folder.path().join("data");
        let tasks = folder.path().join("tasks.d");
        std::fs::create_dir(&tasks).unwrap();
        std::fs::write(tasks.join("linux.toml"), TASKS).unwrap();
        let spawner = Spawner::start(Path::new(env!("CARGO_BIN_EXE_brevet")), &["spawner"]).unwrap();
        let claimed = DataFolder::claim(&data).unwrap();
        let workloads = Workloads::new(spawner, &data, &tasks).unwrap();
        let app = App::open(claimed, Machine, Arc::new(workloads)).await.unwrap();
        app.reload().await.unwrap_or_else(|error| panic!("{error}"));
        let front = service(app.clone(), false);
        Self { app, front, tokens: HashMap::new(), folder }
    }

    /// Everybody is there, Anna is the default approver, access control is on, and Echo needs approval.
    pub(crate) async fn open() -> Self {
        Self::empty().await.opened().await
    }

    async fn opened(self) -> Self {
        let mut office = self;
        office.set_up().await;
        let plain = [("anna", "none"), ("rita", "none"), ("olaf", "none")];
        for (name, right) in [("ada", "administrator"), ("aude", "auditor")].into_iter().chain(plain) {
            let new = json!({"name": name, "auditor": right == "auditor", "administrator": right == "administrator"});
            office.post("first", "/users", new).await.ok();
            let code =
                office.post("first", &format!("/users/{name}/code"), json!({})).await.ok()["code"].clone();
            let sign_in = json!({"name": name, "password": PASSWORD, "code": code});
            let session = office.send(None, Method::POST, "/api/v1/sessions", Some(sign_in)).await.ok();
            office.tokens.insert(name, session["token"].as_str().unwrap().to_owned());
        }
        office
            .post("ada", "/groups", json!({"name": "Approvers", "email": "approvers@example.org"}))
            .await
            .ok();
        office.post("ada", "/groups/Approvers/members", json!({"user": "anna"})).await.ok();
        let enable = json!({"default_approver_group": "approvers"});
        office.post("ada", "/access-control/enable", enable).await.ok();
        office.post("ada", "/policies", json!({"task": "Linux/Echo", "approval_type": "manual"})).await.ok();
        office
    }

    /// The first account may do more than an administrator; the matrix is about plain ones.
    pub(crate) async fn set_up(&mut self) {
        let code = self.app.make_setup_code().unwrap().unwrap().code.reveal(str::to_owned);
        let set_up = json!({"code": code, "name": "first", "password": PASSWORD});
        let session = self.send(None, Method::POST, "/api/v1/setup", Some(set_up)).await.ok();
        self.tokens.insert("first", session["token"].as_str().unwrap().to_owned());
    }

    /// Signs in anew, with this password.
    pub(crate) async fn sign_in_as(&mut self, who: &'static str, password: &str) {
        let sign_in = json!({"name": who, "password": password});
        let session = self.send(None, Method::POST, "/api/v1/sessions", Some(sign_in)).await.ok();
        self.tokens.insert(who, session["token"].as_str().unwrap().to_owned());
    }

    /// Sets the first password by a one-time code, and signs in with it.
    pub(crate) async fn enrol(&mut self, who: &'static str, code: &str) {
        let sign_in = json!({"name": who, "password": PASSWORD, "code": code});
        let session = self.send(None, Method::POST, "/api/v1/sessions", Some(sign_in)).await.ok();
        self.tokens.insert(who, session["token"].as_str().unwrap().to_owned());
    }

    pub(crate) fn token(&self, who: &str) -> &str {
        &self.tokens[who]
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        self.send(Some(who), Method::GET, &format!("/api/v1{path}"), None).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.send(Some(who), Method::POST, &format!("/api/v1{path}"), Some(body)).await
    }

    pub(crate) async fn send(
        &self,
        who: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(who) = who {
            request = request.header("authorization", format!("Bearer {}", self.token(who)));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.raw(request.body(body).unwrap()).await
    }

    /// An answer that is not read yet.
    pub(crate) async fn begin(&self, who: &str, path: &str) -> Response {
        let authorization = format!("Bearer {}", self.token(who));
        let request =
            Request::get(format!("/api/v1{path}")).header("authorization", authorization).body(Body::empty());
        self.front.clone().call(request.unwrap()).await.unwrap()
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.front.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Rita asks for Echo; answers the id of the request.
    pub(crate) async fn ask(&self) -> String {
        let ask = json!({"task": "Linux/Echo", "reason": "to say something", "duration": "2h"});
        self.post("rita", "/requests", ask).await.ok()["id"].as_str().unwrap().to_owned()
    }

    /// Rita holds an authorization on Echo; answers its id.
    pub(crate) async fn grant(&self) -> String {
        let request = self.ask().await;
        let approved = self.post("anna", &format!("/requests/{request}/approve"), json!({})).await.ok();
        approved["authorization"].as_str().unwrap().to_owned()
    }

    /// Rita ran Echo, to its end; answers the id of the run.
    pub(crate) async fn run(&self, text: &str) -> String {
        let run = json!({"task": "Linux/Echo", "parameters": {"text": text}});
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/executions")
            .header("authorization", format!("Bearer {}", self.token("rita")))
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .body(Body::from(run.to_string()))
            .unwrap();
        let answer = self.raw(request).await;
        assert_eq!(
            answer.headers["content-type"],
            "text/event-stream",
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let events = events(&answer.body);
        assert_eq!(events.last().unwrap().0, "finished", "{events:?}");
        events[0].1["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn size(&self) -> u64 {
        self.app.published().size
    }
}

/// Server-sent events, as names and data.
pub(crate) fn events(body: &[u8]) -> Vec<(String, Value)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let event = |block: &str| {
        let field = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        Some((field("event:")?, serde_json::from_str(&field("data:")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}
