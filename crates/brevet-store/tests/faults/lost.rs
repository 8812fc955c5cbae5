//! The connection to PostgreSQL ends at every call, and the wire is cut before and behind a commit.

use brevet_core::{Command, Origin, SessionId, Span};
use brevet_store::{Aftermath, DatabasePlace, NextKey, SideWrite, StoreError};

use crate::cluster::Cluster;
use crate::engine::{END_ALL, Engine, Home};
use crate::sample::{ADMIN, BOB, Sample, request};
use crate::wire_cutter::{Cut, WireCutter};
use crate::work::{FIRST, Work, seen};

/// Ends whoever waits for a lock, once there is somebody.
const END_WHO_WAITS: &str = "DO $$ BEGIN
    FOR round IN 1..100000 LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock';
        IF FOUND THEN RETURN; END IF;
    END LOOP;
    RAISE EXCEPTION 'nobody waits';
END $$";

#[test]
fn whatever_is_lost_is_said_and_the_next_call_works() {
    let engine = Engine::Postgres(Cluster::start());
    whichever_call_finds_the_connection_gone_says_so_and_the_next_makes_another(&engine);
    who_is_cut_off_while_waiting_for_a_turn_takes_it_later(&engine);
    a_batch_whose_commit_was_not_answered_is_looked_up(&engine);
    a_change_of_the_key_whose_commit_was_not_answered_is_settled_when_it_is_found(&engine);
    a_database_that_is_a_newer_servers_by_now_is_not_gone_on_with(&engine);
}

type Call = fn(&mut Sample) -> Result<(), StoreError>;

/// A call, and what it is called.
macro_rules! calls {
    ($($call:ident),+) => { [$((stringify!($call), (|sample| sample.store.$call().map(drop)) as Call)),+] };
}

fn whichever_call_finds_the_connection_gone_says_so_and_the_next_makes_another(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    Work::before_everything(&sample).try_on(&mut sample).unwrap();
    assert_eq!(sample.store.server(), Some(FIRST));
    let append: Call = |sample| Work::before_everything(sample).try_on(sample).map(drop);
    let append_in_turn: Call = |sample| asks(sample).try_on(sample).map(drop);
    let calls = calls![begin_turn, look, beat, signs, load];
    for (name, call) in calls.into_iter().chain([("append", append)]) {
        let before = seen(&home, &mut sample);
        home.sql(END_ALL);
        let error = call(&mut sample).unwrap_err();
        assert!(error.is_lost() && error.aftermath() == Aftermath::Away, "{name}: {error}");
        sample.store.begin_turn().unwrap();
        sample.store.end_turn();
        before.assert_unchanged(&home, &mut sample, name);
        if name != "append" {
            home.sql(END_ALL);
            call(&mut sample).unwrap_err();
            call(&mut sample).unwrap_or_else(|error| panic!("{name}, the second time: {error}"));
            sample.store.end_turn();
        }
    }
    let before = seen(&home, &mut sample);
    sample.store.begin_turn().unwrap();
    home.sql(END_ALL);
    let error = append_in_turn(&mut sample).unwrap_err();
    assert!(error.is_lost() && error.aftermath() == Aftermath::Away, "in its turn: {error}");
    sample.store.look().unwrap();
    before.assert_unchanged(&home, &mut sample, "append in its turn");
    append_in_turn(&mut sample).unwrap();
}

fn asks(sample: &Sample) -> Work {
    asks_because(sample, "one more", Vec::new())
}

/// Asks for something, for a reason.
pub(crate) fn asks_because(sample: &Sample, reason: &str, side: Vec<SideWrite>) -> Work {
    let origin = Origin::user(BOB, SessionId::new(1));
    Work::of(sample, vec![(origin, Command::Submit(request(reason)))], side)
}

fn who_is_cut_off_while_waiting_for_a_turn_takes_it_later(engine: &Engine) {
    let home = engine.home();
    let mut first = home.organization();
    let mut second = home.open_beside().unwrap();
    first.store.begin_turn().unwrap();
    let waiting = std::thread::spawn(move || (second.store.begin_turn().map(drop), second));
    home.sql(END_WHO_WAITS);
    let (cut_off, mut second) = waiting.join().unwrap();
    let error = cut_off.unwrap_err();
    assert!(error.is_lost() && error.aftermath() == Aftermath::Away, "{error}");
    asks(&first).try_on(&mut first).unwrap();
    let heard = second.store.begin_turn().unwrap().unwrap();
    assert_eq!(heard.size, first.store.size());
    second.store.end_turn();
}

/// A home on the same database, whose wire can be cut.
pub(crate) fn through<'e>(home: &mut Home<'e>) -> WireCutter {
    let (cluster, name) = home.elsewhere.as_ref().unwrap();
    let cutter = WireCutter::before(cluster.folder());
    let host = cutter.folder().display().to_string().replace('/', "%2F");
    home.place = DatabasePlace::postgres(format!("postgresql://postgres@{host}/{name}"));
    cutter
}

