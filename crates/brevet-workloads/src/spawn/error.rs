//! Why a run did not start, or why its end is not known.

use std::io;
use std::path::{Path, PathBuf};

use super::report::{Failure, Step};

/// What can go wrong around a run. That a task ran and failed is not among it: see [`super::Exit`].
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the sentences say")]
pub enum SpawnError {
    /// Nothing of the task has run.
    #[error("{} did not start: could not {step}: {source}", program.display())]
    NotStarted { program: PathBuf, step: Step, source: io::Error },
    /// Whether the task ran is not known, so that it is not run again.
    #[error(
        "the spawner ended before it said whether the task started; whether it ran is unknown. The next run starts another spawner"
    )]
    StartUnknown,
    /// The task started; nothing of it runs any more; what it did last is not known.
    #[error(
        "the supervisor of the run was ended from outside; the task was killed, and how it ended is unknown"
    )]
    EndUnknown,
    /// Nothing of the task has run.
    #[error("the spawner process {} could not be started: {source}", program.display())]
    NoSpawner { program: PathBuf, source: io::Error },
    /// The system refused something to the server itself, such as one more open file.
    #[error("could not {doing}: {source}")]
    System { doing: &'static str, source: io::Error },
}

impl SpawnError {
    pub(super) fn not_started(program: &Path, failure: Failure) -> Self {
        let Failure { step, errno } = failure;
        Self::NotStarted { program: program.to_owned(), step, source: io::Error::from_raw_os_error(errno) }
    }
}
