//! What others signed about a ledger, held against what its entries add up to.

use std::str::FromStr as _;

use super::{Derived, Finding, Watch};
use crate::{Checkpoint, Error, Note, Origin, TlogProof, VerifierKey, check_inclusion, empty_root};

/// A checkpoint that somebody signed: the ledger itself presents it, or somebody kept it elsewhere.
#[derive(Clone, Debug)]
pub struct Claim {
    source: String,
    kept: bool,
    note: Note,
    checkpoint: Checkpoint,
    inclusion: Option<TlogProof>,
}

impl Claim {
    /// A checkpoint that lies with the ledger; `source` names it in sentences, e.g. `the checkpoint in the folder`.
    ///
    /// # Errors
    /// Those of reading a note and a checkpoint.
    pub fn presented(source: &str, note: &str) -> Result<Self, Error> {
        Self::of(source, false, note.parse()?)
    }

    /// A checkpoint that somebody else kept.
    ///
    /// # Errors
    /// Those of reading a note and a checkpoint.
    pub fn kept(source: &str, note: &str) -> Result<Self, Error> {
        Self::of(source, true, note.parse()?)
    }

    /// A receipt that somebody else kept.
    ///
    /// # Errors
    /// Those of reading a receipt, its note and its checkpoint.
    pub fn receipt(source: &str, text: &str) -> Result<Self, Error> {
        let proof = TlogProof::from_str(text)?;
        let claim = Self::of(source, true, proof.checkpoint().clone())?;
        Ok(Self { inclusion: Some(proof), ..claim })
    }

    fn of(source: &str, kept: bool, note: Note) -> Result<Self, Error> {
        let checkpoint = note.text().parse()?;
        Ok(Self { source: source.to_owned(), kept, note, checkpoint, inclusion: None })
    }

    /// How sentences name it.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The note, with all its signatures.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// What it says, believed or not.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Has the verifier remember what the claim will be held against.
    pub fn watch(&self, watch: &mut Watch) {
        watch.sizes.insert(self.checkpoint.size());
        watch.leaves.extend(self.inclusion.as_ref().map(TlogProof::index));
    }

    /// Whether the entries are what it signs. `None` when there are fewer.
    fn agrees(&self, derived: &Derived) -> Option<bool> {
        match self.checkpoint.size() {
            0 => Some(self.checkpoint.root() == empty_root()),
            size => derived.roots.get(&size).map(|root| *root == self.checkpoint.root()),
        }
    }

    fn check_inclusion(&self, derived: &Derived) -> Result<(), Finding> {
        let Some(proof) = &self.inclusion else { return Ok(()) };
        let (index, size) = (proof.index(), self.checkpoint.size());
        let proven = match derived.leaves.get(&index) {
            Some(leaf) => check_inclusion(*leaf, index, size, &self.checkpoint.root(), proof.path()),
            None => Err(Error::LeafIndex { index, size }),
        };
        proven.map_err(|reason| Finding::Claim { by: self.source.clone(), reason })
    }
}

/// A change of the key that signs checkpoints, as an entry states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// The entry.
    pub index: u64,
    /// The key before.
    pub old: VerifierKey,
    /// The key from there on.
    pub new: VerifierKey,
}

impl VerifierKey {
    /// Whether the key may sign a checkpoint over `size` entries: none of these replaced it.
    #[must_use]
    pub fn is_current(&self, size: u64, rotations: &[Rotation]) -> bool {
        !rotations.iter().any(|rotation| rotation.old == *self && rotation.index < size)
    }
}

/// Two signed checkpoints that cannot both be of one history that only grew: proof, to anyone who has the key, that
/// its holder signed two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fork {
    /// How sentences name the checkpoint that was kept.
    pub source: String,
    /// The checkpoint that was kept.
    pub kept: Note,
    /// Its size.
    pub size: u64,
    /// The checkpoint that the ledger presents.
    pub presented: Note,
    /// Its size, not smaller.
    pub presented_size: u64,
}

/// What is to be thought of the claims about a ledger.
#[derive(Clone, Debug)]
pub struct Judgement<'c> {
    /// The claims that are signed by a trusted key and agree with the entries.
    pub believed: Vec<&'c Claim>,
    /// The keys that are trusted, with those that the ledger's rotations lead to.
    pub keys: Vec<VerifierKey>,
    /// The changes of the key: from its entry on, a key that was replaced signs nothing more.
    pub rotations: Vec<Rotation>,
    /// Everything that is wrong, the most severe first.
    pub findings: Vec<Finding>,
}

