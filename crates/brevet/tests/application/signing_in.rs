//! Signing in: codes, passwords, sessions, and the lock.

use brevet::app::{AppError, SESSION_IDLE, SESSION_LIFETIME};
use brevet_core::{Command, Refusal, SIGN_IN_FAILURES_MAX, SIGN_IN_LOCK, Span};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::house::{ADA, BOB, House, SetClock, origin, request, secret, user};

const PASSWORD: &str = "correct horse battery";

/// Bob with a password.
async fn bob_signs_in(house: &House) -> String {
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code;
    let signed_in = house.app.enrol("Bob ", code, secret(PASSWORD), "192.0.2.1").await.unwrap();
    signed_in.token.reveal(str::to_owned)
}

#[tokio::test]
async fn the_first_administrator_comes_in_with_the_code_of_the_first_start_and_once_only() {
    let folder = TempDir::new().unwrap();
    let house = House::open(&folder.path().join("data"), SetClock::new()).await.unwrap();
    let code = house.app.make_setup_code().unwrap().unwrap().code.reveal(str::to_owned);
    let wrong = house.app.set_up(secret("AAAAA-AAAAA-AAAAA-AAAAA"), user("eve"), secret(PASSWORD), "").await;
    assert!(matches!(wrong, Err(AppError::BadCredentials)));
    let weak = house.app.set_up(secret(&code), user("ada"), secret("short"), "").await;
    assert!(matches!(weak, Err(AppError::BadPassword { .. })));
    house.app.set_up(secret(&code.to_lowercase()), user("ada"), secret(PASSWORD), "").await.unwrap();
    let again = house.app.set_up(secret(&code), user("eve"), secret(PASSWORD), "").await;
    assert!(matches!(again, Err(AppError::Refused(Refusal::Exists { .. }))));
    assert!(house.app.make_setup_code().unwrap().is_none());
}

#[tokio::test]
async fn the_code_of_the_first_start_is_good_for_an_hour_and_for_few_guesses() {
    let folder = TempDir::new().unwrap();
    let house = House::open(&folder.path().join("data"), SetClock::new()).await.unwrap();
    let code = house.app.make_setup_code().unwrap().unwrap().code.reveal(str::to_owned);
    house.clock.forward(Span::hours(1));
    assert!(house.app.set_up(secret(&code), user("ada"), secret(PASSWORD), "").await.is_err());
    let code = house.app.make_setup_code().unwrap().unwrap().code.reveal(str::to_owned);
    for _ in 0..10 {
        assert!(house.app.set_up(secret("wrong"), user("ada"), secret(PASSWORD), "").await.is_err());
    }
    assert!(house.app.set_up(secret(&code), user("ada"), secret(PASSWORD), "").await.is_err());
}

#[tokio::test]
async fn a_code_is_spent_by_its_use() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code.reveal(str::to_owned);
    house.app.enrol("bob", secret(&code), secret(PASSWORD), "").await.unwrap();
    assert!(matches!(
        house.app.enrol("bob", secret(&code), secret(PASSWORD), "").await,
        Err(AppError::BadCredentials)
    ));
    house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_with_a_password_that_is_being_changed_stays_outside() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let token = bob_signs_in(&house).await;
    let session = house.app.session(&token).await.unwrap();
    let app = house.app.clone();
    let change = async move {
        app.change_password(&session, secret(PASSWORD), secret("another horse battery"), None).await
    };
    let (mut knocking, mut let_in) = (JoinSet::new(), Vec::new());
    let knock = |knocking: &mut JoinSet<_>| {
        let app = house.app.clone();
        knocking.spawn(async move { app.sign_in("bob", secret(PASSWORD), "").await });
    };
    (0..6).for_each(|_| knock(&mut knocking));
    let changing = tokio::spawn(change);
    // Some have been found right, and are on their way to the ledger, when the password changes.
    while !changing.is_finished() {
        while knocking.len() < 6 {
            knock(&mut knocking);
        }
        let_in.extend(knocking.join_next().await.unwrap().unwrap());
    }
    changing.await.unwrap().unwrap();
    while let Some(opened) = knocking.join_next().await {
        let_in.extend(opened.unwrap());
    }
    for (place, opened) in let_in.iter().enumerate() {
        let token = opened.token.reveal(str::to_owned);
        assert!(house.app.session(&token).await.is_err(), "{place} of {} goes on", let_in.len());
    }
}

#[tokio::test]
async fn a_session_ends_when_unused_and_in_any_case() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let token = bob_signs_in(&house).await;
    assert_eq!(house.app.session(&token).await.unwrap().user, BOB);
    assert!(house.app.session(&format!("{token}x")).await.is_err());
    house.clock.forward(Span::from_micros(SESSION_IDLE.micros() - 1).unwrap());
    assert!(house.app.session(&token).await.is_ok(), "just in time, and begins anew");
    house.clock.forward(SESSION_IDLE);
    assert!(house.app.session(&token).await.is_err());
    let token = bob_signs_in(&house).await;
    for _ in 0..SESSION_LIFETIME.micros() / Span::minutes(10).micros() - 1 {
        house.clock.forward(Span::minutes(10));
        assert!(house.app.session(&token).await.is_ok());
    }
    house.clock.forward(Span::minutes(10));
    assert!(house.app.session(&token).await.is_err(), "twelve hours are over, used or not");
}

