//! What the tests share: a workload of tasks written as an administrator writes them, and a gate in front of it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brevet_core::{ExecutionResult, Permit, StopCause, Value};
use brevet_workloads::command::CommandWorkload;
use brevet_workloads::definition::{Loaded, load};
use brevet_workloads::recording::{Blobs, Live, OutputSink, Stream};
use brevet_workloads::spawn::Spawner;
use brevet_workloads::{Clock, Finished, Running, Workload as _};
use tokio::sync::watch;

use crate::gate::Gate;

pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_spawn-probe");
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct TestClock(Instant);

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "the door to the world of these tests")]
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Tasks, a gate that lets them run, and a place for their output.
pub(crate) struct House {
    pub(crate) data: tempfile::TempDir,
    pub(crate) workload: CommandWorkload,
    pub(crate) blobs: Blobs,
    pub(crate) gate: Gate,
    clock: Arc<TestClock>,
}

/// A run that the test can stop and watch.
pub(crate) struct Started<'a> {
    pub(crate) stop: watch::Sender<Option<StopCause>>,
    pub(crate) live: Live,
    pub(crate) running: Running<'a>,
}

/// A run that is over, with what it wrote.
pub(crate) struct Ran {
    pub(crate) finished: Finished,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// One task `T`, a shell script: `rest` are more lines of it.
pub(crate) fn script(script: &str, rest: &str) -> String {
    format!("[[task]]\nname = \"T\"\nrun = ['$SH', '-c', '''{script}''']\n{rest}\n")
}

/// The definitions of this text, in which `$SH` and `$PROBE` are programs.
pub(crate) fn definitions(tasks: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = |program: &str| std::fs::canonicalize(program).unwrap().display().to_string();
    let tasks = tasks.replace("$SH", &path("/bin/sh")).replace("$PROBE", &path(PROBE));
    let text = format!("[workload]\nname = \"Linux\"\nkind = \"command\"\n{tasks}");
    std::fs::write(folder.path().join("linux.toml"), text).unwrap();
    load(folder.path()).unwrap_or_else(|problems| panic!("{problems}"))
}

impl House {
    pub(crate) fn new(tasks: &str) -> Self {
        let Loaded { definition, commands } = definitions(tasks);
        let data = tempfile::tempdir().unwrap();
        let spawner = Spawner::start(Path::new(PROBE), &["spawner"]).unwrap();
        Self {
            workload: CommandWorkload::new(spawner, commands),
            blobs: Blobs::open(data.path()).unwrap(),
            gate: Gate::new(definition),
            clock: TestClock::new(),
            data,
        }
    }

    pub(crate) fn sink(&self, permit: &Permit) -> (OutputSink, Live) {
        self.blobs.record(permit.execution(), Arc::clone(&self.clock) as Arc<dyn Clock>)
    }

    /// Starts a run of this permit.
    pub(crate) fn start(&self, permit: Permit) -> Started<'_> {
        let (output, live) = self.sink(&permit);
        let (stop, stopped) = watch::channel(None);
        Started { stop, live, running: self.workload.run(permit, stopped, output) }
    }

    /// Runs `T` with these values to its end.
    pub(crate) fn run(&mut self, values: &[(&str, Value)], secrets: &[(&str, &str)]) -> Ran {
        let permit = self.gate.permit("T", values, secrets);
        let finished = block_on(async {
            let Started { stop: _stop, live: _, running } = self.start(permit);
            running.await
        });
        self.read(finished)
    }

    /// What a finished run wrote.
    pub(crate) fn read(&self, finished: Finished) -> Ran {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(output) = &finished.output {
            for frame in self.blobs.read(output).unwrap() {
                let frame = frame.unwrap();
                match frame.stream {
                    Stream::Output => stdout.extend(frame.bytes),
                    Stream::Error => stderr.extend(frame.bytes),
                }
            }
        }
        Ran { finished, stdout, stderr }
    }
}

impl Ran {
    /// The standard output of a run that succeeded without a word of complaint.
    pub(crate) fn output(&self) -> String {
        let complaint = String::from_utf8_lossy(&self.stderr);
        assert_eq!((&self.finished.result, &*complaint), (&ExecutionResult::Succeeded, ""));
        assert_eq!(self.finished.trouble, None);
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// Why it did not start.
    pub(crate) fn refusal(&self) -> &str {
        match &self.finished.result {
            ExecutionResult::NotStarted { why } => why,
            other => panic!("{other:?}"),
        }
    }
}

/// Runs `T`, a shell script without parameters.
pub(crate) fn run_script(text: &str, rest: &str) -> Ran {
    House::new(&script(text, rest)).run(&[], &[])
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("done before the deadline") })
}