impl Judgement<'_> {
    /// The trusted keys that may sign a checkpoint over `size` entries: none that was replaced by one of these entries.
    #[must_use]
    pub fn keys_at(&self, size: u64) -> Vec<VerifierKey> {
        self.keys.iter().filter(|key| key.is_current(size, &self.rotations)).cloned().collect()
    }

    /// The largest checkpoint believed: entries from there on are not signed for.
    #[must_use]
    pub fn signed_size(&self) -> Option<u64> {
        self.believed.iter().map(|claim| claim.checkpoint.size()).max()
    }
}

/// Holds the claims against the entries.
///
/// A rotation is followed forward only when a checkpoint that contains its entry is signed by the key *before*: otherwise
/// whoever owns the host could name a key of their own. It is followed back when a trusted key signs a checkpoint that
/// contains its entry, however many rotations later: that key vouches for all that came before it. A checkpoint that contains its entry is believed only when a key
/// signs that was not replaced by then: otherwise a key that was replaced because it was stolen would go on signing.
#[must_use]
pub fn judge<'c>(
    claims: &'c [Claim],
    derived: &Derived,
    origin: &Origin,
    trusted: &[VerifierKey],
    rotations: &[Rotation],
) -> Judgement<'c> {
    let keys = follow(claims, derived, trusted, rotations);
    let rotations = rotations.to_vec();
    let mut judgement = Judgement { believed: Vec::new(), keys, rotations, findings: Vec::new() };
    let (mut differing, mut larger) = (Vec::new(), Vec::new());
    for claim in claims {
        let keys = judgement.keys_at(claim.checkpoint.size());
        if let Err(reason) = Checkpoint::open(&claim.note, origin, &keys) {
            let by = claim.source.clone();
            judgement.findings.push(Finding::Claim { by, reason });
            continue;
        }
        match claim.agrees(derived) {
            Some(true) => match claim.check_inclusion(derived) {
                Ok(()) => judgement.believed.push(claim),
                Err(finding) => judgement.findings.push(finding),
            },
            Some(false) => differing.push(claim),
            None => larger.push(claim),
        }
    }
    let differ = differing.iter().map(|claim| contradiction(claim, &judgement.believed));
    let truncated = larger.iter().max_by_key(|claim| claim.checkpoint.size()).map(|claim| {
        let (size, signed) = (derived.size, claim.checkpoint.size());
        Finding::Truncated { size, signed, by: claim.source.clone() }
    });
    let mut found: Vec<Finding> = differ.chain(truncated).collect();
    found.append(&mut judgement.findings);
    found.sort_by_key(Finding::rank);
    judgement.findings = found;
    judgement
}

/// A believed claim that the ledger presents turns a contradiction into proof.
fn contradiction(claim: &Claim, believed: &[&Claim]) -> Finding {
    let size = claim.checkpoint.size();
    let presented = believed.iter().filter(|other| !other.kept && other.checkpoint.size() >= size);
    match presented.min_by_key(|other| other.checkpoint.size()) {
        Some(presented) => Finding::Forked(Box::new(Fork {
            source: claim.source.clone(),
            kept: claim.note.clone(),
            size,
            presented: presented.note.clone(),
            presented_size: presented.checkpoint.size(),
        })),
        None => Finding::Rewritten { size, by: claim.source.clone() },
    }
}

/// The trusted keys, with those that rotations lead to: forward where the key before vouches for the entry, back where
/// a trusted key vouches for the history that the entry is in. A key that an earlier entry replaced vouches for nothing.
fn follow(
    claims: &[Claim],
    derived: &Derived,
    trusted: &[VerifierKey],
    rotations: &[Rotation],
) -> Vec<VerifierKey> {
    let mut keys = trusted.to_vec();
    let signs = |claim: &Claim, by: &VerifierKey| claim.note.verify(std::slice::from_ref(by)).is_ok();
    let over = |index: u64| {
        let contains = move |claim: &&Claim| claim.checkpoint.size() > index;
        claims.iter().filter(contains).filter(|claim| claim.agrees(derived) == Some(true))
    };
    for Rotation { index, old, new } in rotations {
        let hands_over = || old.is_current(*index, rotations) && over(*index).any(|claim| signs(claim, old));
        if keys.contains(old) && !keys.contains(new) && hands_over() {
            keys.push(new.clone());
        }
    }
    for Rotation { index, old, new } in rotations.iter().rev() {
        // Whoever vouches for a whole history vouches for which key signed its beginning.
        let vouches = |claim: &Claim, by: &VerifierKey| {
            by.is_current(claim.checkpoint.size(), rotations) && signs(claim, by)
        };
        let is_vouched_for = || over(*index).any(|claim| keys.iter().any(|by| vouches(claim, by)));
        if keys.contains(new) && !keys.contains(old) && is_vouched_for() {
            keys.push(old.clone());
        }
    }
    keys
}
