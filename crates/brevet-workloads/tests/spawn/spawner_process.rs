//! The spawner process comes and goes; what it started, and what comes next, does not mind.

use std::path::Path;

use brevet_workloads::spawn::{ExitStatus, SpawnError, Spawner};
use rustix::process::{Signal, kill_process};

use super::fixture::{Process, block_on, finish, read_pids, shell, shell_with_input, spawner};

fn process_of(spawner: &Spawner) -> Process {
    Process::new(spawner.id().cast_signed())
}

#[test]
fn a_run_goes_on_when_the_spawner_dies_and_the_next_starts_another() {
    block_on(async {
        let spawner = spawner();
        let (launch, input, captured) = shell_with_input("echo $$; read line; exit 7");
        let mut child = spawner.spawn(launch).await.unwrap();
        let task = read_pids(&captured.stdout, 1).await;

        let first = process_of(&spawner);
        kill_process(first.pid, Signal::KILL).unwrap();
        assert!(first.ends());
        assert!(task[0].is_alive());

        assert_eq!(finish(&spawner, shell("echo next")).await.unwrap().output(), "next\n");
        assert_ne!(spawner.id().cast_signed(), first.pid.as_raw_nonzero().get());

        drop(input);
        assert_eq!(child.wait().await.unwrap().status, ExitStatus::Code(7));
    });
}

#[test]
fn a_run_whose_spawner_dies_before_it_answers_is_unknown_and_not_repeated() {
    block_on(async {
        let spawner = spawner();
        // So that it has begun to serve, and can be stopped there.
        finish(&spawner, shell(":")).await.unwrap();
        let first = process_of(&spawner);
        kill_process(first.pid, Signal::STOP).unwrap();
        let (launch, _captured) = shell(":");
        let mut spawning = std::pin::pin!(spawner.spawn(launch));
        let unanswered = tokio::time::timeout(std::time::Duration::ZERO, &mut spawning).await;
        assert!(unanswered.is_err());
        kill_process(first.pid, Signal::KILL).unwrap();
        let error = spawning.await.unwrap_err();
        assert!(matches!(error, SpawnError::StartUnknown), "{error}");
        assert!(error.to_string().contains("whether it ran is unknown"), "{error}");
        finish(&spawner, shell(":")).await.unwrap();
    });
}

#[test]
fn the_spawner_process_ends_with_the_spawner() {
    let spawner = spawner();
    let process = process_of(&spawner);
    drop(spawner);
    assert!(process.ends());
}

#[test]
fn a_spawner_that_cannot_be_started_says_so() {
    let error = Spawner::start(Path::new("/nonexistent/brevet"), &["spawner"]).unwrap_err();
    assert!(matches!(error, SpawnError::NoSpawner { .. }));
    let expected = "the spawner process /nonexistent/brevet could not be started: ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn a_program_that_is_no_spawner_is_an_error_and_not_a_loop() {
    block_on(async {
        let program = std::fs::canonicalize("/usr/bin/true").unwrap();
        let spawner = Spawner::start(&program, &["spawner"]).unwrap();
        assert!(spawner.spawn(shell(":").0).await.is_err());
    });
}

#[test]
fn many_runs_at_once_each_get_their_own_output() {
    block_on(async {
        let spawner = std::rc::Rc::new(spawner());
        let local = tokio::task::LocalSet::new();
        let runs: Vec<_> = (0..100)
            .map(|number| {
                let spawner = std::rc::Rc::clone(&spawner);
                local.spawn_local(async move {
                    let finished =
                        finish(&spawner, shell(&format!("echo {number}; exit {number}"))).await.unwrap();
                    assert_eq!(finished.exit.status, ExitStatus::Code(number));
                    assert_eq!(finished.stdout, format!("{number}\n").into_bytes());
                })
            })
            .collect();
        local.await;
        for run in runs {
            run.await.unwrap();
        }
    });
}

#[test]
fn a_terminals_interrupt_does_not_end_what_the_server_still_watches() {
    block_on(async {
        let spawner = spawner();
        finish(&spawner, shell(":")).await.unwrap();
        let process = process_of(&spawner);
        for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
            kill_process(process.pid, signal).unwrap();
        }
        finish(&spawner, shell(":")).await.unwrap();
        assert!(process.is_alive());
    });
}
