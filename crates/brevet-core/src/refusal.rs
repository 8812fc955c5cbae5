//! Why Brevet says no, in words that the person can act on.

use crate::name::QualifiedName;
use crate::parameter::BadParameters;
use crate::time::Span;

/// How a person can get what was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayOut {
    /// What to ask for.
    pub task: QualifiedName,
    /// The policy that governs it.
    pub policy: crate::PolicyId,
    /// The groups whose members decide; none where the policy is Auto.
    pub approver_groups: Vec<String>,
    /// Why what the person already holds does not do, one sentence each.
    pub held: Vec<String>,
}

/// A no, with its reason. [`Refusal::code`] is stable, the sentence may get better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account is disabled or gone.
    #[error("this account is not active; an administrator can enable it")]
    Inactive,
    /// Somebody else's right.
    #[error("only {who} may do this")]
    Forbidden {
        /// Whose right it is.
        who: &'static str,
    },
    /// There is none such.
    #[error("there is no {what} {id}")]
    NoSuch {
        /// What it would be.
        what: &'static str,
        /// What was given.
        id: String,
    },
    /// It is over, and does not change any more.
    #[error("{what} {id} has ended and does not change any more")]
    Over {
        /// What it is.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// There is one already.
    #[error("there is already a {what} {id}")]
    Exists {
        /// What it is.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// It is so already, or was never so.
    #[error("nothing to change: {0}")]
    NoChange(&'static str),
    /// It changed since the person saw it.
    #[error("{what} {id} was changed by somebody else meanwhile; look at it again, then repeat")]
    Changed {
        /// What it is.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// Something else needs it.
    #[error("{what} is still needed: {by}")]
    InUse {
        /// What it is.
        what: &'static str,
        /// By what.
        by: String,
    },
    /// It does not make sense.
    #[error("{0}")]
    Invalid(String),
    /// A limit was reached.
    #[error("{what}: at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// Values that the definition does not allow.
    #[error(transparent)]
    BadParameters(#[from] BadParameters),
    /// Too long for the policy.
    #[error("{asked} is longer than the {max} that {policy} allows; ask for {max} or less")]
    TooLong {
        /// What was asked.
        asked: Span,
        /// What is allowed.
        max: Span,
        /// By which policy.
        policy: crate::PolicyId,
    },
    /// No policy covers it while access control is on.
    #[error(
        "no approval policy covers {access}, so nobody may run it or ask for it; \
         an administrator can create one with: brevet policy create"
    )]
    Uncovered {
        /// What for.
        access: QualifiedName,
    },
    /// Not assigned, where an assignment is what counts.
    #[error("you are not assigned to {task}; an administrator can assign you with: brevet assignment add")]
    NotAssigned {
        /// To what.
        task: QualifiedName,
    },
    /// An approval is needed.
    #[error("Insufficient permissions. Raise an access request for this task.")]
    NeedsApproval(Box<WayOut>),
    /// Not among those who may ask.
    #[error("{policy} names who may ask for {access}, and you are not among them")]
    MayNotAsk {
        /// By which policy.
        policy: crate::PolicyId,
        /// For what.
        access: QualifiedName,
    },
    /// Not enough people could say yes.
    #[error(
        "{policy} needs {needed} approval(s) from {groups}, and not enough active members other than you are in there; \
         an administrator can add some with: brevet group add-member"
    )]
    NobodyCanApprove {
        /// By which policy.
        policy: crate::PolicyId,
        /// How many.
        needed: u32,
        /// From where.
        groups: String,
    },
    /// One's own request.
    #[error("nobody decides on their own request, by whatever account")]
    SelfApproval,
    /// Not an approver.
    #[error("you are not in a group that decides on {request}: {groups}")]
    NotAnApprover {
        /// On which request.
        request: crate::RequestId,
        /// Who does.
        groups: String,
    },
    /// A second vote.
    #[error("you have already approved {request}; it waits for somebody else")]
    AlreadyVoted {
        /// Which request.
        request: crate::RequestId,
    },
    /// The definition is another one now.
    #[error("the definition of {access} changed since this was asked for; it must be asked for again")]
    Drifted {
        /// Of what.
        access: QualifiedName,
    },
    /// Too many failed sign-ins.
    #[error("too many failed sign-ins; this account is locked for {left}")]
    Locked {
        /// How much longer.
        left: Span,
    },
}

impl Refusal {
    /// A stable name for scripts and for the ledger.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Forbidden { .. } => "forbidden",
            Self::NoSuch { .. } => "not-found",
            Self::Over { .. } => "ended",
            Self::Exists { .. } => "exists",
            Self::NoChange(_) => "no-change",
            Self::Changed { .. } => "changed",
            Self::InUse { .. } => "in-use",
            Self::Invalid(_) => "invalid",
            Self::TooMany { .. } => "too-many",
            Self::BadParameters(_) => "bad-parameters",
            Self::TooLong { .. } => "too-long",
            Self::Uncovered { .. } => "uncovered",
            Self::NotAssigned { .. } => "not-assigned",
            Self::NeedsApproval(_) => "needs-approval",
            Self::MayNotAsk { .. } => "may-not-ask",
            Self::NobodyCanApprove { .. } => "nobody-can-approve",
            Self::SelfApproval => "self-approval",
            Self::NotAnApprover { .. } => "not-an-approver",
            Self::AlreadyVoted { .. } => "already-voted",
            Self::Drifted { .. } => "definition-changed",
            Self::Locked { .. } => "locked",
        }
    }

    /// The switch of the organization, or its settings, are others than those that were seen.
    pub fn access_control_changed() -> Self {
        Self::Changed { what: "the switch", id: "of access control".to_owned() }
    }

    pub(crate) fn no_such(what: &'static str, id: impl ToString) -> Self {
        Self::NoSuch { what, id: id.to_string() }
    }

    pub(crate) fn over(what: &'static str, id: impl ToString) -> Self {
        Self::Over { what, id: id.to_string() }
    }
}
