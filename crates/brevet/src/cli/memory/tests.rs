//! What fits together and what does not, case by case.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{
    Checkpoint, Commitments, EntryRef, Hash, KeyName, Note, Origin, RightEdge, Rotation, SigningKey,
    TlogProof, leaf_hash, node_hash,
};
use brevet_wire as wire;

use super::judge::{Contradiction, Known, Seen, Trouble, compare, open, receipt};

const ORIGIN: &str = "ledger.example/sample";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[seed; 32])
}

fn entry(index: u64, kind: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let entry = EntryRef {
        index,
        time_micros: 0,
        kind,
        kind_version: 1,
        actor: "usr-1",
        session: 1,
        commitments: Commitments::default(),
        body: &[],
    };
    entry.encode(&mut bytes).unwrap();
    bytes
}

fn leaves(kinds: &[&str]) -> Vec<Hash> {
    (0..).zip(kinds).map(|(index, kind)| leaf_hash(&entry(index, kind))).collect()
}

fn checkpoint(kinds: &[&str]) -> Checkpoint {
    let mut edge = RightEdge::default();
    for leaf in leaves(kinds) {
        edge.append(leaf);
    }
    Checkpoint::new(Origin::parse(ORIGIN).unwrap(), edge.size(), edge.root())
}

fn known(seen: Option<&[&str]>) -> Known {
    let note = |kinds: &[&str]| checkpoint(kinds).sign(&key(1)).unwrap();
    let seen = seen.map(|kinds| Seen { note: note(kinds), checkpoint: checkpoint(kinds) });
    Known {
        origin: Origin::parse(ORIGIN).unwrap(),
        keys: vec![key(1).verifier().clone()],
        rotations: Vec::new(),
        seen,
    }
}

/// The receipt for the second of two entries.
fn answer(kinds: &[&str; 2], signer: u8) -> wire::Receipt {
    let note: Note = checkpoint(kinds).sign(&key(signer)).unwrap();
    wire::Receipt {
        index: 1,
        entry: Some(STANDARD.encode(entry(1, kinds[1]))),
        proof: TlogProof::new(1, vec![leaves(kinds)[0]], note).to_string(),
        kept: None,
        consistency: None,
        origin: ORIGIN.to_owned(),
        keys: vec![key(signer).verifier().to_string()],
        handovers: Vec::new(),
    }
}

