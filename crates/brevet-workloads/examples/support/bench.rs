//! What the measurements share: one task behind a gate, in a runtime like the server's.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brevet_core::ExecutionResult;
use brevet_workloads::command::CommandWorkload;
use brevet_workloads::definition::load;
use brevet_workloads::recording::Blobs;
use brevet_workloads::spawn::{Spawner, spawner_main};
use brevet_workloads::{Clock, Workload as _};

use crate::gate::Gate;

/// Is the spawner process when it is started as one, and otherwise measures.
pub(crate) fn main(measure: impl FnOnce()) -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("spawner") {
        return spawner_main();
    }
    measure();
    ExitCode::SUCCESS
}

/// One task and all that it takes to run it.
pub(crate) struct Bench {
    pub(crate) data: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    workload: Arc<CommandWorkload>,
    pub(crate) blobs: Blobs,
    gate: Gate,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct MonotonicClock(Instant);

impl Clock for MonotonicClock {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Bench {
    pub(crate) fn new(task: &str) -> Self {
        let definitions = tempfile::tempdir().unwrap();
        let text =
            format!("[workload]\nname = \"Linux\"\nkind = \"command\"\n[[task]]\nname = \"T\"\n{task}\n");
        std::fs::write(definitions.path().join("linux.toml"), text).unwrap();
        let loaded = load(definitions.path()).unwrap();
        let spawner = Spawner::start(Path::new("/proc/self/exe"), &["spawner"]).unwrap();
        let data = tempfile::tempdir().unwrap();
        Self {
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
            workload: Arc::new(CommandWorkload::new(spawner, loaded.commands)),
            blobs: Blobs::open(data.path()).unwrap(),
            gate: Gate::new(loaded.definition),
            clock: Arc::new(MonotonicClock(Instant::now())),
            data,
        }
    }

    /// One run, on a thread of the runtime, as in the server.
    pub(crate) fn run(&mut self) {
        let permit = self.gate.permit("T", &[], &[]);
        let (output, _live) = self.blobs.record(permit.execution(), Arc::clone(&self.clock));
        let workload = Arc::clone(&self.workload);
        let run = self.runtime.spawn(async move {
            let (_stop, stopped) = tokio::sync::watch::channel(None);
            workload.run(permit, stopped, output).await
        });
        let finished = self.runtime.block_on(run).unwrap();
        assert_eq!(finished.result, ExecutionResult::Succeeded);
    }
}
