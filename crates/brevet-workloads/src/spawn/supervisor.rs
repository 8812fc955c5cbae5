//! The process that stands above one run: starts its task, passes orders on, and reports only once nothing lives.
//!
//! It has no death signal of its own: killed by one, it could not end what is below it. It learns of the server's
//! end from the control socket instead, at once and however the server ended. Should the supervisor itself be killed,
//! the task dies by its death signal and the spawner ends the rest.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, getpid, kill_process, kill_process_group,
    pidfd_open, set_child_subreaper, setsid, waitid,
};

use super::report::{Exit, ExitStatus, Failure, Order, REPORT_BYTES_MAX, Report, Step};
use super::sys::{self, Fork, SingleThreaded};
use super::{Request, descendants, task, wire};

/// The exit code of a task's process that never became the task. Nobody sees it: the failure is reported instead.
const NEVER_STARTED: u8 = 127;

/// Runs one request from start to report.
pub(super) fn supervise(proof: &SingleThreaded, request: Request) {
    match Run::start(proof, request) {
        Ok(run) => run.watch(),
        Err((control, failure)) => tell(&control, Report::NotStarted(failure)),
    }
}

/// Tells the server that its run was not even tried.
pub(super) fn refuse(control: &OwnedFd, step: Step, error: &io::Error) {
    tell(control, Report::NotStarted(Failure::new(step, error)));
}

/// Tells the server. When it is gone there is nobody to tell, and no way to help it.
fn tell(control: &OwnedFd, report: Report) {
    let _nobody = wire::send_message(control, &report.encode());
}

struct Run {
    control: OwnedFd,
    /// The control connection has ended, so that there is nothing more to hear on it.
    alone: bool,
    task: Pid,
    /// Readable once the task has ended.
    ended: OwnedFd,
    /// Where the task's process tells why it could not become the task; closed by becoming it.
    failure: Option<OwnedFd>,
}

/// What the supervisor waits for, as it was found by one poll.
struct Ready {
    failure: bool,
    control: bool,
    ended: bool,
}

impl Run {
    fn start(proof: &SingleThreaded, request: Request) -> Result<Self, (OwnedFd, Failure)> {
        let step = |step| move |error: io::Error| Failure::new(step, &error);
        let started = still_wanted(&request.control)
            .map_err(|errno| step(Step::Wanted)(errno.into()))
            .and_then(|()| set_up().map_err(|errno| step(Step::Supervise)(errno.into())))
            .and_then(|pipe| fork_task(proof, &request, pipe).map_err(step(Step::Fork)));
        // Whatever else came with the request is closed here: the task's output must end when the task does.
        let Request { control, .. } = request;
        match started {
            Ok((task, ended, failure)) => {
                Ok(Self { control, alone: false, task, ended, failure: Some(failure) })
            }
            Err(failure) => Err((control, failure)),
        }
    }

    fn watch(mut self) {
        loop {
            let ready = self.wait();
            if ready.failure
                && let Some(pipe) = self.failure.take()
            {
                match read_failure(&pipe) {
                    None => tell(&self.control, self.started()),
                    Some(failure) => return self.never_started(failure),
                }
            }
            if ready.ended {
                return self.conclude();
            }
            if ready.control {
                self.obey();
            }
        }
    }

    /// Waits until something is to be done.
    fn wait(&self) -> Ready {
        let ended = self.ended.as_fd();
        let control = if self.alone { ended } else { self.control.as_fd() };
        let failure = self.failure.as_ref().map_or(ended, AsFd::as_fd);
        let mut fds = [ended, control, failure].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        if retry_on_intr(|| poll(&mut fds, None)).is_err() {
            // The kernel is out of memory. The end of the task is waited for without it; until then nothing is heard.
            return Ready { ended: true, control: false, failure: self.failure.is_some() };
        }
        let [ended, control, failure] = fds.map(|fd| !fd.revents().is_empty());
        Ready { ended, control: control && !self.alone, failure: failure && self.failure.is_some() }
    }

