//! A run from its start to its end: output, time-out, orders to stop.

use std::time::Duration;

use brevet_core::{ExecutionResult, StopCause};
use tokio::sync::{oneshot, watch};

use super::{STOP_GRACE, pump};
use crate::definition::system::in_full;
use crate::recording::{NotRecorded, OutputSink};
use crate::spawn::{Captured, Child, Exit, ExitStatus, SpawnError, StopHandle};
use crate::workload::Finished;

/// Attends to a run until nothing of it lives and all that it wrote is durable.
pub(super) async fn attend(
    mut child: Child,
    captured: Captured,
    mut stop: watch::Receiver<Option<StopCause>>,
    output: OutputSink,
    timeout: Duration,
) -> Finished {
    let handle = child.stop_handle();
    let (is_over, over) = oneshot::channel();
    let ended = async {
        let ended = wait(&mut child, &mut stop, &handle, timeout).await;
        // The pump may have ended before: both pipes were closed.
        let _nobody = is_over.send(());
        ended
    };
    let (ended, pumped) = tokio::join!(ended, pump::pump(captured, output, over, &handle));
    let recorded = match pumped {
        Ok(output) => finish(output).await,
        Err(error) => Err(error),
    };
    conclude(ended, recorded)
}

/// The end of a run, and what Brevet ended it for, if it did.
struct Ended {
    exit: Result<Exit, SpawnError>,
    cause: Option<StopCause>,
}

/// Waits for a cause. That nobody could give one any more is one.
pub(super) async fn ordered(stop: &mut watch::Receiver<Option<StopCause>>) -> StopCause {
    match stop.wait_for(Option::is_some).await {
        Ok(cause) => cause.unwrap_or(StopCause::Shutdown),
        Err(_closed) => StopCause::Shutdown,
    }
}

async fn wait(
    child: &mut Child,
    stop: &mut watch::Receiver<Option<StopCause>>,
    handle: &StopHandle,
    timeout: Duration,
) -> Ended {
    let cause = tokio::select! {
        biased;
        exit = child.wait() => return Ended { exit, cause: None },
        cause = ordered(stop) => cause,
        () = tokio::time::sleep(timeout) => StopCause::TimedOut,
    };
    let exit = end(child, handle).await;
    Ended { exit, cause: Some(cause) }
}

/// TERM, then KILL. An order that cannot be given is followed by the next, and by the supervisor's own when we close
/// the connection to it.
async fn end(child: &mut Child, handle: &StopHandle) -> Result<Exit, SpawnError> {
    if handle.terminate().is_ok()
        && let Ok(exit) = tokio::time::timeout(STOP_GRACE, child.wait()).await
    {
        return exit;
    }
    if let Err(source) = handle.kill() {
        return Err(SpawnError::System { doing: "kill the run", source });
    }
    child.wait().await
}

/// Waits for the disk, on a thread where that hurts nobody; for a run that wrote nothing there is nothing to wait for.
async fn finish(output: OutputSink) -> Result<Option<brevet_core::Output>, NotRecorded> {
    match output.is_empty() {
        true => output.finish(),
        false => tokio::task::spawn_blocking(|| output.finish()).await.map_err(std::io::Error::from)?,
    }
}

fn conclude(
    Ended { exit, cause }: Ended,
    recorded: Result<Option<brevet_core::Output>, NotRecorded>,
) -> Finished {
    let (output, not_recorded) = match recorded {
        Ok(output) => (output, None),
        Err(error) => (None, Some(in_full(&error))),
    };
    let (result, trouble) = match (exit, cause) {
        // The run was killed because its output could not be kept; what it did until then nobody can say.
        (Ok(_), None) if not_recorded.is_some() => (ExecutionResult::Unknown, None),
        (Ok(_), Some(cause)) => (ExecutionResult::Stopped(cause), None),
        (Ok(exit), None) => (result_of(exit.status), None),
        (Err(error), _) => (ExecutionResult::Unknown, Some(in_full(&error))),
    };
    Finished { result, output, trouble: not_recorded.or(trouble) }
}

const fn result_of(status: ExitStatus) -> ExecutionResult {
    match status {
        ExitStatus::Code(0) => ExecutionResult::Succeeded,
        ExitStatus::Code(code) => ExecutionResult::Failed { code },
        ExitStatus::Signal(signal) => ExecutionResult::Killed { signal },
    }
}

/// Whether something of the task may have run, although its start failed.
pub(super) const fn may_have_run(error: &SpawnError) -> bool {
    match error {
        SpawnError::NotStarted { .. } | SpawnError::NoSpawner { .. } => false,
        SpawnError::StartUnknown | SpawnError::EndUnknown | SpawnError::System { .. } => true,
    }
}
