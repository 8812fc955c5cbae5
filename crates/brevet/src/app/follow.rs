//! Following the output of a run: while it runs from the growing recording, afterwards from the stored one,
//! which is held against the ledger's digest first. What another server runs is followed through the database that both
//! share, and what it recorded is taken over from there.

use std::sync::Arc;
use std::time::Duration;

use brevet_core::{Execution, ExecutionId, ExecutionState, Output};
use brevet_store::Recorded;
use brevet_workloads::recording::{Recording, Relayed, Tail};

use super::published::Readers as PublishedReaders;
use super::read::Readers;
use super::{App, AppError};
use crate::world::World;

pub use brevet_workloads::recording::{Frame, Stream};

/// How often the database is asked for more of what another server records.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// The output of one run, from its beginning.
#[derive(Debug)]
pub struct Follow(Source);

#[derive(Debug)]
enum Source {
    Live(Tail),
    Elsewhere(Box<Elsewhere>),
    Stored(Box<Recording>),
    Nothing,
}

impl Follow {
    /// The next piece; waits for it while the run goes on. `None` when there will be no more.
    ///
    /// # Errors
    /// The recording cannot be read, or is not what was hashed. What another server records is held against the ledger
    /// when its run is over, after it was shown.
    pub async fn next(&mut self) -> Result<Option<Frame>, AppError> {
        match &mut self.0 {
            Source::Live(tail) => return Ok(tail.next().await?),
            Source::Elsewhere(elsewhere) => return elsewhere.next().await,
            Source::Stored(_) | Source::Nothing => {}
        }
        let Source::Stored(mut recording) = std::mem::replace(&mut self.0, Source::Nothing) else {
            return Ok(None);
        };
        let read = move || (recording.next(), recording);
        let (frame, recording) = tokio::task::spawn_blocking(read).await.map_err(|_| AppError::Stopping)?;
        self.0 = Source::Stored(recording);
        Ok(frame.transpose()?)
    }
}

impl<W: World> App<W> {
    /// The output of a run, from its beginning; nothing for one that wrote nothing, or whose end is unknown.
    ///
    /// # Errors
    /// The recording cannot be read, is nowhere, or is not what was hashed.
    pub async fn follow(&self, id: ExecutionId) -> Result<Follow, AppError> {
        if let Some(live) = self.inner.runs.output(id) {
            return Ok(Follow(Source::Live(live.tail())));
        }
        let source = match self.stored(move |reader| reader.execution(id)).await? {
            Some(execution) if !execution.has_finished() && self.inner.shared.is_some() => {
                let (readers, published) = (self.inner.stored.clone(), Arc::clone(&self.inner.published));
                Source::Elsewhere(Box::new(Elsewhere::new(readers, published, id)))
            }
            execution => match execution.and_then(output_of) {
                Some(output) => Source::Stored(Box::new(self.open_recording(id, output).await?)),
                None => Source::Nothing,
            },
        };
        Ok(Follow(source))
    }

    async fn open_recording(&self, id: ExecutionId, output: Output) -> Result<Recording, AppError> {
        self.take_over(id, output).await?;
        let blobs = self.inner.runs.workloads().blobs().clone();
        let opened = tokio::task::spawn_blocking(move || blobs.read(&output)).await;
        Ok(opened.map_err(|_| AppError::Stopping)??)
    }
}

fn output_of(execution: Execution) -> Option<Output> {
    match execution.state {
        ExecutionState::Running { .. } => None,
        ExecutionState::Finished { output, .. } => output,
    }
}

/// A run of another server, as far as it has shared what it recorded.
#[derive(Debug)]
struct Elsewhere {
    readers: Readers,
    published: Arc<PublishedReaders>,
    execution: ExecutionId,
    relayed: Relayed,
}

impl Elsewhere {
    fn new(readers: Readers, published: Arc<PublishedReaders>, execution: ExecutionId) -> Self {
        Self { readers, published, execution, relayed: Relayed::default() }
    }

    async fn next(&mut self) -> Result<Option<Frame>, AppError> {
        loop {
            if let Some(frame) = self.relayed.frame()? {
                return Ok(Some(frame));
            }
            let (execution, place) = (self.execution, self.relayed.bytes());
            match self.readers.with(move |reader| reader.recorded(execution, place)).await? {
                Recorded { piece: Some(piece), is_over: _ } => self.relayed.feed(&piece),
                Recorded { piece: None, is_over: true } => return self.end().await,
                Recorded { piece: None, is_over: false } => self.wait().await,
            }
        }
    }

    async fn end(&self) -> Result<Option<Frame>, AppError> {
        let execution = self.execution;
        let execution = self.readers.with(move |reader| reader.execution(execution)).await?;
        self.relayed.finish(execution.and_then(output_of).as_ref())?;
        Ok(None)
    }

    /// Waits until it is worth asking again: for a while, or for the end of a run of which is known here that it runs.
    async fn wait(&self) {
        let mut changed = self.published.changed();
        let end = async {
            if !self.is_known_to_run() {
                return std::future::pending().await;
            }
            while self.is_known_to_run() && changed.changed().await.is_ok() {}
        };
        drop(tokio::time::timeout(ASK_EVERY, end).await);
    }

    fn is_known_to_run(&self) -> bool {
        let published = self.published.load();
        published.state.execution(self.execution).is_some_and(|execution| !execution.has_finished())
    }
}

#[cfg(test)]
mod tests;
