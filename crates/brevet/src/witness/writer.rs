//! The one thread that decides and writes, one submission after the other.
//!
//! A write that failed and may have left something on the disk ends it: what is on the disk is for the next start to
//! find out, not for this process to guess.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context as _;
use brevet_store::{Submission, Verdict, WitnessError, WitnessReader, WitnessStore};
use tokio::sync::{mpsc, oneshot};

use super::unix_seconds;
use crate::world::World;

/// Submissions that wait at most; one more is told to come again.
const WAITING_MAX: usize = 256;
/// No cosignature is dated before 2026: a clock that says so was not set. Seconds since 1970 UTC.
const CLOCK_SECONDS_MIN: u64 = 1_767_225_600;

/// Why a submission was not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undecided {
    /// Too many wait.
    Busy,
    /// The machine's clock was not set.
    ClockUnset,
    /// It could not be written, or nothing can.
    Failed,
}

enum Job {
    Decide { submission: Submission, answer: oneshot::Sender<Result<Verdict, Undecided>> },
    Stop,
}

/// Hands submissions to the thread.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    data: Arc<Path>,
    world: Arc<dyn World>,
}

/// The thread, to wait for its end.
pub(super) struct Ended(JoinHandle<anyhow::Result<()>>);

impl Ended {
    /// Waits until it was told to stop, or writing failed.
    pub(super) fn join(self) -> anyhow::Result<()> {
        self.0.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the writing thread broke down")))
    }
}

impl Writer {
    /// Starts the thread on a store that it takes over.
    pub(super) fn start(store: WitnessStore, world: impl World) -> anyhow::Result<(Self, Ended)> {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let data: PathBuf = store.folder().path().to_owned();
        let world: Arc<dyn World> = Arc::new(world);
        let clock = Arc::clone(&world);
        let work = move || write(store, waiting, &*clock);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(work)?;
        Ok((Self { jobs, data: data.into(), world }, Ended(thread)))
    }

    /// Has a submission decided.
    pub(super) async fn settle(&self, submission: Submission) -> Result<Verdict, Undecided> {
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job::Decide { submission, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Undecided::Busy,
            mpsc::error::TrySendError::Closed(_) => Undecided::Failed,
        })?;
        answered.await.unwrap_or(Err(Undecided::Failed))
    }

    /// Whether nothing is written any more.
    pub(super) fn is_over(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Ends when nothing is written any more.
    pub(super) fn over(&self) -> impl Future<Output = ()> + Send + 'static {
        let jobs = self.jobs.clone();
        async move { jobs.closed().await }
    }

    /// Ends the thread, after what waits already.
    pub(super) async fn stop(&self) {
        // Where it is over already there is nothing to stop.
        drop(self.jobs.send(Job::Stop).await);
    }

    /// The folder it writes to.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// The clock that it dates with.
    pub(super) fn now(&self) -> u64 {
        unix_seconds(&*self.world)
    }

    /// A reader beside it.
    pub(super) fn reader(&self) -> Result<WitnessReader, WitnessError> {
        WitnessReader::visit(&self.data)
    }
}

/// Whether a clock that says this was set at all.
pub(super) const fn is_set(now: u64) -> bool {
    now >= CLOCK_SECONDS_MIN
}

fn write(mut store: WitnessStore, mut waiting: mpsc::Receiver<Job>, world: &dyn World) -> anyhow::Result<()> {
    while let Some(Job::Decide { submission, answer }) = waiting.blocking_recv() {
        let now = unix_seconds(world);
        if !is_set(now) {
            drop(answer.send(Err(Undecided::ClockUnset)));
            continue;
        }
        match store.settle(&submission, now) {
            Ok(verdict) => drop(answer.send(Ok(verdict))),
            Err(error) => {
                drop(answer.send(Err(Undecided::Failed)));
                let is_uncertain = error.is_uncertain();
                tracing::error!(%error, origin = %submission.origin(), "a checkpoint was not decided");
                if is_uncertain {
                    return Err(error).context("nothing is decided before a restart");
                }
            }
        }
    }
    Ok(())
}
