//! Evidence bundles: one request's whole story in one file that is checked without a server.
//!
//! [`check`] takes nothing but the bytes of the file and what its reader trusts: verifier keys, and perhaps a policy
//! of witnesses. It believes no word of the file before the proof of it: the checkpoint must be signed, each entry
//! must be in the tree of that checkpoint, each text must be the one that its entry commits to, and the entries must
//! tell a story that Brevet allows. What the file says about itself (`keys`, `summary`) counts for nothing.
//!
//! A bundle shows what is there. That nothing else is there (a later revocation, a further run) only the whole
//! ledger shows: a tree proves presence.

mod collect;
mod fault;
mod format;
mod report;
mod story;

pub(crate) use collect::{Collected, Wanted, Wrote, collect, fits, with_outputs};
pub(crate) use fault::BundleFault;
pub(crate) use format::{BUNDLE_BYTES_MAX, Bundle, OUTPUTS_BYTES_MAX};
pub(crate) use report::{BundleReport, Trust};

use brevet_core::RequestId;
use brevet_ledger::{Checkpoint, Note, Salt, VerifierKey, check_inclusion, leaf_hash};
use sha2::{Digest as _, Sha256};

use format::{BundledEntry, FORMAT, VERSION, decode_base64, decode_hex};
use story::{Story, Told};

/// Checks an evidence bundle: the bytes of the file, and what its reader trusts. Needs no server, database, network
/// or clock.
///
/// # Errors
/// The first thing that is wrong; [`BundleFault::exit_code`] is what `brevet audit verify --bundle` ends with.
pub(crate) fn check(bytes: &[u8], trust: &Trust<'_>) -> Result<BundleReport, BundleFault> {
    if bytes.len() > BUNDLE_BYTES_MAX {
        return Err(BundleFault::unreadable(format!("it is longer than {BUNDLE_BYTES_MAX} bytes")));
    }
    let bundle: Bundle = serde_json::from_slice(bytes).map_err(BundleFault::unreadable)?;
    if bundle.brevet != FORMAT || bundle.version != VERSION {
        return Err(BundleFault::unreadable(format!(
            "it says to be {:?} version {}, and this is for {FORMAT:?} version {VERSION}",
            bundle.brevet, bundle.version
        )));
    }
    let signed = open_checkpoint(&bundle, trust)?;
    let told = open_entries(&bundle.entries, &signed.checkpoint)?;
    let asked = RequestId::parse(&bundle.request)
        .ok()
        .filter(|id| id.to_string() == bundle.request)
        .ok_or_else(|| BundleFault::unreadable(format!("{:?} is no request", bundle.request)))?;
    let story = Story::of(asked, &told)?;
    let outputs = check_outputs(&bundle, &story)?;
    Ok(BundleReport::new(&bundle, signed, &told, story, outputs))
}

/// A checkpoint that is signed as its reader demands.
struct Signed {
    checkpoint: Checkpoint,
    signers: Vec<String>,
    witnessed: Vec<brevet_ledger::Witnessed>,
    quorum_at: Option<u64>,
}

fn open_checkpoint(bundle: &Bundle, trust: &Trust<'_>) -> Result<Signed, BundleFault> {
    let Trust { keys, policy } = trust;
    let wrong = |why: &dyn std::fmt::Display| BundleFault::Signature { why: why.to_string() };
    let note: Note = bundle.checkpoint.parse().map_err(|error| wrong(&error))?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|error| wrong(&error))?;
    let listed = policy.iter().flat_map(|policy| policy.logs()).map(|log| log.key.clone());
    let trusted: Vec<VerifierKey> = keys.iter().cloned().chain(listed).collect();
    let origin = checkpoint.origin().as_str();
    let of_origin: Vec<VerifierKey> =
        trusted.iter().filter(|key| key.name().as_str() == origin).cloned().collect();
    if of_origin.is_empty() || bundle.origin != origin {
        let known = trusted.iter().map(|key| key.name().to_string()).collect();
        return Err(BundleFault::OtherLedger { origin: bundle.origin.clone(), known });
    }
    let signers = note.verify(&of_origin).map_err(|error| wrong(&error))?;
    let signers = signers.iter().map(ToString::to_string).collect();
    let Some(policy) = policy else {
        return Ok(Signed { checkpoint, signers, witnessed: Vec::new(), quorum_at: None });
    };
    let met = policy.check_with_logs(&note, &of_origin).map_err(BundleFault::of_policy)?;
    Ok(Signed { checkpoint, signers, witnessed: met.witnessed, quorum_at: met.quorum_at })
}