    fn started(&self) -> Report {
        Report::Started { pid: self.task.as_raw_nonzero().get().unsigned_abs() }
    }

    fn never_started(self, failure: Failure) {
        descendants::end_all();
        tell(&self.control, Report::NotStarted(failure));
    }

    fn obey(&mut self) {
        let mut buffer = [0; 8];
        match wire::receive_message(&self.control, &mut buffer).map(|message| message.map(Order::decode)) {
            Ok(Some(Ok(Order::Terminate))) => self.terminate(),
            Ok(Some(Ok(Order::Kill))) => self.kill(),
            Err(Errno::AGAIN) => {}
            // The end of the server, and whatever is not understood.
            Ok(Some(Err(_)) | None) | Err(_) => {
                self.alone = true;
                self.kill();
            }
        }
    }

    fn terminate(&self) {
        if descendants::signal_all(Signal::TERM).is_err() {
            let _gone = kill_process_group(self.task, Signal::TERM);
        }
        // One that is stopped would not see it before it goes on.
        let _missed = descendants::signal_all(Signal::CONT);
    }

    /// Kills the task; its end brings [`Run::conclude`], which ends all others.
    fn kill(&self) {
        // Not waited for yet, so the number and the group are the task's. Both, since it may not have its group yet.
        let _gone = kill_process_group(self.task, Signal::KILL);
        let _gone = kill_process(self.task, Signal::KILL);
        // The task can be stuck in the kernel; the others need not wait for that.
        let _missed = descendants::signal_all(Signal::KILL);
    }

    fn conclude(self) {
        let _gone = kill_process_group(self.task, Signal::KILL);
        let status = retry_on_intr(|| waitid(WaitId::PidFd(self.ended.as_fd()), WaitIdOptions::EXITED));
        descendants::end_all();
        if let Ok(Some(status)) = status {
            tell(&self.control, Report::Ended(exit(&status)));
        }
    }
}

/// An order before the start can only be one to stop; so is the end of the server.
fn still_wanted(control: &OwnedFd) -> Result<(), Errno> {
    let mut fds = [PollFd::new(control, PollFlags::IN)];
    match poll(&mut fds, Some(&Timespec::default()))? {
        0 => Ok(()),
        _ => Err(Errno::CANCELED),
    }
}

/// What the run needs before its task: the pipe for failures, and a process that descendants cannot leave.
fn set_up() -> Result<(OwnedFd, OwnedFd), Errno> {
    setsid()?;
    set_child_subreaper(Some(getpid()))?;
    rustix::thread::set_name(c"brevet-run")?;
    pipe_with(PipeFlags::CLOEXEC)
}

fn fork_task(
    proof: &SingleThreaded,
    request: &Request,
    (failure_read, failure_write): (OwnedFd, OwnedFd),
) -> io::Result<(Pid, OwnedFd, OwnedFd)> {
    let supervisor = getpid();
    match sys::fork(proof)? {
        Fork::Parent { child } => {
            let ended = pidfd_open(child, PidfdFlags::empty()).inspect_err(|_| descendants::end_all())?;
            Ok((child, ended, failure_read))
        }
        Fork::Child => {
            let failure = task::become_task(request, supervisor);
            // Less than a pipe takes at once. The supervisor has nothing else to learn it from.
            let _nobody = rustix::io::write(&failure_write, &failure.encode());
            sys::exit_now(NEVER_STARTED)
        }
    }
}

fn read_failure(pipe: &OwnedFd) -> Option<Failure> {
    let mut buffer = [0; REPORT_BYTES_MAX];
    let count = retry_on_intr(|| rustix::io::read(pipe, &mut buffer)).unwrap_or(0);
    Failure::decode(&buffer[..count]).ok()
}

fn exit(status: &WaitIdStatus) -> Exit {
    let (user_time, system_time, resident_bytes_max) = sys::usage_of_children();
    let status = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, signal) => ExitStatus::Signal(signal.unwrap_or_default()),
    };
    Exit { status, user_time, system_time, resident_bytes_max }
}
