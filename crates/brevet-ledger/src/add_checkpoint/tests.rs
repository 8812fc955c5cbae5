use proptest::prelude::*;

use crate::testing::{MemoryHashes, ORIGIN, key, leaves, mth};
use crate::{AddCheckpoint, Checkpoint, Error, Hash, Note, Origin, prove_consistency};

/// The example of C2SP tlog-witness.
const SPEC_BODY: &str = "old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
";

fn checkpoint(size: u64) -> Note {
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), size, mth(&leaves(size)));
    checkpoint.sign(&key(ORIGIN)).unwrap()
}

fn body(old: u64, new: u64) -> AddCheckpoint {
    let proof = match old {
        0 => Vec::new(),
        old => prove_consistency(&MemoryHashes::new(&leaves(new)), old, new).unwrap(),
    };
    AddCheckpoint { old, proof, checkpoint: checkpoint(new) }
}

#[test]
fn the_body_of_the_specification_is_read_and_printed() {
    let body = AddCheckpoint::parse(SPEC_BODY.as_bytes()).unwrap();
    assert_eq!((body.old, body.proof.len(), body.checkpoint.signatures().len()), (20_852_014, 4, 2));
    assert_eq!(body.to_string(), SPEC_BODY);
}

#[test]
fn what_is_printed_is_read() {
    for (old, new) in [(0, 0), (0, 1), (0, 9), (1, 1), (3, 300), (256, 257)] {
        let body = body(old, new);
        assert_eq!(AddCheckpoint::parse(body.to_string().as_bytes()), Ok(body), "{old} to {new}");
    }
}

#[test]
fn a_proof_has_at_most_63_hashes() {
    let with =
        |count| AddCheckpoint { proof: vec![Hash::from_bytes([1; 32]); count], ..body(1, 2) }.to_string();
    assert!(AddCheckpoint::parse(with(63).as_bytes()).is_ok());
    assert_eq!(AddCheckpoint::parse(with(64).as_bytes()), Err(Error::AddCheckpointForm));
    assert_eq!(AddCheckpoint::parse(with(50_000).as_bytes()), Err(Error::AddCheckpointForm));
}

#[test]
fn malformed_bodies_are_refused() {
    let good = body(3, 9).to_string();
    let check = |from: &str, to: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good);
        assert_eq!(AddCheckpoint::parse(text.as_bytes()), Err(Error::AddCheckpointForm), "{text}");
    };
    check("old 3", "old 03");
    check("old 3", "old +3");
    check("old 3", "old -3");
    check("old 3", "old 18446744073709551616");
    check("old 3", "Old 3");
    check("old 3", "old  3");
    check("old 3", "old 3 ");
    check("old 3\n", "");
    check("old 3\n", "old 3\r\n");
    check("old 3\n", "old 3\nold 3\n");
    check("=\n", "\n");
    check("=\n", "==\n");
    assert_eq!(AddCheckpoint::parse(b""), Err(Error::AddCheckpointForm));
    assert_eq!(AddCheckpoint::parse(b"old 0\n\n"), Err(Error::NoteForm));
    assert_eq!(AddCheckpoint::parse(b"old 0\n\n\xff\n\n"), Err(Error::AddCheckpointForm));
    let without = good.replacen("old 3\n", "old 3\n\n", 1);
    let slipped = AddCheckpoint::parse(without.as_bytes()).unwrap();
    assert!(
        slipped.checkpoint.verify(&[key(ORIGIN).verifier().clone()]).is_err(),
        "a proof is no checkpoint"
    );
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let long = vec![b'x'; super::ADD_CHECKPOINT_BYTES_MAX + 1];
    assert_eq!(AddCheckpoint::parse(&long), Err(Error::AddCheckpointForm));
}

proptest! {
    #[test]
    fn whatever_is_put_together_is_read_back(
        old in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..=63),
        size in any::<u64>(),
    ) {
        let root = Hash::from_bytes([3; 32]);
        let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).unwrap(), size, root).sign(&key(ORIGIN)).unwrap();
        let body = AddCheckpoint { old, proof, checkpoint };
        prop_assert_eq!(AddCheckpoint::parse(body.to_string().as_bytes()), Ok(body));
    }
}
