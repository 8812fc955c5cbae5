//! Nothing of a run outlives it: not its stop, not its end, not the server's.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use brevet_workloads::spawn::{Exit, ExitStatus, SpawnError, Streams};
use rustix::process::{Pid, Signal, kill_process};

use super::fixture::{
    PROBE, Process, block_on, read_all, read_pids, shell, shell_with, shell_with_input, spawner,
};

/// Prints the id of a process that left the task's session, was orphaned, and sleeps.
const DAEMON: &str = "setsid -f sh -c 'echo $$; exec sleep 1000'";

fn status(exit: Result<Exit, SpawnError>) -> ExitStatus {
    exit.unwrap().status
}

#[test]
fn terminate_lets_the_task_clean_up_and_end_by_itself() {
    block_on(async {
        let spawner = spawner();
        let (launch, captured) = shell("trap 'echo cleaned; exit 3' TERM; echo $$; sleep 1000 & wait");
        let mut child = spawner.spawn(launch).await.unwrap();
        read_pids(&captured.stdout, 1).await;
        child.stop_handle().terminate().unwrap();
        assert_eq!(read_all(captured.stdout).await, b"cleaned\n");
        assert_eq!(status(child.wait().await), ExitStatus::Code(3));
    });
}

#[test]
fn terminate_reaches_a_daemon_in_a_session_of_its_own() {
    block_on(async {
        let spawner = spawner();
        let daemon = "setsid -f sh -c 'trap \"echo asked; exit\" TERM; echo $$; sleep 1000 & wait'";
        let (launch, captured) = shell(&format!("trap : TERM; {daemon}; while :; do sleep 1000; done"));
        let mut child = spawner.spawn(launch).await.unwrap();
        let daemon = read_pids(&captured.stdout, 1).await;
        child.stop_handle().terminate().unwrap();
        assert!(daemon[0].ends());
        child.stop_handle().kill().unwrap();
        assert_eq!(read_all(captured.stdout).await, b"asked\n");
        assert_eq!(status(child.wait().await), ExitStatus::Signal(9));
    });
}

#[test]
fn a_task_that_ignores_terminate_dies_of_kill() {
    block_on(async {
        let spawner = spawner();
        let (launch, captured) = shell("trap 'echo ignored' TERM; echo $$; while :; do :; done");
        let mut child = spawner.spawn(launch).await.unwrap();
        let task = read_pids(&captured.stdout, 1).await;
        let stop = child.stop_handle();
        stop.terminate().unwrap();
        assert_eq!(read_lines(&captured.stdout, 1).await, "ignored\n");
        assert!(task[0].is_alive());
        stop.kill().unwrap();
        assert_eq!(status(child.wait().await), ExitStatus::Signal(9));
        assert!(!task[0].is_alive(), "the report comes after the end");
    });
}

