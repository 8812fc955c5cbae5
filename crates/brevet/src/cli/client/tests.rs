use brevet_wire::SecretText;

use super::super::server::ServerUrl;
use super::super::testing::{Fake, Reply, with_server};
use super::{Client, encoded, qualified, query};
use crate::cli::exit::Failure;

fn client(url: &str, token: Option<&str>) -> Result<Client, Failure> {
    let token = token.map(|token| SecretText::new(token.to_owned()));
    Client::new(ServerUrl::parse(url).unwrap(), token, None)
}

#[test]
fn a_token_is_sent_to_this_machine_or_encrypted_and_nowhere_else() {
    assert!(client("http://127.0.0.1:1", Some("t")).is_ok());
    assert!(client("https://example.org", Some("t")).is_ok());
    for url in ["http://example.org", "http://192.0.2.1:8420"] {
        for token in [Some("t"), None] {
            let failure = client(url, token).unwrap_err();
            assert_eq!(failure.code(), 2);
            assert!(failure.to_string().contains("https://"), "{failure}");
        }
    }
}

#[test]
fn a_call_has_the_token_and_a_post_has_a_key() {
    with_server(async {
        let fake = Fake::start(|_, _| Reply::Json(200, r#"{"a": 1}"#.into())).await;
        let client = client(&fake.url, Some("t0ken")).unwrap();
        client.get("/x").await.unwrap();
        client.post("/x", &serde_json::json!({"b": 2})).await.unwrap();
        let asked = fake.asked();
        assert_eq!(fake.lines(), ["GET /x", "POST /x"]);
        assert_eq!(asked[0].header("authorization"), Some("Bearer t0ken"));
        assert_eq!(asked[0].header("idempotency-key"), None);
        assert_eq!(asked[0].header("host"), Some(fake.url.trim_start_matches("http://")));
        assert_eq!(asked[1].header("idempotency-key").map(str::len), Some(32));
        assert_eq!(asked[1].header("content-type"), Some("application/json"));
        assert_eq!(asked[1].body, r#"{"b":2}"#);
    });
}

#[test]
fn a_call_whose_connection_breaks_is_made_again_with_the_same_key() {
    with_server(async {
        let fake = Fake::start(|_, before| match before {
            0 | 1 => Reply::Break,
            _ => Reply::Json(201, "{}".into()),
        })
        .await;
        client(&fake.url, None).unwrap().post("/x", &()).await.unwrap();
        let keys: Vec<_> =
            fake.asked().iter().map(|asked| asked.header("idempotency-key").unwrap().to_owned()).collect();
        assert_eq!(keys.len(), 3);
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        let fake = Fake::start(|_, _| Reply::Break).await;
        let failure = client(&fake.url, None).unwrap().post("/x", &()).await.unwrap_err();
        assert!(matches!(failure, Failure::Unreachable { .. }), "{failure}");
        assert_eq!(fake.asked().len(), 3);
    });
}

#[test]
fn what_goes_wrong_has_its_exit_code() {
    let problem = |status: u16, body: &str, token: Option<&'static str>| {
        let body = body.to_owned();
        let mut found = None;
        with_server(async {
            let fake = Fake::start(move |_, _| Reply::Json(status, body.clone())).await;
            found = Some(client(&fake.url, token).unwrap().get("/x").await.unwrap_err());
        });
        let failure = found.unwrap();
        (failure.code(), failure.to_string())
    };
    let (code, text) = problem(403, r#"{"detail": "No.", "reason": "forbidden"}"#, Some("t"));
    assert_eq!((code, text.as_str()), (1, "No."));
    let (code, _) = problem(403, r#"{"detail": "No.", "reason": "needs-approval"}"#, Some("t"));
    assert_eq!(code, 3);
    let (code, text) = problem(401, "{}", Some("t"));
    assert_eq!(code, 4);
    assert!(text.contains("brevet login"), "{text}");
    let (code, text) = problem(401, r#"{"detail": "Name or password is wrong."}"#, None);
    assert_eq!((code, text.as_str()), (1, "Name or password is wrong."));
    let (code, text) = problem(502, "<html>", Some("t"));
    assert_eq!((code, text.as_str()), (1, "Bad Gateway."));
}

#[test]
fn a_server_that_is_not_there_is_said_at_once() {
    with_server(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        drop(free);
        let failure = client(&url, None).unwrap().get("/x").await.unwrap_err();
        assert!(failure.to_string().starts_with(&format!("{url} cannot be reached")), "{failure}");
    });
}

#[test]
fn a_name_stays_one_segment_of_a_path() {
    assert_eq!(encoded("linux approvers/x?y#z"), "linux%20approvers%2Fx%3Fy%23z");
    assert_eq!(encoded(".."), "%2E%2E");
    assert_eq!(encoded("a.b@c"), "a.b%40c");
    assert_eq!(qualified("Linux\\A-b").unwrap(), "Linux/A-b");
    assert_eq!(qualified("Linux/../x").unwrap(), "Linux/..%2Fx");
    assert_eq!(qualified("A-b").unwrap_err().code(), 2);
    let fields = [("a", Some("1 2".to_owned())), ("b", None)];
    assert_eq!(query("/x", &fields), "/x?a=1%202");
    assert_eq!(query("/x", &fields[1..]), "/x");
}