/// The entries, each in its place in the tree, in order, with the texts that are theirs.
fn open_entries(entries: &[BundledEntry], checkpoint: &Checkpoint) -> Result<Vec<Told>, BundleFault> {
    let mut told: Vec<Told> = Vec::with_capacity(entries.len());
    for entry in entries {
        let next = open_entry(entry, checkpoint)?;
        if let Some(last) = told.last() {
            if next.index <= last.index {
                return Err(BundleFault::changed(next.index, "it is not in the order of the ledger"));
            }
            if next.entry.time < last.entry.time {
                return Err(BundleFault::changed(next.index, "its time is before that of the one in front"));
            }
        }
        told.push(next);
    }
    Ok(told)
}

fn open_entry(bundled: &BundledEntry, checkpoint: &Checkpoint) -> Result<Told, BundleFault> {
    let BundledEntry { index, bytes, texts, proof } = bundled;
    let changed = |what: &dyn std::fmt::Display| BundleFault::changed(*index, what);
    let bytes = decode_base64(bytes).ok_or_else(|| changed(&"its bytes are not base64"))?;
    let path = proof.iter().map(|hash| brevet_ledger::Hash::parse_base64(hash));
    let path: Vec<_> = path.collect::<Result<_, _>>().map_err(|error| changed(&error))?;
    check_inclusion(leaf_hash(&bytes), *index, checkpoint.size(), &checkpoint.root(), &path)
        .map_err(|error| changed(&error))?;
    let envelope = brevet_ledger::EntryRef::decode(&bytes).map_err(|error| changed(&error))?;
    if envelope.index != *index {
        return Err(changed(&format!("it is entry {} of the ledger", envelope.index)));
    }
    let commitments: Vec<_> = envelope.commitments.iter().collect();
    let mut slots = vec![None; commitments.len()];
    for text in texts {
        let place = usize::try_from(text.slot).ok().and_then(|slot| slots.get_mut(slot));
        let commitment = usize::try_from(text.slot).ok().and_then(|slot| commitments.get(slot));
        let (Some(place @ None), Some(commitment)) = (place, commitment) else {
            return Err(changed(&format!("it has no room for text {}", text.slot)));
        };
        let salt = decode_hex::<{ Salt::BYTES }>(&text.salt);
        let salt = salt.ok_or_else(|| changed(&format!("the salt of text {} is none", text.slot)))?;
        if !commitment.matches(&Salt::from_bytes(salt), &text.text) {
            return Err(changed(&format!("text {} is not the one that it commits to", text.slot)));
        }
        *place = Some(text.text.clone());
    }
    let (present, committed) = (texts.len(), commitments.len());
    let (_, entry) = brevet_store::decode_entry(&bytes, slots).map_err(|error| changed(&error))?;
    Ok(Told { index: *index, entry, texts_present: present, texts_erased: committed - present })
}

/// Each output is the one that a run of the story wrote. Answers how many there are.
fn check_outputs(bundle: &Bundle, story: &Story) -> Result<usize, BundleFault> {
    let mut seen = std::collections::BTreeSet::new();
    for output in &bundle.outputs {
        let wrong = |what: &str| BundleFault::Output { digest: output.digest.clone(), what: what.to_owned() };
        let bytes = decode_base64(&output.bytes).ok_or_else(|| wrong("its bytes are not base64"))?;
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if decode_hex::<32>(&output.digest) != Some(digest) {
            return Err(wrong("its bytes have another digest"));
        }
        if !story.outputs().any(|wrote| wrote.digest.0 == digest) {
            return Err(wrong("no run of this story wrote it"));
        }
        if !seen.insert(digest) {
            return Err(wrong("it is there twice"));
        }
    }
    Ok(seen.len())
}

#[cfg(test)]
mod tests;
