use serde_json::{Value, json};

use crate::cli::settings::Environment;
use crate::cli::testing::{Asked, Fake, Reply, brevet, brevet_in, with_server};

fn execution(state: &str, exit_code: Option<i32>) -> Value {
    json!({
        "id": "exe-9", "user": {"id": "usr-7", "name": "maria"}, "task": "Linux\\Restart-Service", "digest": "ab12",
        "parameters": {}, "basis": "authorization", "authorization": "aut-7", "flagged": false, "state": state,
        "started_at": "2026-11-23T16:28:00Z", "finished_at": null, "exit_code": exit_code, "signal": null,
        "stop_cause": if state == "stopped" { json!("revoked") } else { Value::Null }, "stopped_by": null,
        "problem": null, "output": null, "may_stop": true,
    })
}

fn request(status: &str) -> Value {
    json!({
        "id": "req-42", "requester": {"id": "usr-7", "name": "maria"},
        "access": {"type": "task", "name": "Linux\\Restart-Service"}, "purpose": "new", "extends": null,
        "reason": "Why", "parameters": {"unit": "nginx"}, "free_parameters": [], "binding": "open", "command": [],
        "run_as": null, "digest": "ab12", "policy": "pol-3", "duration": "2h", "duration_seconds": 7200,
        "start_at": null, "max_uses": null, "submitted_at": "2026-11-23T16:25:00Z", "status": status,
        "expires_at": "2026-11-24T16:25:00Z", "ended_at": null, "approvals_needed": 1, "authorization": null,
        "decisions": [{"by": {"id": "usr-2", "name": "tom"}, "verdict": if status == "denied" { "deny" } else { "approve" },
            "at": "2026-11-23T16:29:00Z", "duration": null, "duration_seconds": null, "comment": "Not today"}],
        "approver_groups": [{"id": "grp-1", "name": "linux-approvers"}], "may_decide": false, "may_cancel": true,
    })
}

