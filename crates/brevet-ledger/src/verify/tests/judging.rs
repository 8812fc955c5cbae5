//! What was signed, held against what the entries add up to.

use super::*;

/// A sound ledger, and the same rewritten from entry 7 on by somebody who has its key.
fn two_histories() -> (Sample, Sample) {
    let mut rewritten = Sample::new(600);
    *rewritten.rows[7].bytes.last_mut().unwrap() ^= 1;
    rewritten.derive();
    rewritten.checkpoints = vec![rewritten.checkpoint()];
    (Sample::new(600), rewritten)
}

fn found(sample: &Sample, kept: Vec<Claim>, keys: &[VerifierKey], rotations: &[Rotation]) -> Vec<Finding> {
    let presented = sample.checkpoints.iter().map(|note| Claim::presented(BY, note).unwrap());
    let claims: Vec<Claim> = presented.chain(kept).collect();
    let mut watch = Watch::default();
    claims.iter().for_each(|claim| claim.watch(&mut watch));
    let derived = sample.derive_all(&watch).unwrap();
    judge(&claims, &derived, &Origin::parse(ORIGIN).unwrap(), keys, rotations).findings
}

fn known() -> [VerifierKey; 1] {
    [key(ORIGIN).verifier().clone()]
}

fn kept(size: u64) -> Claim {
    Claim::kept("mine", &Sample::new(size).checkpoint()).unwrap()
}

#[test]
fn two_signed_histories_are_a_fork_with_both_checkpoints() {
    let (_, rewritten) = two_histories();
    for size in [8, 256, 600] {
        let findings = found(&rewritten, vec![kept(size), kept(7)], &known(), &[]);
        let [Finding::Forked(fork)] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((fork.size, fork.presented_size), (size, 600));
        assert_eq!(fork.kept.to_string(), Sample::new(size).checkpoint());
        assert_eq!(fork.presented.to_string(), rewritten.checkpoint());
    }
}

#[test]
fn a_fork_outweighs_a_lost_end() {
    let (_, rewritten) = two_histories();
    let findings = found(&rewritten, vec![kept(700), kept(8)], &known(), &[]);
    assert!(matches!(findings.as_slice(), [Finding::Forked(_), Finding::Truncated { signed: 700, .. }]));
}

fn receipt(of: &Sample, index: u64) -> String {
    let leaves: Vec<Hash> = of.rows.iter().map(|row| row.leaf).collect();
    let path = prove_inclusion(&crate::testing::MemoryHashes::new(&leaves), index, of.size).unwrap();
    TlogProof::new(index, path, of.checkpoint().parse().unwrap()).to_string()
}

#[test]
fn receipts_are_part_of_the_history_or_found() {
    let (sound, rewritten) = two_histories();
    let receipt = |index| Claim::receipt("mine", &receipt(&sound, index)).unwrap();
    assert_eq!(found(&sound, vec![receipt(0), receipt(599)], &known(), &[]), []);
    assert!(matches!(found(&rewritten, vec![receipt(3)], &known(), &[])[..], [Finding::Forked(_)]));
    let shorter = Sample::new(599);
    assert!(matches!(
        found(&shorter, vec![receipt(3)], &known(), &[])[..],
        [Finding::Truncated { size: 599, signed: 600, .. }]
    ));
}

#[test]
fn a_receipt_whose_proof_does_not_hold_is_found() {
    let sound = Sample::new(600);
    let moved = receipt(&sound, 5).replacen("index 5\n", "index 6\n", 1);
    let findings = found(&sound, vec![Claim::receipt("mine", &moved).unwrap()], &known(), &[]);
    assert!(matches!(findings[..], [Finding::Claim { reason: Error::InclusionUnproven { .. }, .. }]));
}

#[test]
fn a_new_key_is_believed_only_when_the_old_one_signed_for_it() {
    let new = SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[8; 32]);
    let mut sample = Sample::new(600);
    let root = crate::RightEdge::from_bytes(&sample.edge).unwrap().root();
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), 600, root);
    let note = checkpoint.sign(&new).unwrap();
    sample.checkpoints = vec![note.to_string()];
    let [old] = known();
    let rotation = Rotation { index: 300, old: old.clone(), new: new.verifier().clone() };
    let rotations = [rotation];
    let unsigned = found(&sample, Vec::new(), std::slice::from_ref(&old), &rotations);
    assert!(matches!(unsigned[..], [Finding::Claim { reason: Error::NoteUnsigned, .. }]));
    let too_early = found(&sample, vec![kept(300)], std::slice::from_ref(&old), &rotations);
    assert!(matches!(too_early[..], [Finding::Claim { reason: Error::NoteUnsigned, .. }]));
    // Over the change itself both sign; one by the old key alone is by whoever stole it.
    let alone = found(&sample, vec![kept(301)], std::slice::from_ref(&old), &rotations);
    assert!(matches!(alone[..], [Finding::Claim { reason: Error::NoteUnsigned, .. }, ..]));
    // Who trusts both believes each for its time.
    let trusted = [new.verifier().clone(), old];
    assert_eq!(found(&sample, vec![kept(200)], &trusted, &rotations), []);
    assert!(matches!(
        found(&sample, vec![kept(301)], &trusted, &rotations)[..],
        [Finding::Claim { reason: Error::NoteUnsigned, .. }]
    ));
}

/// One of the keys that signed this ledger one after the other.
fn nth(seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[seed; 32])
}

fn signed_by(seed: u8, size: u64) -> Claim {
    let note: Note = Sample::new(size).checkpoint().parse().unwrap();
    Claim::kept("mine", &Note::sign(note.text(), &nth(seed)).unwrap().to_string()).unwrap()
}

#[test]
fn the_newest_key_vouches_for_all_before_it_and_each_for_nothing_after_it_was_replaced() {
    let public = |seed: u8| nth(seed).verifier().clone();
    let rotations = [
        Rotation { index: 5, old: public(1), new: public(2) },
        Rotation { index: 10, old: public(2), new: public(3) },
    ];
    let mut sample = Sample::new(600);
    sample.checkpoints = Vec::new();
    let found = |kept, trusted: u8| found(&sample, kept, &[public(trusted)], &rotations);
    // Nothing that the second key signed is there: the third is enough.
    assert_eq!(found(vec![signed_by(3, 600), signed_by(1, 5), signed_by(2, 10)], 3), []);
    let unsigned = |findings: Vec<Finding>| {
        let reason = Error::NoteUnsigned;
        assert_eq!(findings, [Finding::Claim { by: "mine".to_owned(), reason }]);
    };
    unsigned(found(vec![signed_by(3, 600), signed_by(1, 6)], 3));
    unsigned(found(vec![signed_by(3, 600), signed_by(2, 11)], 3));
    // A key that was replaced vouches for no key before it by what it signs later.
    assert_eq!(found(vec![signed_by(2, 600), signed_by(1, 5)], 2).len(), 2);
    assert_eq!(found(vec![signed_by(2, 10), signed_by(1, 5)], 2), []);
    // Nor does the newest for what it never signed.
    unsigned(found(vec![signed_by(1, 5)], 3));
}
