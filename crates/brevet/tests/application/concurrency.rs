//! Many at once: one winner, one vote, one effect.

use brevet::app::{AppError, IdempotencyKey};
use brevet_core::{Command, Refusal, Text, Verdict};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::house::{ALICE, BOB, House, origin, request, run};

const CALLERS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn one_person_voting_64_times_at_once_counts_once() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let id = house.ask(None).await;
    let mut votes = JoinSet::new();
    for _ in 0..CALLERS {
        let app = house.app.clone();
        let vote = Command::Decide {
            request: id,
            verdict: Verdict::Approve,
            duration: None,
            comment: Text::default(),
        };
        votes.spawn(async move { app.command(origin(ALICE), vote, None).await.is_ok() });
    }
    let taken = votes.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 1);
    assert_eq!(house.app.read(|state| state.authorizations_of(BOB).count()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_use_is_used_once_however_many_try() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    for _ in 0..20 {
        house.grant(Some(1)).await;
        let mut runs = JoinSet::new();
        for _ in 0..CALLERS {
            let app = house.app.clone();
            runs.spawn(async move { app.command(origin(BOB), run(), None).await.is_ok() });
        }
        assert_eq!(runs.join_all().await.into_iter().filter(|started| *started).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_revocation_was_acknowledged_nothing_starts() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    for _ in 0..50 {
        let authorization = house.grant(None).await;
        let (app, revoker) = (house.app.clone(), house.app.clone());
        let runner = tokio::spawn(async move {
            let mut started = Vec::new();
            while let Ok(done) = app.command(origin(BOB), run(), None).await {
                started.push(done.position);
            }
            started
        });
        let revoke = Command::Revoke { authorization, comment: Text::default() };
        let revoked = revoker.command(origin(ALICE), revoke, None).await.unwrap().position;
        // Both may lie in one batch, whose end is both their position; none may lie behind it.
        assert!(runner.await.unwrap().into_iter().all(|started| started <= revoked));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_does_the_same_thing_once() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let key = |fingerprint: u8| IdempotencyKey::new("a-key", [fingerprint; 32]);
    let mut asks = JoinSet::new();
    for _ in 0..CALLERS {
        let app = house.app.clone();
        asks.spawn(
            async move { app.command(origin(BOB), Command::Submit(request(None)), key(1)).await.unwrap() },
        );
    }
    let done = asks.join_all().await;
    assert!(done.iter().all(|one| one.reply == done[0].reply));
    assert_eq!(done.iter().filter(|one| !one.replayed).count(), 1);
    assert_eq!(house.app.read(|state| state.requests().count()), 1);
    let other = house.app.command(origin(BOB), Command::Submit(request(None)), key(2)).await;
    assert!(matches!(other, Err(AppError::KeyReused)));
    let foreign = house.app.command(origin(ALICE), Command::Submit(request(None)), key(2)).await;
    assert!(!matches!(foreign, Err(AppError::KeyReused)), "a key belongs to its user: {foreign:?}");
    assert!(matches!(foreign, Err(AppError::Refused(Refusal::NobodyCanApprove { .. }))));
}
