//! Executions: one run of a task each.

use minicbor::{Decode, Encode};

use crate::access::Digest;
use crate::id::{AuthorizationId, ExecutionId, ServerId, TaskId, UserId};
use crate::parameter::Parameters;
use crate::time::Timestamp;

/// Why a run was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Basis {
    /// An authorization that was in force.
    #[n(0)]
    Authorization(#[n(0)] AuthorizationId),
    /// A system account, excluded from access control: flagged.
    #[n(1)]
    SystemAccount,
    /// Access control was off, and the person assigned.
    #[n(2)]
    AccessControlOff,
    /// No policy covers the task, and the organization lets those assigned run such tasks.
    #[n(3)]
    Uncovered,
}

impl Basis {
    /// The authorization, if that is it.
    pub const fn authorization(self) -> Option<AuthorizationId> {
        match self {
            Self::Authorization(id) => Some(id),
            Self::SystemAccount | Self::AccessControlOff | Self::Uncovered => None,
        }
    }
}

/// Why a run was ended before its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum StopCause {
    /// The authorization was revoked, given back or voided.
    #[n(0)]
    Revoked,
    /// The window ended.
    #[n(1)]
    Expired,
    /// It took longer than its definition allows.
    #[n(2)]
    TimedOut,
    /// Somebody stopped it.
    #[n(3)]
    ByUser(#[n(0)] UserId),
    /// Brevet was stopped.
    #[n(4)]
    Shutdown,
    /// Nothing could be put on record any more, so that nobody could have revoked it.
    #[n(5)]
    LedgerUnavailable,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ExecutionResult {
    /// It exited with 0.
    #[n(0)]
    Succeeded,
    /// It exited with another code.
    #[n(1)]
    Failed {
        /// The exit code.
        #[n(0)]
        code: i32,
    },
    /// A signal that Brevet did not send ended it.
    #[n(2)]
    Killed {
        /// The signal.
        #[n(0)]
        signal: i32,
    },
    /// It could not be started.
    #[n(3)]
    NotStarted {
        /// Why, in a sentence.
        #[n(0)]
        why: String,
    },
    /// Brevet ended it.
    #[n(4)]
    Stopped(#[n(0)] StopCause),
    /// The server went down while it ran; it is never run again by itself.
    #[n(5)]
    Unknown,
}

/// What a run wrote, stored outside the ledger by its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Output {
    /// SHA-256 of the recording.
    #[n(0)]
    pub digest: Digest,
    /// Its bytes.
    #[n(1)]
    pub bytes: u64,
    /// Bytes that the program wrote beyond the cap and that were not kept.
    #[n(2)]
    pub dropped: u64,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum ExecutionState {
    /// It runs.
    #[n(0)]
    Running {
        /// Why it is being ended, once it is.
        #[n(0)]
        stopping: Option<StopCause>,
    },
    /// It is over.
    #[n(1)]
    Finished {
        /// When.
        #[n(0)]
        at: Timestamp,
        /// How.
        #[n(1)]
        result: ExecutionResult,
        /// What it wrote, when it wrote anything.
        #[n(2)]
        output: Option<Output>,
    },
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Execution {
    /// Its id.
    #[n(0)]
    pub id: ExecutionId,
    /// For whom.
    #[n(1)]
    pub user: UserId,
    /// Of what.
    #[n(2)]
    pub task: TaskId,
    /// The digest of the definition that runs.
    #[n(3)]
    pub digest: Digest,
    /// The values it runs with, defaults included; secrets left out.
    #[n(4)]
    pub parameters: Parameters,
    /// Why it was allowed.
    #[n(5)]
    pub basis: Basis,
    /// When it started.
    #[n(6)]
    pub started: Timestamp,
    /// Where it stands.
    #[n(7)]
    pub state: ExecutionState,
    /// Which of several servers runs it.
    #[n(8)]
    pub server: Option<ServerId>,
}

impl Execution {
    /// Whether it is over.
    pub const fn has_finished(&self) -> bool {
        matches!(self.state, ExecutionState::Finished { .. })
    }
}
