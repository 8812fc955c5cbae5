//! Changes of the key, which are kept twice: as entries, and beside them so that they outlive archiving.

use brevet_ledger::{Checkpoint, Error, Finding, Note, Rotation};
use brevet_store::{Account, Handover};

use super::found::{Found, Kind};

/// What both say together, in the order of the entries; what one says and the other does not is found. Where an entry is in
/// an archive that is not at hand, its leaf hash decides what is believed of it.
pub(super) fn compare(kept: &[Handover], account: &Account) -> (Vec<Rotation>, Vec<Found>) {
    let mut rotations = account.chronicle.rotations.clone();
    let mut found = Vec::new();
    for (place, handover) in kept.iter().enumerate() {
        let index = handover.index;
        let is_second = kept[..place].iter().any(|other| other.index == index);
        let leaf = account.derived.leaves.get(&index).filter(|_| !is_second);
        let Some(rotation) = leaf.and_then(|leaf| handover.rotation(*leaf)) else {
            let sentence = format!("the change of the key in entry {index} is not what was written");
            found.push(Found::new(Kind::Changed, sentence).at(index));
            continue;
        };
        found.extend(check_checkpoint(handover, &rotation).err().map(Found::from));
        if !rotations.contains(&rotation) {
            rotations.push(rotation);
        }
    }
    let is_kept = |rotation: &&Rotation| kept.iter().any(|handover| handover.index == rotation.index);
    found.extend(account.chronicle.rotations.iter().filter(|rotation| !is_kept(rotation)).map(missing));
    rotations.sort_by_key(|rotation| rotation.index);
    (rotations, found)
}

fn missing(rotation: &Rotation) -> Found {
    let index = rotation.index;
    let sentence = format!(
        "entry {index} changes the key, and the checkpoint that both keys signed is not kept beside it: its row in \
         ledger_key is missing"
    );
    Found::new(Kind::Missing, sentence).at(index)
}

/// Both keys signed a checkpoint that contains the entry. What its root is, it is asked like every other.
fn check_checkpoint(handover: &Handover, rotation: &Rotation) -> Result<(), Finding> {
    let by = || format!("the checkpoint over the change of the key in entry {}", rotation.index);
    let both = [rotation.old.clone(), rotation.new.clone()];
    let checked = || -> Result<bool, Error> {
        let note: Note = handover.checkpoint.parse()?;
        let checkpoint: Checkpoint = note.text().parse()?;
        Ok(checkpoint.size() > rotation.index && note.verify(&both)?.len() == both.len())
    };
    let why = "it does not contain the entry, or not both keys signed it";
    match checked() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Finding::Claim { by: by(), reason: Error::KeyHandover { why } }),
        Err(reason) => Err(Finding::Claim { by: by(), reason }),
    }
}