#[tokio::test]
async fn what_nobody_sits_in_front_of_does_not_keep_a_session_alive() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let token = bob_signs_in(&house).await;
    house.clock.forward(Span::from_micros(SESSION_IDLE.micros() - 1).unwrap());
    assert!(house.app.session_unattended(&token).await.is_ok());
    house.clock.forward(Span::from_micros(1).unwrap());
    assert!(house.app.session_unattended(&token).await.is_err());
    assert!(house.app.session(&token).await.is_err());
}

#[tokio::test]
async fn whoever_is_still_answered_hears_no_more_once_their_session_ended() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code;
    house.app.enrol("bob", code, secret(PASSWORD), "").await.unwrap();
    for how in ["signed out", "another password", "twelve hours", "disabled"] {
        let token = house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap().token.reveal(str::to_owned);
        let session = house.app.session(&token).await.unwrap();
        // Unused it can go on, but only for who sits in front of it, and nobody can ask anything else in it.
        house.clock.forward(SESSION_IDLE);
        house.app.tend().await.unwrap();
        assert!(house.app.session(&token).await.is_err(), "{how}");
        assert!(house.app.check_open(&session, false).is_err(), "{how}");
        assert!(house.app.check_open(&session, true).is_ok(), "{how}");
        match how {
            "signed out" => house.app.sign_out(&session).await.unwrap(),
            "another password" => {
                let (old, new) = (secret(PASSWORD), secret(PASSWORD));
                house.app.change_password(&session, old, new, None).await.unwrap();
            }
            "twelve hours" => house.clock.forward(SESSION_LIFETIME),
            _ => drop(house.by(ADA, Command::DisableUser(BOB)).await.unwrap()),
        }
        house.app.tend().await.unwrap();
        assert!(house.app.check_open(&session, true).is_err(), "{how}");
    }
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_no_disabling() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let token = bob_signs_in(&house).await;
    let clock = house.clock.clone();
    drop(house);
    let house = reopened(&data, clock).await;
    assert!(house.app.session(&token).await.is_ok());
    house.by(ADA, Command::DisableUser(BOB)).await.unwrap();
    assert!(house.app.session(&token).await.is_err());
    house.by(ADA, Command::EnableUser(BOB)).await.unwrap();
    assert!(house.app.session(&token).await.is_err(), "it is over, not asleep");
}

#[tokio::test]
async fn sessions_that_a_disabling_ended_do_not_come_back_with_a_restart() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let token = bob_signs_in(&house).await;
    house.by(ADA, Command::DisableUser(BOB)).await.unwrap();
    house.by(ADA, Command::EnableUser(BOB)).await.unwrap();
    let clock = house.clock.clone();
    drop(house);
    let house = reopened(&data, clock).await;
    assert!(house.app.session(&token).await.is_err());
}

#[tokio::test]
async fn a_new_code_leaves_the_password_and_a_password_ends_the_code() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    bob_signs_in(&house).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code.reveal(str::to_owned);
    let session = house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap().token.reveal(str::to_owned);
    let session = house.app.session(&session).await.unwrap();
    let chosen = "another battery staple";
    house.app.change_password(&session, secret(PASSWORD), secret(chosen), None).await.unwrap();
    let spent = house.app.enrol("bob", secret(&code), secret(PASSWORD), "").await;
    assert!(matches!(spent, Err(AppError::BadCredentials)));
    house.app.sign_in("bob", secret(chosen), "").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_spent_once_however_many_use_it_at_once() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code.reveal(str::to_owned);
    let mut uses = JoinSet::new();
    for _ in 0..8 {
        let (app, code) = (house.app.clone(), code.clone());
        uses.spawn(async move { app.enrol("bob", secret(&code), secret(PASSWORD), "").await.is_ok() });
    }
    assert_eq!(uses.join_all().await.into_iter().filter(|used| *used).count(), 1);
}

