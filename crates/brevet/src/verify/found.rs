//! What can be found, as an exit code, a word for scripts, and a sentence.

use brevet_ledger::{Finding, Fork, Hash};
use brevet_store::Discrepancy;

use crate::bundle::BundleFault;

/// The kinds of findings: the words that scripts read, and the exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Two signed checkpoints that cannot both be.
    Forked,
    /// Entries, texts or hashes are not those that were written, or not where.
    Changed,
    /// Something in between is gone.
    Missing,
    /// The end is gone.
    Truncated,
    /// A checkpoint or a receipt is not signed, or proves nothing.
    BadSignature,
    /// An entry has a time that witnesses contradict.
    BackDated,
    /// Rows say something else than the entries.
    RowsDiffer,
    /// Too few witnesses.
    PolicyNotMet,
    /// Too old.
    Stale,
    /// It could not be carried out.
    CannotVerify,
}

impl Kind {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::CannotVerify => 1,
            Self::Changed | Self::BackDated => 10,
            Self::Missing => 11,
            Self::Truncated => 12,
            Self::Forked => 13,
            Self::Stale => 14,
            Self::BadSignature => 15,
            Self::PolicyNotMet => 16,
            Self::RowsDiffer => 17,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::CannotVerify => "cannot-verify",
            Self::Changed => "changed",
            Self::BackDated => "back-dated",
            Self::Missing => "missing",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
            Self::Stale => "stale",
            Self::BadSignature => "bad-signature",
            Self::PolicyNotMet => "policy-not-met",
            Self::RowsDiffer => "rows-differ",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) sentence: String,
    /// The entry it is about, where it is one.
    pub(super) entry: Option<u64>,
    /// What proves a fork to others.
    pub(super) evidence: Option<String>,
}

impl Found {
    pub(super) fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), entry: None, evidence: None }
    }

    pub(super) fn cannot(sentence: impl Into<String>) -> Self {
        Self::new(Kind::CannotVerify, sentence)
    }

    pub(super) fn at(self, entry: u64) -> Self {
        Self { entry: Some(entry), ..self }
    }
}

impl From<Discrepancy> for Found {
    fn from(found: Discrepancy) -> Self {
        let (sentence, entry) = (found.to_string(), found.index());
        let kind = match found {
            Discrepancy::Ledger(finding) => return finding.into(),
            Discrepancy::Store(_)
            | Discrepancy::Unavailable(_)
            | Discrepancy::Key(_)
            | Discrepancy::Nothing => Kind::CannotVerify,
            Discrepancy::Unreadable { .. } | Discrepancy::Malformed { .. } | Discrepancy::KeyEntry { .. } => {
                Kind::Changed
            }
            Discrepancy::BytesGone { .. } | Discrepancy::TextMissing { .. } => Kind::Missing,
            Discrepancy::RowDiffers { .. }
            | Discrepancy::OutputDiffers { .. }
            | Discrepancy::TextStays { .. } => Kind::RowsDiffer,
        };
        Self { kind, sentence, entry, evidence: None }
    }
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let kind = match &finding {
            Finding::Changed { .. }
            | Finding::Unreadable { .. }
            | Finding::Duplicate { .. }
            | Finding::BeyondHead { .. }
            | Finding::Reordered { .. }
            | Finding::TimeWentBack { .. }
            | Finding::TextDiffers { .. }
            | Finding::NodeDiffers { .. }
            | Finding::NodeSurplus { .. }
            | Finding::HeadDiffers { .. }
            | Finding::Rewritten { .. } => Kind::Changed,
            Finding::Missing { .. } | Finding::NodeMissing { .. } => Kind::Missing,
            Finding::Truncated { .. } => Kind::Truncated,
            Finding::Forked(_) => Kind::Forked,
            Finding::Claim { .. } => Kind::BadSignature,
        };
        let evidence = match &finding {
            Finding::Forked(fork) => Some(evidence(fork, None)),
            _ => None,
        };
        Self { kind, sentence: finding.to_string(), entry: finding.index(), evidence }
    }
}

impl From<BundleFault> for Found {
    fn from(fault: BundleFault) -> Self {
        let kind = match &fault {
            BundleFault::Unreadable { .. } => Kind::CannotVerify,
            BundleFault::Changed { .. } | BundleFault::Contradicts { .. } | BundleFault::Output { .. } => {
                Kind::Changed
            }
            BundleFault::Missing { .. } => Kind::Missing,
            BundleFault::OtherLedger { .. } | BundleFault::Signature { .. } => Kind::BadSignature,
            BundleFault::Policy(_) => Kind::PolicyNotMet,
        };
        debug_assert_eq!(kind.code(), fault.exit_code());
        Self { entry: fault.index(), ..Self::new(kind, fault.to_string()) }
    }
}

/// Both checkpoints, and what they prove to anyone who has the key. Where one is over fewer entries, `growth` is the root of as
/// many below the other one, and the proof that it contains them.
pub(super) fn evidence(fork: &Fork, growth: Option<(&Hash, &[Hash])>) -> String {
    let Fork { source, kept, size, presented, presented_size } = fork;
    let why = match growth {
        _ if size == presented_size => format!("Both are over {size} entries, and their roots differ."),
        Some((root, _)) => format!(
            "The first {size} entries below the second one have the root {}, as the proof at the end shows. The first one \
             signs another root for as many.",
            root.to_base64()
        ),
        None => format!(
            "The first {size} entries below the second one have another root than the first one signs."
        ),
    };
    let proof = growth.map(|(root, proof)| {
        let hashes: String = proof.iter().map(|hash| hash.to_base64() + "\n").collect();
        format!(
            "\n=== the proof of consistency from this root to the second one\nold {size}\n{}\n{hashes}",
            root.to_base64()
        )
    });
    format!(
        "Two checkpoints of one ledger, both signed by its key, that cannot both be of a history that only grew.\n\
         {why} The holder of the key signed two histories.\n\n\
         === {source}\n{kept}\n=== what the ledger presents now\n{presented}{}",
        proof.unwrap_or_default()
    )
}
