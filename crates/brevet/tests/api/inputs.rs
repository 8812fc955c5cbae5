//! Every input has a limit, and says what is wrong with it.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::office::{Answer, Office};

async fn post(office: &Office, kind: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/api/v1/check");
    request = request.header("authorization", format!("Bearer {}", office.token("rita")));
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    office.raw(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_body_is_json_and_no_larger_than_its_limit() {
    let office = Office::open().await;
    let json = Some("application/json");
    let sized = |bytes: usize| {
        let empty = r#"{"task": "Linux/Echo", "parameters": {"text": ""}}"#.len();
        format!(r#"{{"task": "Linux/Echo", "parameters": {{"text": "{}"}}}}"#, "a".repeat(bytes - empty))
    };
    assert_eq!(post(&office, json, sized(1 << 20)).await.problem(422), "bad-parameters");
    assert_eq!(post(&office, json, sized((1 << 20) + 1)).await.problem(413), "too-large");
    // Without a length: it is counted as it comes.
    let pieces = Body::new(http_body_util::Full::new(bytes::Bytes::from(sized((1 << 20) + 1))));
    assert_eq!(post(&office, json, pieces).await.problem(413), "too-large");
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")]
    {
        assert_eq!(post(&office, kind, r#"{"task": "Linux/Echo"}"#).await.problem(415), "not-json");
    }
    let with_charset = Some("application/json; charset=utf-8");
    assert_eq!(post(&office, with_charset, r#"{"task": "Linux/Echo"}"#).await.problem(422), "bad-parameters");
    let deep = format!(
        r#"{{"task": "A/b", "parameters": {{"x": {}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for broken in
        ["", "{", "[]", "null", "\u{0}", r#"{"task": 5}"#, r#"{"task": "A/b", "task": "A/c"}"#, &deep]
    {
        assert_eq!(post(&office, json, broken.to_owned()).await.problem(400), "bad-body", "{:.40}", broken);
    }
    assert_eq!(post(&office, json, vec![b'"', 0xff, b'"']).await.problem(400), "bad-body");
}

#[tokio::test]
async fn an_unknown_field_is_named_also_one_that_the_server_computes() {
    let office = Office::open().await;
    let asked = json!({"task": "Linux/Echo", "reason": "r"});
    for field in ["approvers", "status", "digest", "expires_at", "requester", "id", "policy"] {
        let mut body = asked.clone();
        body[field] = json!("x");
        let answer = office.post("rita", "/requests", body).await;
        assert_eq!(answer.problem(400), "bad-body");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("unknown field `{field}`")), "{detail}");
    }
    for path in
        ["/users/rita/disable", "/access-control/disable", "/requests/req-1/cancel", "/executions/exe-1/stop"]
    {
        assert_eq!(office.post("ada", path, json!({"force": true})).await.problem(400), "bad-body", "{path}");
    }
}

#[tokio::test]
async fn a_query_and_an_id_are_what_they_should_be() {
    let office = Office::open().await;
    for query in [
        "?limt=5",
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?cursor=x",
        "?status=open",
        "?mine=maybe",
        "?limit=5&limit=6",
    ] {
        assert_eq!(
            office.get("rita", &format!("/requests{query}")).await.problem(400),
            "bad-query",
            "{query}"
        );
    }
    assert_eq!(office.get("rita", "/whoami?x=1").await.problem(400), "bad-query");
    assert_eq!(office.get("rita", "/requests/req-1/wait?seconds=61").await.problem(400), "bad-query");
    for id in ["x", "req-", "req-01", "req--1", "aut-1", "1x", "req-99999999999999999999", "%C3%A4"] {
        assert_eq!(office.get("rita", &format!("/requests/{id}")).await.problem(400), "bad-id", "{id}");
    }
    for id in ["req-7", "7", "REQ-7"] {
        assert_eq!(office.get("rita", &format!("/requests/{id}")).await.problem(404), "not-found", "{id}");
    }
    assert_eq!(office.get("rita", "/requests/%ff").await.problem(400), "bad-path");
    assert_eq!(office.get("aude", "/audit/entries/x").await.problem(400), "bad-path");
}

#[tokio::test]
async fn paths_with_two_meanings_do_not_reach_a_route() {
    let office = Office::open().await;
    for path in [
        "/api//v1/whoami",
        "/api/v1/./whoami",
        "/api/v1/users/../whoami",
        "/api/v1/%2e%2e/v1/whoami",
        "/api/v1%2fwhoami",
    ] {
        let answer = office.send(Some("rita"), Method::GET, path, None).await;
        assert_eq!(answer.problem(400), "bad-path", "{path}");
    }
    for path in ["/api", "/api/v2/whoami", "/api/v1/whoami/", "/api/v1/tasks/Linux"] {
        assert_eq!(
            office.send(Some("rita"), Method::GET, path, None).await.problem(404),
            "not-found",
            "{path}"
        );
    }
    let answer = office.send(Some("rita"), Method::PUT, "/api/v1/whoami", None).await;
    assert_eq!(answer.problem(405), "wrong-method");
    assert!(answer.headers["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn values_are_checked_and_every_problem_is_said_at_once() {
    let office = Office::open().await;
    for (path, body, says) in [
        ("/users", json!({"name": "root"}), "name: "),
        ("/users", json!({"name": "new", "email": "nobody"}), "email: "),
        ("/groups", json!({"name": ""}), "name: "),
        (
            "/policies",
            json!({"task": "Linux/Login", "approval_type": "manual", "maximum_duration": "0h"}),
            "maximum_duration: ",
        ),
        (
            "/policies",
            json!({"task": "Linux/Login", "approval_type": "manual", "start": "first-use"}),
            "claim_within: ",
        ),
        ("/policies", json!({"approval_type": "manual"}), "access: "),
        ("/requests", json!({"task": "Linux/Echo", "reason": " "}), "reason: "),
        ("/requests", json!({"task": "Linux/Echo", "reason": "r", "duration": "soon"}), "duration: "),
        ("/requests", json!({"task": "Linux/Echo", "reason": "a".repeat(2_001)}), "reason: "),
        ("/requests", json!({"task": "Linux/Echo", "role": "Linux/Speakers", "reason": "r"}), "access: "),
        ("/check", json!({"task": "Echo"}), "task: "),
    ] {
        let answer = office.post("ada", path, body).await;
        answer.problem(422);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(says), "{detail}");
    }
    let check = json!({"task": "Linux/Echo", "parameters": {"times": "many", "nonsense": 1}});
    let answer = office.post("rita", "/check", check).await;
    assert_eq!(answer.problem(422), "bad-parameters");
    let problem = answer.json();
    let names: Vec<&str> =
        problem["parameters"].as_array().unwrap().iter().map(|bad| bad["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["nonsense", "text", "times"]);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_a_browser() {
    let office = Office::open().await;
    for (who, path) in [
        (Some("rita"), "/api/v1/whoami"),
        (None, "/api/v1/whoami"),
        (None, "/health"),
        (None, "/a/../b"),
        (None, "/x"),
    ] {
        let headers = office.send(who, Method::GET, path, None).await.headers;
        for (name, value) in [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(headers[name], value, "{path}");
        }
        assert!(!headers.contains_key("strict-transport-security"), "not without TLS");
    }
}

#[tokio::test]
async fn a_bad_token_is_nobody() {
    let office = Office::open().await;
    for header in ["Bearer nonsense", "Bearer ", "Basic YTpi", "Bearer", ""] {
        let request =
            Request::builder().uri("/api/v1/whoami").header("authorization", header).body(Body::empty());
        let answer = office.raw(request.unwrap()).await;
        assert_eq!(answer.problem(401), "not-signed-in");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let sign_in = |name: &str| json!({"name": name, "password": "not the right one"});
    for name in ["ada", "nobody-here", "x y", "root"] {
        let answer = office.send(None, Method::POST, "/api/v1/sessions", Some(sign_in(name))).await;
        assert_eq!(answer.problem(401), "bad-credentials", "{name}");
    }
}

#[tokio::test]
async fn no_value_of_a_secret_is_said_back() {
    let office = Office::open().await;
    let bodies: [(&str, Value); 3] = [
        ("/api/v1/sessions", json!({"name": "ada", "password": 918_273_645})),
        ("/api/v1/sessions", json!({"name": "ada", "password": ["918273645"]})),
        ("/api/v1/executions", json!({"task": "Linux/Login", "secrets": {"password": 918_273_645}})),
    ];
    for (path, body) in bodies {
        let answer = office.send(Some("rita"), Method::POST, path, Some(body)).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains("918273645"), "{path}");
        answer.problem(400);
    }
}

#[test]
fn pages_escape_what_terminals_escape() {
    let every = '\0'..=char::MAX;
    let differs = |c: &char| {
        let is_escaped = brevet_core::escape_for_display(&c.to_string()).len() > c.len_utf8();
        // A tab moves a page, and may end a field in a terminal.
        brevet_wire::misleads(*c) != (is_escaped && *c != '\t')
    };
    assert_eq!(every.filter(differs).collect::<Vec<_>>(), []);
}
