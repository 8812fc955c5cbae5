//! What one caller can take of the server: each of these is bounded, and says so.

use axum::http::StatusCode;

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
