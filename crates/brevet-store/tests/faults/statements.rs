//! Each row that a batch writes fails in turn, and its commit.

use brevet_store::Aftermath;

use crate::engine::{Engine, Home};
use crate::sample::Sample;
use crate::trap::{How, Trap};
use crate::work::{Work, seen};

/// Stories of the ledger before: enough for its lists to have something to gather.
const STORIES: usize = 40;
/// Failures between two looks at everything.
const SEEN_EVERY: usize = 10;
/// More rows than a batch writes.
const ROWS_MAX: usize = 5_000;

on_both_engines! {
    whichever_row_cannot_be_written_nothing_of_the_batch_is_there,
    a_commit_that_fails_leaves_nothing,
}

fn lived_in(home: &Home<'_>) -> Sample {
    let mut sample = home.organization();
    for _ in 0..STORIES {
        sample.story();
    }
    Work::before_everything(&sample).try_on(&mut sample).unwrap();
    sample
}

/// How rows fail on this engine, and what is known afterwards.
fn ways(engine: &Engine) -> [(How, Aftermath); 2] {
    match engine {
        Engine::Folder => [(How::Refused, Aftermath::Uncertain), (How::Full, Aftermath::NoRoom)],
        Engine::Postgres(_) => [(How::Refused, Aftermath::OnlyThisBatch), (How::Ended, Aftermath::Away)],
    }
}

fn whichever_row_cannot_be_written_nothing_of_the_batch_is_there(engine: &Engine) {
    for (how, aftermath) in ways(engine) {
        let home = engine.home();
        let mut sample = lived_in(&home);
        let trap = Trap::set(&home);
        let work = Work::of_everything(&sample, &home.reader());
        let rows = fails_at_each_row(&home, &mut sample, &trap, &work, how, aftermath);
        assert!(rows > 60, "{how:?}: {rows} rows");
        let leaving = Work::of_leaving(&sample);
        let state = sample.state.clone();
        verify_as_it_is(&home, sample, trap);
        let mut sample = home.open().unwrap();
        assert_eq!(sample.state, state);
        let trap = Trap::set(&home);
        let rows = fails_at_each_row(&home, &mut sample, &trap, &leaving, how, aftermath);
        assert!(rows > 40, "{how:?}: {rows} rows");
    }
}

/// Tries until it succeeds; answers how many rows could fail.
fn fails_at_each_row(
    home: &Home<'_>,
    sample: &mut Sample,
    trap: &Trap<'_, '_>,
    work: &Work,
    how: How,
    aftermath: Aftermath,
) -> usize {
    let before = seen(home, sample);
    let mut signs = sample.store.signs().unwrap();
    // A connection that ended takes a while to be made again.
    let stride = if how == How::Ended { 3 } else { 1 };
    for row in (1..ROWS_MAX).step_by(stride) {
        trap.at_row(row, how);
        sample.store.begin_turn().unwrap();
        let error = match work.try_on(sample) {
            Ok(_) => return row - 1,
            Err(error) => error,
        };
        assert!(!error.to_string().is_empty());
        match error.aftermath() {
            // What PostgreSQL says last can be too late for who has sent COMMIT already.
            Aftermath::Unanswered if how == How::Ended => {
                assert_eq!(sample.store.look_up().unwrap(), None);
                // Looking it up was one.
                signs = sample.store.signs().unwrap();
            }
            found => assert_eq!(found, aftermath, "{how:?} at row {row}: {error}"),
        }
        assert_eq!(error.is_lost(), how == How::Ended, "{how:?} at row {row}: {error}");
        // Where the connection is gone, the next use makes another one.
        sample.store.look().unwrap();
        assert!(sample.store.load().unwrap() == sample.state, "{how:?} at row {row}");
        // What is left behind stays.
        if (row - 1).is_multiple_of(SEEN_EVERY * stride) {
            before.assert_unchanged(home, sample, &format!("{how:?} at row {row}"));
        }
        assert_eq!(sample.store.signs().unwrap(), signs, "{how:?} at row {row}");
    }
    panic!("it fails for ever")
}

fn verify_as_it_is(home: &Home<'_>, sample: Sample, trap: Trap<'_, '_>) {
    let size = sample.store.size();
    drop(sample);
    trap.remove();
    home.assert_verifies(size);
}

fn a_commit_that_fails_leaves_nothing(engine: &Engine) {
    let ways = match engine {
        Engine::Folder => vec![(How::Refused, Aftermath::Uncertain)],
        Engine::Postgres(_) => {
            vec![(How::Refused, Aftermath::OnlyThisBatch), (How::Ended, Aftermath::Unanswered)]
        }
    };
    for (how, aftermath) in ways {
        let home = engine.home();
        let mut sample = lived_in(&home);
        let trap = Trap::set(&home);
        let work = Work::of_everything(&sample, &home.reader());
        let before = seen(&home, &mut sample);
        trap.at_commit(how);
        sample.store.begin_turn().unwrap();
        let error = work.try_on(&mut sample).unwrap_err();
        assert_eq!(error.aftermath(), aftermath, "{how:?}: {error}");
        if aftermath == Aftermath::Unanswered {
            trap.open();
            assert!(sample.store.is_uncertain());
            assert_eq!(sample.store.look_up().unwrap(), None);
        }
        sample.store.look().unwrap();
        before.assert_unchanged(&home, &mut sample, &format!("{how:?}"));
        trap.open();
        sample.store.begin_turn().unwrap();
        work.try_on(&mut sample).unwrap();
        verify_as_it_is(&home, sample, trap);
    }
}
