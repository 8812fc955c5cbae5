//! Proof that a run was allowed, and that the entry that allowed it is durable.
//!
//! Only [`crate::decide`] makes a [`Draft`], whoever keeps the ledger turns it into a [`Permit`] once
//! the entry is durable, and a workload runs nothing without one. Neither can be made, copied or
//! kept by anybody else:
//!
//! ```compile_fail
//! let permit = brevet_core::Permit { execution: todo!() };
//! ```
//! ```compile_fail
//! fn twice(permit: brevet_core::Permit) -> [brevet_core::Permit; 2] {
//!     [permit.clone(), permit]
//! }
//! ```

use crate::access::Digest;
use crate::id::{AuthorizationId, ExecutionId};
use crate::name::QualifiedName;
use crate::parameter::{Parameters, Secrets};
use crate::time::Timestamp;

/// What may run once its entry is durable.
#[derive(Debug)]
#[must_use]
pub struct Draft {
    pub(crate) terms: Terms,
}

/// Proof that the gate let this run, once.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    terms: Terms,
    entry: u64,
}

#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) execution: ExecutionId,
    pub(crate) task: QualifiedName,
    pub(crate) digest: Digest,
    pub(crate) parameters: Parameters,
    pub(crate) secrets: Secrets,
    pub(crate) authorization: Option<AuthorizationId>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) witnessed: bool,
}

impl Draft {
    /// Turns the draft into a permit. To be called by the keeper of the ledger alone, after the entry
    /// with this index, which holds `execution.started`, is durable.
    pub fn recorded(self, entry: u64) -> Permit {
        Permit { terms: self.terms, entry }
    }
}

impl Permit {
    /// The execution that this allows.
    pub const fn execution(&self) -> ExecutionId {
        self.terms.execution
    }

    /// The task that may run.
    pub const fn task(&self) -> &QualifiedName {
        &self.terms.task
    }

    /// The digest of the only definition that may run.
    pub const fn digest(&self) -> Digest {
        self.terms.digest
    }

    /// The only values it may run with.
    pub const fn parameters(&self) -> &Parameters {
        &self.terms.parameters
    }

    /// The secret values.
    pub const fn secrets(&self) -> &Secrets {
        &self.terms.secrets
    }

    /// The authorization it runs under, if it needed one.
    pub const fn authorization(&self) -> Option<AuthorizationId> {
        self.terms.authorization
    }

    /// When the run must be over, unless its task may finish.
    pub const fn end(&self) -> Option<Timestamp> {
        self.terms.end
    }

    /// Whether witnesses must have seen the entry that allowed it before it starts.
    pub const fn is_witnessed(&self) -> bool {
        self.terms.witnessed
    }

    /// The ledger's index of the entry that allowed it.
    pub const fn entry(&self) -> u64 {
        self.entry
    }
}
