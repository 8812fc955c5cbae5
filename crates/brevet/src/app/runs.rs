//! Runs: started when the entry that allows them is durable, stopped when the ledger says so, and put on
//! record when they are over.
//!
//! A run does not belong to whoever asked for it: a caller that goes away leaves it running.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brevet_core::{
    Actor, Command, Event, ExecutionId, ExecutionResult, Origin, Output, Reply, RunOrder, StopCause,
};
use brevet_workloads::Finished;
use brevet_workloads::recording::{Live, OutputSink};
use tokio::sync::{oneshot, watch};

use super::workloads::Workloads;
use super::{App, AppError, Done, IdempotencyKey};
use crate::world::World;

/// Between two attempts to put on record that a run is over.
const RECORD_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A run that was started, and whose start is durable.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// Its id.
    pub execution: ExecutionId,
    /// Whether it had been started before, under the same key; it was not started again.
    pub replayed: bool,
    /// The index of the entry that allowed it, unless it had been started before.
    pub entry: Option<u64>,
}

/// What runs now.
pub(super) struct Runs {
    workloads: Arc<Workloads>,
    running: Mutex<HashMap<ExecutionId, Run>>,
    count: watch::Sender<usize>,
    /// Whether the server is going down: what is on its way to its start is stopped there.
    closing: AtomicBool,
}

/// One of them: how to stop it, and how to see what it writes.
struct Run {
    stop: watch::Sender<Option<StopCause>>,
    output: Live,
    /// Taken when it starts.
    sink: Option<OutputSink>,
}

impl Runs {
    pub(super) fn new(workloads: Arc<Workloads>) -> Self {
        let (running, count, closing) = (Mutex::default(), watch::Sender::new(0), AtomicBool::new(false));
        Self { workloads, running, count, closing }
    }

    /// Follows the ledger: a stop that is on record reaches its run.
    pub(super) fn react(&self, event: &Event) {
        match event {
            Event::ExecutionStarted { execution, .. } => {
                let (sink, output) = self.workloads.record(*execution);
                let mut running = self.lock();
                let stop = self.closing.load(Ordering::SeqCst).then_some(StopCause::Shutdown);
                running.insert(*execution, Run { stop: watch::Sender::new(stop), output, sink: Some(sink) });
                drop(running);
                self.count.send_modify(|count| *count += 1);
            }
            Event::ExecutionStopRequested { execution, cause } => {
                if let Some(run) = self.lock().get(execution) {
                    run.stop.send_replace(Some(*cause));
                }
            }
            Event::ExecutionFinished { execution, .. } => {
                let was_running = self.lock().remove(execution).is_some();
                self.count.send_if_modified(|count| {
                    *count -= usize::from(was_running);
                    was_running
                });
            }
            _ => {}
        }
    }

    /// Stops everything at once, without a word in the ledger: it may be the ledger that fails.
    pub(super) fn stop_all(&self, cause: StopCause) {
        for run in self.lock().values() {
            run.stop.send_if_modified(|known| known.is_none() && known.replace(cause).is_none());
        }
    }