fn refusal() -> Reply {
    let problem = json!({
        "type": "/problems/needs-approval", "title": "An approval is needed", "status": 403, "reason": "needs-approval",
        "detail": "Insufficient permissions. Raise an access request for this task.",
        "way_out": {"task": "Linux\\Restart-Service", "policy": "pol-3", "approver_groups": ["linux-approvers"],
            "held": ["aut-6 has ended"], "ask": "brevet request new --task Linux/Restart-Service -p unit=nginx --reason \"WHY\""},
    });
    Reply::Json(403, problem.to_string())
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

fn output(stream: &str, text: &str) -> String {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(text);
    event("output", &json!({"stream": stream, "data": data}))
}

fn run_of(state: &str, code: Option<i32>) -> String {
    [
        event("started", &execution("running", None)),
        output("stdout", "one \u{1b}[31m"),
        output("stderr", "two"),
        event("finished", &execution(state, code)),
    ]
    .concat()
}

const RUN: [&str; 4] = ["run", "Linux/Restart-Service", "-p", "unit=nginx"];

#[test]
fn a_run_writes_its_bytes_and_has_the_exit_code_of_the_task() {
    for (state, code, expected) in [
        ("succeeded", Some(0), 0),
        ("failed", Some(3), 3),
        ("failed", Some(255), 255),
        ("failed", Some(-1), 1),
        ("failed", None, 125),
        ("stopped", None, 143),
        ("unknown", None, 125),
    ] {
        with_server(async move {
            let fake = Fake::start(move |_, _| Reply::Events(run_of(state, code))).await;
            let went = brevet(&fake, &RUN).await;
            assert_eq!((went.code, went.out.as_str()), (expected, "one \u{1b}[31m"), "{state} {code:?}");
            assert!(went.error.starts_with("two"), "{}", went.error);
            let asked = &fake.asked()[0];
            assert_eq!(
                asked.body,
                r#"{"task":"Linux/Restart-Service","parameters":{"unit":"nginx"},"secrets":{}}"#
            );
            assert_eq!(asked.header("accept"), Some("text/event-stream"));
        });
    }
}

#[test]
fn a_run_for_a_script_is_one_object_with_its_output_in_base64() {
    with_server(async {
        let fake = Fake::start(|_, _| Reply::Events(run_of("failed", Some(3)))).await;
        let went = brevet(&fake, &[&RUN[..], &["-o", "json"]].concat()).await;
        assert_eq!((went.code, went.error.as_str()), (3, ""));
        let object: Value = serde_json::from_str(&went.out).unwrap();
        assert_eq!(
            (&object["id"], &object["stdout"], &object["stderr"]),
            (&json!("exe-9"), &json!("b25lIBtbMzFt"), &json!("dHdv"))
        );
    });
}

#[test]
fn a_refused_run_says_exactly_how_to_ask() {
    with_server(async {
        let fake = Fake::start(|_, _| refusal()).await;
        let went = brevet(&fake, &RUN).await;
        assert_eq!((went.code, went.out.as_str()), (3, ""));
        crate::cli::testing::snapshot("refused.txt", &went.error);
        let went = brevet(&fake, &[&RUN[..], &["-o", "json"]].concat()).await;
        assert_eq!((went.code, went.out.as_str()), (3, ""));
        let problem: Value = serde_json::from_str(&went.error).unwrap();
        assert_eq!(problem["reason"], "needs-approval");
    });
}

/// A server on which the request is decided as `status` says, and the run is allowed after it was approved.
fn deciding(status: &'static str) -> impl Fn(&Asked, usize) -> Reply {
    move |asked, before| match asked.line.replace("/api/v1", "").as_str() {
        "POST /executions" if before == 0 => refusal(),
        "POST /executions" => Reply::Events(run_of("succeeded", Some(0))),
        "POST /requests" => Reply::Json(201, request("pending").to_string()),
        "GET /requests/req-42" => Reply::Json(200, request("pending").to_string()),
        "GET /requests/req-42/wait?seconds=25" if before < 5 => {
            Reply::Json(200, request("pending").to_string())
        }
        "GET /requests/req-42/wait?seconds=25" | "GET /requests/req-42/wait?seconds=0" => {
            Reply::Json(200, request(status).to_string())
        }
        _ => Reply::Json(200, json!({"items": [], "next": null}).to_string()),
    }
}

#[test]
fn a_run_asks_waits_and_runs() {
    with_server(async {
        let fake = Fake::start(deciding("approved")).await;
        let went = brevet(&fake, &[&RUN[..], &["--reason", "Why", "--hours", "2", "--wait"]].concat()).await;
        assert_eq!((went.code, went.out.as_str()), (0, "one \u{1b}[31m"), "{}", went.error);
        assert!(went.error.contains("req-42 waits for approval by linux-approvers."), "{}", went.error);
        assert!(went.error.contains("req-42 was approved by tom."), "{}", went.error);
        let asked = fake.asked();
        let ask = asked.iter().find(|asked| asked.line == "POST /api/v1/requests").unwrap();
        assert_eq!(
            ask.body,
            r#"{"task":"Linux/Restart-Service","parameters":{"unit":"nginx"},"reason":"Why","duration":"2h"}"#
        );
    });
}

#[test]
fn a_run_that_asks_and_is_denied_or_does_not_wait_ends_so() {
    with_server(async {
        let fake = Fake::start(deciding("denied")).await;
        let went = brevet(&fake, &[&RUN[..], &["--reason", "Why", "--wait"]].concat()).await;
        assert_eq!(went.code, 1);
        assert!(went.error.contains("req-42 was denied by tom: Not today"), "{}", went.error);
        let fake = Fake::start(deciding("approved")).await;
        let went = brevet(&fake, &[&RUN[..], &["--reason", "Why"]].concat()).await;
        assert_eq!(went.code, 3);
        assert!(went.error.contains("brevet request wait req-42"), "{}", went.error);
    });
}

#[test]
fn a_run_that_may_not_wait_like_the_others_of_its_account_asks_now_and_then() {
    with_server(async {
        let decides = deciding("approved");
        let refuses = move |asked: &Asked, before| match asked.line.contains("/wait?")
            && !asked.line.ends_with("/wait?seconds=0")
        {
            true => Reply::Json(429, json!({"detail": "16 calls wait", "status": 429}).to_string()),
            false => decides(asked, before),
        };
        let fake = Fake::start(refuses).await;
        let went = brevet(&fake, &[&RUN[..], &["--reason", "Why", "--wait"]].concat()).await;
        assert_eq!(went.code, 0, "{}", went.error);
        assert!(fake.lines().iter().any(|line| line.ends_with("/wait?seconds=0")), "{:?}", fake.lines());
    });
}

#[test]
fn a_request_that_is_there_already_is_not_made_twice() {
    with_server(async {
        let fake = Fake::start(|asked, _| match asked.line.as_str() {
            "POST /api/v1/executions" => refusal(),
            line if line.starts_with("GET /api/v1/requests?") => {
                Reply::Json(200, json!({"items": [request("pending")], "next": null}).to_string())
            }
            _ => Reply::Json(500, "{}".into()),
        })
        .await;
        let went = brevet(&fake, &[&RUN[..], &["--reason", "Why"]].concat()).await;
        assert_eq!(went.code, 3, "{}", went.error);
        assert!(went.error.contains("req-42 asks for this already."), "{}", went.error);
        assert!(fake.lines().iter().all(|line| line != "POST /requests"));
    });
}

#[test]
fn a_stream_that_breaks_is_taken_up_where_it_broke() {
    with_server(async {
        let begun = [event("started", &execution("running", None)), output("stdout", "one")].concat();
        let whole = [
            event("started", &execution("running", None)),
            output("stdout", "o"),
            output("stdout", "ne, two"),
            event("finished", &execution("succeeded", Some(0))),
        ]
        .concat();
        let fake = Fake::start(move |asked, _| match asked.line.as_str() {
            "POST /api/v1/executions" => Reply::Events(begun.clone()),
            "GET /api/v1/executions/exe-9/output" => Reply::Events(whole.clone()),
            _ => Reply::Json(500, "{}".into()),
        })
        .await;
        let went = brevet(&fake, &RUN).await;
        assert_eq!((went.code, went.out.as_str()), (0, "one, two"), "{}", went.error);
    });
}

#[test]
fn lists_follow_their_pages() {
    let page = |items: Vec<Value>, next: Option<&str>| {
        Reply::Json(200, json!({"items": items, "next": next}).to_string())
    };
    with_server(async move {
        let fake = Fake::start(move |asked, _| match asked.line.contains("cursor=abc") {
            false => page(vec![request("pending")], Some("abc")),
            true => page(vec![request("approved")], Some("def")),
        })
        .await;
        let went =
            brevet(&fake, &["request", "list", "--status", "Pending", "--limit", "2", "-o", "json"]).await;
        let all: Value = serde_json::from_str(&went.out).unwrap();
        assert_eq!((went.code, all.as_array().map(Vec::len)), (0, Some(2)));
        assert!(went.error.contains("--limit 0"), "{}", went.error);
        assert_eq!(
            fake.lines(),
            ["GET /requests?status=pending&limit=2", "GET /requests?status=pending&limit=1&cursor=abc"]
        );
    });
}

#[test]
fn signing_in_keeps_a_token_for_this_server_and_signing_out_removes_it() {
    with_server(async {
        let session = json!({
            "token": "s3cret", "expires_at": "2026-11-24T00:30:00Z", "idle_seconds": 3600,
            "user": {"id": "usr-1", "name": "admin", "display_name": null, "email": null, "owner": null,
                "administrator": true, "auditor": false, "active": true, "locked_until": null, "groups": []},
        });
        let fake = Fake::start(move |asked, _| match asked.line.as_str() {
            "POST /api/v1/sessions" => Reply::Json(201, session.to_string()),
            _ => Reply::Json(204, String::new()),
        })
        .await;
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("brevet");
        let environment = || Environment { config_folder: Some(folder.clone()), ..Environment::default() };
        let went = brevet_in(environment(), &["whoami", "--server", &fake.url]).await;
        assert_eq!(went.code, 4);
        assert!(went.error.contains("brevet login --user NAME"), "{}", went.error);
        // Without a terminal and without --password-stdin there is nobody to ask.
        let went = brevet_in(environment(), &["login", "--user", "admin", "--server", &fake.url]).await;
        assert_eq!(went.code, 2, "{}", went.error);
        let file = crate::cli::token::TokenFile::in_folder(&folder);
        let mut tokens = file.load().unwrap();
        let kept = crate::cli::token::Kept {
            user: "admin".into(),
            token: brevet_wire::SecretText::new("s3cret".into()),
            expires_at: brevet_wire::Time::from_micros(0),
        };
        tokens.servers.insert(fake.url.clone(), kept);
        tokens.current = Some(fake.url.clone());
        file.save(&tokens).unwrap();
        let went = brevet_in(environment(), &["logout"]).await;
        assert_eq!((went.code, went.out.as_str()), (0, format!("Signed out of {}.\n", fake.url).as_str()));
        assert_eq!(fake.asked().last().unwrap().header("authorization"), Some("Bearer s3cret"));
        assert!(file.load().unwrap().servers.is_empty());
    });
}

#[test]
fn what_makes_no_sense_is_said_before_anything_is_sent() {
    with_server(async {
        let fake = Fake::start(|_, _| Reply::Json(500, "{}".into())).await;
        for (words, hint) in [
            (&["run", "Restart-Service"][..], "Linux/Restart-Service"),
            (&["task", "show", "x"], "Scope/Name"),
            (&["policy", "create", "--task", "A/b", "--approval-type", "auto"], "--requester"),
            (&["policy", "set", "pol-3"], "--max-duration 8h"),
            (&["request", "new", "--task", "A/b", "--reason", "x", "--start-at", "soon"], "22:00"),
            (&["run", "A/b", "--secret", "password=x"], "--secret password"),
        ] {
            let went = brevet(&fake, words).await;
            assert_eq!(went.code, 2, "{words:?}: {}", went.error);
            assert!(went.error.contains(hint), "{words:?}: {}", went.error);
        }
        assert_eq!(fake.asked().len(), 0);
    });
}

#[test]
fn a_policy_is_sent_as_it_was_typed() {
    with_server(async {
        let fake = Fake::start(|_, _| Reply::Json(422, r#"{"detail": "seen"}"#.into())).await;
        let words = "policy create --role Linux/Ops --approval-type Manual --approver-group ops:1 --approver-group sec \
                     --approvals 2 --requester maria --requester-group operators --max-duration unlimited --pending 2h \
                     --start first-use --claim-within 8h --max-uses 3 --binding exact";
        brevet(&fake, &words.split_whitespace().collect::<Vec<_>>()).await;
        let words = "policy set pol-3 --any-requester --any-uses --default-approvers --revision 4";
        brevet(&fake, &words.split_whitespace().collect::<Vec<_>>()).await;
        let bodies: Vec<Value> =
            fake.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect();
        assert_eq!(
            bodies[0],
            json!({
                "role": "Linux/Ops", "approval_type": "manual", "approvals": 2,
                "approver_groups": [{"group": "ops", "minimum": 1}, {"group": "sec", "minimum": 0}],
                "requesters": {"users": ["maria"], "groups": ["operators"]}, "maximum_duration": "unlimited",
                "pending_lifetime": "2h", "start": "first-use", "claim_within": "8h", "max_uses": 3, "binding": "exact",
            })
        );
        assert_eq!(
            bodies[1],
            json!({"revision": 4, "approver_groups": [], "requesters": null, "max_uses": null})
        );
    });
}
