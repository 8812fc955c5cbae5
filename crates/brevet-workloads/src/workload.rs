//! The seam between the server and the kinds of workloads.

use std::future::Future;
use std::pin::Pin;

use brevet_core::{ExecutionResult, Output, Permit, StopCause};
use tokio::sync::watch;

use crate::recording::OutputSink;

/// A run in progress: resolves once nothing of it lives any more. To drop it is to kill the run.
pub type Running<'a> = Pin<Box<dyn Future<Output = Finished> + Send + 'a>>;

/// A system on which privileged work is done.
///
/// Nothing runs without a [`Permit`], which only the gate makes, and which is used up by the run:
///
/// ```
/// # use brevet_core::{Permit, StopCause};
/// # use brevet_workloads::{Running, Workload, recording::OutputSink};
/// # use tokio::sync::watch::Receiver;
/// fn once(on: &dyn Workload, permit: Permit, stop: Receiver<Option<StopCause>>, output: OutputSink) -> Running<'_> {
///     on.run(permit, stop, output)
/// }
/// ```
/// ```compile_fail,E0382
/// # use brevet_core::{Permit, StopCause};
/// # use brevet_workloads::{Running, Workload, recording::OutputSink};
/// # use tokio::sync::watch::Receiver;
/// fn twice<'a>(on: &'a dyn Workload, permit: Permit, stop: Receiver<Option<StopCause>>, [a, b]: [OutputSink; 2]) -> [Running<'a>; 2] {
///     [on.run(permit, stop.clone(), a), on.run(permit, stop, b)]
/// }
/// ```
pub trait Workload: Send + Sync {
    /// Runs what the permit allows, and nothing else. The run is ended when `stop` holds a cause, and also when its
    /// sender is gone: nobody could end it any more.
    fn run<'a>(
        &'a self,
        permit: Permit,
        stop: watch::Receiver<Option<StopCause>>,
        output: OutputSink,
    ) -> Running<'a>;
}

/// How a run ended.
#[derive(Debug)]
#[must_use = "the end of a run belongs into the ledger"]
pub struct Finished {
    /// For the ledger.
    pub result: ExecutionResult,
    /// What it wrote, durable.
    pub output: Option<Output>,
    /// What went wrong in Brevet around the run, for the log: a sentence.
    pub trouble: Option<String>,
}
