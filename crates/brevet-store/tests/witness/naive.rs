//! Merkle trees straight from RFC 6962, section 2.1, over a list of leaves: slow, and obviously right.

use brevet_ledger::{Hash, empty_root, node_hash};

/// `MTH(D[n])`.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        leaves => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// `PROOF(m, D[n])`, for 0 < m <= n.
pub(crate) fn consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(old, leaves, true)
}

fn subproof(old: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if is_whole { Vec::new() } else { vec![root(leaves)] };
    }
    let middle = split(leaves.len());
    let (left, right) = leaves.split_at(middle);
    let (mut proof, last) = match old <= middle {
        true => (subproof(old, left, is_whole), root(right)),
        false => (subproof(old - middle, right, false), root(left)),
    };
    proof.push(last);
    proof
}

/// The largest power of two below `count`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}
