//! Following the output of a run: while it runs from the growing recording, afterwards from the stored one,
//! which is held against the ledger's digest first.

use brevet_core::{ExecutionId, ExecutionState};
use brevet_workloads::recording::{Recording, Tail};

use super::{App, AppError};
use crate::world::World;

pub use brevet_workloads::recording::{Frame, Stream};

/// The output of one run, from its beginning.
#[derive(Debug)]
pub struct Follow(Source);

#[derive(Debug)]
enum Source {
    Live(Tail),
    Stored(Box<Recording>),
    Nothing,
}

impl Follow {
    /// The next piece; waits for it while the run goes on. `None` when there will be no more.
    ///
    /// # Errors
    /// The recording cannot be read, or is not what was hashed.
    pub async fn next(&mut self) -> Result<Option<Frame>, AppError> {
        if let Source::Live(tail) = &mut self.0 {
            return Ok(tail.next().await?);
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
    pub async fn follow(&self, id: ExecutionId) -> Result<Follow, AppError> {
        if let Some(live) = self.inner.runs.output(id) {
            return Ok(Follow(Source::Live(live.tail())));
        }
        let execution = self.stored(move |reader| reader.execution(id)).await?;
        let Some(ExecutionState::Finished { output: Some(output), .. }) =
            execution.map(|execution| execution.state)
        else {
            return Ok(Follow(Source::Nothing));
        };
        let blobs = self.inner.runs.workloads().blobs().clone();
        let opened =
            tokio::task::spawn_blocking(move || blobs.read(&output)).await.map_err(|_| AppError::Stopping)?;
        Ok(Follow(Source::Stored(Box::new(opened?))))
    }
}
