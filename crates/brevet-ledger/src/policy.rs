//! Which checkpoints to believe: the ledgers and witnesses that are known, and how many of the latter must have
//! cosigned (C2SP tlog-policy).
//!
//! A policy says nothing about age: who asks compares [`PolicyMet::quorum_at`] with their own clock.

use std::fmt;
use std::str::FromStr;

use crate::{Checkpoint, Error, Note, VerifierKey};

mod problem;
mod quorum;
mod reading;

pub use problem::{PolicyProblem, PolicyUnmet};
use quorum::Quorum;

/// The longest policy file that is read.
pub const POLICY_BYTES_MAX: usize = 256 << 10;

/// The most ledgers that a policy may list; the specification asks for at least this.
pub const POLICY_LOGS_MAX: usize = 32;

/// The most witnesses that a policy may list; the specification asks for at least this. Cosignatures by all of them fit
/// in one note.
pub const POLICY_WITNESSES_MAX: usize = 32;

/// The most groups that a policy may define; the specification asks for at least this.
pub const POLICY_GROUPS_MAX: usize = 32;

/// A policy file. Prints as it was read, comments and all; two are equal when their texts are.
///
/// # Examples
/// ```
/// use brevet_ledger::Policy;
///
/// let policy = Policy::parse(
///     "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n\
///      witness office Wit1+4dd489c8+BDd/u4KCwMnyfkbOqopYZJIGSuMxMnjGav6Pjb9W8Y3c https://witness.example\n\
///      quorum office\n",
/// )?;
/// assert!(policy.has_quorum());
/// assert_eq!(policy.witnesses()[0].url.as_deref(), Some("https://witness.example"));
/// # Ok::<(), brevet_ledger::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    text: String,
    logs: Vec<PolicyLog>,
    witnesses: Vec<PolicyWitness>,
    /// The keys of `witnesses`, in the same order.
    witness_keys: Vec<VerifierKey>,
    quorum: Option<Quorum>,
}

/// A ledger that a policy lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyLog {
    /// Its key; the name of the key is its origin.
    pub key: VerifierKey,
    /// Where it is served, as written.
    pub url: Option<String>,
}

/// A witness that a policy lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyWitness {
    /// What the policy calls it. It means nothing elsewhere.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// The submission prefix of its protocol (C2SP tlog-witness), as written.
    pub url: Option<String>,
}

/// A witness of the policy that cosigned a checkpoint, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witnessed {
    /// What the policy calls the witness.
    pub name: String,
    /// As of when, by its clock: seconds since 1970 UTC, without leap seconds.
    pub unix_seconds: u64,
}

/// What a policy that is met vouches for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyMet {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// All witnesses of the policy that cosigned it, in the order of the policy: at least the quorum.
    pub witnessed: Vec<Witnessed>,
    /// The latest time at which, or later, a whole quorum cosigned, in seconds since 1970 UTC: the age of the
    /// checkpoint counts from here, however far ahead the clock of a single witness is. `None` with `quorum none`.
    pub quorum_at: Option<u64>,
}

