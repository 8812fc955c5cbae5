//! `brevet audit as-of`.

use serde_json::{Value, json};

use crate::support::stage::{Stage, text};

/// The time of the newest entry.
fn last_time(stage: &Stage) -> String {
    let entries = stage.asks("otto", "audit search --limit 1");
    text(&entries[0], "time")
}

/// Who could run what then: person, task, why.
fn as_of(stage: &Stage, time: &str, more: &str) -> Vec<(String, String, String)> {
    let rows = stage.asks("otto", &format!("audit as-of {time} {more} --limit 0"));
    let row = |row: &Value| {
        let why = row["request"].as_str().unwrap_or_else(|| row["basis"].as_str().unwrap());
        (text(&row["user"], "name"), text(row, "task"), why.to_owned())
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

fn row(user: &str, task: &str, why: &str) -> (String, String, String) {
    (user.to_owned(), format!("Linux\\{task}"), why.to_owned())
}

#[test]
fn each_instant_has_the_answer_that_was_given_then() {
    let stage = Stage::with_policy("Linux/Say", "--max-uses 3");
    let before = last_time(&stage);
    let request = stage.request("bob", "--task Linux/Say --duration 1h");
    let asked = last_time(&stage);
    let approved = stage.asks("alice", &format!("request approve {request}"));
    let authorization = text(&approved, "authorization");
    let given = last_time(&stage);
    stage.types("bob", "run Linux/Say -p text=now", 0);
    let ran = last_time(&stage);
    stage.types("alice", &format!("authorization revoke {authorization} --comment Enough"), 0);
    let revoked = last_time(&stage);
    stage.asks("ada", "assignment add --user carol --task Linux/Both");
    stage.types("ada", "access disable", 0);
    let off = last_time(&stage);
    stage.types("ada", "user disable carol", 0);
    let disabled = last_time(&stage);

    assert_eq!(as_of(&stage, &before, ""), []);
    assert_eq!(as_of(&stage, &asked, ""), []);
    assert_eq!(as_of(&stage, &given, ""), [row("bob", "Say", &request)]);
    assert_eq!(as_of(&stage, &given, "--user carol"), []);
    assert_eq!(as_of(&stage, &given, "--task Linux/Both"), []);
    assert_eq!(as_of(&stage, &ran, "--user bob --task linux/say"), [row("bob", "Say", &request)]);
    assert_eq!(as_of(&stage, &revoked, ""), []);
    assert_eq!(as_of(&stage, &off, ""), [row("carol", "Both", "access-control-off")]);
    assert_eq!(as_of(&stage, &disabled, ""), []);
    assert_eq!(as_of(&stage, "2000-01-01T00:00:00Z", ""), []);

    let rows = stage.asks("otto", &format!("audit as-of {ran}"));
    let found = &rows[0];
    assert_eq!(found["authorization"], authorization);
    assert_eq!(found["access"], json!({"type": "task", "name": "Linux\\Say"}));
    assert_eq!(found["approvers"][0]["name"], "alice");
    assert_eq!((&found["uses_left"], &found["policy_revision"]), (&json!(2), &json!(1)));
    let (table, _) = stage.types("otto", &format!("audit as-of {ran}"), 0);
    for word in
        ["bob", "Linux\\Say", request.as_str(), authorization.as_str(), "2 runs left", "alice", "revision 1"]
    {
        assert!(table.contains(word), "{word} is not in {table}");
    }
    let (empty, _) = stage.types("otto", &format!("audit as-of {before}"), 0);
    assert!(empty.contains("Nobody could run any of that"), "{empty}");
}

#[test]
fn as_of_now_agrees_with_the_gate_for_everybody_and_everything() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.policy("Linux/Exit", "");
    stage.types("ada", "assignment add --user anna --task Linux/Both", 0);
    stage.types("ada", "assignment add --user anna --task Linux/Say", 0);
    stage.types("ada", "access enable --approvers Approvers --system-account anna", 0);
    stage.grant("bob", "--task Linux/Say -p text=this");
    stage.grant("carol", "--task Linux/Exit");
    let now = last_time(&stage);
    let could = as_of(&stage, &now, "");
    assert_eq!(as_of(&stage, "now", ""), could);
    let values = [("Say", json!({"text": "this"})), ("Exit", json!({"code": 1})), ("Both", json!({}))];
    for who in ["ada", "alice", "anna", "bob", "carol", "otto"] {
        for (task, parameters) in &values {
            let asked = json!({"task": format!("Linux/{task}"), "parameters": parameters});
            let answer = stage.person(who).connect(&stage.server).post("/api/v1/check", &asked).unwrap();
            let listed = could.iter().any(|(user, of, _)| user == who && *of == format!("Linux\\{task}"));
            assert_eq!(listed, answer.is_success(), "{who} {task}: {could:?} {}", answer.json());
        }
    }
    assert_eq!(could.len(), 4, "{could:?}");
    // Page by page it is the same.
    let mut otto = stage.person("otto").connect(&stage.server);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = otto.get(&format!("/api/v1/audit/as-of?time={now}&limit=1{cursor}")).unwrap().ok();
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, *stage.asks("otto", &format!("audit as-of {now} --limit 0")).as_array().unwrap());
}

#[test]
fn the_question_is_for_auditors_and_on_record() {
    let stage = Stage::with_policy("Linux/Say", "");
    let now = last_time(&stage);
    stage.types("bob", &format!("audit as-of {now}"), 1);
    stage.types("otto", &format!("audit as-of {now} --user bob"), 0);
    let reads = stage.asks("otto", "audit search --kind ledger.read --actor otto");
    let said = reads.as_array().unwrap().iter().any(|entry| {
        let query = entry["details"]["query"].as_str().unwrap_or_default();
        query.starts_with("as-of?") && query.contains("user=bob")
    });
    assert!(said, "{reads}");
    let (_, error) = stage.types("otto", "audit as-of 2999-01-01T00:00:00Z", 1);
    assert!(error.contains("lies in the future"), "{error}");
    stage.types("otto", "audit as-of whenever", 2);
    stage.types("otto", &format!("audit as-of {now} --user nobody"), 1);
}

#[test]
fn a_name_that_was_erased_is_an_id() {
    let stage = Stage::with_policy("Linux/Say", "");
    stage.grant("bob", "--task Linux/Say");
    let given = last_time(&stage);
    let bob = text(&stage.asks("ada", "user show bob"), "id");
    assert_eq!(as_of(&stage, &given, "")[0].0, "bob");
    stage.types("ada", "user disable bob", 0);
    stage.types("ada", "audit erase --user bob", 0);
    assert_eq!(as_of(&stage, &given, "")[0].0, bob);
}