/// The sequencer's thread lets go of the folder shortly after the last way in is gone.
pub(crate) async fn reopened(data: &std::path::Path, clock: SetClock) -> House {
    loop {
        match House::open(data, clock.clone()).await {
            Err(AppError::Read(brevet_store::StoreError::Busy { .. })) => tokio::task::yield_now().await,
            other => return other.unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_counted_per_account_however_its_name_is_spelled_and_however_many_at_once() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    let token = bob_signs_in(&house).await;
    let mut guesses = JoinSet::new();
    for spelling in ["bob", "BOB", " bob", "Bob ", "bOb"].repeat(6) {
        let app = house.app.clone();
        guesses
            .spawn(async move { app.sign_in(spelling, secret("a wrong password"), "").await.err().unwrap() });
    }
    let answers = guesses.join_all().await;
    let tried = answers.iter().filter(|error| matches!(error, AppError::BadCredentials)).count();
    let locked =
        answers.iter().filter(|error| matches!(error, AppError::Refused(Refusal::Locked { .. }))).count();
    assert_eq!((tried, locked), (SIGN_IN_FAILURES_MAX as usize, 30 - SIGN_IN_FAILURES_MAX as usize));
    let right = house.app.sign_in("bob", secret(PASSWORD), "").await;
    assert!(
        matches!(right, Err(AppError::Refused(Refusal::Locked { .. }))),
        "the right one is not tried either"
    );
    let session = house.app.session(&token).await.unwrap();
    let change = house.app.change_password(&session, secret(PASSWORD), secret("another horse battery"), None);
    let refused = change.await.unwrap_err();
    assert!(matches!(refused, AppError::Refused(Refusal::Locked { .. })), "nor by a session: {refused}");
    house.clock.forward(SIGN_IN_LOCK);
    house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap();
}

#[tokio::test]
async fn names_by_the_thousand_are_turned_away_before_they_keep_everybody_waiting() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    bob_signs_in(&house).await;
    let mut guesses = JoinSet::new();
    for number in 0..1_000 {
        let app = house.app.clone();
        let name = format!("nobody-{number}");
        guesses.spawn(async move { app.sign_in(&name, secret("a password"), "").await.err().unwrap() });
    }
    let answers = guesses.join_all().await;
    let turned_away = answers.iter().filter(|error| matches!(error, AppError::Busy)).count();
    let tried = answers.iter().filter(|error| matches!(error, AppError::BadCredentials)).count();
    assert_eq!(turned_away + tried, 1_000);
    // Two at once and those that wait, and whoever came when one of these was done.
    assert!((66..500).contains(&tried), "{tried}");
    house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap();
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_sound_the_same() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    bob_signs_in(&house).await;
    let sentences = [
        house.app.sign_in("bob", secret("a wrong password"), "").await.err().unwrap().to_string(),
        house.app.sign_in("nobody-here", secret("a wrong password"), "").await.err().unwrap().to_string(),
        house.app.sign_in("not a name", secret("a wrong password"), "").await.err().unwrap().to_string(),
    ];
    assert!(sentences.iter().all(|sentence| *sentence == sentences[0]), "{sentences:?}");
}

#[tokio::test]
async fn a_disabled_account_is_guessed_at_no_better_than_any_other() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    bob_signs_in(&house).await;
    let code = house.app.issue_code(origin(ADA), BOB, None).await.unwrap().code.reveal(str::to_owned);
    house.by(ADA, Command::DisableUser(BOB)).await.unwrap();
    let right = house.app.sign_in("bob", secret(PASSWORD), "").await.err().unwrap();
    let by_code = house.app.enrol("bob", secret(&code), secret(PASSWORD), "").await.err().unwrap();
    let wrong = house.app.sign_in("bob", secret("a wrong password"), "").await.err().unwrap();
    for error in [right, by_code, wrong] {
        assert!(matches!(error, AppError::BadCredentials), "{error}");
    }
    for _ in 3..SIGN_IN_FAILURES_MAX {
        house.app.sign_in("bob", secret("a wrong password"), "").await.err().unwrap();
    }
    let locked = house.app.sign_in("bob", secret(PASSWORD), "").await.err().unwrap();
    assert!(matches!(locked, AppError::Refused(Refusal::Locked { .. })), "{locked}");
}

#[tokio::test]
async fn a_command_does_not_outlive_the_session_that_it_was_sent_with() {
    let folder = TempDir::new().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    for end in ["sign-out", "password", "code", "disabled"] {
        let token = bob_signs_in(&house).await;
        // Let in, with the rest of its command still to come.
        let session = house.app.session(&token).await.unwrap();
        match end {
            "sign-out" => house.app.sign_out(&session).await.unwrap(),
            "password" => {
                let other = house.app.sign_in("bob", secret(PASSWORD), "").await.unwrap();
                let other = house.app.session(&other.token.reveal(str::to_owned)).await.unwrap();
                let change = house.app.change_password(&other, secret(PASSWORD), secret(PASSWORD), None);
                change.await.unwrap();
            }
            "code" => drop(bob_signs_in(&house).await),
            _ => drop(house.by(ADA, Command::DisableUser(BOB)).await.unwrap()),
        }
        let size = house.app.published().size;
        let late = house.app.command(session.origin(), Command::Submit(request(None)), None).await;
        assert!(matches!(late, Err(AppError::NotSignedIn)), "{end}: {late:?}");
        assert_eq!(house.app.published().size, size, "{end}");
    }
}
