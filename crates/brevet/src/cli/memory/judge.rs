//! Whether what a server shows of its ledger and what was seen of it before can both be true. No files, no network.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{
    Checkpoint, EntryRef, Hash, KeyHandover, Note, Origin, Rotation, TlogProof, VerifierKey,
    check_consistency, follow_rotations, leaf_hash,
};
use brevet_wire as wire;

use crate::on_record::{Asked, By};

/// What is known of a ledger.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Its name.
    pub(super) origin: Origin,
    /// The keys that are believed, the oldest first.
    pub(super) keys: Vec<VerifierKey>,
    /// Which of them replaced which, and from where on.
    pub(super) rotations: Vec<Rotation>,
    /// The newest checkpoint that was seen, once one was.
    pub(super) seen: Option<Seen>,
}

impl Known {
    /// The believed keys that may sign this note: one that an entry under it replaced vouches for nothing so late.
    pub(super) fn keys_for(&self, note: &Note) -> Vec<VerifierKey> {
        // What is no checkpoint at all is refused wherever it is opened.
        let size = note.text().parse().map_or(0, |checkpoint: Checkpoint| checkpoint.size());
        self.keys.iter().filter(|key| key.is_current(size, &self.rotations)).cloned().collect()
    }

    /// Takes the changes of the key that lead on from those that are believed; answers whether there were any. A key is
    /// replaced once.
    fn follow(&mut self, handovers: &[KeyHandover]) -> Result<bool, brevet_ledger::Error> {
        let before = self.rotations.len();
        // From each of them, for a memory of before changes were kept; those that follow are followed on.
        for key in self.keys.clone() {
            for rotation in follow_rotations(&key, handovers)? {
                if self.rotations.iter().any(|known| known.old == rotation.old && *known != rotation) {
                    // Whoever stole a key that was replaced can still sign with it.
                    let why = "a key that was seen to be replaced hands over to another one";
                    return Err(brevet_ledger::Error::KeyHandover { why });
                }
                if !self.keys.contains(&rotation.new) {
                    self.keys.push(rotation.new.clone());
                }
                if !self.rotations.contains(&rotation) {
                    self.rotations.push(rotation);
                }
            }
        }
        Ok(self.rotations.len() > before)
    }
}

/// A checkpoint whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) note: Note,
    pub(super) checkpoint: Checkpoint,
}

/// Why not both can be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Contradiction {
    /// No key signed that is believed.
    OtherKey {
        /// What is wrong with the signatures, or with the change of the key.
        why: String,
    },
    /// The server says that it never had so many entries.
    Shorter { kept: u64, shown: u64 },
    /// The entries that were seen are not the beginning of those that are shown, or the other way around.
    Rewritten { kept: u64, shown: u64 },
    /// It gives no proof that they are.
    Unproven { kept: u64, shown: u64 },
    /// The receipt that it gave holds, and is of something else than what was done.
    OtherAct {
        /// What it is of.
        why: String,
    },
    /// The receipt that it gave for an entry does not hold.
    BadReceipt {
        /// What is wrong with it.
        why: String,
    },
}

/// What a server says of its ledger and of the keys that sign it, the current one first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered<'a> {
    pub(super) origin: &'a str,
    pub(super) keys: &'a [String],
    pub(super) handovers: &'a [wire::KeyHandover],
}

/// What could not be taken from an answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It speaks against what was seen before.
    Against { contradiction: Contradiction, shown: String },
    /// It cannot be read, or not be had; a sentence.
    Unclear(String),
}

/// An answer that fits what was seen before.
#[derive(Debug)]
pub(super) struct Fits {
    /// The ledger, with the newest of the keys and checkpoints.
    pub(super) known: Known,
    /// Whether that is more than was known before.
    pub(super) is_news: bool,
    /// The entry.
    pub(super) entry: Vec<u8>,
    /// The receipt, with the bytes of the entry in it.
    pub(super) proof: TlogProof,
}

/// Looks at the receipt for the entry `index`.
pub(super) fn receipt(before: Option<&Known>, index: u64, answer: &wire::Receipt) -> Result<Fits, Trouble> {
    let unclear = |error: &dyn std::fmt::Display| Trouble::Unclear(format!("it cannot be read: {error}"));
    let proof: TlogProof = answer.proof.parse().map_err(|error| unclear(&error))?;
    let against = |contradiction| Trouble::Against { contradiction, shown: answer.proof.clone() };
    let offered = Offered { origin: &answer.origin, keys: &answer.keys, handovers: &answer.handovers };
    let (known, is_new_key) = believed(before, offered, proof.checkpoint()).map_err(against)?;
    let seen = open(&known, proof.checkpoint()).map_err(against)?;
    let entry = match &answer.entry {
        Some(entry) => STANDARD.decode(entry).map_err(|error| unclear(&error))?,
        None => return Err(Trouble::Unclear("the entry is in an archive".into())),
    };
    let bad = |why: String| against(Contradiction::BadReceipt { why });
    let says = EntryRef::decode(&entry).map_err(|error| bad(error.to_string()))?;
    if says.index != index || proof.index() != index {
        return Err(bad(format!("it is for entry {}, not {index}", proof.index())));
    }
    let keys = known.keys_for(proof.checkpoint());
    proof.verify(leaf_hash(&entry), &known.origin, &keys).map_err(|error| bad(error.to_string()))?;
    let consistency = match &answer.consistency {
        Some(hashes) => Some(parse_hashes(hashes).map_err(|error| unclear(&error))?),
        None => None,
    };
    let kept = before.and_then(|before| before.seen.as_ref());
    if let Some(kept) = kept {
        compare(&kept.checkpoint, &seen.checkpoint, consistency.as_deref()).map_err(against)?;
    }
    let is_newer = kept.is_none_or(|kept| seen.checkpoint.size() > kept.checkpoint.size());
    let newest = if is_newer { Some(seen) } else { kept.cloned() };
    let proof = proof.with_extra(entry.clone());
    let known = Known { seen: newest, ..known };
    Ok(Fits { known, is_news: is_newer || is_new_key, entry, proof })
}

