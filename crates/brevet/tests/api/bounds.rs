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
    assert_eq!((&hidden["items"][0]["member_count"], &hidden["items"][0]["members"]), (&json!(0), &json!([])));
}
