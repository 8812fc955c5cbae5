//! How a run ends before its own end: with its right, its window, its time, its person.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::patience::{SOON, timed, until, within};
use crate::support::person::Typed;
use crate::support::processes;
use crate::support::stage::Stage;

/// How long the end of a right may take to reach what runs under it.
const ENDED_WITHIN: Duration = Duration::from_secs(5);

/// Bob lingers; answers his command, and the processes of the task.
fn linger(stage: &Stage) -> (std::process::Child, Vec<processes::Process>) {
    let before = stage.server.descendants();
    let child = stage.person("bob").begins(&stage.server, "run Linux/Linger");
    let site = stage.place.site("linger").display().to_string();
    let processes = within(SOON, "the task and its child run", || {
        let all = stage.server.descendants();
        let new: Vec<_> = all.into_iter().filter(|process| !before.contains(process)).collect();
        // A supervisor, the shell, its sleep.
        (new.len() >= 3 && !processes::with_argument(&site).is_empty()).then_some(new)
    });
    (child, processes)
}

fn gone(processes: &[processes::Process]) {
    within(ENDED_WITHIN, "the run and its children end", || {
        (!processes.iter().any(|process| process.is_alive())).then_some(())
    });
}

#[test]
fn a_revocation_ends_what_runs_and_its_children_within_seconds() {
    let stage = Stage::with_policy("Linux/Linger", "");
    let authorization = stage.grant("bob", "--task Linux/Linger");
    let (child, running) = linger(&stage);
    let (took, ()) = timed(|| {
        stage.types("alice", &format!("authorization revoke {authorization} --comment Stop"), 0);
        gone(&running);
    });
    assert!(took < ENDED_WITHIN, "{took:?}");
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.text().as_str()), (143, "started\n"));
    assert!(ended.stderr.contains("its authorization was taken away"), "{}", ended.stderr);
    stage.types("bob", "run Linux/Linger", 3);
}

#[test]
fn the_end_of_the_window_ends_a_run() {
    let stage = Stage::with_policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger --duration 4s");
    let (child, running) = linger(&stage);
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    gone(&running);
    let last = &stage.asks("bob", "execution list --mine")[0];
    assert_eq!((&last["state"], &last["stop_cause"]), (&"stopped".into(), &"expired".into()));
}

#[test]
fn a_run_that_may_finish_outlives_its_window() {
    let stage = Stage::with_policy("Linux/Finish", "");
    let authorization = stage.grant("bob", "--task Linux/Finish --duration 3s");
    let child = stage.person("bob").begins(&stage.server, "run Linux/Finish");
    let show = format!("authorization show {authorization}");
    until("the window ends", || stage.asks("bob", &show)["ending"] == "ran-out");
    assert_eq!(stage.asks("bob", "execution list --running").as_array().unwrap().len(), 1);
    std::fs::write(stage.place.site("go"), "").unwrap();
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.text().as_str()), (0, "started\nfinished\n"));
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let stage = Stage::with_policy("Linux/Slow", "");
    stage.grant("bob", "--task Linux/Slow");
    let (_, said) = stage.types("bob", "run Linux/Slow", 143);
    assert!(said.contains("stopped"), "{said}");
    assert_eq!(stage.asks("bob", "execution list --mine")[0]["stop_cause"], "timed-out");
    let site = stage.place.site("slow").display().to_string();
    until("nothing of it is left", || processes::with_argument(&site).is_empty());
}

#[test]
fn ctrl_c_stops_the_run() {
    let stage = Stage::with_policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger");
    let (child, running) = linger(&stage);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    gone(&running);
    let ended = Typed::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, 143, "{}", ended.stderr);
    assert_eq!(stage.asks("bob", "execution list --mine")[0]["stop_cause"], "by-user");
}

#[test]
fn a_run_goes_on_without_whoever_started_it_until_somebody_stops_it() {
    let stage = Stage::with_policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger");
    let (mut child, running) = linger(&stage);
    child.kill().unwrap();
    child.wait().unwrap();
    let run = stage.asks("bob", "execution list --running")[0]["id"].as_str().unwrap().to_owned();
    assert!(running.iter().all(|process| process.is_alive()));
    stage.types("carol", &format!("execution stop {run}"), 1);
    stage.types("bob", &format!("execution stop {run}"), 0);
    gone(&running);
}

#[test]
fn disabling_an_account_ends_its_runs_and_its_session() {
    let stage = Stage::with_policy("Linux/Linger", "");
    stage.grant("bob", "--task Linux/Linger");
    let (child, running) = linger(&stage);
    stage.types("ada", "user disable bob", 0);
    gone(&running);
    drop(child.wait_with_output().unwrap());
    stage.types("bob", "whoami", 4);
    stage.types("ada", "user enable bob", 0);
    stage.types("bob", "whoami", 4);
}
