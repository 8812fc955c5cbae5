//! The server's hold on one run.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::report::{Exit, Order, REPORT_BYTES_MAX, Report};
use super::{SpawnError, sys, wire};

/// A run in progress. To drop it is to kill it.
#[derive(Debug)]
#[must_use = "dropping it kills the run"]
pub struct Child {
    control: Arc<AsyncFd<OwnedFd>>,
    pid: u32,
}

/// Stops a run; can be cloned and kept anywhere. Does nothing once the run has ended or its [`Child`] was dropped.
#[derive(Debug, Clone)]
pub struct StopHandle {
    // Weak: a handle that someone keeps must not keep alive a run whose `Child` was dropped.
    control: Weak<AsyncFd<OwnedFd>>,
}

impl Child {
    /// Waits for the word of the supervisor that the program runs.
    pub(super) async fn started(control: OwnedFd, program: &std::path::Path) -> Result<Self, SpawnError> {
        let control = sys::watch_readable(control)
            .map_err(|source| SpawnError::System { doing: "watch the run", source })?;
        let control = Arc::new(control);
        match next_report(&control).await? {
            Some(Report::Started { pid }) => Ok(Self { control, pid }),
            Some(Report::NotStarted(failure)) => Err(SpawnError::not_started(program, failure)),
            Some(Report::Ended(_)) | None => Err(SpawnError::StartUnknown),
        }
    }

    /// The process id of the task, which is also its process group and session.
    pub fn id(&self) -> u32 {
        self.pid
    }

    /// A handle that stops the run.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle { control: Arc::downgrade(&self.control) }
    }

    /// Waits until nothing of the run lives any more. Safe to cancel; call it until it has answered once.
    pub async fn wait(&mut self) -> Result<Exit, SpawnError> {
        match next_report(&self.control).await? {
            Some(Report::Ended(exit)) => Ok(exit),
            _ => Err(SpawnError::EndUnknown),
        }
    }
}

impl StopHandle {
    /// Asks every process of the run to end (`SIGTERM`). Returns at once.
    pub fn terminate(&self) -> io::Result<()> {
        self.order(Order::Terminate)
    }

    /// Kills every process of the run (`SIGKILL`). Returns at once; [`Child::wait`] returns when they are gone.
    pub fn kill(&self) -> io::Result<()> {
        self.order(Order::Kill)
    }

    fn order(&self, order: Order) -> io::Result<()> {
        match self.control.upgrade() {
            Some(control) => Ok(wire::send_message(control.get_ref(), &order.encode())?),
            None => Ok(()),
        }
    }
}

async fn next_report(control: &AsyncFd<OwnedFd>) -> Result<Option<Report>, SpawnError> {
    let mut buffer = [0; REPORT_BYTES_MAX];
    let received = control
        .async_io(Interest::READABLE, |control| {
            let message = wire::receive_message(control, &mut buffer).map_err(io::Error::from)?;
            message.map(|bytes| Report::decode(bytes).map_err(|_| Errno::PROTO.into())).transpose()
        })
        .await;
    received.map_err(|source| SpawnError::System { doing: "read the report of the run", source })
}
