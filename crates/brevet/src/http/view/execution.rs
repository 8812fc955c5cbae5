//! Executions.

use brevet_core::{
    Access, Authorization, Basis, Command, Execution, ExecutionResult, ExecutionState, Output, StopCause,
    Timestamp,
};
use brevet_wire as wire;

use super::{View, at, parameters, rendered};

/// What the state of a run says, apart from each other.
#[derive(Default)]
struct Standing {
    finished_at: Option<Timestamp>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    stop_cause: Option<StopCause>,
    problem: Option<String>,
    output: Option<Output>,
}

impl View<'_> {
    /// Whether they approve such runs: under the policy of its authorization.
    fn approves_execution(&self, under: Option<&Authorization>) -> bool {
        let policy = under.and_then(|authorization| self.state.policy(authorization.policy));
        policy.is_some_and(|policy| self.state.is_approver(policy, self.viewer))
    }

    /// Who may see a run: those who oversee, who runs it, and who approves such.
    pub(in crate::http) fn sees_execution(
        &self,
        execution: &Execution,
        under: Option<&Authorization>,
    ) -> bool {
        self.oversees() || execution.user == self.viewer || self.approves_execution(under)
    }

    /// Who may see what it wrote: who runs it, who approves such, and auditors. Not administrators as such.
    pub(in crate::http) fn sees_output(&self, execution: &Execution, under: Option<&Authorization>) -> bool {
        self.auditor || execution.user == self.viewer || self.approves_execution(under)
    }

    pub(in crate::http) fn execution(&self, execution: &Execution) -> wire::Execution {
        let Execution { id, user, task, digest, parameters: values, basis, started, state, server } =
            execution;
        let (state, standing) = standing(state);
        let Standing { finished_at, exit_code, signal, stop_cause, problem, output } = standing;
        let (basis, authorization) = self::basis(*basis);
        let spec =
            self.state.catalog().task(*task).map(|task| &task.spec).filter(|spec| spec.digest == *digest);
        let stopping = Command::StopRun { execution: *id, cause: StopCause::ByUser(self.viewer) };
        wire::Execution {
            id: id.to_string(),
            user: self.user_ref(*user),
            task: self.access_name(Access::Task(*task)),
            digest: digest.to_string(),
            parameters: parameters(values),
            command: spec.map(|spec| rendered::command(spec, values)).unwrap_or_default(),
            run_as: spec.and_then(|spec| spec.run_as.clone()),
            basis,
            authorization,
            flagged: basis == wire::Basis::SystemAccount,
            state,
            started_at: at(*started),
            finished_at: finished_at.map(at),
            exit_code,
            signal,
            stop_cause: stop_cause.map(self::stop_cause),
            stopped_by: stop_cause.and_then(|cause| match cause {
                StopCause::ByUser(by) => Some(self.user_ref(by)),
                StopCause::Revoked
                | StopCause::Expired
                | StopCause::TimedOut
                | StopCause::Shutdown
                | StopCause::LedgerUnavailable => None,
            }),
            problem,
            output: output.map(|Output { digest, bytes, dropped }| wire::OutputDigest {
                digest: digest.to_string(),
                bytes,
                dropped,
            }),
            may_stop: self.could(stopping),
            server: server.map(|server| server.to_string()),
        }
    }
}

/// Why a run was allowed, and under what.
pub(super) fn basis(basis: Basis) -> (wire::Basis, Option<String>) {
    match basis {
        Basis::Authorization(id) => (wire::Basis::Authorization, Some(id.to_string())),
        Basis::SystemAccount => (wire::Basis::SystemAccount, None),
        Basis::AccessControlOff => (wire::Basis::AccessControlOff, None),
        Basis::Uncovered => (wire::Basis::Uncovered, None),
    }
}

pub(super) const fn stop_cause(cause: StopCause) -> wire::StopCause {
    match cause {
        StopCause::Revoked => wire::StopCause::Revoked,
        StopCause::Expired => wire::StopCause::Expired,
        StopCause::TimedOut => wire::StopCause::TimedOut,
        StopCause::ByUser(_) => wire::StopCause::ByUser,
        StopCause::Shutdown => wire::StopCause::Shutdown,
        StopCause::LedgerUnavailable => wire::StopCause::LedgerUnavailable,
    }
}

fn standing(state: &ExecutionState) -> (wire::ExecutionState, Standing) {
    match state {
        ExecutionState::Running { stopping } => {
            (wire::ExecutionState::Running, Standing { stop_cause: *stopping, ..Standing::default() })
        }
        ExecutionState::Finished { at, result, output } => {
            let over = Standing { finished_at: Some(*at), output: *output, ..Standing::default() };
            finished(result, over)
        }
    }
}

fn finished(result: &ExecutionResult, over: Standing) -> (wire::ExecutionState, Standing) {
    match result {
        ExecutionResult::Succeeded => {
            (wire::ExecutionState::Succeeded, Standing { exit_code: Some(0), ..over })
        }
        ExecutionResult::Failed { code } => {
            (wire::ExecutionState::Failed, Standing { exit_code: Some(*code), ..over })
        }
        ExecutionResult::Killed { signal } => {
            (wire::ExecutionState::Failed, Standing { signal: Some(*signal), ..over })
        }
        ExecutionResult::NotStarted { why } => {
            (wire::ExecutionState::Failed, Standing { problem: Some(why.clone()), ..over })
        }
        ExecutionResult::Stopped(cause) => {
            (wire::ExecutionState::Stopped, Standing { stop_cause: Some(*cause), ..over })
        }
        ExecutionResult::Unknown => (wire::ExecutionState::Unknown, over),
    }
}

/// How and when a run ended.
pub(in crate::http) fn finished_how(execution: &Execution) -> Option<(String, Timestamp)> {
    let ExecutionState::Finished { at, result, output: _ } = &execution.state else { return None };
    Some((super::entry::finished(result), *at))
}
