//! What one caller can take of the server: each of these is bounded, and says so.

use std::cell::Cell;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::join_all;
use serde_json::json;

use crate::office::{Office, PASSWORD};

#[tokio::test]
async fn a_session_waits_for_the_ledger_a_few_times_at_once_and_others_are_not_kept_from_it() {
    let office = Office::open().await;
    let wait = || office.get("rita", "/ledger/position?after=1000000&seconds=60");
    let waits = async { tokio::join!(wait(), wait(), wait(), wait()) };
    let short = "/ledger/position?after=1000000&seconds=0";
    let refused = async {
        loop {
            let answer = office.get("rita", short).await;
            if answer.status != StatusCode::OK {
                break answer;
            }
        }
    };
    tokio::select! {
        biased;
        _ = waits => panic!("they wait for a minute"),
        refused = async {
            let refused = refused.await;
            office.get("rita", "/ledger/position").await.ok();
            office.get("rita", "/ledger/position?after=0").await.ok();
            office.get("anna", short).await.ok();
            refused
        } => assert_eq!(refused.problem(429), "too-many-waits"),
    }
    // Whoever does not wait any more leaves their place.
    office.get("rita", short).await.ok();
}

#[tokio::test]
async fn an_account_waits_for_decisions_a_few_times_in_all_its_sessions_and_can_still_decide() {
    let mut office = Office::open().await;
    let request = office.ask().await;
    let tokens = [office.token("anna").to_owned(), {
        office.sign_in_as("anna", PASSWORD).await;
        office.token("anna").to_owned()
    }];
    let refused = Cell::new(0);
    let wait = async |token: &String| {
        let call = Request::get(format!("/api/v1/requests/{request}/wait?seconds=60"));
        let call = call.header("authorization", format!("Bearer {token}"));
        let answer = office.raw(call.body(Body::empty()).unwrap()).await;
        if answer.status == StatusCode::OK {
            return Some(answer.ok()["status"].clone());
        }
        assert_eq!(answer.problem(429), "too-many-waits");
        refused.set(refused.get() + 1);
        if refused.get() == 4 {
            // What does not wait is not kept from anybody, and ends the waiting of the others.
            office.get("anna", &format!("/requests/{request}/wait?seconds=0")).await.ok();
            office.post("anna", &format!("/requests/{request}/deny"), json!({"comment": "no"})).await.ok();
        }
        None
    };
    let waits = tokens.iter().cycle().take(20).map(wait);
    let decided: Vec<_> = join_all(waits).await.into_iter().flatten().collect();
    assert_eq!((decided.len(), refused.get()), (16, 4));
    assert!(decided.iter().all(|status| status == "denied"), "{decided:?}");
}

#[tokio::test]
async fn an_account_follows_a_few_runs_at_once_each_until_its_answer_is_let_go() {
    let office = Office::open().await;
    office.grant().await;
    let path = format!("/executions/{}/output", office.run("hello").await);
    let mut followed = join_all((0..16).map(|_| office.begin("anna", &path))).await;
    assert!(followed.iter().all(|answer| answer.status() == StatusCode::OK));
    assert_eq!(office.get("anna", &path).await.problem(429), "too-many-waits");
    drop(followed.pop());
    assert_eq!(office.begin("anna", &path).await.status(), StatusCode::OK);
    // One's own runs are another matter: as many as one may have are followed, also after a connection broke.
    let own = join_all((0..20).map(|_| office.begin("rita", &path))).await;
    assert!(own.iter().all(|answer| answer.status() == StatusCode::OK));
    office.run("again").await;
}

