//! The server's side of the spawner process.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::instructions::Instructions;
use super::wire::{self, Files};
use super::{Child, Launch, SpawnError};

/// Starts programs through a small process of its own, so that starting costs the same however large the server is.
///
/// Share it by reference. When the spawner process has ended, for whatever reason, the next run starts another; runs
/// in progress are not disturbed by its end.
#[derive(Debug)]
pub struct Spawner {
    program: PathBuf,
    arguments: Vec<OsString>,
    // Held for as long as it takes to look, or to start another process; never while waiting for a run.
    process: Mutex<Arc<Process>>,
}

/// A spawner process. It ends when this is dropped.
#[derive(Debug)]
struct Process {
    socket: OwnedFd,
    process: std::process::Child,
}

impl Spawner {
    /// Starts the spawner process: `program` with `arguments`, which must lead to [`super::spawner_main`]. For the
    /// program that is running, give `/proc/self/exe`: it stays what it was when the file is replaced by an upgrade.
    pub fn start<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> Result<Self, SpawnError> {
        let arguments: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
        let process = Mutex::new(Arc::new(Process::start(program, &arguments)?));
        Ok(Self { program: program.to_owned(), arguments, process })
    }

    /// Starts a run, and waits until its program executes or has failed to.
    ///
    /// Must be called in a tokio runtime with I/O. Dropping the future kills what it may have started.
    pub async fn spawn(&self, launch: Launch) -> Result<Child, SpawnError> {
        let system = |doing| move |errno: Errno| SpawnError::System { doing, source: errno.into() };
        let (ours, theirs) = wire::pair().map_err(system("connect to the run"))?;
        let Launch { executable, instructions, streams, directory } = launch;
        let directory = directory.map_or_else(root, Ok).map_err(system("open the root directory"))?;
        let files = Files {
            executable: executable.as_fd(),
            stdin: streams.stdin.as_fd(),
            stdout: streams.stdout.as_fd(),
            stderr: streams.stderr.as_fd(),
            directory: directory.as_fd(),
            control: theirs.as_fd(),
        };
        self.send(&instructions, &files).await?;
        // The ends that the task has now: while we had them, its output would not end, nor its control connection.
        drop((streams, theirs, directory));
        Child::started(ours, executable.path()).await
    }

    /// The process id of the spawner process.
    pub fn id(&self) -> u32 {
        self.current().process.id()
    }

    async fn send(&self, instructions: &Instructions, files: &Files<'_>) -> Result<(), SpawnError> {
        let message = instructions.encode();
        let mut process = self.current();
        let mut restarted = false;
        loop {
            match wire::send_run(process.socket.as_fd(), &message, files) {
                Ok(()) => return Ok(()),
                Err(Errno::AGAIN) => wait_writable(Arc::clone(&process)).await?,
                // It has not received this run, so that another process can.
                Err(Errno::PIPE | Errno::CONNRESET) if !restarted => {
                    process = self.replace(&process)?;
                    restarted = true;
                }
                Err(errno) => {
                    return Err(SpawnError::System {
                        doing: "send the run to the spawner",
                        source: errno.into(),
                    });
                }
            }
        }
    }

    fn current(&self) -> Arc<Process> {
        Arc::clone(&self.process.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another process in the place of `ended`, unless someone already has.
    fn replace(&self, ended: &Arc<Process>) -> Result<Arc<Process>, SpawnError> {
        let mut current = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, ended) {
            *current = Arc::new(Process::start(&self.program, &self.arguments)?);
        }
        Ok(Arc::clone(&current))
    }
}

impl Process {
    fn start(program: &Path, arguments: &[OsString]) -> Result<Self, SpawnError> {
        let failed = |source| SpawnError::NoSpawner { program: program.to_owned(), source };
        let (socket, theirs) = wire::pair().map_err(|errno| failed(errno.into()))?;
        rustix::net::sockopt::set_socket_send_buffer_size(&socket, 2 * Instructions::BYTES_MAX)
            .map_err(|errno| failed(errno.into()))?;
        let process = Command::new(program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        Ok(Self { socket, process })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Supervisors go on without it, so that it needs no time to end well. It can only have ended already.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// On a thread where waiting hurts nobody: it happens only when the spawner is a hundred runs behind.
async fn wait_writable(process: Arc<Process>) -> Result<(), SpawnError> {
    let wait = move || {
        let mut fds = [PollFd::new(&process.socket, PollFlags::OUT)];
        retry_on_intr(|| poll(&mut fds, None)).map(drop)
    };
    let waited = tokio::task::spawn_blocking(wait).await;
    let failed = |source| SpawnError::System { doing: "wait for the spawner", source };
    waited.map_err(|error| failed(error.into()))?.map_err(|errno| failed(errno.into()))
}

fn root() -> Result<OwnedFd, Errno> {
    rustix::fs::open("/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}
