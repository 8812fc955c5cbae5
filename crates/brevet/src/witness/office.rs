//! What the routes work with: readers of the witness's folder, its writer, and the tally of what was answered.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use brevet_ledger::AddCheckpoint;
use brevet_store::{Standing, Verdict, WitnessError, WitnessReader};
use tokio::sync::Semaphore;

use super::http::Outcome;
use super::metrics::Tally;
use super::writer::{Undecided, Writer};

/// Readers at work at once. What nobody signed gets no further than these, so it never keeps the writer busy.
const READERS_MAX: usize = 4;

/// All of it.
pub(super) struct Office {
    idle: Arc<Mutex<Vec<WitnessReader>>>,
    places: Arc<Semaphore>,
    writer: Writer,
    pub(super) tally: Tally,
}

/// Why something could not be read; the log says more.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Office {
    /// Opens the readers beside the writer.
    pub(super) fn open(writer: Writer) -> Result<Self, WitnessError> {
        let idle = (0..READERS_MAX).map(|_| writer.reader()).collect::<Result<_, _>>()?;
        let (idle, places) = (Arc::new(Mutex::new(idle)), Arc::new(Semaphore::new(READERS_MAX)));
        Ok(Self { idle, places, writer, tally: Tally::default() })
    }

    /// The witness's folder.
    pub(super) fn data(&self) -> &Path {
        self.writer.data()
    }

    /// The witness's clock.
    pub(super) fn now(&self) -> u64 {
        self.writer.now()
    }

    /// Whether checkpoints can be decided.
    pub(super) fn is_writing(&self) -> bool {
        !self.writer.is_over()
    }

    /// Ends when no checkpoint can be decided any more.
    pub(super) fn writer_ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.writer.over()
    }

    /// Decides what waits, and nothing more.
    pub(super) async fn stop(&self) {
        self.writer.stop().await;
    }

    /// What is to be answered to a body that came to `add-checkpoint`.
    pub(super) async fn add_checkpoint(&self, body: &[u8]) -> Outcome {
        let request = match AddCheckpoint::parse(body) {
            Ok(request) => request,
            Err(error) => return Outcome::malformed(&error),
        };
        let submission = match self.read(move |reader| reader.examine(&request)).await {
            Ok(Ok(submission)) => submission,
            Ok(Err(refusal)) => return Outcome::Refused(refusal),
            Err(Unreadable) => return Outcome::Failed,
        };
        match self.writer.settle(submission).await {
            Ok(Verdict::Cosigned(signature)) => Outcome::Cosigned(signature),
            Ok(Verdict::HasSize(size)) => Outcome::HasSize(size),
            Ok(Verdict::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Undecided::Busy) => Outcome::Busy,
            Err(Undecided::ClockUnset) => Outcome::ClockUnset,
            Err(Undecided::Failed) => Outcome::Failed,
        }
    }

    /// Where every ledger stands.
    pub(super) async fn standings(&self) -> Result<Vec<Standing>, Unreadable> {
        self.read(WitnessReader::standings).await
    }

    /// The same before anything is served.
    pub(super) fn standings_now(&self) -> Result<Vec<Standing>, WitnessError> {
        self.writer.reader()?.standings()
    }

    /// Lends a reader to `read`, on a thread that may wait for a disk.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&WitnessReader) -> Result<T, WitnessError> + Send + 'static,
    ) -> Result<T, Unreadable> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| Unreadable)?;
        let idle = Arc::clone(&self.idle);
        let work = move || {
            let _place = place;
            let reader = lock(&idle).pop().ok_or(Unreadable)?;
            let answer = read(&reader);
            lock(&idle).push(reader);
            answer.map_err(|error| {
                tracing::error!(%error, "the witness's folder cannot be read");
                Unreadable
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Unreadable)?
    }
}

fn lock(idle: &Mutex<Vec<WitnessReader>>) -> std::sync::MutexGuard<'_, Vec<WitnessReader>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
