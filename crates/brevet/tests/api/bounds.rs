//! What one caller can take of the server: each of these is bounded, and says so.

use axum::http::StatusCode;
use serde_json::json;

use crate::office::Office;

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
