//! Approval policies: what an access demands before it is given.

use minicbor::{Decode, Encode};

use crate::access::Access;
use crate::directory::Principal;
use crate::id::PolicyId;
use crate::quorum::Quorum;
use crate::time::Span;

/// Who says yes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Approval {
    /// Nobody needs to; those who may ask are named.
    #[n(0)]
    Auto,
    /// People do.
    #[n(1)]
    Manual(#[n(0)] Quorum),
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Requesters {
    /// Any active user.
    #[n(0)]
    Anyone,
    /// These only. Nobody, when empty.
    #[n(1)]
    Named(#[n(0)] Vec<Principal>),
}

/// The longest duration that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum MaximumDuration {
    /// This long.
    #[n(0)]
    Limited(#[n(0)] Span),
    /// As long as a duration can be ([`crate::DURATION_MAX`]): said so, never by leaving it out.
    #[n(1)]
    Unlimited,
}

impl MaximumDuration {
    /// The longest duration, in any case a length of time.
    pub const fn span(self) -> Span {
        match self {
            Self::Limited(span) => span,
            Self::Unlimited => crate::DURATION_MAX,
        }
    }
}

/// When the clock of the authorization starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum StartRule {
    /// At approval.
    #[n(0)]
    AtApproval,
    /// At the first run, which must come within this time of the approval.
    #[n(1)]
    AtFirstUse(#[n(0)] Span),
}

/// Which parameters a request must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Binding {
    /// Those it likes; the others stay free within the task's constraints.
    #[n(0)]
    Open,
    /// Every one (but secrets), and only those values run.
    #[n(1)]
    Exact,
}

/// What one access demands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Policy {
    /// Its id.
    #[n(0)]
    pub id: PolicyId,
    /// Counts its changes, from one; entries name it.
    #[n(1)]
    pub revision: u32,
    /// What it covers.
    #[n(2)]
    pub access: Access,
    /// Who says yes.
    #[n(3)]
    pub approval: Approval,
    /// Who may ask.
    #[n(4)]
    pub requesters: Requesters,
    /// The longest duration that may be asked for.
    #[n(5)]
    pub maximum_duration: MaximumDuration,
    /// How long a request waits for its decisions.
    #[n(6)]
    pub pending_lifetime: Span,
    /// When the clock of the authorization starts.
    #[n(7)]
    pub start: StartRule,
    /// Runs inside the window; any number when `None`.
    #[n(8)]
    pub max_uses: Option<u32>,
    /// Which parameters a request must name.
    #[n(9)]
    pub binding: Binding,
}

/// In which way a policy is stricter than another, the first that tells them apart.
const STRICTER: [&str; 7] = [
    "it needs somebody's approval",
    "it needs more approvals",
    "it names more approver groups",
    "it names who may ask",
    "it allows a shorter duration",
    "it allows fewer runs",
    "it is like the other, and older",
];

impl Policy {
    /// Orders policies of one rank by strictness: the greater governs. The last word is the id, so
    /// that there is always one answer; an older policy wins over a younger that is like it. Binding
    /// is no part of it: an exact one is on a task, where there is never a second policy.
    pub(crate) fn strictness(&self) -> [i64; STRICTER.len()] {
        let (manual, total, groups) = match &self.approval {
            Approval::Auto => (false, 0, 0),
            Approval::Manual(quorum) => (true, quorum.total, quorum.groups.len()),
        };
        [
            i64::from(manual),
            i64::from(total),
            i64::try_from(groups).unwrap_or(i64::MAX),
            i64::from(matches!(self.requesters, Requesters::Named(_))),
            -self.maximum_duration.span().micros(),
            -i64::from(self.max_uses.unwrap_or(u32::MAX)),
            -i64::from(self.id.number()),
        ]
    }

    /// Why this policy governs before another of its rank that is less strict.
    pub(crate) fn stricter_because(&self, other: &Self) -> &'static str {
        let pairs = self.strictness().into_iter().zip(other.strictness());
        let differs = pairs.zip(STRICTER).find(|((ours, theirs), _)| ours != theirs);
        differs.map_or("it is the same policy", |(_, why)| why)
    }
}
