//! Reading changes nothing, pages join, and reading the ledger is on record.

use axum::http::Method;
use brevet::http::route_list;
use serde_json::json;

use crate::office::Office;

#[tokio::test]
async fn no_get_and_no_head_changes_anything() {
    let office = Office::open().await;
    office.grant().await;
    office.run("hello").await;
    let before = office.size();
    for line in route_list().lines().filter(|line| line.starts_with("GET")) {
        let path = line.split_whitespace().nth(1).unwrap();
        // That the ledger was read is on record, on purpose: see below.
        let reads_the_ledger =
            ["/audit/", "/ledger/receipts/", "/ledger/{path}"].iter().any(|part| path.contains(part));
        let path = path
            .replace("{id}", "1")
            .replace("{scope}", "Linux")
            .replace("{name}", "Echo")
            .replace("{path}", "tile/entries/000.p/1")
            .replace("{index}", "1");
        let path = path.replace("{user}", "rita").replace("{group}", "Approvers");
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            for who in [None, Some("rita"), Some("anna"), Some("ada")] {
                office.send(who, method.clone(), &path, None).await;
            }
            if !reads_the_ledger {
                office.send(Some("aude"), method, &path, None).await;
            }
        }
    }
    assert_eq!(office.size(), before);
}

#[tokio::test]
async fn each_search_of_the_ledger_is_an_entry_and_going_on_is_not() {
    let office = Office::open().await;
    let before = office.size();
    let first = office.get("aude", "/audit/entries?limit=2&kind=user.added").await.ok();
    assert_eq!(office.size(), before + 1);
    let cursor = first["next"].as_str().unwrap();
    let second =
        office.get("aude", &format!("/audit/entries?limit=2&kind=user.added&cursor={cursor}")).await.ok();
    assert_eq!(office.size(), before + 1);
    let index = |page: &serde_json::Value, item: usize| page["items"][item]["index"].as_u64().unwrap();
    assert!(index(&first, 0) > index(&first, 1) && index(&first, 1) > index(&second, 0));
    let read = office.get("aude", "/audit/entries?kind=ledger.read&actor=aude").await.ok();
    assert_eq!(read["items"][0]["details"]["query"], "entries?kind=ledger.read&actor=aude");
    for who in ["ada", "anna", "rita"] {
        assert_eq!(office.get(who, "/audit/entries").await.problem(403), "forbidden");
    }
}

#[tokio::test]
async fn an_entry_says_what_happened() {
    let office = Office::open().await;
    office.grant().await;
    let story = office.get("aude", "/audit/entries?request=req-1").await.ok();
    let kinds: Vec<&str> =
        story["items"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["authorization.granted", "request.decided", "request.submitted"]);
    let submitted = &story["items"][2];
    assert_eq!(submitted["summary"], "rita asks for Linux\\Echo for 2h (req-1)");
    assert_eq!(
        (&submitted["task"], &submitted["details"]["reason"]),
        (&json!("Linux\\Echo"), &json!("to say something"))
    );
    assert_eq!(submitted["leaf_hash"].as_str().unwrap().len(), 64);
    let one = office.get("aude", &format!("/audit/entries/{}", submitted["index"])).await.ok();
    assert_eq!(&one, submitted);
    let found = office.get("aude", "/audit/entries?text=SAY+SOMETHING&task=linux/echo").await.ok();
    assert_eq!(found["items"][0]["index"], submitted["index"]);
    assert_eq!(office.get("aude", "/audit/entries/99999").await.problem(404), "not-found");
}

#[tokio::test]
async fn an_export_holds_every_entry_and_itself() {
    let office = Office::open().await;
    let export = office.get("aude", "/audit/export").await;
    assert_eq!(export.headers["content-type"], "application/jsonl");
    let text = String::from_utf8(export.body).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, entries @ .., last] = lines.as_slice() else { panic!("{text}") };
    assert_eq!((&first["brevet"], &first["first"]), (&json!("ledger"), &json!(0)));
    assert_eq!(first["size"], entries.len());
    assert!(last["checkpoint"].as_str().unwrap().starts_with(office.app.ledger_origin()), "{last}");
    assert!(entries.iter().enumerate().all(|(place, entry)| entry["index"] == place));
    assert!(entries.iter().any(|entry| entry["kind"] == "ledger.read"), "the export itself");
    assert!(entries.iter().all(|entry| !entry["details"].is_null()), "every kind has details");
}