impl Policy {
    /// Reads a policy file. Stricter than the specification in three things: the text is UTF-8, the keys are Ed25519
    /// (type `01` for logs, `04` for witnesses), and no witness has the key of a listed log.
    ///
    /// # Errors
    /// [`Error::PolicyLine`] says which line cannot be there, and why; [`Error::PolicyQuorumMissing`],
    /// [`Error::PolicyLong`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        reading::read(text)
    }

    /// The ledgers, in the order of the file. There may be none, and several keys of one origin.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, in the order of the file, also those that the quorum does not count.
    #[must_use]
    pub fn witnesses(&self) -> &[PolicyWitness] {
        &self.witnesses
    }

    /// Whether any witness must cosign: `false` for `quorum none`.
    #[must_use]
    pub const fn has_quorum(&self) -> bool {
        self.quorum.is_some()
    }

    /// Whether the quorum is met when exactly the witnesses of these names cosigned. Other names count for nothing.
    #[must_use]
    pub fn is_quorum(&self, names: &[&str]) -> bool {
        let there: Vec<_> =
            self.witnesses.iter().map(|witness| names.contains(&witness.name.as_str())).collect();
        self.lacking(&there) == 0
    }

    /// Checks a checkpoint note: signed by a listed log whose key has the name of its origin, and cosigned by the
    /// quorum.
    ///
    /// # Errors
    /// [`PolicyUnmet`] says what is lacking.
    pub fn check(&self, note: &Note) -> Result<PolicyMet, PolicyUnmet> {
        let logs: Vec<_> = self.logs.iter().map(|log| log.key.clone()).collect();
        self.check_with_logs(note, &logs)
    }

    /// Like [`check`](Self::check), with log keys that are known from elsewhere in place of those that the policy
    /// lists.
    ///
    /// # Errors
    /// [`PolicyUnmet`] says what is lacking.
    pub fn check_with_logs(&self, note: &Note, logs: &[VerifierKey]) -> Result<PolicyMet, PolicyUnmet> {
        let checkpoint: Checkpoint = note.text().parse().map_err(|_| PolicyUnmet::NoCheckpoint)?;
        let origin = checkpoint.origin().as_str();
        let keys: Vec<_> = logs.iter().filter(|key| key.name().as_str() == origin).cloned().collect();
        if keys.is_empty() {
            return Err(PolicyUnmet::UnknownOrigin { origin: origin.to_owned() });
        }
        note.verify(&keys).map_err(|error| match error {
            Error::NoteSignatureWrong { name } => PolicyUnmet::SignatureWrong { name },
            _ => PolicyUnmet::LogUnsigned { origin: origin.to_owned() },
        })?;
        let times = self.times(note)?;
        self.check_quorum(&checkpoint, &times)?;
        Ok(PolicyMet { checkpoint, witnessed: self.witnessed(&times), quorum_at: self.quorum_at(&times) })
    }

    /// For each witness, when it cosigned.
    fn times(&self, note: &Note) -> Result<Vec<Option<u64>>, PolicyUnmet> {
        let cosigned = note.cosignatures(&self.witness_keys).map_err(|error| match error {
            Error::NoteSignatureWrong { name } => PolicyUnmet::SignatureWrong { name },
            _ => PolicyUnmet::NoCheckpoint,
        })?;
        let time_of = |key| cosigned.iter().find(|cosigned| cosigned.key == key);
        Ok(self.witness_keys.iter().map(|key| time_of(key).map(|cosigned| cosigned.unix_seconds)).collect())
    }

    fn check_quorum(&self, checkpoint: &Checkpoint, times: &[Option<u64>]) -> Result<(), PolicyUnmet> {
        let Some(quorum) = &self.quorum else { return Ok(()) };
        let there: Vec<_> = times.iter().map(Option::is_some).collect();
        let lacking = quorum.lacking(&there);
        if lacking == 0 {
            return Ok(());
        }
        let missing = quorum.witnesses().into_iter().filter(|witness| !there[*witness]);
        Err(PolicyUnmet::QuorumLacking {
            size: checkpoint.size(),
            witnessed: self.witnessed(times),
            missing: missing.map(|witness| self.witnesses[witness].name.clone()).collect(),
            lacking,
        })
    }

    fn lacking(&self, there: &[bool]) -> usize {
        self.quorum.as_ref().map_or(0, |quorum| quorum.lacking(there))
    }

    fn witnessed(&self, times: &[Option<u64>]) -> Vec<Witnessed> {
        let witnessed = |(witness, time): (&PolicyWitness, &Option<u64>)| {
            time.map(|unix_seconds| Witnessed { name: witness.name.clone(), unix_seconds })
        };
        self.witnesses.iter().zip(times).filter_map(witnessed).collect()
    }

    fn quorum_at(&self, times: &[Option<u64>]) -> Option<u64> {
        let quorum = self.quorum.as_ref()?;
        let is_met_since = |since: u64| {
            let there: Vec<_> = times.iter().map(|time| time.is_some_and(|time| time >= since)).collect();
            quorum.lacking(&there) == 0
        };
        times.iter().flatten().copied().filter(|since| is_met_since(*since)).max()
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Policy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

/// The text says everything.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Policy {}

#[cfg(test)]
mod tests;
