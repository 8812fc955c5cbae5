//! What can be wrong with a bundle, in sentences, and the exit code of each.

use brevet_ledger::PolicyUnmet;

/// Why a bundle is no evidence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleFault {
    /// It is none, or one of a version that is not known here.
    #[error("this is no evidence bundle that can be read: {why}")]
    Unreadable {
        /// Why.
        why: String,
    },
    /// Bytes, texts, order or proof of an entry are not those of the ledger.
    #[error("changed: entry {index} is not what the checkpoint covers: {what}")]
    Changed {
        /// The place that the file gives it.
        index: u64,
        /// What is wrong.
        what: String,
    },
    /// The entries are of the ledger, and do not go together.
    #[error("changed: entry {index} does not belong into this story: {what}")]
    Contradicts {
        /// Which.
        index: u64,
        /// Why.
        what: String,
    },
    /// An output is another one.
    #[error("changed: the output {digest} is not what the ledger says: {what}")]
    Output {
        /// As the file names it.
        digest: String,
        /// What is wrong.
        what: String,
    },
    /// Something that the story needs is not in the file.
    #[error("missing: {what}")]
    Missing {
        /// What.
        what: String,
    },
    /// It is of a ledger whose key is not trusted.
    #[error(
        "the bundle is of the ledger {origin:?}, and no key of that ledger is given (keys of: {}); get its verifier key \
         from its owner, and not out of the bundle",
        names(known)
    )]
    OtherLedger {
        /// As the file names it.
        origin: String,
        /// The ledgers whose keys are trusted.
        known: Vec<String>,
    },
    /// The checkpoint is not signed by a trusted key.
    #[error("bad signature: {why}")]
    Signature {
        /// What is wrong with it.
        why: String,
    },
    /// Too few witnesses.
    #[error("policy not met: {0}")]
    Policy(PolicyUnmet),
}

fn names(known: &[String]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

impl BundleFault {
    /// What `brevet audit verify --bundle` ends with: 1 unreadable, 10 changed, 11 missing, 15 bad signature or another
    /// ledger, 16 policy not met.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Unreadable { .. } => 1,
            Self::Changed { .. } | Self::Contradicts { .. } | Self::Output { .. } => 10,
            Self::Missing { .. } => 11,
            Self::OtherLedger { .. } | Self::Signature { .. } => 15,
            Self::Policy(_) => 16,
        }
    }

    /// The entry it is about, where there is one.
    pub(crate) const fn index(&self) -> Option<u64> {
        match self {
            Self::Changed { index, .. } | Self::Contradicts { index, .. } => Some(*index),
            Self::Unreadable { .. }
            | Self::Output { .. }
            | Self::Missing { .. }
            | Self::OtherLedger { .. }
            | Self::Signature { .. }
            | Self::Policy(_) => None,
        }
    }

    pub(super) fn unreadable(why: impl std::fmt::Display) -> Self {
        Self::Unreadable { why: why.to_string() }
    }

    pub(super) fn changed(index: u64, what: impl std::fmt::Display) -> Self {
        Self::Changed { index, what: what.to_string() }
    }

    pub(super) fn contradicts(index: u64, what: impl std::fmt::Display) -> Self {
        Self::Contradicts { index, what: what.to_string() }
    }

    pub(super) fn missing(what: impl std::fmt::Display) -> Self {
        Self::Missing { what: what.to_string() }
    }

    /// A signature that does not hold is one, whatever the policy counts.
    pub(super) fn of_policy(unmet: PolicyUnmet) -> Self {
        match unmet {
            PolicyUnmet::QuorumLacking { .. } => Self::Policy(unmet),
            PolicyUnmet::NoCheckpoint
            | PolicyUnmet::UnknownOrigin { .. }
            | PolicyUnmet::SignatureWrong { .. }
            | PolicyUnmet::LogUnsigned { .. } => Self::Signature { why: unmet.to_string() },
        }
    }
}