async fn read_lines(pipe: &std::os::fd::OwnedFd, count: usize) -> String {
    let pipe = tokio::net::unix::pipe::Receiver::from_owned_fd(pipe.try_clone().unwrap()).unwrap();
    let mut text = Vec::new();
    while text.iter().filter(|byte| **byte == b'\n').count() < count {
        pipe.readable().await.unwrap();
        let _again = pipe.try_read_buf(&mut text);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_stopped_task_hears_terminate() {
    block_on(async {
        let spawner = spawner();
        let (launch, captured) = shell("echo $$; kill -STOP $$; sleep 1000");
        let mut child = spawner.spawn(launch).await.unwrap();
        read_pids(&captured.stdout, 1).await;
        child.stop_handle().terminate().unwrap();
        assert_eq!(status(child.wait().await), ExitStatus::Signal(15));
    });
}

#[test]
fn a_daemon_ends_with_the_task() {
    block_on(async {
        let spawner = spawner();
        let (launch, input, captured) = shell_with_input(&format!("{DAEMON}; {DAEMON}; read line; exit 5"));
        let mut child = spawner.spawn(launch).await.unwrap();
        let daemons = read_pids(&captured.stdout, 2).await;
        drop(input);
        assert_eq!(status(child.wait().await), ExitStatus::Code(5));
        assert!(daemons.iter().all(|daemon| !daemon.is_alive()), "the report comes after the end");
        assert_eq!(read_all(captured.stdout).await, b"", "and the output ends");
    });
}

#[test]
fn everything_dies_by_kill_and_by_dropping_the_run() {
    for drop_it in [false, true] {
        block_on(async {
            let spawner = spawner();
            let (launch, captured) = shell(&format!("echo $$; {DAEMON}; sleep 1000"));
            let mut child = spawner.spawn(launch).await.unwrap();
            let processes = read_pids(&captured.stdout, 2).await;
            let stop = child.stop_handle();
            if drop_it {
                drop(child);
            } else {
                stop.kill().unwrap();
                assert_eq!(status(child.wait().await), ExitStatus::Signal(9));
            }
            assert!(processes.iter().all(Process::ends));
            assert_eq!(read_all(captured.stdout).await, b"");
            stop.kill().unwrap();
        });
    }
}

#[test]
fn fifty_processes_each_in_a_session_of_its_own_and_forking_die() {
    block_on(async {
        let spawner = spawner();
        let forker = "setsid -f sh -c 'echo $$; while :; do sleep 0.01; done'";
        let (launch, captured) =
            shell(&format!("i=0; while [ $i -lt 50 ]; do {forker}; i=$((i+1)); done; wait; sleep 1000"));
        let mut child = spawner.spawn(launch).await.unwrap();
        let processes = read_pids(&captured.stdout, 50).await;
        child.stop_handle().kill().unwrap();
        child.wait().await.unwrap();
        assert!(processes.iter().all(|process| !process.is_alive()));
        assert_eq!(read_all(captured.stdout).await, b"");
    });
}

#[test]
fn a_stop_before_anything_started_leaves_nothing() {
    block_on(async {
        let spawner = spawner();
        for _ in 0..50 {
            let (launch, captured) = shell("sleep 1000");
            // Dropped at its first wait: after it was sent, before it was answered.
            let spawned = tokio::time::timeout(std::time::Duration::ZERO, spawner.spawn(launch)).await;
            drop(spawned);
            assert_eq!(read_all(captured.stdout).await, b"");
        }
    });
}

#[test]
fn everything_dies_when_the_server_is_killed() {
    let mut server = Command::new(PROBE)
        .args(["server", "-c", &format!("PATH=/usr/bin:/bin; echo $$; {DAEMON}; sleep 1000")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(server.stdout.take().unwrap());
    let lines = output.lines().take(3);
    let processes: Vec<_> = lines.map(|line| Process::new(line.unwrap().parse().unwrap())).collect();
    assert!(processes.iter().all(Process::is_alive), "spawner, task and daemon");
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(processes.iter().all(Process::ends));
}

#[test]
fn everything_dies_when_the_supervisor_is_killed_and_the_end_is_unknown() {
    block_on(async {
        let spawner = spawner();
        let (launch, captured) = shell(&format!("echo $$; {DAEMON}; sleep 1000"));
        let mut child = spawner.spawn(launch).await.unwrap();
        let processes = read_pids(&captured.stdout, 2).await;
        kill_process(parent_of(processes[0].pid), Signal::KILL).unwrap();
        let error = child.wait().await.unwrap_err();
        assert!(matches!(error, SpawnError::EndUnknown), "{error}");
        assert!(processes.iter().all(Process::ends));
    });
}

fn parent_of(pid: Pid) -> Pid {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")).unwrap();
    Pid::from_raw(parent.parse().unwrap()).unwrap()
}

#[test]
fn a_task_as_the_servers_own_user_cannot_trace_its_supervisor() {
    block_on(async {
        let spawner = spawner();
        let (streams, captured) = Streams::captured().unwrap();
        let script = "ls -ld /proc/$PPID/environ; read x";
        let (input, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let mut child = spawner.spawn(shell_with(script, Streams { stdin: input, ..streams })).await.unwrap();
        let line = read_lines(&captured.stdout, 1).await;
        drop(ours);
        child.wait().await.unwrap();
        // The kernel gives the files of a process that cannot be traced to root.
        assert!(line.contains(" root root "), "{line}");
    });
}