fn a_batch_whose_commit_was_not_answered_is_looked_up(engine: &Engine) {
    let mut home = engine.home();
    let cutter = through(&mut home);
    let mut sample = home.organization();
    Work::before_everything(&sample).try_on(&mut sample).unwrap();
    for _ in 0..40 {
        sample.story();
    }
    let before = seen(&home, &mut sample);
    let work = Work::of_everything(&sample, &home.reader());
    for in_turn in [false, true] {
        if in_turn {
            sample.store.begin_turn().unwrap();
        }
        cutter.arm(Cut::Before);
        let error = work.try_on(&mut sample).unwrap_err();
        assert_eq!(error.aftermath(), Aftermath::Unanswered, "{error}");
        assert!(error.is_lost() && sample.store.is_uncertain());
        home.sql(END_ALL);
        assert_eq!(sample.store.look_up().unwrap(), None);
        before.assert_unchanged(&home, &mut sample, "a cut before the commit");
    }
    let size = sample.store.size();
    cutter.arm(Cut::Behind);
    let error = work.try_on(&mut sample).unwrap_err();
    assert_eq!(error.aftermath(), Aftermath::Unanswered, "{error}");
    assert_eq!(sample.store.size(), size, "nothing is known yet");
    home.sql(END_ALL);
    let found = sample.store.look_up().unwrap().expect("it happened");
    assert_eq!(sample.store.look_up().unwrap(), None, "it is asked once");
    work.happened(&mut sample);
    let head = home.reader().checkpoint().unwrap();
    assert_eq!((found.first, found.size, &found.notice), (size, sample.store.size(), &None));
    assert_eq!((&found.checkpoint, sample.store.checkpoint()), (&head, head.as_str()));
    assert_eq!(sample.store.load().unwrap(), sample.state);
    assert_eq!(cutter.cuts(), 3);
    // What a commit that is answered answers.
    let other_home = engine.home();
    let mut other = other_home.organization();
    Work::before_everything(&other).try_on(&mut other).unwrap();
    for _ in 0..40 {
        other.story();
    }
    let answered = Work::of_everything(&other, &other_home.reader()).try_on(&mut other).unwrap();
    assert_eq!(answered, found);
    asks(&sample).try_on(&mut sample).unwrap();
    drop(sample);
    home.open().unwrap();
}

fn a_change_of_the_key_whose_commit_was_not_answered_is_settled_when_it_is_found(engine: &Engine) {
    for cut in [Cut::Behind, Cut::Before, Cut::Panic] {
        let mut home = engine.home();
        let cutter = through(&mut home);
        let mut sample = home.organization();
        Work::before_everything(&sample).try_on(&mut sample).unwrap();
        let prepared = sample.store.key_maker().prepare(&[9; 32], &NextKey::Configured).unwrap();
        let (old, new) = (prepared.old, prepared.new);
        let overlap_until = sample.now.plus(Span::hours(24));
        let command = Command::RotateKey { old: old.clone(), new: new.clone(), overlap_until };
        let work = Work::of(&sample, vec![(Origin::user(ADMIN, SessionId::new(1)), command)], Vec::new());
        cutter.arm(cut);
        let error = work.try_on(&mut sample).unwrap_err();
        assert_eq!(error.aftermath(), Aftermath::Unanswered, "{error}");
        let found = sample.store.look_up().unwrap();
        assert_eq!(found.is_some(), cut != Cut::Before, "{cut:?}");
        let keys = match cut {
            Cut::Behind | Cut::Panic => vec![new, old],
            Cut::Before | Cut::Never => vec![old],
        };
        if found.is_some() {
            work.happened(&mut sample);
        }
        assert_eq!(sample.store.verifier_keys(), keys, "{cut:?}");
        asks(&sample).try_on(&mut sample).unwrap();
        let state = sample.state.clone();
        drop(sample);
        let again = home.open().unwrap();
        assert_eq!(again.store.verifier_keys(), keys, "{cut:?}");
        assert_eq!(again.state, state);
    }
}

fn a_database_that_is_a_newer_servers_by_now_is_not_gone_on_with(engine: &Engine) {
    let home = engine.home();
    let mut sample = home.organization();
    Work::before_everything(&sample).try_on(&mut sample).unwrap();
    let newer = "UPDATE schema_version SET version = version + 1, since = version + 1";
    let as_before = "UPDATE schema_version SET version = version - 1, since = version - 1";
    let is_newer: fn(&StoreError) -> bool = |error| matches!(error, StoreError::Newer { .. });
    let is_moved: fn(&StoreError) -> bool = |error| matches!(error, StoreError::MovedAway);
    let moved = "UPDATE schema_version SET version = -version";
    for (change, back, is_expected) in [(newer, as_before, is_newer), (moved, moved, is_moved)] {
        home.sql(change);
        asks(&sample).try_on(&mut sample).expect("whoever is connected goes on");
        home.sql(END_ALL);
        let size = sample.store.size();
        assert!(sample.store.look().unwrap_err().is_lost());
        for (name, call) in calls![begin_turn, look, beat, signs, load, look_up] {
            let refused = call(&mut sample).unwrap_err();
            assert!(is_expected(&refused), "{name}: {refused}");
            assert_eq!(refused.aftermath(), Aftermath::Uncertain, "{name}: its server ends");
        }
        home.sql(back);
        assert!(sample.store.look().unwrap().is_none() && sample.store.size() == size);
        asks(&sample).try_on(&mut sample).unwrap();
    }
}
