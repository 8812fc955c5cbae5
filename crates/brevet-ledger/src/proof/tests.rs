use std::sync::LazyLock;

use proptest::prelude::*;

use crate::testing::{MemoryHashes, leaves, mth, path, subproof};
use crate::{
    Error, Hash, TREE_SIZE_MAX, check_consistency, check_inclusion, prove_consistency, prove_inclusion,
    root_at,
};

const SIZE_MAX: u64 = 70;
static LEAVES: LazyLock<Vec<Hash>> = LazyLock::new(|| leaves(70_000));

fn tree(size: u64) -> (&'static [Hash], Hash) {
    let leaves = &LEAVES[..usize::try_from(size).unwrap()];
    (leaves, mth(leaves))
}

/// Hashes that are not the given one, in the given place.
fn spoiled(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    (0..proof.len()).map(|at| {
        let mut spoiled = proof.to_vec();
        let mut bytes = *spoiled[at].as_bytes();
        bytes[at % 32] ^= 1;
        spoiled[at] = Hash::from_bytes(bytes);
        spoiled
    })
}

#[test]
fn the_root_of_every_smaller_tree_is_known() {
    let reader = MemoryHashes::new(tree(600).0);
    for size in 0..=600 {
        assert_eq!(root_at(&reader, size), Ok(tree(size).1));
    }
}

#[test]
fn inclusion_is_proved_as_in_the_rfc_and_holds() {
    let reader = MemoryHashes::new(tree(SIZE_MAX).0);
    for size in 1..=SIZE_MAX {
        let (leaves, root) = tree(size);
        for index in 0..size {
            let at = usize::try_from(index).unwrap();
            let proof = prove_inclusion(&reader, index, size).unwrap();
            assert_eq!(proof, path(at, leaves));
            assert_eq!(check_inclusion(leaves[at], index, size, &root, &proof), Ok(()));
        }
    }
}

#[test]
fn inclusion_is_not_proved_by_anything_else() {
    let reader = MemoryHashes::new(tree(SIZE_MAX).0);
    for size in 1..=SIZE_MAX {
        let (leaves, root) = tree(size);
        for index in 0..size {
            let leaf = leaves[usize::try_from(index).unwrap()];
            let proof = prove_inclusion(&reader, index, size).unwrap();
            let unproven = Err(Error::InclusionUnproven { index, size });
            for spoiled in spoiled(&proof) {
                assert_eq!(check_inclusion(leaf, index, size, &root, &spoiled), unproven);
            }
            assert_eq!(check_inclusion(root_of_other_tree(), index, size, &root, &proof), unproven);
            assert_eq!(check_inclusion(leaf, index, size, &root_of_other_tree(), &proof), unproven);
            for other in (0..size).filter(|other| *other != index) {
                assert!(check_inclusion(leaf, other, size, &root, &proof).is_err());
            }
            let longer = [proof.clone(), vec![root]].concat();
            assert!(matches!(
                check_inclusion(leaf, index, size, &root, &longer),
                Err(Error::ProofLength { .. })
            ));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(matches!(
                    check_inclusion(leaf, index, size, &root, shorter),
                    Err(Error::ProofLength { .. })
                ));
            }
        }
    }
}

fn root_of_other_tree() -> Hash {
    mth(&leaves(100)[99..])
}

