//! How a run ends, and the difference between one that failed and one that never was.

use std::path::Path;
use std::time::Duration;

use brevet_workloads::spawn::{Executable, ExitStatus, Launch, SpawnError, Step, Streams};
use rustix::io::Errno;

use super::fixture::{block_on, directory, file, finish, run, shell, spawner};

fn refused(path: &Path) -> (Step, Option<i32>, String) {
    let (streams, captured) = Streams::captured().unwrap();
    let launch = Launch::new(Executable::open(path).unwrap(), [""; 0], streams).unwrap();
    refusal_of((launch, captured))
}

fn refusal_of(run: (Launch, brevet_workloads::spawn::Captured)) -> (Step, Option<i32>, String) {
    match block_on(async { finish(&spawner(), run).await.map(|finished| finished.exit) }) {
        Err(error @ SpawnError::NotStarted { .. }) => {
            let sentence = error.to_string();
            let SpawnError::NotStarted { step, source, .. } = error else { unreachable!() };
            (step, source.raw_os_error(), sentence)
        }
        other => panic!("it should not have started: {other:?}"),
    }
}

fn reason(errno: Errno) -> Option<i32> {
    Some(errno.raw_os_error())
}

#[test]
fn an_exit_code_is_reported_as_it_is() {
    // 125 to 127 mean something to shells; here they are the task's own.
    for code in [0, 1, 2, 125, 126, 127, 255] {
        assert_eq!(run(shell(&format!("exit {code}"))).exit.status, ExitStatus::Code(code));
    }
}

#[test]
fn death_by_a_signal_is_not_an_exit_code() {
    for (name, number) in [("KILL", 9), ("TERM", 15), ("SEGV", 11)] {
        let finished = run(shell(&format!("kill -{name} $$; exit 1")));
        assert_eq!(finished.exit.status, ExitStatus::Signal(number));
    }
}

#[test]
fn usage_counts_the_task_and_its_descendants() {
    let work = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
    let exit = run(shell(&format!("({work}) & wait; exit 0"))).exit;
    assert!(exit.user_time > Duration::from_millis(20), "{exit:?}");
    assert!(exit.resident_bytes_max > 100_000, "{exit:?}");
}

#[test]
fn a_file_that_is_no_program_does_not_start() {
    let directory = directory();
    let path = file(directory.path(), "text", b"just text\n");
    let (step, errno, sentence) = refused(&path);
    assert_eq!((step, errno), (Step::Execute, reason(Errno::NOEXEC)));
    let expected = format!("{} did not start: could not execute the program: ", path.display());
    assert!(sentence.starts_with(&expected), "{sentence}");
}

#[test]
fn a_script_whose_interpreter_is_missing_does_not_start() {
    let directory = directory();
    let path = file(directory.path(), "script", b"#!/nonexistent/interpreter\n");
    assert_eq!(refused(&path).1, reason(Errno::NOENT));
}

#[test]
fn a_script_runs_by_its_path_with_its_arguments() {
    let directory = directory();
    let path =
        file(directory.path(), "script", b"#!/bin/sh\necho \"$0\" \"$@\"; ls /proc/self/fd/ | wc -l\n");
    let (streams, captured) = Streams::captured().unwrap();
    let launch = Launch::new(Executable::open(&path).unwrap(), ["a b", "$c"], streams).unwrap();
    let launch = launch.environment([("PATH", "/usr/bin:/bin")]).unwrap();
    // Three streams, and the directory that ls has open.
    assert_eq!(run((launch, captured)).output(), format!("{} a b $c\n4\n", path.display()));
}

#[test]
fn a_script_that_was_replaced_since_it_was_checked_does_not_start() {
    let directory = directory();
    let path = file(directory.path(), "script", b"#!/bin/sh\necho checked\n");
    let other = file(directory.path(), "other", b"#!/bin/sh\necho replaced\n");
    let (streams, captured) = Streams::captured().unwrap();
    let launch = Launch::new(Executable::open(&path).unwrap(), [""; 0], streams).unwrap();
    std::fs::rename(other, &path).unwrap();
    let (step, errno, sentence) = refusal_of((launch, captured));
    assert_eq!((step, errno), (Step::SameFile, reason(Errno::STALE)));
    assert!(sentence.contains("find at its path the same script that was checked"), "{sentence}");
}

#[test]
fn a_program_that_was_replaced_since_it_was_checked_runs_as_it_was_checked() {
    let directory = directory();
    let path = directory.path().join("tool");
    std::fs::copy(std::fs::canonicalize("/bin/sh").unwrap(), &path).unwrap();
    let (streams, captured) = Streams::captured().unwrap();
    let launch = Launch::new(Executable::open(&path).unwrap(), ["-c", "echo checked"], streams).unwrap();
    let other = file(directory.path(), "other", b"#!/bin/sh\necho replaced\n");
    std::fs::rename(other, &path).unwrap();
    assert_eq!(run((launch, captured)).output(), "checked\n");
}

#[test]
fn a_working_directory_that_is_none_does_not_start() {
    let (launch, captured) = shell("exit 0");
    let file = std::fs::File::open("/etc/passwd").unwrap();
    let (step, errno, _) = refusal_of((launch.directory(file.into()), captured));
    assert_eq!((step, errno), (Step::Directory, reason(Errno::NOTDIR)));
}
