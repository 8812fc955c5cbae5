//! The wall clock is what entries are dated by: whoever moves it leaves a trace, and a start with one that is behind
//! is refused.

use brevet::app::AppError;
use brevet_core::{Event, Span};

use crate::house::House;

/// The newest entries, as far as they speak of the clock.
async fn steps(house: &House) -> Vec<(Span, bool)> {
    let size = house.app.published().size;
    let entries =
        house.app.stored(move |reader| reader.entries_from(0, usize::try_from(size).unwrap_or(0))).await;
    let stepped = |entry: &brevet_store::StoredEntry| match entry.entry.event {
        Event::ClockStepped { by, back } => Some((by, back)),
        _ => None,
    };
    entries.unwrap().iter().filter_map(stepped).collect()
}

#[tokio::test]
async fn a_clock_that_is_set_leaves_an_entry_and_one_that_runs_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::found(&folder.path().join("data")).await;
    house.ask(None).await;
    house.clock.forward(Span::hours(3));
    house.ask(None).await;
    assert_eq!(steps(&house).await, []);
    house.clock.ahead(Span::hours(1));
    house.ask(None).await;
    assert_eq!(steps(&house).await, [(Span::hours(1), false)]);
    house.clock.back(Span::minutes(2));
    house.clock.forward(Span::minutes(2));
    house.ask(None).await;
    assert_eq!(steps(&house).await, [(Span::hours(1), false), (Span::minutes(2), true)]);
}

#[tokio::test]
async fn a_start_with_a_clock_behind_the_ledger_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    let clock = house.clock.clone();
    drop(house);
    clock.back(Span::hours(1));
    let refused = loop {
        match House::open(&data, clock.clone()).await {
            Err(AppError::ClockBehind { behind_seconds }) => break behind_seconds,
            Err(error) => assert!(error.to_string().contains("another server"), "{error}"),
            Ok(_) => panic!("it started"),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(refused, 3_600);
}

#[tokio::test]
async fn what_became_due_while_no_server_ran_comes_after_the_start_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let house = House::found(&data).await;
    house.ask(None).await;
    let clock = house.clock.clone();
    house.app.shut_down(std::time::Duration::from_secs(10)).await;
    let stopped = house.app.published().size;
    drop(house);
    clock.forward(Span::hours(24 * 30));
    let house = loop {
        match House::open(&data, clock.clone()).await {
            Ok(house) => break house,
            Err(error) => assert!(error.to_string().contains("another server"), "{error}"),
        }
        tokio::task::yield_now().await;
    };
    let kinds = loop {
        let entries = house.app.stored(move |reader| reader.entries_from(stopped, 10)).await.unwrap();
        if entries.len() > 1 {
            break entries.into_iter().map(|stored| stored.entry.event.kind().name).collect::<Vec<_>>();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(kinds[..2], ["server.started", "request.expired"]);
    drop(house);
    let mut verify = std::process::Command::new(env!("CARGO_BIN_EXE_brevet"));
    let verified = verify.args(["audit", "verify", "--data"]).arg(&data).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success() && !said.contains("without an orderly end"), "{said}");
}
