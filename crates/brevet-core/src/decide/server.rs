//! Servers that come and go. What a server ran when it went has an unknown end, and is not run again.

use super::{Decision, Reply};
use crate::actor::Origin;
use crate::command::ServerStart;
use crate::event::Event;
use crate::execution::{Execution, ExecutionResult};
use crate::id::ServerId;
use crate::refusal::Refusal;
use crate::state::State;

pub(super) fn start(state: &State, start: ServerStart) -> Result<Decision, Refusal> {
    let ServerStart { version, witnesses, shared, accepted_loss } = start;
    let server = shared.then(|| ServerId::new(state.counters.servers.unwrap_or(1)));
    let started = Event::ServerStarted { version, witnesses: Some(witnesses), server, accepted_loss };
    // A server alone knows that whatever runs was left by one that is gone; one of several knows it only of what no
    // server answers for.
    let is_left = |execution: &&Execution| match (shared, execution.server) {
        (false, _) | (true, None) => true,
        (true, Some(server)) => !state.has_server(server),
    };
    let left = state.executions().filter(is_left).map(unknown);
    let others = state.servers().filter(|_| !shared).map(|server| Event::ServerLost { server: server.id });
    Decision::new(Reply::Done, std::iter::once(started).chain(others).chain(left).collect())
}

pub(super) fn stop(state: &State, origin: Origin) -> Result<Decision, Refusal> {
    let server = origin.server;
    let stopped = std::iter::once(Event::ServerStopped { server });
    let left =
        state.executions().filter(|execution| server.is_some() && execution.server == server).map(unknown);
    Decision::new(Reply::Done, stopped.chain(left).collect())
}

pub(super) fn lose(state: &State, server: ServerId) -> Result<Decision, Refusal> {
    if !state.has_server(server) {
        return Err(Refusal::no_such("server", server));
    }
    let lost = std::iter::once(Event::ServerLost { server });
    let left = state.executions().filter(|execution| execution.server == Some(server)).map(unknown);
    Decision::new(Reply::Done, lost.chain(left).collect())
}

fn unknown(execution: &Execution) -> Event {
    Event::ExecutionFinished { execution: execution.id, result: ExecutionResult::Unknown, output: None }
}
