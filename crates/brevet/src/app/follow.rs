//! Following the output of a run: while it runs from the growing recording, afterwards from the stored one.

use brevet_core::ExecutionId;

use super::{App, AppError};
use crate::world::World;

/// Which of the two streams of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Some bytes that a run wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Where it wrote them.
    pub stream: Stream,
    /// When, in microseconds since its start.
    pub micros: u64,
    /// What.
    pub bytes: Vec<u8>,
}

/// The output of one run, from its beginning; [`Follow::next`] waits for more while it runs.
#[derive(Debug)]
pub struct Follow {}

impl Follow {
    /// The next bytes; `None` when the run is over and everything was given.
    ///
    /// # Errors
    /// The recording cannot be read, or is not what was hashed.
    pub async fn next(&mut self) -> Result<Option<Chunk>, AppError> {
        Ok(None)
    }
}

impl<W: World> App<W> {
    /// The output of a run, from its beginning.
    pub async fn follow(&self, _execution: ExecutionId) -> Result<Follow, AppError> {
        Ok(Follow {})
    }
}
