//! What the tests share: a spawner, programs, and waiting for a condition with a deadline.

use std::fs::{self, Permissions};
use std::future::Future;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brevet_workloads::spawn::{Captured, Executable, Exit, ExitStatus, Launch, SpawnError, Spawner, Streams};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::unix::pipe::Receiver;

pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_spawn-probe");

/// Far above what anything here takes, so that only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("done before the deadline") })
}

pub(crate) fn spawner() -> Spawner {
    Spawner::start(Path::new(PROBE), &["spawner"]).unwrap()
}

pub(crate) fn program(path: &str) -> Executable {
    Executable::open(&fs::canonicalize(path).unwrap()).unwrap()
}

/// A run of the probe in `mode`.
pub(crate) fn probe<A: AsRef<[u8]>>(mode: &str, arguments: &[A]) -> (Launch, Captured) {
    let all = std::iter::once(mode.as_bytes()).chain(arguments.iter().map(AsRef::as_ref));
    let (streams, captured) = Streams::captured().unwrap();
    (Launch::new(program(PROBE), all, streams).unwrap(), captured)
}

/// A run of a shell script, which finds the programs of the system.
pub(crate) fn shell(script: &str) -> (Launch, Captured) {
    let (streams, captured) = Streams::captured().unwrap();
    (shell_with(script, streams), captured)
}

pub(crate) fn shell_with(script: &str, streams: Streams) -> Launch {
    let launch = Launch::new(program("/bin/sh"), ["-c", script], streams).unwrap();
    launch.environment([("PATH", "/usr/bin:/bin")]).unwrap()
}

/// A shell script that waits for our end of its standard input to close where it says `read`.
pub(crate) fn shell_with_input(script: &str) -> (Launch, OwnedFd, Captured) {
    let (input, ours) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
    let (streams, captured) = Streams::captured().unwrap();
    (shell_with(script, Streams { stdin: input, ..streams }), ours, captured)
}

pub(crate) struct Finished {
    pub(crate) exit: Exit,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Finished {
    /// The standard output of a run that succeeded without a word of complaint.
    pub(crate) fn output(self) -> String {
        let complaint = String::from_utf8_lossy(&self.stderr);
        assert_eq!((self.exit.status, &*complaint), (ExitStatus::Code(0), ""));
        String::from_utf8(self.stdout).unwrap()
    }
}

pub(crate) async fn finish(spawner: &Spawner, run: (Launch, Captured)) -> Result<Finished, SpawnError> {
    let (launch, captured) = run;
    let mut child = spawner.spawn(launch).await?;
    // One after the other will do: no test writes more than a pipe holds to its standard error.
    let (stdout, stderr) = (read_all(captured.stdout).await, read_all(captured.stderr).await);
    Ok(Finished { exit: child.wait().await?, stdout, stderr })
}

/// Runs one launch on a spawner of its own.
pub(crate) fn run(launch: (Launch, Captured)) -> Finished {
    block_on(async { finish(&spawner(), launch).await.unwrap() })
}

pub(crate) async fn read_all(pipe: OwnedFd) -> Vec<u8> {
    let mut bytes = Vec::new();
    Receiver::from_owned_fd(pipe).unwrap().read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Reads lines of numbers until there are `count`, and leaves the pipe open.
pub(crate) async fn read_pids(pipe: &OwnedFd, count: usize) -> Vec<Process> {
    let pipe = Receiver::from_owned_fd(pipe.try_clone().unwrap()).unwrap();
    let mut text = Vec::new();
    while text.iter().filter(|byte| **byte == b'\n').count() < count {
        pipe.ready(Interest::READABLE).await.unwrap();
        match pipe.try_read_buf(&mut text) {
            Ok(0) => panic!("ended after {:?}", String::from_utf8_lossy(&text)),
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    String::from_utf8(text).unwrap().lines().map(|line| Process::new(line.parse().unwrap())).collect()
}

/// A process that was alive when it was named.
pub(crate) struct Process {
    pub(crate) pid: Pid,
    pidfd: OwnedFd,
}

impl Process {
    pub(crate) fn new(number: i32) -> Self {
        let pid = Pid::from_raw(number).unwrap();
        Self { pid, pidfd: pidfd_open(pid, PidfdFlags::empty()).expect("alive") }
    }

    pub(crate) fn is_alive(&self) -> bool {
        !self.ends_within(Duration::ZERO)
    }

    pub(crate) fn ends(&self) -> bool {
        self.ends_within(DEADLINE)
    }

    fn ends_within(&self, time: Duration) -> bool {
        let timeout = Timespec::try_from(time).unwrap();
        poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&timeout)).unwrap() == 1
    }
}

/// A directory in which programs may lie: none under /tmp may.
pub(crate) fn directory() -> tempfile::TempDir {
    let directory =
        tempfile::Builder::new().prefix("spawn-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

pub(crate) fn file(directory: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}