#[test]
fn consistency_is_proved_as_in_the_rfc_and_holds() {
    let reader = MemoryHashes::new(tree(SIZE_MAX).0);
    for new in 1..=SIZE_MAX {
        let (leaves, new_root) = tree(new);
        for old in 1..=new {
            let old_root = tree(old).1;
            let proof = prove_consistency(&reader, old, new).unwrap();
            assert_eq!(proof, subproof(usize::try_from(old).unwrap(), leaves, true));
            assert_eq!(check_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
        }
    }
}

#[test]
fn consistency_is_not_proved_by_anything_else() {
    let reader = MemoryHashes::new(tree(SIZE_MAX).0);
    for new in 1..=SIZE_MAX {
        let new_root = tree(new).1;
        for old in 1..=new {
            let old_root = tree(old).1;
            let proof = prove_consistency(&reader, old, new).unwrap();
            let check = |old_root: &Hash, new_root: &Hash, proof: &[Hash]| {
                check_consistency(old, old_root, new, new_root, proof)
            };
            let unproven = Err(Error::ConsistencyUnproven { old, new });
            for spoiled in spoiled(&proof) {
                assert_eq!(check(&old_root, &new_root, &spoiled), unproven, "{old} {new}");
            }
            assert_eq!(check(&root_of_other_tree(), &new_root, &proof), unproven);
            assert_eq!(check(&old_root, &root_of_other_tree(), &proof), unproven);
            let longer = [proof.clone(), vec![old_root]].concat();
            assert!(matches!(check(&old_root, &new_root, &longer), Err(Error::ProofLength { .. })));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(matches!(check(&old_root, &new_root, shorter), Err(Error::ProofLength { .. })));
            }
        }
    }
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let reader = MemoryHashes::new(tree(4).0);
    let root = tree(4).1;
    let huge = TREE_SIZE_MAX + 1;
    assert_eq!(prove_inclusion(&reader, 0, 0), Err(Error::LeafIndex { index: 0, size: 0 }));
    assert_eq!(prove_inclusion(&reader, 4, 4), Err(Error::LeafIndex { index: 4, size: 4 }));
    assert_eq!(prove_inclusion(&reader, 0, huge), Err(Error::TreeSize { size: huge }));
    assert_eq!(check_inclusion(root, 0, 0, &root, &[]), Err(Error::LeafIndex { index: 0, size: 0 }));
    assert_eq!(check_inclusion(root, 4, 4, &root, &[]), Err(Error::LeafIndex { index: 4, size: 4 }));
    assert_eq!(check_inclusion(root, 0, huge, &root, &[]), Err(Error::TreeSize { size: huge }));
    for (old, new) in [(0, 0), (0, 4), (5, 4)] {
        let refused = Error::ConsistencySizes { old, new };
        assert_eq!(prove_consistency(&reader, old, new), Err(refused.clone()));
        assert_eq!(check_consistency(old, &root, new, &root, &[]), Err(refused));
    }
    assert_eq!(prove_consistency(&reader, 1, huge), Err(Error::TreeSize { size: huge }));
    assert_eq!(check_consistency(1, &root, huge, &root, &[]), Err(Error::TreeSize { size: huge }));
    assert_eq!(root_at(&reader, huge), Err(Error::TreeSize { size: huge }));
}

#[test]
fn hashes_that_are_not_stored_are_missed() {
    let reader = MemoryHashes::new(tree(10).0);
    assert_eq!(prove_inclusion(&reader, 3, 11), Err(Error::HashesMissing { tile_level: 0, first: 0 }));
}

#[test]
fn a_proof_reads_each_tile_once_and_at_most_two_of_a_level() {
    let reader = MemoryHashes::new(&LEAVES);
    for index in [0, 255, 256, 65_535, 65_536, 69_999] {
        reader.reads.borrow_mut().clear();
        prove_inclusion(&reader, index, 70_000).unwrap();
        let mut reads = reader.reads.borrow().clone();
        for level in 0..3 {
            assert!(reads.iter().filter(|read| read.0 == level).count() <= 2, "{reads:?}");
        }
        reads.sort_unstable();
        reads.dedup();
        assert_eq!(reads.len(), reader.reads.borrow().len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_hold_in_larger_trees(new in 1_u64..70_000, any_old in any::<u64>(), any_index in any::<u64>()) {
        let (old, index) = (1 + any_old % new, any_index % new);
        let (leaves, root) = tree(new);
        let reader = MemoryHashes::new(leaves);
        let inclusion = prove_inclusion(&reader, index, new).unwrap();
        let leaf = leaves[usize::try_from(index).unwrap()];
        prop_assert_eq!(check_inclusion(leaf, index, new, &root, &inclusion), Ok(()));
        let consistency = prove_consistency(&reader, old, new).unwrap();
        prop_assert_eq!(check_consistency(old, &tree(old).1, new, &root, &consistency), Ok(()));
    }

    #[test]
    fn no_input_makes_checking_panic(
        (a, b) in any::<(u64, u64)>(),
        shift in 0_u32..64,
        count in 0_usize..130,
    ) {
        let (a, b) = (a >> shift, b >> shift);
        let root = root_of_other_tree();
        let proof = vec![root; count];
        prop_assert!(check_inclusion(root, a, b, &root, &proof).is_err() || (a, b) == (0, 1));
        prop_assert!(check_consistency(a, &root, b, &root, &proof).is_err() || a == b);
    }
}
