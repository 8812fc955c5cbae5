//! Access requests and the decisions on them.

use minicbor::{Decode, Encode};

use crate::access::{Access, Digest};
use crate::id::{AuthorizationId, PolicyId, RequestId, UserId};
use crate::parameter::Parameters;
use crate::time::{Span, Timestamp};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
    /// A new authorization.
    #[n(0)]
    New,
    /// More time on one that is in force.
    #[n(1)]
    Extension(#[n(0)] AuthorizationId),
}

/// Approve or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Verdict {
    /// Yes.
    #[n(0)]
    Approve,
    /// No; one is enough.
    #[n(1)]
    Deny,
}

/// One approver's yes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Vote {
    /// Whose.
    #[n(0)]
    pub by: UserId,
    /// When.
    #[n(1)]
    pub at: Timestamp,
    /// A shorter duration than was asked for.
    #[n(2)]
    pub duration: Option<Span>,
}

/// Where a request stands. All but `Pending` are terminal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RequestState {
    /// Waits for decisions.
    #[n(0)]
    Pending {
        /// Until then.
        #[n(0)]
        expires: Timestamp,
        /// Approvals so far.
        #[n(1)]
        votes: Vec<Vote>,
    },
    /// Enough said yes.
    #[n(1)]
    Approved {
        /// What it gave.
        #[n(0)]
        authorization: AuthorizationId,
        /// When.
        #[n(1)]
        at: Timestamp,
        /// Who said yes; nobody where the policy is Auto.
        #[n(2)]
        votes: Vec<Vote>,
    },
    /// Somebody said no.
    #[n(2)]
    Denied {
        /// Who.
        #[n(0)]
        by: UserId,
        /// When.
        #[n(1)]
        at: Timestamp,
    },
    /// Nobody decided in time.
    #[n(3)]
    Expired {
        /// When.
        #[n(0)]
        at: Timestamp,
    },
    /// Withdrawn: by the requester, or because they or the policy are gone.
    #[n(4)]
    Cancelled {
        /// When.
        #[n(0)]
        at: Timestamp,
    },
}

/// A person asks for an access. The reason is kept beside the ledger, not here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Request {
    /// Its id.
    #[n(0)]
    pub id: RequestId,
    /// Who asks.
    #[n(1)]
    pub requester: UserId,
    /// A new authorization, or more time.
    #[n(2)]
    pub purpose: Purpose,
    /// What for.
    #[n(3)]
    pub access: Access,
    /// The digest of the definition that is asked for.
    #[n(4)]
    pub digest: Digest,
    /// Parameter values that will be the only ones.
    #[n(5)]
    pub bound: Parameters,
    /// The policy that governs it.
    #[n(6)]
    pub policy: PolicyId,
    /// How long.
    #[n(7)]
    pub duration: Span,
    /// Not before; at approval when `None`.
    #[n(8)]
    pub not_before: Option<Timestamp>,
    /// Runs asked for; the policy's number when `None`.
    #[n(9)]
    pub max_uses: Option<u32>,
    /// When it was submitted.
    #[n(10)]
    pub submitted: Timestamp,
    /// Where it stands.
    #[n(11)]
    pub state: RequestState,
}

impl Request {
    /// Whether decisions are still taken, as far as the request itself knows.
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, RequestState::Pending { .. })
    }
}