fn against(before: Option<&Known>, answer: &wire::Receipt) -> Contradiction {
    match receipt(before, 1, answer) {
        Err(Trouble::Against { contradiction, shown }) => {
            assert_eq!(shown, answer.proof);
            contradiction
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_checkpoints_one_is_the_beginning_of_the_other_or_there_is_a_contradiction() {
    let (short, long, other) = (checkpoint(&["a"]), checkpoint(&["a", "b"]), checkpoint(&["x", "b"]));
    let proof = [leaves(&["a", "b"])[1]];
    let rewritten = |kept, shown| Err(Contradiction::Rewritten { kept, shown });
    assert_eq!(compare(&short, &long, Some(&proof)), Ok(()));
    assert_eq!(compare(&long, &short, Some(&proof)), Ok(()), "an older one, of the same history");
    assert_eq!(compare(&long, &long, None), Ok(()));
    assert_eq!(compare(&short, &other, Some(&proof)), rewritten(1, 2));
    assert_eq!(compare(&other, &long, None), rewritten(2, 2));
    assert_eq!(compare(&short, &long, Some(&[])), rewritten(1, 2));
    assert_eq!(compare(&long, &short, None), Err(Contradiction::Shorter { kept: 2, shown: 1 }));
    assert_eq!(compare(&short, &long, None), Err(Contradiction::Unproven { kept: 1, shown: 2 }));
}

#[test]
fn a_receipt_is_taken_when_all_of_it_fits() {
    let first = receipt(None, 1, &answer(&["a", "b"], 1)).unwrap();
    assert!(first.is_news);
    assert_eq!(first.known.keys, known(None).keys, "the key is taken on trust once");
    assert_eq!(first.proof.unauthenticated_extra(), Some(first.entry.as_slice()));
    let consistency = Some(vec![leaves(&["a", "b"])[1].to_base64()]);
    let next = wire::Receipt { consistency, ..answer(&["a", "b"], 1) };
    let next = receipt(Some(&known(Some(&["a"]))), 1, &next).unwrap();
    assert_eq!(next.known.seen.unwrap().checkpoint, checkpoint(&["a", "b"]));
}

#[test]
fn what_does_not_fit_is_a_contradiction() {
    let good = answer(&["a", "b"], 1);
    let knew = known(Some(&["a"]));
    let other_key = |found| assert!(matches!(found, Contradiction::OtherKey { .. }), "{found:?}");
    other_key(against(Some(&knew), &answer(&["a", "b"], 2)));
    let unsigned = wire::Receipt { keys: vec![key(2).verifier().to_string()], ..good.clone() };
    other_key(against(None, &unsigned));
    let elsewhere = Known { origin: Origin::parse("another.example").unwrap(), ..known(None) };
    other_key(against(Some(&elsewhere), &good));
    assert_eq!(against(Some(&knew), &good), Contradiction::Unproven { kept: 1, shown: 2 });
    assert_eq!(
        against(Some(&known(Some(&["a", "b", "c"]))), &good),
        Contradiction::Shorter { kept: 3, shown: 2 }
    );
    for entry in [entry(1, "x"), entry(0, "b"), Vec::new()] {
        let other = wire::Receipt { entry: Some(STANDARD.encode(entry)), ..good.clone() };
        let found = against(None, &other);
        assert!(matches!(found, Contradiction::BadReceipt { .. }), "{found:?}");
    }
}

#[test]
fn what_cannot_be_read_is_no_contradiction_and_no_receipt() {
    let good = answer(&["a", "b"], 1);
    for bad in [
        wire::Receipt { proof: "nonsense".into(), ..good.clone() },
        wire::Receipt { entry: Some("no base64!".into()), ..good.clone() },
        wire::Receipt { entry: None, ..good.clone() },
        wire::Receipt { consistency: Some(vec!["short".into()]), ..good.clone() },
    ] {
        let found = receipt(None, 1, &bad);
        assert!(matches!(found, Err(Trouble::Unclear(_))), "{found:?}");
    }
}

#[test]
fn a_proof_under_a_forged_root_is_none() {
    let forged = node_hash(&leaf_hash(b"x"), &leaf_hash(b"y"));
    let note = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), 2, forged).sign(&key(2)).unwrap();
    assert!(open(&known(None), &note).is_err());
}

#[test]
fn a_key_that_was_replaced_vouches_for_nothing_later() {
    let rotation = Rotation { index: 1, old: key(1).verifier().clone(), new: key(2).verifier().clone() };
    let keys = vec![rotation.old.clone(), rotation.new.clone()];
    let known = Known { keys, rotations: vec![rotation], ..known(None) };
    let (before, after) = (checkpoint(&["a"]), checkpoint(&["a", "b"]));
    let signed = |checkpoint: &Checkpoint, signer| checkpoint.sign(&key(signer)).unwrap();
    let both = signed(&after, 2).with_signature(key(1).sign(&after.to_string())).unwrap();
    for note in [signed(&before, 1), signed(&after, 2), both] {
        assert!(open(&known, &note).is_ok(), "{note}");
    }
    let found = open(&known, &signed(&after, 1)).unwrap_err();
    assert!(matches!(found, Contradiction::OtherKey { .. }), "{found:?}");
    // Nor does it for a receipt.
    let forged = against(Some(&known), &answer(&["a", "b"], 1));
    assert!(matches!(forged, Contradiction::OtherKey { .. }), "{forged:?}");
}

/// The change from one key to another in entry 1 of two, signed by both.
fn handover(old: u8, new: u8) -> wire::KeyHandover {
    let [old, new] = [key(old), key(new)];
    let mut body = vec![0x82, 0x18, 42, 0x83];
    for key in [&old, &new] {
        let text = key.verifier().to_string();
        body.extend([0x78, u8::try_from(text.len()).unwrap()]);
        body.extend(text.as_bytes());
    }
    body.push(0);
    let mut bytes = Vec::new();
    let plain = entry(1, "ledger.key-rotated");
    EntryRef { body: &body, ..EntryRef::decode(&plain).unwrap() }.encode(&mut bytes).unwrap();
    let first = leaves(&["a"])[0];
    let root = node_hash(&first, &leaf_hash(&bytes));
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), 2, root);
    let note = checkpoint.sign(&new).unwrap().with_signature(old.sign(&checkpoint.to_string())).unwrap();
    wire::KeyHandover {
        entry: STANDARD.encode(bytes),
        proof: TlogProof::new(1, vec![first], note).to_string(),
    }
}

#[test]
fn a_key_that_was_replaced_hands_over_to_no_other() {
    let offered =
        |old, new| wire::Receipt { handovers: vec![handover(old, new)], ..answer(&["a", "b"], new) };
    let knew = receipt(Some(&known(None)), 1, &offered(1, 2)).unwrap().known;
    assert_eq!(knew.keys, [key(1).verifier().clone(), key(2).verifier().clone()]);
    let again = Known { seen: None, ..knew.clone() };
    assert!(receipt(Some(&again), 1, &offered(1, 2)).is_ok(), "the same change, told once more");
    let stolen = against(Some(&again), &offered(1, 3));
    assert!(matches!(stolen, Contradiction::OtherKey { .. }), "{stolen:?}");
}
