//! The workloads of this server, and the definitions they run from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use brevet_core::{Command, ExecutionId, Origin, Permit, StopCause};
use brevet_workloads::command::CommandWorkload;
use brevet_workloads::definition::{self, Problems};
use brevet_workloads::recording::{Blobs, Live, OutputSink};
use brevet_workloads::spawn::Spawner;
use brevet_workloads::{Clock, Finished, Workload as _};
use tokio::sync::watch;

use super::{App, AppError};
use crate::world::{Steady, World};

/// What runs tasks. Today there is one kind, `command`; another is one more field here.
pub struct Workloads {
    command: CommandWorkload,
    blobs: Blobs,
    definitions: PathBuf,
    clock: Arc<dyn Clock>,
}

/// Why definitions were not taken over. The last good ones stay in force.
#[derive(Debug, thiserror::Error)]
pub enum NotTakenOver {
    /// They have mistakes: all of them, by file and line.
    #[error("{0}")]
    Problems(#[from] Problems),
    /// They could not be put on record.
    #[error(transparent)]
    App(#[from] AppError),
}

impl Workloads {
    /// Workloads without a definition yet: recordings go into the folder `data`, definitions come from
    /// `definitions`.
    pub fn new(spawner: Spawner, data: &Path, definitions: &Path) -> std::io::Result<Self> {
        Ok(Self {
            command: CommandWorkload::new(spawner, Default::default()),
            blobs: Blobs::open(data)?,
            definitions: definitions.to_owned(),
            clock: Arc::new(Steady::start()),
        })
    }

    pub(super) fn record(&self, execution: ExecutionId) -> (OutputSink, Live) {
        self.blobs.record(execution, Arc::clone(&self.clock))
    }

    pub(super) const fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub(super) async fn run(
        &self,
        permit: Permit,
        stop: watch::Receiver<Option<StopCause>>,
        output: OutputSink,
    ) -> Finished {
        self.command.run(permit, stop, output).await
    }
}

impl<W: World> App<W> {
    /// Reads the definitions again and takes them over, all or none: the ledger has what changed before the
    /// workload runs from it. Answers how many tasks there are.
    pub async fn reload(&self) -> Result<usize, NotTakenOver> {
        let workloads = self.inner.runs.workloads();
        let folder = workloads.definitions.clone();
        let loaded = tokio::task::spawn_blocking(move || definition::load(&folder)).await;
        let loaded = loaded.map_err(|_| AppError::Stopping)??;
        self.command(Origin::SYSTEM, Command::DefineCatalog(loaded.definition), None).await?;
        let count = loaded.commands.len();
        workloads.command.replace(loaded.commands);
        Ok(count)
    }
}
