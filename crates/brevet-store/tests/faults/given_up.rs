//! A server that has not heard the answer to its commit, and is given up by the others meanwhile.

use brevet_core::{SessionId, Timestamp};
use brevet_store::{Aftermath, SideWrite, StoreError};

use crate::cluster::Cluster;
use crate::engine::{Engine, Home};
use crate::lost::{asks_because, through};
use crate::sample::Sample;
use crate::wire_cutter::{Cut, WireCutter};
use crate::work::{FIRST, Work};

#[test]
fn a_commit_of_a_server_that_was_given_up_is_looked_up_by_its_entries() {
    let engine = Engine::Postgres(Cluster::start());
    whether_it_happened_is_told_by_its_entries(&engine);
    of_a_batch_without_entries_nobody_can_tell(&engine);
    the_last_batch_of_a_server_is_found_though_its_row_goes_with_it(&engine);
}

fn whether_it_happened_is_told_by_its_entries(engine: &Engine) {
    for (cut, goes_on) in
        [(Cut::Behind, false), (Cut::Behind, true), (Cut::Before, false), (Cut::Before, true)]
    {
        let mut home = engine.home();
        let (cutter, mut sample) = first_behind_a_wire(&mut home);
        let work = asks_because(&sample, "one more", Vec::new());
        let size = sample.store.size();
        is_not_answered(&work, &mut sample, &cutter, cut);
        let other = gives_up_the_first(&home, goes_on);
        let found = sample.store.look_up().unwrap();
        assert!(!sample.store.is_uncertain());
        match cut {
            Cut::Behind | Cut::Panic => {
                let found = found.unwrap_or_else(|| panic!("it happened ({goes_on})"));
                assert_eq!((found.first, sample.store.size()), (size, found.size));
                assert_eq!(other.store.size(), found.size + u64::from(goes_on));
            }
            Cut::Before | Cut::Never => assert!(found.is_none() && sample.store.size() == size, "{goes_on}"),
        }
        let tail = sample.store.look().unwrap();
        assert_eq!(tail.map(|tail| tail.entries.len()), goes_on.then_some(1), "{cut:?}");
        assert_eq!(sample.store.size(), other.store.size());
    }
}

fn of_a_batch_without_entries_nobody_can_tell(engine: &Engine) {
    let mut home = engine.home();
    let (cutter, mut sample) = first_behind_a_wire(&mut home);
    let touch = SideWrite::TouchSession(SessionId::new(11), Timestamp::from_micros(99));
    let work = Work::beside(&sample, vec![touch]);
    is_not_answered(&work, &mut sample, &cutter, Cut::Behind);
    gives_up_the_first(&home, true);
    for _ in 0..2 {
        let error = sample.store.look_up().unwrap_err();
        assert!(matches!(error, StoreError::Unknowable), "{error}");
        assert_eq!(error.aftermath(), Aftermath::Uncertain);
    }
    assert!(sample.store.is_uncertain());
}

fn the_last_batch_of_a_server_is_found_though_its_row_goes_with_it(engine: &Engine) {
    for cut in [Cut::Behind, Cut::Before] {
        let mut home = engine.home();
        let (cutter, mut sample) = first_behind_a_wire(&mut home);
        let work = asks_because(&sample, "the last", vec![SideWrite::LeaveServer(FIRST)]);
        is_not_answered(&work, &mut sample, &cutter, cut);
        assert_eq!(sample.store.look_up().unwrap().is_some(), cut == Cut::Behind);
    }
}

/// The first of several servers, behind a wire that can be cut.
fn first_behind_a_wire(home: &mut Home<'_>) -> (WireCutter, Sample) {
    let cutter = through(home);
    let mut sample = home.organization();
    Work::before_everything(&sample).try_on(&mut sample).unwrap();
    (cutter, sample)
}

/// Tries to append this, and gets no answer.
#[track_caller]
fn is_not_answered(work: &Work, sample: &mut Sample, cutter: &WireCutter, cut: Cut) {
    cutter.arm(cut);
    let error = work.try_on(sample).unwrap_err();
    assert_eq!(error.aftermath(), Aftermath::Unanswered, "{error}");
}

/// Another server takes the first one for gone, and goes on with this.
fn gives_up_the_first(home: &Home<'_>, goes_on: bool) -> Sample {
    let mut other = home.open_beside().unwrap();
    let tail = other.store.begin_turn().unwrap();
    assert!(tail.is_none(), "it opened after the cut");
    let leaves = vec![SideWrite::LeaveServer(FIRST)];
    let work = if goes_on { asks_because(&other, "another", leaves) } else { Work::beside(&other, leaves) };
    work.try_on(&mut other).unwrap();
    other
}
