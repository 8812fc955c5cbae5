//! What a task finds around it: exactly what it was given.

use std::os::fd::OwnedFd;

use brevet_workloads::spawn::{Limits, Streams};

use super::fixture::{block_on, directory, finish, probe, program, run, shell, shell_with, spawner};

#[test]
fn only_the_three_streams_are_open_also_when_the_server_leaks_a_descriptor() {
    let leak = rustix::io::dup(std::io::stderr()).unwrap();
    assert_eq!(run(probe("descriptors", &[""; 0])).output(), "0 1 2");
    drop(leak);
}

#[test]
fn the_environment_is_exactly_what_was_given_in_its_order() {
    let (streams, captured) = Streams::captured().unwrap();
    let launch = brevet_workloads::spawn::Launch::new(program("/usr/bin/env"), ["-0"], streams).unwrap();
    let variables = [("Z", "last first"), ("A", "x=y\n$(id)"), ("EMPTY", "")];
    let launch = launch.environment(variables).unwrap();
    assert_eq!(run((launch, captured)).output(), "Z=last first\0A=x=y\n$(id)\0EMPTY=\0");
}

#[test]
fn without_a_word_the_environment_is_empty() {
    let (streams, captured) = Streams::captured().unwrap();
    let launch = brevet_workloads::spawn::Launch::new(program("/usr/bin/env"), [""; 0], streams).unwrap();
    assert_eq!(run((launch, captured)).output(), "");
}

#[test]
fn mask_directory_and_core_limit_are_the_narrow_ones() {
    assert_eq!(run(shell("umask; pwd; ulimit -c; ulimit -H -c")).output(), "0077\n/\n0\n0\n");
}

#[test]
fn mask_directory_and_limits_are_what_was_asked() {
    let place = directory();
    let opened = OwnedFd::from(std::fs::File::open(place.path()).unwrap());
    let (launch, captured) = shell("umask; pwd -P; ulimit -n; ulimit -t");
    let limits = Limits { open_files: Some(64), processor_seconds: Some(5), ..Limits::default() };
    let launch = launch.umask(0o27).directory(opened).limits(limits);
    let expected = format!("0027\n{}\n64\n5\n", place.path().canonicalize().unwrap().display());
    assert_eq!(run((launch, captured)).output(), expected);
}

#[test]
fn the_task_leads_a_session_and_a_group_of_its_own() {
    block_on(async {
        let (launch, captured) = shell("cat /proc/$$/stat; :");
        let spawner = spawner();
        let mut child = spawner.spawn(launch).await.unwrap();
        let stat = String::from_utf8(super::fixture::read_all(captured.stdout).await).unwrap();
        child.wait().await.unwrap();
        let fields: Vec<_> = stat.split(' ').collect();
        let id = child.id().to_string();
        assert_eq!([fields[0], fields[4], fields[5]], [&id; 3], "pid, group, session in {stat}");
        assert_eq!(fields[6], "0", "no terminal");
    });
}

#[test]
fn no_signal_is_blocked_or_ignored_and_no_privilege_can_be_gained() {
    let (launch, captured) = shell("exec grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/self/status");
    let expected = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nNoNewPrivs:\t1\n";
    assert_eq!(run((launch, captured)).output(), expected);
}

#[test]
fn standard_input_is_at_its_end_unless_one_is_given() {
    assert_eq!(run(shell("exec cat")).output(), "");
    let (input, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    rustix::io::write(&ours, b"given").unwrap();
    drop(ours);
    let (streams, captured) = Streams::captured().unwrap();
    let launch = shell_with("exec cat", Streams { stdin: input, ..streams });
    assert_eq!(run((launch, captured)).output(), "given");
}

#[test]
fn output_and_error_are_two_streams() {
    let finished = run(shell("echo out; echo error >&2"));
    assert_eq!((&finished.stdout[..], &finished.stderr[..]), (&b"out\n"[..], &b"error\n"[..]));
}

#[test]
fn output_larger_than_a_pipe_arrives_whole() {
    let finished =
        block_on(async { finish(&spawner(), shell("exec head -c 10000000 /dev/zero")).await.unwrap() });
    assert_eq!(finished.stdout.len(), 10_000_000);
}
