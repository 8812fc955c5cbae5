use crate::testing::{ORIGIN, leaves, mth, path};
use crate::{
    Checkpoint, Commitments, EntryRef, Error, Hash, KeyHandover, KeyName, Origin, SigningKey, TlogProof,
    VerifierKey, follow_keys, follow_rotations, is_successor, leaf_hash,
};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse(ORIGIN).unwrap(), &[seed; 32])
}

fn public(seed: u8) -> VerifierKey {
    key(seed).verifier().clone()
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend([0x78, u8::try_from(text.len()).unwrap()]);
    out.extend(text.as_bytes());
}

fn entry(index: u64, old: &VerifierKey, new: &VerifierKey) -> Vec<u8> {
    let mut body = vec![0x82, 0x18, 42, 0x83];
    text(&old.to_string(), &mut body);
    text(&new.to_string(), &mut body);
    body.push(0x00);
    entry_of("ledger.key-rotated", index, &body)
}

fn entry_of(kind: &str, index: u64, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let entry = EntryRef {
        index,
        time_micros: 0,
        kind,
        kind_version: 1,
        actor: "usr-1",
        session: 0,
        commitments: Commitments::default(),
        body,
    };
    entry.encode(&mut bytes).unwrap();
    bytes
}

/// The entry as number `index` of ten, under a checkpoint that these keys signed.
fn proven(index: u64, entry: Vec<u8>, signers: &[u8]) -> KeyHandover {
    let mut tree: Vec<Hash> = leaves(10);
    let place = usize::try_from(index).unwrap();
    tree[place] = leaf_hash(&entry);
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), 10, mth(&tree));
    let mut note = checkpoint.sign(&key(signers[0])).unwrap();
    for signer in &signers[1..] {
        note = note.with_signature(key(*signer).sign(&checkpoint.to_string())).unwrap();
    }
    KeyHandover { entry, proof: TlogProof::new(index, path(place, &tree), note) }
}

fn handover(index: u64, old: u8, new: u8) -> KeyHandover {
    proven(index, entry(index, &public(old), &public(new)), &[new, old])
}

#[test]
fn a_trusted_key_leads_to_the_one_that_signs_now_and_to_no_other() {
    let handovers = [handover(2, 1, 2), handover(5, 2, 3)];
    let from = |seed| follow_keys(&public(seed), &handovers).unwrap();
    assert_eq!(from(1), [public(1), public(2), public(3)]);
    assert_eq!(from(2), [public(2), public(3)]);
    let rotations = follow_rotations(&public(1), &handovers).unwrap();
    let current = |seed, size| public(seed).is_current(size, &rotations);
    for (seed, first, last) in [(1, 0, 2), (2, 0, 5), (3, 0, 1_000)] {
        assert_eq!((current(seed, first), current(seed, last)), (true, true), "key {seed}");
        assert_eq!(current(seed, last + 1), seed == 3, "key {seed}");
    }
    assert_eq!(from(9), [public(9)]);
    assert_eq!(is_successor(&public(1), &public(3), &handovers), Ok(()));
    assert_eq!(is_successor(&public(3), &public(3), &[]), Ok(()));
    let unrelated =
        Err(Error::KeyUnrelated { trusted: public(1).to_string(), offered: public(9).to_string() });
    assert_eq!(is_successor(&public(1), &public(9), &handovers), unrelated);
    assert!(is_successor(&public(3), &public(1), &handovers).is_err(), "an old key comes back");
}

#[test]
fn a_change_that_one_of_both_keys_did_not_sign_leads_nowhere() {
    let entry = entry(2, &public(1), &public(2));
    let unsigned = Err(Error::KeyHandover { why: "the checkpoint over it is not signed by both keys" });
    for signers in [&[1][..], &[2], &[2, 9]] {
        assert_eq!(follow_keys(&public(1), &[proven(2, entry.clone(), signers)]), unsigned, "{signers:?}");
    }
    assert_eq!(follow_keys(&public(1), &[proven(2, entry, &[9])]), Err(Error::NoteUnsigned));
}

#[test]
fn an_entry_that_is_not_in_the_ledger_leads_nowhere() {
    let other = KeyHandover { entry: entry(2, &public(1), &public(3)), ..handover(2, 1, 2) };
    assert!(follow_keys(&public(1), &[other]).is_err());
    let elsewhere = proven(3, entry(2, &public(1), &public(2)), &[2, 1]);
    let wrong = Err(Error::KeyHandover { why: "the proof is of another entry" });
    assert_eq!(follow_keys(&public(1), &[elsewhere]), wrong);
    let renamed = SigningKey::from_seed(KeyName::parse("another.example").unwrap(), &[2; 32]);
    let renamed = proven(2, entry(2, &public(1), renamed.verifier()), &[2, 1]);
    let wrong = Err(Error::KeyHandover { why: "the new key has another name or type" });
    assert_eq!(follow_keys(&public(1), &[renamed]), wrong);
}

#[test]
fn what_is_no_such_entry_is_refused() {
    let mut cut = vec![0x82, 0x18, 42, 0x83];
    text(&public(1).to_string(), &mut cut);
    let cases = [
        entry_of("ledger.opened", 2, &[0x82, 0x18, 42, 0x83]),
        entry_of("ledger.key-rotated", 2, &[]),
        entry_of("ledger.key-rotated", 2, &cut),
        entry_of("ledger.key-rotated", 2, &cut[..cut.len() - 1]),
        entry_of("ledger.key-rotated", 2, &[0x82, 0x18, 42, 0x83, 0x79, 0xff, 0xff]),
        Vec::new(),
    ];
    for entry in cases {
        let handover = KeyHandover { entry, ..handover(2, 1, 2) };
        assert!(follow_keys(&public(1), std::slice::from_ref(&handover)).is_err(), "{handover:?}");
    }
}