/// Whether a receipt that fits is of what was done: of an entry that says so, and that was not named for something else
/// before.
pub(super) fn is_of(fits: Fits, asked: &Asked, by: &By, named_before: bool) -> Result<Fits, Trouble> {
    let says = asked.check(by, &fits.entry).and_then(|()| match named_before {
        true => Err("it is of what you did before".to_owned()),
        false => Ok(()),
    });
    match says {
        Ok(()) => Ok(fits),
        Err(why) => {
            let contradiction = Contradiction::OtherAct { why };
            Err(Trouble::Against { contradiction, shown: fits.proof.to_string() })
        }
    }
}

/// The ledger with the keys that are believed by now, and whether one of them is new.
pub(super) fn believed(
    before: Option<&Known>,
    offered: Offered<'_>,
    note: &Note,
) -> Result<(Known, bool), Contradiction> {
    let Offered { origin, keys, handovers } = offered;
    let other_key = |why: String| Contradiction::OtherKey { why };
    let handovers = handovers.iter().map(handover).collect::<Result<Vec<_>, _>>().map_err(other_key)?;
    let Some(before) = before else {
        let offered = keys.iter().rev().map(|key| key.parse()).collect::<Result<Vec<VerifierKey>, _>>();
        let offered = offered.map_err(|error| other_key(error.to_string()))?;
        let signers = note.verify(&offered).map_err(|error| other_key(error.to_string()))?;
        let keys = offered.iter().filter(|key| signers.contains(key)).cloned().collect();
        let origin = Origin::parse(origin).map_err(|error| other_key(error.to_string()))?;
        let mut known = Known { origin, keys, rotations: Vec::new(), seen: None };
        known.follow(&handovers).map_err(|error| other_key(error.to_string()))?;
        return Ok((known, true));
    };
    let mut known = before.clone();
    let is_new = known.follow(&handovers).map_err(|error| other_key(error.to_string()))?;
    Ok((known, is_new))
}

/// A change of the key as the API writes it; a sentence where it cannot be read. Nothing of it is checked here.
pub(in crate::cli) fn handover(offered: &wire::KeyHandover) -> Result<KeyHandover, String> {
    let wire::KeyHandover { entry, proof } = offered;
    let entry = STANDARD.decode(entry).map_err(|error| error.to_string())?;
    let proof = proof.parse().map_err(|error: brevet_ledger::Error| error.to_string())?;
    Ok(KeyHandover { entry, proof })
}

/// The checkpoint of a note that a believed key signed.
pub(super) fn open(known: &Known, note: &Note) -> Result<Seen, Contradiction> {
    let checkpoint = Checkpoint::open(note, &known.origin, &known.keys_for(note));
    let checkpoint = checkpoint.map_err(|error| Contradiction::OtherKey { why: error.to_string() })?;
    Ok(Seen { note: note.clone(), checkpoint })
}

/// Whether one of two checkpoints is of the beginning of the other's ledger, by a proof from the smaller to the larger.
pub(super) fn compare(
    kept: &Checkpoint,
    shown: &Checkpoint,
    proof: Option<&[Hash]>,
) -> Result<(), Contradiction> {
    let sizes = (kept.size(), shown.size());
    let rewritten = Contradiction::Rewritten { kept: sizes.0, shown: sizes.1 };
    if sizes.0 == sizes.1 {
        return if kept.root() == shown.root() { Ok(()) } else { Err(rewritten) };
    }
    let (small, large) = if sizes.0 < sizes.1 { (kept, shown) } else { (shown, kept) };
    match proof {
        None if sizes.1 < sizes.0 => Err(Contradiction::Shorter { kept: sizes.0, shown: sizes.1 }),
        None => Err(Contradiction::Unproven { kept: sizes.0, shown: sizes.1 }),
        Some(proof) => check_consistency(small.size(), &small.root(), large.size(), &large.root(), proof)
            .map_err(|_| rewritten),
    }
}

/// Hashes as the API writes them.
pub(super) fn parse_hashes(hashes: &[String]) -> Result<Vec<Hash>, brevet_ledger::Error> {
    hashes.iter().map(|hash| Hash::parse_base64(hash)).collect()
}
