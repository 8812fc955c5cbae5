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

use crate::definition::{CommandTask, CommandTasks};
use crate::recording::OutputSink;
use crate::spawn::Spawner;
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
        if let Some(cause) = attend::cause_now(&mut stop) {
            return Finished { result: ExecutionResult::Stopped(cause), output: None, trouble: None };
        }
        let task = match self.task(&permit) {
            Ok(task) => task,
            Err(why) => return not_started(why),
        };
        let prepared = match prepare::prepare(&task, &permit).await {
            Ok(prepared) => prepared,
            Err(why) => return not_started(why),
        };
        // The secrets are in the pipe now; here they end.
        drop(permit);
        output.limit(task.output_limit);
        output.start();
        match self.spawner.spawn(prepared.launch).await {
            Ok(child) => attend::attend(child, prepared.captured, stop, output, timeout(&task)).await,
            Err(error) => failed_to_start(&error),
        }
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

fn not_started(why: String) -> Finished {
    Finished { result: ExecutionResult::NotStarted { why }, output: None, trouble: None }
}

fn failed_to_start(error: &crate::spawn::SpawnError) -> Finished {
    let why = crate::definition::system::in_full(error);
    match attend::may_have_run(error) {
        false => not_started(why),
        true => Finished { result: ExecutionResult::Unknown, output: None, trouble: Some(why) },
    }
}
