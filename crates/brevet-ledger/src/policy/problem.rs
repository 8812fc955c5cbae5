//! What can be wrong with a policy, and what a checkpoint can lack to meet one.

use std::fmt;

use super::{POLICY_GROUPS_MAX, POLICY_LOGS_MAX, POLICY_WITNESSES_MAX};
use crate::{Error, Witnessed};

/// Why a line cannot stand in a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyProblem {
    /// None of the four kinds of lines.
    #[error("it begins with {word:?}; expected log, witness, group, quorum or a comment with #")]
    Keyword {
        /// How it begins.
        word: String,
    },
    /// Not the parts that a line of this kind has.
    #[error("expected '{usage}'")]
    Parts {
        /// The parts that it has.
        usage: &'static str,
    },
    /// A control character, such as a carriage return.
    #[error("it has a control character; save the file with plain line feeds")]
    Control,
    /// A key that cannot be read.
    #[error("its key: {0}")]
    Key(Box<Error>),
    /// A key of the other kind.
    #[error("its key has type {found:#04x}; a {line} has a key of type {expected:#04x}")]
    KeyType {
        /// `log` or `witness`.
        line: &'static str,
        /// The type that its keys have.
        expected: u8,
        /// The type of this one.
        found: u8,
    },
    /// The same public key once more.
    #[error("it has the same key as line {before}; each ledger and each witness has a key of its own")]
    KeyTwice {
        /// The line that has the key already.
        before: usize,
    },
    /// A name that is defined, or that cannot be.
    #[error(
        "the name {name} is taken; give every witness and group a name of its own, and none the name 'none'"
    )]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A name that no line above defines.
    #[error("no line above it defines a witness or group {name}")]
    NameUnknown {
        /// The name.
        name: String,
    },
    /// A name that is a member already: it would count twice.
    #[error("{name} is a member of a group already; each witness or group can be a member once")]
    MemberTwice {
        /// The name.
        name: String,
    },
    /// A threshold that is no number of its members.
    #[error(
        "{threshold:?} of {members} members cannot be asked for; expected any, all or a number from 1 to {members}"
    )]
    Threshold {
        /// What it says.
        threshold: String,
        /// How many members there are.
        members: usize,
    },
    /// A second quorum line.
    #[error("there is a quorum line already; a policy has exactly one")]
    QuorumTwice,
    /// More than are read.
    #[error(
        "it is one too many; a policy may have {POLICY_LOGS_MAX} logs, {POLICY_WITNESSES_MAX} witnesses and \
         {POLICY_GROUPS_MAX} groups"
    )]
    TooMany,
}

/// Why a checkpoint does not meet a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyUnmet {
    /// The text of the note is no checkpoint.
    #[error("the note is not a checkpoint: expected lines with the origin, the size and the root in base64")]
    NoCheckpoint,
    /// The policy lists no key for this ledger.
    #[error("the policy lists no ledger {origin:?}; is this the checkpoint of another ledger?")]
    UnknownOrigin {
        /// The ledger that the checkpoint says it is of.
        origin: String,
    },
    /// The ledger did not sign it.
    #[error("the checkpoint has no signature by a key that the policy lists for {origin:?}")]
    LogUnsigned {
        /// The ledger.
        origin: String,
    },
    /// A signature by a listed ledger or witness does not hold.
    #[error("the signature of {name} does not fit the checkpoint: one of the two was changed")]
    SignatureWrong {
        /// The name of the key.
        name: String,
    },
    /// Signed by the ledger, but too few witnesses cosigned.
    #[error("the checkpoint of size {size} lacks its quorum: cosigned by {}, {lacking} more needed of {}",
        Names(witnessed.iter().map(|witnessed| witnessed.name.as_str())), Names(missing.iter().map(String::as_str)))]
    QuorumLacking {
        /// The size of the checkpoint.
        size: u64,
        /// Which witnesses of the policy cosigned.
        witnessed: Vec<Witnessed>,
        /// Which witnesses that the quorum counts did not.
        missing: Vec<String>,
        /// How many of these must cosign at the least.
        lacking: usize,
    },
}

/// Prints names with commas, or that there are none.
struct Names<I>(I);

impl<'a, I: Iterator<Item = &'a str> + Clone> fmt::Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.0.clone();
        f.write_str(names.next().unwrap_or("nobody"))?;
        names.try_for_each(|name| write!(f, ", {name}"))
    }
}