#[tokio::test]
async fn more_values_than_a_task_can_have_are_refused_in_a_sentence_and_not_one_by_one() {
    let office = Office::open().await;
    let values =
        |count: u32| (0..count).map(|n| (format!("p{n}"), json!(n))).collect::<serde_json::Map<_, _>>();
    let with = |name: &str, count| {
        let mut body = json!({"task": "Linux/Echo", "parameters": {}});
        body[name] = values(count).into();
        body
    };
    for (path, name) in [
        ("/check", "parameters"),
        ("/requests", "parameters"),
        ("/executions", "parameters"),
        ("/executions", "secrets"),
    ] {
        let mut body = with(name, 20_000);
        if name == "secrets" {
            body[name].as_object_mut().unwrap().values_mut().for_each(|value| *value = json!("x"));
        }
        if path == "/requests" {
            body["reason"] = json!("to say something");
        }
        let refused = office.post("rita", path, body).await;
        assert_eq!(refused.problem(422), "too-many", "{path} {name}");
        assert!(refused.body.len() < 500, "{path} {name}: {}", refused.body.len());
    }
    // As many as there can be are told one by one.
    let refused = office.post("rita", "/check", with("parameters", 32)).await;
    assert_eq!(refused.problem(422), "bad-parameters");
}

#[tokio::test]
async fn a_list_of_groups_names_the_first_members_and_says_how_many_there_are() {
    let office = Office::open().await;
    for n in 0..11 {
        let name = format!("helper-{n:02}");
        office.post("ada", "/users", json!({"name": name})).await.ok();
        office.post("ada", "/groups/Approvers/members", json!({"user": name})).await.ok();
    }
    let listed = office.get("ada", "/groups").await.ok();
    let (whole, listed) = (office.get("ada", "/groups/Approvers").await.ok(), &listed["items"][0]);
    let members = |group: &serde_json::Value| group["members"].as_array().unwrap().clone();
    assert_eq!((members(&whole).len(), members(listed).len()), (12, 10));
    assert_eq!((&whole["member_count"], &listed["member_count"]), (&json!(12), &json!(12)));
    assert_eq!(members(listed), members(&whole)[..10]);
    // Whoever is not shown who is in it is not told how many are.
    let hidden = office.get("olaf", "/groups").await.ok();
    assert_eq!(
        (&hidden["items"][0]["member_count"], &hidden["items"][0]["members"]),
        (&json!(0), &json!([]))
    );
}

#[tokio::test]
async fn what_waits_is_counted_for_those_who_decide_on_it_until_it_is_over() {
    let office = Office::open().await;
    let waiting = async |who: &str| {
        let listed = office.get(who, "/requests?for_me=true").await.ok()["items"].as_array().unwrap().len();
        (office.get(who, "/whoami").await.ok()["waiting"].as_u64().unwrap(), listed)
    };
    // Olaf decides on what nobody asks for.
    office.post("ada", "/groups", json!({"name": "Others"})).await.ok();
    office.post("ada", "/groups/Others/members", json!({"user": "olaf"})).await.ok();
    let others = json!([{"group": "Others"}]);
    let policy = json!({"task": "Linux/Login", "approval_type": "manual", "approver_groups": others});
    office.post("ada", "/policies", policy).await.ok();
    let (first, second, third) = (office.ask().await, office.ask().await, office.ask().await);
    assert_eq!(
        (waiting("anna").await, waiting("olaf").await, waiting("ada").await),
        ((3, 3), (0, 0), (0, 0))
    );
    office.post("anna", &format!("/requests/{first}/approve"), json!({})).await.ok();
    assert_eq!(waiting("anna").await, (2, 2));
    office.post("anna", &format!("/requests/{second}/deny"), json!({"comment": "no"})).await.ok();
    office.post("rita", &format!("/requests/{third}/cancel"), json!({})).await.ok();
    assert_eq!((waiting("anna").await, waiting("olaf").await), ((0, 0), (0, 0)));
    let login = json!({"task": "Linux/Login", "reason": "to log in", "duration": "2h"});
    office.post("rita", "/requests", login).await.ok();
    assert_eq!((waiting("anna").await, waiting("olaf").await), ((0, 0), (1, 1)));
}
