//! Ending runs: by order, by the clock, and when nobody could give an order any more.

use std::time::Duration;

use brevet_core::{ExecutionResult, StopCause, UserId};
use brevet_workloads::recording::Tail;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::fixture::{House, Started, block_on, script};

/// Waits until the run has written this many lines.
async fn lines(tail: &mut Tail, count: usize) -> Vec<String> {
    let mut text = String::new();
    while text.lines().count() < count {
        text.push_str(&String::from_utf8(tail.next().await.unwrap().unwrap().bytes).unwrap());
    }
    text.lines().map(str::to_owned).collect()
}

/// Runs the script, gives the order once it wrote a line, and returns result, output and the time that it took from the
/// order to the end.
fn stop_after_a_line(text: &str, cause: StopCause) -> (ExecutionResult, String, Duration) {
    let mut house = House::new(&script(text, ""));
    let permit = house.gate.permit("T", &[], &[]);
    let (finished, took) = block_on(async {
        let Started { stop, live, running } = house.start(permit);
        let mut tail = live.tail();
        let order = async {
            lines(&mut tail, 1).await;
            stop.send_replace(Some(cause));
            tokio::time::Instant::now()
        };
        let (ordered, (finished, ended)) =
            tokio::join!(order, async { (running.await, tokio::time::Instant::now()) });
        (finished, ended - ordered)
    });
    let ran = house.read(finished);
    (ran.finished.result, String::from_utf8(ran.stdout).unwrap(), took)
}

#[test]
fn every_cause_ends_a_run_and_is_its_result() {
    for cause in
        [StopCause::Revoked, StopCause::Expired, StopCause::ByUser(UserId::new(7)), StopCause::Shutdown]
    {
        let (result, output, took) = stop_after_a_line("echo on; sleep 1000", cause);
        assert_eq!((result, output.as_str()), (ExecutionResult::Stopped(cause), "on\n"));
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
}

#[test]
fn a_run_may_tidy_up_when_it_is_told_to_end() {
    let script = "trap 'echo tidy; exit 3' TERM; echo on; sleep 1000 & wait";
    let (result, output, _) = stop_after_a_line(script, StopCause::Revoked);
    assert_eq!((result, output.as_str()), (ExecutionResult::Stopped(StopCause::Revoked), "on\ntidy\n"));
}

#[test]
fn a_run_that_does_not_listen_is_dead_within_five_seconds() {
    let script = "trap '' TERM; echo on; while :; do sleep 1000; done";
    let (result, _, took) = stop_after_a_line(script, StopCause::Expired);
    assert_eq!(result, ExecutionResult::Stopped(StopCause::Expired));
    assert!(took >= brevet_workloads::command::STOP_GRACE && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_run_ends_at_its_time_out() {
    let mut house = House::new(&script("echo on; sleep 1000", "timeout = \"1s\""));
    let ran = house.run(&[], &[]);
    assert_eq!(ran.finished.result, ExecutionResult::Stopped(StopCause::TimedOut));
    assert_eq!(ran.stdout, b"on\n");
}

#[test]
fn what_was_revoked_before_it_started_does_not_start() {
    let mut house = House::new(&script("echo on", ""));
    let permit = house.gate.permit("T", &[], &[]);
    let finished = block_on(async {
        let Started { stop, live: _, running } = house.start(permit);
        stop.send_replace(Some(StopCause::Revoked));
        running.await
    });
    assert_eq!(finished.result, ExecutionResult::Stopped(StopCause::Revoked));
    assert_eq!(finished.output, None);
}

#[test]
fn a_run_that_nobody_can_stop_any_more_is_stopped() {
    let mut house = House::new(&script("echo on; sleep 1000", ""));
    let permit = house.gate.permit("T", &[], &[]);
    let finished = block_on(async {
        let Started { stop, live, running } = house.start(permit);
        let mut tail = live.tail();
        let leave = async {
            lines(&mut tail, 1).await;
            drop(stop);
        };
        tokio::join!(leave, running).1
    });
    assert_eq!(finished.result, ExecutionResult::Stopped(StopCause::Shutdown));
}

#[test]
fn a_run_that_is_dropped_is_killed() {
    let mut house = House::new(&script("trap '' TERM; echo $$; sleep 1000", ""));
    let permit = house.gate.permit("T", &[], &[]);
    block_on(async {
        let Started { stop: _stop, live, mut running } = house.start(permit);
        let mut tail = live.tail();
        let pid = tokio::select! {
            lines = lines(&mut tail, 1) => lines[0].parse().unwrap(),
            _ = &mut running => panic!("it runs on"),
        };
        let process = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()).unwrap();
        drop(running);
        let ended =
            tokio::task::spawn_blocking(move || poll(&mut [PollFd::new(&process, PollFlags::IN)], None));
        assert_eq!(ended.await.unwrap(), Ok(1));
        let lost = tail.next().await.unwrap_err().to_string();
        assert!(lost.contains("was not finished"), "{lost}");
    });
}

#[test]
fn what_a_task_leaves_behind_ends_with_it() {
    let mut house = House::new(&script("(setsid sleep 1000 & echo $!) ; exit 0", ""));
    let ran = house.run(&[], &[]);
    let pid: i32 = ran.output().trim().parse().unwrap();
    assert!(rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_err());
}
