//! The `command` workload: programs of this system.
//!
//! A run is one sequence: compare the permit with the definition held now, put the values into the argument vector,
//! open program, user and directory, start, then attend to output and end. What cannot be found out ends the run, or
//! keeps it from starting.
//!
//! Never here: a shell, a value anywhere but in its argument or the standard input, an environment that came from
//! somewhere else than the definition.

mod attend;
mod input;
mod prepare;
mod pump;
mod render;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use brevet_core::{ExecutionResult, Permit, StopCause};
use tokio::sync::watch;

use self::prepare::Prepared;

use crate::definition::system::in_full;
use crate::definition::{CommandTask, CommandTasks};
use crate::recording::OutputSink;
use crate::spawn::{SpawnError, Spawner};
use crate::workload::{Finished, Running, Workload};

/// How long a run that is being ended has between TERM and KILL.
pub const STOP_GRACE: Duration = Duration::from_secs(4);

/// The programs of this system that definitions name.
#[derive(Debug)]
pub struct CommandWorkload {
    spawner: Spawner,
    tasks: RwLock<Arc<CommandTasks>>,
}

impl CommandWorkload {
    /// A workload of these tasks.
    pub fn new(spawner: Spawner, tasks: CommandTasks) -> Self {
        Self { spawner, tasks: RwLock::new(Arc::new(tasks)) }
    }

    /// Takes other definitions. Runs in progress go on as they were started; permits for what was defined before run
    /// nothing any more.
    pub fn replace(&self, tasks: CommandTasks) {
        *self.tasks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tasks);
    }

    /// The definition that the permit is for, byte for byte.
    fn task(&self, permit: &Permit) -> Result<Arc<CommandTask>, String> {
        let name = permit.task();
        let tasks = Arc::clone(&self.tasks.read().unwrap_or_else(PoisonError::into_inner));
        match tasks.get(&name.key()) {
            None => Err(format!("{name} is not defined here any more")),
            Some(task) if task.spec.digest != permit.digest() => {
                Err(format!("{name} was defined anew since this run was allowed; run it again"))
            }
            Some(task) => Ok(Arc::clone(task)),
        }
    }

    async fn run_permit(
        &self,
        permit: Permit,
        mut stop: watch::Receiver<Option<StopCause>>,
        mut output: OutputSink,
    ) -> Finished {
        let (task, Prepared { launch, captured }) = match self.prepare(permit, &mut stop).await {
            Ok(prepared) => prepared,
            Err(result) => return without_output(output, result, None),
        };
        output.limit(task.output_limit);
        output.start();
        let spawned = tokio::select! {
            biased;
            cause = attend::ordered(&mut stop) => {
                return without_output(output, ExecutionResult::Stopped(cause), None);
            }
            spawned = self.spawner.spawn(launch) => spawned,
        };
        match spawned {
            Ok(child) => attend::attend(child, captured, stop, output, timeout(&task)).await,
            Err(error) => failed_to_start(output, &error),
        }
    }

    /// All that comes before the start, unless the run is to be ended before: then it does not start. The permit, and
    /// the secrets in it, end here.
    async fn prepare(
        &self,
        permit: Permit,
        stop: &mut watch::Receiver<Option<StopCause>>,
    ) -> Result<(Arc<CommandTask>, Prepared), ExecutionResult> {
        let not_started = |why| ExecutionResult::NotStarted { why };
        let task = self.task(&permit).map_err(not_started)?;
        let prepared = tokio::select! {
            biased;
            cause = attend::ordered(stop) => return Err(ExecutionResult::Stopped(cause)),
            prepared = prepare::prepare(&task, &permit) => prepared.map_err(not_started)?,
        };
        Ok((task, prepared))
    }
}

impl Workload for CommandWorkload {
    fn run<'a>(
        &'a self,
        permit: Permit,
        stop: watch::Receiver<Option<StopCause>>,
        output: OutputSink,
    ) -> Running<'a> {
        Box::pin(self.run_permit(permit, stop, output))
    }
}

fn timeout(task: &CommandTask) -> Duration {
    Duration::from_micros(task.spec.timeout.micros().unsigned_abs())
}

fn failed_to_start(output: OutputSink, error: &SpawnError) -> Finished {
    let why = in_full(error);
    match attend::may_have_run(error) {
        false => without_output(output, ExecutionResult::NotStarted { why }, None),
        true => without_output(output, ExecutionResult::Unknown, Some(why)),
    }
}

/// The end of a run that wrote nothing; its viewers are told.
fn without_output(output: OutputSink, result: ExecutionResult, trouble: Option<String>) -> Finished {
    match output.finish() {
        Ok(output) => Finished { result, output, trouble },
        Err(error) => Finished { result, output: None, trouble: trouble.or(Some(in_full(&error))) },
    }
}
