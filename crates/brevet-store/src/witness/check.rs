//! The rules of C2SP tlog-witness, `add-checkpoint`: what is cosigned, and what is refused for which reason. Pure.

use brevet_ledger::{
    AddCheckpoint, Checkpoint, Hash, Note, Origin, TREE_SIZE_MAX, VerifierKey, check_consistency, empty_root,
};

use super::evidence::EvidenceKind;

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("this is no checkpoint that a witness can read: {0}")]
    Malformed(String),
    /// Nobody told this witness to watch that ledger.
    #[error("this witness does not watch that ledger; its owner can add it with: brevet witness add-log KEY")]
    UnknownOrigin,
    /// No trusted key signed it, or a signature that names one does not hold.
    #[error("no key that this witness trusts for that ledger signed this checkpoint: {0}")]
    NotSigned(String),
    /// The old size is above the new one.
    #[error("the old size {old} is above the size {size} of the checkpoint")]
    OldAboveSize {
        /// As stated.
        old: u64,
        /// Of the checkpoint.
        size: u64,
    },
    /// It does not continue what was cosigned before, or was not shown to.
    #[error("{0}")]
    Inconsistent(String),
}

/// A checkpoint that a trusted key signed, with the proof that came with it. It says nothing yet about what was
/// cosigned before.
#[derive(Debug, Clone)]
pub struct Submission {
    origin: Origin,
    size: u64,
    root: Hash,
    old: u64,
    proof: Vec<Hash>,
    note: Note,
    signers: Vec<VerifierKey>,
}

impl Submission {
    /// Takes a request apart whose checkpoint one of these keys signed; `trusted` gives the keys of an origin, none
    /// for one that is not watched. In the order of the specification: 404, 403, 400.
    pub(super) fn examine<E>(
        request: &AddCheckpoint,
        trusted: impl FnOnce(&Origin) -> Result<Vec<VerifierKey>, E>,
    ) -> Result<Result<Self, Refusal>, E> {
        let AddCheckpoint { old, proof, checkpoint: note } = request;
        let checkpoint: Checkpoint = match note.text().parse() {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Ok(Err(Refusal::Malformed(error.to_string()))),
        };
        let trusted = trusted(checkpoint.origin())?;
        if trusted.is_empty() {
            return Ok(Err(Refusal::UnknownOrigin));
        }
        let signers: Vec<VerifierKey> = match note.verify(&trusted) {
            Ok(signers) => signers.into_iter().cloned().collect(),
            Err(error) => return Ok(Err(Refusal::NotSigned(error.to_string()))),
        };
        let (old, size) = (*old, checkpoint.size());
        if old > size {
            return Ok(Err(Refusal::OldAboveSize { old, size }));
        }
        if size > TREE_SIZE_MAX {
            return Ok(Err(Refusal::Malformed(format!("no ledger has {size} entries"))));
        }
        let note = match with_signatures_by(note, &signers) {
            Ok(note) => note,
            Err(error) => return Ok(Err(Refusal::Malformed(error.to_string()))),
        };
        let (origin, root, proof) = (checkpoint.origin().clone(), checkpoint.root(), proof.clone());
        Ok(Ok(Self { origin, size, root, old, proof, note, signers }))
    }

    /// Which ledger.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries the checkpoint is of.
    pub const fn size(&self) -> u64 {
        self.size
    }

    pub(super) const fn root(&self) -> Hash {
        self.root
    }

    /// The checkpoint with the signatures of trusted keys, and no others.
    pub(super) const fn note(&self) -> &Note {
        &self.note
    }

    pub(super) fn is_signed_by_one_of(&self, keys: &[VerifierKey]) -> bool {
        self.signers.iter().any(|signer| keys.contains(signer))
    }
}

/// The same note with the signatures by these keys only, one by each.
fn with_signatures_by(note: &Note, keys: &[VerifierKey]) -> Result<Note, brevet_ledger::Error> {
    let by = |key: &VerifierKey| {
        let names =
            |line: &&brevet_ledger::NoteSignature| line.key_id() == key.id() && line.name() == key.name();
        note.signatures().iter().find(names).cloned()
    };
    let mut lines = keys.iter().filter_map(by);
    let first = lines.next().ok_or(brevet_ledger::Error::NoteUnsigned)?;
    lines.try_fold(Note::with_text(note.text(), first)?, Note::with_signature)
}

/// The largest checkpoint of a ledger that was cosigned.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) root: Hash,
    /// The time of the cosignature.
    pub(super) unix_seconds: u64,
    /// With the cosignature.
    pub(super) note: Note,
}

/// What is to be done with a submission.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Cosigned: it is what was seen, or continues it.
    Extends,
    /// The sender is told what was seen.
    OtherSize {
        /// The size that was cosigned last.
        mine: u64,
        /// What it shows about the ledger, if anything.
        evidence: Option<EvidenceKind>,
    },
    /// Refused.
    Refuted {
        /// Why, as a sentence.
        why: String,
        /// What it shows about the ledger, if anything.
        evidence: Option<EvidenceKind>,
    },
}

/// Holds a submission against what was seen of its ledger.
pub(super) fn judge(submission: &Submission, seen: Option<&Seen>) -> Judgement {
    let Submission { size, root, old, proof, .. } = submission;
    let mine = seen.map_or(0, |seen| seen.size);
    let contradiction = contradiction(submission, seen);
    if *old != mine {
        return Judgement::OtherSize { mine, evidence: contradiction };
    }
    if let Some(kind) = contradiction {
        return Judgement::Refuted { why: kind.sentence(*size), evidence: contradiction };
    }
    let Some(seen) = seen.filter(|seen| seen.size > 0) else {
        return match proof.is_empty() {
            true => Judgement::Extends,
            false => {
                let why = "from size 0 there is nothing to prove, and a proof was given".to_owned();
                Judgement::Refuted { why, evidence: None }
            }
        };
    };
    match check_consistency(seen.size, &seen.root, *size, root, proof) {
        Ok(()) => Judgement::Extends,
        Err(error) => {
            // The same root again with a superfluous proof is a mistake of the sender.
            let evidence = (*size > seen.size).then_some(EvidenceKind::Unproven);
            Judgement::Refuted { why: error.to_string(), evidence }
        }
    }
}

/// What two signed checkpoints, or one alone, can never both be.
fn contradiction(submission: &Submission, seen: Option<&Seen>) -> Option<EvidenceKind> {
    if submission.size == 0 {
        return (submission.root != empty_root()).then_some(EvidenceKind::ImpossibleRoot);
    }
    let forked = seen.is_some_and(|seen| seen.size == submission.size && seen.root != submission.root);
    forked.then_some(EvidenceKind::TwoRoots)
}
