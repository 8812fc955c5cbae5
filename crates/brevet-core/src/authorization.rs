//! Authorizations: what an approved request gives.

use minicbor::{Decode, Encode};

use crate::access::{Access, Digest};
use crate::id::{AuthorizationId, PolicyId, RequestId, UserId};
use crate::parameter::Parameters;
use crate::policy::Binding;
use crate::time::{Span, Timestamp};

/// How the clock of an authorization starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Start {
    /// Now.
    #[n(0)]
    Now,
    /// At an instant.
    #[n(1)]
    At(#[n(0)] Timestamp),
    /// At the first run, until an instant.
    #[n(2)]
    AtFirstUse {
        /// After this, nothing is left to claim.
        #[n(0)]
        claim_by: Timestamp,
    },
}

/// How an authorization ended. "Ran out", "given back" and "cut off" are different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Ending {
    /// Its time was over, or it was not claimed in time.
    #[n(0)]
    RanOut,
    /// Its holder needed it no more.
    #[n(1)]
    GivenBack,
    /// Somebody took it away.
    #[n(2)]
    Revoked(#[n(0)] UserId),
    /// Its last run was used.
    #[n(3)]
    UsedUp,
    /// What it was given for is not so any more: person, policy or definition.
    #[n(4)]
    Voided,
}

/// Where an authorization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum AuthorizationState {
    /// Not started.
    #[n(0)]
    Scheduled {
        /// What starts it: [`Start::At`] or [`Start::AtFirstUse`].
        #[n(0)]
        start: Start,
        /// How long it will last.
        #[n(1)]
        duration: Span,
    },
    /// In its window.
    #[n(1)]
    Active {
        /// From.
        #[n(0)]
        start: Timestamp,
        /// Until, not including: one absolute instant.
        #[n(1)]
        end: Timestamp,
    },
    /// Over, for good.
    #[n(2)]
    Ended {
        /// When.
        #[n(0)]
        at: Timestamp,
        /// How.
        #[n(1)]
        how: Ending,
        /// When it had started, if it had.
        #[n(2)]
        start: Option<Timestamp>,
    },
}

/// The access, its window, its uses.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Authorization {
    /// Its id.
    #[n(0)]
    pub id: AuthorizationId,
    /// Who may use it.
    #[n(1)]
    pub holder: UserId,
    /// What for.
    #[n(2)]
    pub access: Access,
    /// The digest of the definition that was approved.
    #[n(3)]
    pub digest: Digest,
    /// Parameter values that are the only ones.
    #[n(4)]
    pub bound: Parameters,
    /// Under which policy.
    #[n(5)]
    pub policy: PolicyId,
    /// From which request.
    #[n(6)]
    pub request: RequestId,
    /// When it was given.
    #[n(7)]
    pub granted: Timestamp,
    /// Runs so far.
    #[n(8)]
    pub uses: u32,
    /// Runs in all; any number when `None`.
    #[n(9)]
    pub max_uses: Option<u32>,
    /// Where it stands.
    #[n(10)]
    pub state: AuthorizationState,
    /// Whether the values not named are free.
    #[n(11)]
    pub binding: Binding,
}

impl Authorization {
    /// Whether it is over.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, AuthorizationState::Ended { .. })
    }

    /// Whether a run may be left.
    pub fn has_uses_left(&self) -> bool {
        self.max_uses.is_none_or(|max| self.uses < max)
    }

    /// Whether it lets the task run with these values, defaults included and secrets left out.
    pub fn allows(&self, values: &Parameters) -> bool {
        match self.binding {
            Binding::Exact => self.bound == *values,
            Binding::Open => self.bound.iter().all(|(name, value)| values.get(name) == Some(value)),
        }
    }

    /// The instant at which something happens by itself: start, end, or the claim lapses.
    pub const fn due(&self) -> Option<Timestamp> {
        match self.state {
            AuthorizationState::Scheduled { start: Start::At(at), .. } => Some(at),
            AuthorizationState::Scheduled { start: Start::AtFirstUse { claim_by }, .. } => Some(claim_by),
            AuthorizationState::Active { end, .. } => Some(end),
            AuthorizationState::Scheduled { start: Start::Now, .. } | AuthorizationState::Ended { .. } => {
                None
            }
        }
    }

    /// Whether its time is over by the clock, acted on or not: it ran out, or was not claimed in time.
    pub fn has_run_out(&self, now: Timestamp) -> bool {
        match self.state {
            AuthorizationState::Active { end, .. } => end <= now,
            AuthorizationState::Scheduled { start: Start::At(at), duration } => at.plus(duration) <= now,
            AuthorizationState::Scheduled { start: Start::AtFirstUse { claim_by }, .. } => claim_by <= now,
            AuthorizationState::Scheduled { start: Start::Now, .. } => true,
            AuthorizationState::Ended { .. } => false,
        }
    }

    /// When a run that starts now must end: `Some` exactly when the window is open at `now`.
    pub fn end_of_run(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            AuthorizationState::Active { start, end } if start <= now && now < end => Some(end),
            AuthorizationState::Scheduled { start: Start::At(at), duration } => {
                let end = at.plus(duration);
                (at <= now && now < end).then_some(end)
            }
            AuthorizationState::Scheduled { start: Start::AtFirstUse { claim_by }, duration } => {
                (now < claim_by).then(|| now.plus(duration))
            }
            _ => None,
        }
    }
}
