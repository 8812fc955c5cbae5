//! What is executed is what was checked, whatever happens to its name in between.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use brevet_workloads::spawn::{BadExecutable, Executable, Launch, Spawner, Streams};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::fixture::{PROBE, block_on, directory, finish, spawner};

/// Enough to see each interleaving; for a release, `BREVET_RACES=100000`.
const RACES: usize = 300;

#[expect(clippy::disallowed_methods, reason = "how long a test runs is for who runs it to say")]
fn races() -> usize {
    std::env::var("BREVET_RACES").map_or(RACES, |text| text.parse().expect("a number"))
}

/// Exchanges two names until told to stop.
fn exchange(one: &Path, other: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
    }
}

/// Opens, starts, and compares the file that ran with the file that was opened. `false`: opening was refused.
async fn race(spawner: &Spawner, path: &Path) -> bool {
    let executable = match Executable::open(path) {
        Ok(executable) => executable,
        Err(BadExecutable::Symlink { .. }) => return false,
        Err(other) => panic!("{other}"),
    };
    let opened = rustix::fs::fstat(executable.as_fd()).unwrap().st_ino;
    let (streams, captured) = Streams::captured().unwrap();
    let launch = Launch::new(executable, ["inode"], streams).unwrap();
    let ran = finish(spawner, (launch, captured)).await.unwrap().output();
    assert_eq!(ran, opened.to_string());
    true
}

fn check(place: &Path, other: &Path) -> (usize, usize) {
    let (path, stop) = (place.join("tool"), AtomicBool::new(false));
    std::fs::copy(PROBE, &path).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| exchange(&path, other, &stop));
        let count = races();
        let spawner = spawner();
        let mut ran = 0;
        // Ends the other thread also when an assertion ends this one.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..count {
                ran += usize::from(block_on(race(&spawner, &path)));
            }
        }));
        stop.store(true, Ordering::Relaxed);
        result.unwrap();
        (ran, count)
    })
}

#[test]
fn a_program_exchanged_for_another_never_runs_in_its_place() {
    let directory = directory();
    let other = directory.path().join("other");
    std::fs::copy(PROBE, &other).unwrap();
    let (ran, count) = check(directory.path(), &other);
    assert_eq!(ran, count);
}

#[test]
fn a_program_exchanged_for_a_link_is_refused_or_runs_itself() {
    let directory = directory();
    let other = directory.path().join("link");
    std::os::unix::fs::symlink("/usr/bin/false", &other).unwrap();
    let (ran, count) = check(directory.path(), &other);
    println!("{ran} of {count} ran, the others were refused");
}