    /// The same, for whatever starts from now on too.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.stop_all(StopCause::Shutdown);
    }

    pub(super) async fn wait_until_idle(&self) {
        let mut count = self.count.subscribe();
        // The sender is ours; it cannot go away before us.
        drop(count.wait_for(|count| *count == 0).await);
    }

    /// What a run that is to start needs: how it hears of its end, and where its output goes.
    fn begin(&self, execution: ExecutionId) -> Option<(watch::Receiver<Option<StopCause>>, OutputSink)> {
        let mut running = self.lock();
        let run = running.get_mut(&execution)?;
        run.sink.take().map(|sink| (run.stop.subscribe(), sink))
    }

    /// The output of a run, while it runs.
    pub(super) fn output(&self, execution: ExecutionId) -> Option<Live> {
        self.lock().get(&execution).map(|run| run.output.clone())
    }

    pub(super) fn workloads(&self) -> &Workloads {
        &self.workloads
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ExecutionId, Run>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: World> App<W> {
    /// Starts a run. Answers when the entry that allows it is durable and the run is on its way; the run goes
    /// on whatever becomes of the caller.
    pub async fn run(
        &self,
        origin: Origin,
        order: RunOrder,
        key: Option<IdempotencyKey>,
    ) -> Result<Started, AppError> {
        let (answer, answered) = oneshot::channel();
        let app = self.clone();
        tokio::spawn(async move { app.run_to_the_end(origin, order, key, answer).await });
        answered.await.map_err(|_| AppError::Stopping)?
    }

    async fn run_to_the_end(
        &self,
        origin: Origin,
        order: RunOrder,
        key: Option<IdempotencyKey>,
        answer: oneshot::Sender<Result<Started, AppError>>,
    ) {
        let task = order.task.clone();
        let done = self.command(origin, Command::Run(order), key).await;
        let (permit, execution) = match done {
            Ok(Done { reply: Reply::Execution(execution), permit, replayed, entry, .. }) => {
                drop(answer.send(Ok(Started { execution, replayed, entry })));
                (permit, execution)
            }
            Ok(_) => return drop(answer.send(Err(AppError::Stopping))),
            Err(error) => {
                self.note_refusal(origin, &task, &error).await;
                return drop(answer.send(Err(error)));
            }
        };
        // What was started before under the same key may be about to begin: that is for whoever has the permit.
        let Some(permit) = permit else { return };
        let Some((mut stop, sink)) = self.inner.runs.begin(execution) else { return };
        if permit.is_witnessed() {
            let witnessed = tokio::select! {
                witnessed = self.wait_until_witnessed(permit.entry() + 1) => witnessed,
                // It is over already; the workload says so in its own way.
                stopped = stop.wait_for(Option::is_some) => match stopped {
                    Ok(_) => Ok(()),
                    Err(_) => Err("the server stopped while it waited for witnesses".to_owned()),
                },
            };
            let is_late = permit.end().is_some_and(|end| end <= self.now());
            let witnessed = match witnessed {
                Ok(()) if is_late => Err("its window ended while it waited for witnesses".to_owned()),
                witnessed => witnessed,
            };
            if let Err(why) = witnessed {
                // Whoever follows it sees an end without output.
                drop(sink.finish());
                return self.put_on_record(execution, ExecutionResult::NotStarted { why }, None).await;
            }
        }
        if let Err(error) = self.be_sure().await {
            drop(sink.finish());
            let why = format!("it could not be made sure that nobody revoked it meanwhile: {error}");
            return self.put_on_record(execution, ExecutionResult::NotStarted { why }, None).await;
        }
        let run = self.inner.runs.workloads.run(permit, stop, sink);
        let (Finished { result, output, trouble }, ()) = tokio::join!(run, self.share_output(execution));
        if let Some(trouble) = trouble {
            tracing::error!(%execution, %trouble, "trouble around a run");
        }
        self.put_on_record(execution, result, output).await;
    }

    async fn note_refusal(&self, origin: Origin, task: &brevet_core::QualifiedName, error: &AppError) {
        let (Actor::User(user), AppError::Refused(refusal)) = (origin.actor, error) else { return };
        let Some(command) = self.inner.refusals.note(self.now(), user, task, refusal.code()) else { return };
        if let Err(error) = self.command(Origin::SYSTEM, command, None).await {
            tracing::warn!(%error, "a refusal could not be recorded");
        }
    }

    /// Says that a run is over until it is on record: a disk that was full may have room again. If the server
    /// goes down before, the next one finds the run unknown.
    async fn put_on_record(&self, execution: ExecutionId, result: ExecutionResult, output: Option<Output>) {
        loop {
            let command = Command::FinishRun { execution, result: result.clone(), output };
            match self.command(Origin::SYSTEM, command, None).await {
                Ok(_) | Err(AppError::Stopping | AppError::Refused(_)) => return,
                Err(error) => tracing::error!(%execution, %error, "the end of a run is not on record yet"),
            }
            tokio::time::sleep(RECORD_AGAIN_AFTER).await;
        }
    }
}
