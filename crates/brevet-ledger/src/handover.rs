//! How one signing key hands over to the next, in a way that who trusts the one can check before trusting the
//! other.
//!
//! The entry `ledger.key-rotated` names both keys; the checkpoint over it is signed by both. So the holder of the
//! old key said in public, in an entry that stays for ever, which key comes after it, and the holder of the new
//! key agreed. Who stole the old key can do the same: a stolen key is a matter for another channel.

use crate::{Checkpoint, EntryRef, Error, Origin, Rotation, TlogProof, VerifierKey, leaf_hash};

/// The kind of the entry.
const KIND: &str = "ledger.key-rotated";
/// How its body begins: an array of the number 42 and an array of three fields (RFC 8949 section 3).
const BODY_BEGINS: [u8; 4] = [0x82, 0x18, 42, 0x83];

/// One change of the signing key: the entry, and the proof that it is in the ledger under a checkpoint that both
/// keys signed. As read: [`follow_keys`] before you believe it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyHandover {
    /// The exact bytes of the entry.
    pub entry: Vec<u8>,
    /// Its receipt.
    pub proof: TlogProof,
}

impl KeyHandover {
    /// The verifier keys before and after, as the entry states them; nothing of it is checked here.
    ///
    /// # Errors
    /// [`Error::KeyHandover`] for another entry, and those of [`EntryRef::decode`] and of reading verifier keys.
    pub fn keys(&self) -> Result<(VerifierKey, VerifierKey), Error> {
        let entry = EntryRef::decode(&self.entry)?;
        if entry.kind != KIND || entry.kind_version != 1 {
            return Err(Error::KeyHandover { why: "the entry is of another kind" });
        }
        let (old, new) = keys(entry.body).ok_or(Error::KeyHandover { why: "the entry is malformed" })?;
        Ok((old.parse()?, new.parse()?))
    }

    /// Checks that both keys signed a checkpoint that contains the entry.
    fn check(&self, old: &VerifierKey, new: &VerifierKey) -> Result<(), Error> {
        let wrong = |why| Err(Error::KeyHandover { why });
        if old.name() != new.name() || new.key_type() != old.key_type() {
            return wrong("the new key has another name or type");
        }
        let both = [old.clone(), new.clone()];
        if self.proof.checkpoint().verify(&both)?.len() != both.len() {
            return wrong("the checkpoint over it is not signed by both keys");
        }
        if EntryRef::decode(&self.entry)?.index != self.proof.index() {
            return wrong("the proof is of another entry");
        }
        let origin = Origin::parse(old.name().as_str())?;
        let _: Checkpoint = self.proof.verify(leaf_hash(&self.entry), &origin, &both)?;
        Ok(())
    }
}

/// The keys that a trusted key leads to: the trusted one first, the one that signs now last. Changes before the
/// trusted key are passed over.
///
/// # Errors
/// [`Error::KeyHandover`], or what else is wrong with a change that begins at a key that is believed by then.
pub fn follow_keys(trusted: &VerifierKey, handovers: &[KeyHandover]) -> Result<Vec<VerifierKey>, Error> {
    let after = follow_rotations(trusted, handovers)?.into_iter().map(|rotation| rotation.new);
    Ok(std::iter::once(trusted.clone()).chain(after).collect())
}

/// The changes that a trusted key leads to, in order; with them, [`VerifierKey::is_current`] tells which key may sign
/// what. Changes before the trusted key are passed over.
///
/// # Errors
/// Those of [`follow_keys`].
pub fn follow_rotations(trusted: &VerifierKey, handovers: &[KeyHandover]) -> Result<Vec<Rotation>, Error> {
    let mut rotations = Vec::new();
    let mut current = trusted.clone();
    for handover in handovers {
        let (old, new) = handover.keys()?;
        if old == current {
            handover.check(&old, &new)?;
            current = new.clone();
            rotations.push(Rotation { index: handover.proof.index(), old, new });
        }
    }
    Ok(rotations)
}

/// Checks that the key which a ledger shows now is the trusted one or comes after it.
///
/// # Errors
/// [`Error::KeyUnrelated`] when it is not; those of [`follow_keys`].
pub fn is_successor(
    trusted: &VerifierKey,
    offered: &VerifierKey,
    handovers: &[KeyHandover],
) -> Result<(), Error> {
    match follow_keys(trusted, handovers)?.contains(offered) {
        true => Ok(()),
        false => Err(Error::KeyUnrelated { trusted: trusted.to_string(), offered: offered.to_string() }),
    }
}

/// The two texts of the body; the third field is a time, which no signature depends on.
fn keys(body: &[u8]) -> Option<(&str, &str)> {
    let rest = body.strip_prefix(&BODY_BEGINS)?;
    let (old, rest) = text(rest)?;
    let (new, _time) = text(rest)?;
    Some((old, new))
}

/// A CBOR text of at most 65,535 bytes (RFC 8949 section 3.1, major type 3), and what follows it.
fn text(cbor: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = match cbor {
        [short @ 0x60..=0x77, rest @ ..] => (usize::from(short - 0x60), rest),
        [0x78, len, rest @ ..] => (usize::from(*len), rest),
        [0x79, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (text, rest) = rest.split_at_checked(len)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

#[cfg(test)]
mod tests;
