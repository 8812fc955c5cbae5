//! The spawner process: receives runs, forks a supervisor for each, and is otherwise nothing.
//!
//! It exists for its size. To start a program as another user takes a fork, and a fork costs as much as the process
//! has memory: 46 ms from a server with 1 GiB. This one has a few MiB, whatever the server has.
//!
//! To fork each supervisor before it is needed was measured and gained nothing: the next fork then competes with the
//! run that it was to speed up.
//!
//! It ends when the server does, which it sees by its socket. It has no death signal: that would come when the
//! *thread* that started it ends.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open,
    set_child_subreaper, set_dumpable_behavior, setsid, waitid,
};

use super::instructions::Instructions;
use super::report::Step;
use super::sys::{self, Fork, SingleThreaded};
use super::wire::{self, Incoming};
use super::{Request, descendants, supervisor};

/// The whole life of the spawner process, whose standard input is the socket to the server.
///
/// Call it first thing in `main`, before any thread is started.
pub fn spawner_main() -> ExitCode {
    match Desk::open().and_then(Desk::serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // The server's standard error; that it cannot be written to leaves the exit code.
            let _unheard = writeln!(io::stderr(), "brevet spawner: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where runs come in.
struct Desk {
    proof: SingleThreaded,
    socket: OwnedFd,
    /// The supervisors, and what is left of the runs of supervisors that were killed.
    children: Vec<Watched>,
    buffer: Vec<u8>,
}

struct Watched {
    pid: Pid,
    /// Readable once it has ended.
    ended: OwnedFd,
}

impl Desk {
    fn open() -> io::Result<Self> {
        let proof = SingleThreaded::prove()?;
        // Numbers 0 to 2 stay taken, so that nothing received has to be moved out of the way of a task's streams.
        let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
        rustix::stdio::dup2_stdin(rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty())?)?;
        // A task that runs as the server's own user must not be able to trace what supervises it.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        set_child_subreaper(Some(getpid()))?;
        rustix::thread::set_name(c"brevet-spawner")?;
        sys::ignore_termination();
        // Fails for the leader of a group, as one started from a shell is: it is away from the terminal's signals.
        let _leads_already = setsid();
        Ok(Self { proof, socket, children: Vec::new(), buffer: vec![0; Instructions::BYTES_MAX] })
    }

    fn serve(mut self) -> io::Result<()> {
        loop {
            let (message, ended) = self.wait()?;
            self.reap(&ended);
            if !message {
                continue;
            }
            match wire::receive_run(self.socket.as_fd(), &mut self.buffer) {
                Ok(Incoming::Run(request)) => self = self.start(*request),
                Ok(Incoming::Bad { control }) => {
                    supervisor::refuse(&control, Step::Understand, &Errno::PROTO.into());
                }
                Ok(Incoming::Closed) | Err(Errno::CONNRESET) => return Ok(()),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether there is a message, and which children have ended.
    fn wait(&self) -> io::Result<(bool, Vec<bool>)> {
        let children = self.children.iter().map(|child| PollFd::new(&child.ended, PollFlags::IN));
        let socket = PollFd::new(&self.socket, PollFlags::IN);
        let mut fds: Vec<_> = std::iter::once(socket).chain(children).collect();
        retry_on_intr(|| poll(&mut fds, None))?;
        let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
        Ok((ready.next().unwrap_or(false), ready.collect()))
    }

    fn start(mut self, request: Request) -> Self {
        match sys::fork(&self.proof) {
            Ok(Fork::Child) => {
                // The socket, open here, would keep the server from seeing that the spawner ended.
                let Self { proof, socket, children, buffer } = self;
                drop((socket, children, buffer));
                supervisor::supervise(&proof, request);
                sys::exit_now(0)
            }
            Ok(Fork::Parent { child }) => self.watch(child),
            Err(error) => supervisor::refuse(&request.control, Step::Fork, &error),
        }
        self
    }

    fn watch(&mut self, pid: Pid) {
        // Out of descriptors: it does its work unwatched, and is reaped when we end.
        if let Ok(ended) = pidfd_open(pid, PidfdFlags::empty()) {
            self.children.push(Watched { pid, ended });
        }
    }

    fn reap(&mut self, ended: &[bool]) {
        if !ended.contains(&true) {
            return;
        }
        let mut orphans_left = false;
        let mut flags = ended.iter();
        self.children.retain(|child| {
            if flags.next() != Some(&true) {
                return true;
            }
            let status = retry_on_intr(|| waitid(WaitId::PidFd(child.ended.as_fd()), WaitIdOptions::EXITED));
            // A supervisor that finished its work has left nothing.
            orphans_left |= !matches!(status, Ok(Some(status)) if status.exit_status() == Some(0));
            false
        });
        if orphans_left {
            self.end_orphans();
        }
    }

    /// Kills what became our child because its supervisor was killed.
    fn end_orphans(&mut self) {
        for child in descendants::children().unwrap_or_default() {
            if self.children.iter().all(|known| known.pid != child) {
                let _gone = kill_process(child, Signal::KILL);
                self.watch(child);
            }
        }
    }
}