#[tokio::test]
async fn the_checkpoint_is_public_and_says_how_long_the_ledger_is() {
    let office = Office::open().await;
    let published = || async {
        let note = office.send(None, Method::GET, "/ledger/checkpoint", None).await;
        String::from_utf8(note.body).unwrap()
    };
    // It is in the anchor before anybody sees it, which takes a moment.
    let mut note = published().await;
    for _ in 0..1_000 {
        if note.lines().nth(1) == Some(office.size().to_string().as_str()) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        note = published().await;
    }
    let shown = office.get("aude", "/audit/checkpoint").await.ok();
    assert_eq!((shown["note"].as_str(), shown["size"].as_u64()), (Some(note.as_str()), Some(office.size())));
    assert_eq!(shown["origin"], office.app.ledger_origin());
    assert_eq!(note.lines().nth(2), shown["root"].as_str());
}

#[tokio::test]
async fn pages_of_requests_join_for_those_who_see_some_of_them() {
    let office = Office::open().await;
    for n in 0..5 {
        office.ask().await;
        let ask = json!({"task": "Linux/Echo", "reason": format!("mine {n}")});
        office.post("olaf", "/requests", ask).await.ok();
    }
    for (who, query, wanted) in
        [("olaf", "", 5), ("rita", "", 5), ("anna", "", 10), ("aude", "", 10), ("anna", "&mine=true", 0)]
    {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = office.get(who, &format!("/requests?limit=2{query}{cursor}")).await.ok();
            assert!(page["items"].as_array().unwrap().len() <= 2);
            seen.extend(page["items"].as_array().unwrap().iter().map(|request| request["id"].clone()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let count = seen.len();
        seen.dedup();
        assert_eq!((count, seen.len()), (wanted, wanted), "{who}{query}");
    }
}

#[tokio::test]
async fn a_server_without_an_account_says_so() {
    let office = Office::empty().await;
    let health = office.send(None, Method::GET, "/health", None).await.ok();
    assert_eq!((&health["status"], &health["needs_setup"]), (&json!("ok"), &json!(true)));
    let guess =
        json!({"code": "AAAAA-AAAAA-AAAAA-AAAAA", "name": "eve", "password": crate::office::PASSWORD});
    let answer = office.send(None, Method::POST, "/api/v1/setup", Some(guess)).await;
    assert_eq!(answer.problem(401), "bad-credentials");
    let short = json!({"code": "x", "name": "eve", "password": "short"});
    assert_eq!(
        office.send(None, Method::POST, "/api/v1/setup", Some(short)).await.problem(422),
        "bad-password"
    );
    assert!(office.folder.path().exists());
}

#[tokio::test]
async fn tasks_are_found_by_words_and_by_what_the_caller_can_do_with_them() {
    let office = Office::open().await;
    let names = async |who: &str, path: &str| -> Vec<String> {
        let list = office.get(who, path).await.ok();
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let echo = ["Linux\\Echo"];
    assert_eq!(names("rita", "/tasks?text=linux/EC").await, echo);
    assert!(names("rita", "/tasks?text=nothing-like-it").await.is_empty());
    assert_eq!(names("rita", "/tasks?may_ask=true").await, echo);
    assert!(names("rita", "/tasks?may_run=true").await.is_empty());
    office.grant().await;
    assert_eq!(names("rita", "/tasks?may_run=true&text=echo").await, echo);
    assert!(names("olaf", "/tasks?may_run=true").await.is_empty());
    assert_eq!(names("rita", "/roles?text=speak").await, ["Linux\\Speakers"]);
    assert!(names("rita", "/roles?may_ask=true").await.is_empty());
    assert_eq!(names("rita", "/role-groups?text=every").await.len(), 1);
}

#[tokio::test]
async fn the_coverage_counts_what_the_switch_changes() {
    let office = Office::open().await;
    office.post("ada", "/assignments", json!({"user": "rita", "role": "Linux/Speakers"})).await.ok();
    office.post("ada", "/assignments", json!({"group": "Approvers", "task": "Linux/Login"})).await.ok();
    let partly = json!({
        "tasks": 2, "uncovered_tasks": 1, "uncovered": ["Linux\\Login"], "assignments": 2, "governed_assignments": 1,
    });
    assert_eq!(office.get("aude", "/access-control/coverage").await.ok(), partly);
    office.post("ada", "/policies", json!({"task": "Linux/Login", "approval_type": "manual"})).await.ok();
    let wholly = json!({
        "tasks": 2, "uncovered_tasks": 0, "uncovered": [], "assignments": 2, "governed_assignments": 2,
    });
    assert_eq!(office.get("ada", "/access-control/coverage").await.ok(), wholly);
}
