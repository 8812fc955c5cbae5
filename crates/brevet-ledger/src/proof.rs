//! Proofs that an entry is in the tree, and that a tree only grew (RFC 6962 sections 2.1.1 and 2.1.2).
//!
//! A proof is a list of hashes and claims nothing by itself: it convinces whoever already trusts the root.

use crate::subtree::Subtrees;
use crate::{Error, Hash, HashReader, TREE_SIZE_MAX, node_hash};

/// The root of the tree as it was when it had `size` leaves.
///
/// # Errors
/// Those of the reader, and [`Error::TreeSize`].
pub fn root_at<R: HashReader>(reader: &R, size: u64) -> Result<Hash, R::Error> {
    at_most_size_max(size)?;
    Subtrees::new(reader, size).hash(0, size)
}

/// The audit path of the leaf `index` in the tree of `size` leaves, from the leaf's sibling up. Reads at most
/// two tiles of each tile level.
///
/// # Errors
/// Those of the reader; [`Error::LeafIndex`] when the tree has no such leaf; [`Error::TreeSize`].
pub fn prove_inclusion<R: HashReader>(reader: &R, index: u64, size: u64) -> Result<Vec<Hash>, R::Error> {
    at_most_size_max(size)?;
    in_tree(index, size)?;
    let mut subtrees = Subtrees::new(reader, size);
    inclusion_ranges(index, size).into_iter().map(|(first, end)| subtrees.hash(first, end)).collect()
}

/// The proof that the tree of `new` leaves has the tree of `old` leaves as its beginning. Reads at most two
/// tiles of each tile level.
///
/// # Errors
/// Those of the reader; [`Error::ConsistencySizes`] unless `1 <= old <= new`; [`Error::TreeSize`].
pub fn prove_consistency<R: HashReader>(reader: &R, old: u64, new: u64) -> Result<Vec<Hash>, R::Error> {
    at_most_size_max(new)?;
    old_then_new(old, new)?;
    let mut subtrees = Subtrees::new(reader, new);
    consistency_ranges(old, new).into_iter().map(|(first, end)| subtrees.hash(first, end)).collect()
}

/// Checks that `leaf` is the leaf `index` of the tree with this size and root.
///
/// # Errors
/// [`Error::LeafIndex`], [`Error::TreeSize`]; [`Error::ProofLength`] when the proof has not exactly as many
/// hashes as this index and size call for; [`Error::InclusionUnproven`] when it leads to another root.
pub fn check_inclusion(leaf: Hash, index: u64, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), Error> {
    at_most_size_max(size)?;
    in_tree(index, size)?;
    let last = size - 1;
    // Up to the node where the paths of this leaf and of the last one meet, siblings stand on either side;
    // above it the path runs along the right edge, where only left siblings exist.
    let below_meeting = u64::BITS - (index ^ last).leading_zeros();
    let above_meeting = (index >> below_meeting).count_ones();
    check_length(proof, (below_meeting + above_meeting) as usize)?;
    let (below, above) = proof.split_at(below_meeting as usize);

    let meeting = below.iter().enumerate().fold(leaf, |node, (level, sibling)| match index >> level & 1 {
        0 => node_hash(&node, sibling),
        _ => node_hash(sibling, &node),
    });
    let found = above.iter().fold(meeting, |node, sibling| node_hash(sibling, &node));
    if found == *root { Ok(()) } else { Err(Error::InclusionUnproven { index, size }) }
}

/// Checks that the tree `(new, new_root)` has the tree `(old, old_root)` as its beginning: that nothing in it
/// was changed, dropped or reordered since (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`Error::ConsistencySizes`] unless `1 <= old <= new`; [`Error::TreeSize`]; [`Error::ProofLength`];
/// [`Error::ConsistencyUnproven`] when the proof leads to other roots.
pub fn check_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    at_most_size_max(new)?;
    old_then_new(old, new)?;
    check_length(proof, consistency_ranges(old, new).len())?;
    let (found_old, found_new) = roots_of_consistency(old, new, old_root, proof);
    if found_old == *old_root && found_new == *new_root {
        Ok(())
    } else {
        Err(Error::ConsistencyUnproven { old, new })
    }
}

/// The roots of both trees that a proof of the right length leads to.
fn roots_of_consistency(old: u64, new: u64, old_root: &Hash, proof: &[Hash]) -> (Hash, Hash) {
    // Start at the largest complete subtree on the right edge of the old tree. If that is the whole old tree,
    // its hash is known and the proof leaves it out.
    let start_level = old.trailing_zeros();
    let (start, path) = match proof.split_first() {
        Some((first, rest)) if !old.is_power_of_two() => (*first, rest),
        _ => (*old_root, proof),
    };
    let (mut node, mut last) = ((old - 1) >> start_level, (new - 1) >> start_level);
    let (mut in_old, mut in_new) = (start, start);
    for sibling in path {
        if node & 1 == 1 || node == last {
            in_old = node_hash(sibling, &in_old);
            in_new = node_hash(sibling, &in_new);
            // On the right edge a node without a sibling is its own parent.
            let lonely = if node == 0 { 0 } else { node.trailing_zeros() };
            (node, last) = (node >> lonely, last >> lonely);
        } else {
            in_new = node_hash(&in_new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (in_old, in_new)
}

/// The subtrees whose hashes are the audit path: `PATH(index, D[size])`, RFC 6962 section 2.1.1.
fn inclusion_ranges(index: u64, size: u64) -> Vec<(u64, u64)> {
    let (mut first, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - first > 1 {
        let middle = first + split(end - first);
        if index < middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((first, middle));
            first = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// The subtrees whose hashes are the consistency proof: `PROOF(old, D[new])`, RFC 6962 section 2.1.2.
fn consistency_ranges(old: u64, new: u64) -> Vec<(u64, u64)> {
    let (mut first, mut end) = (0, new);
    let mut ranges = Vec::new();
    while end != old {
        let middle = first + split(end - first);
        if old <= middle {
            ranges.push((middle, end));
            end = middle;
        } else {
            ranges.push((first, middle));
            first = middle;
        }
    }
    if first != 0 {
        // The old tree is not a subtree of the new one: its last part has to be given.
        ranges.push((first, end));
    }
    ranges.reverse();
    ranges
}

/// Where a tree of `size` leaves, at least 2, is split: the largest power of two below `size`.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

fn at_most_size_max(size: u64) -> Result<(), Error> {
    if size > TREE_SIZE_MAX { Err(Error::TreeSize { size }) } else { Ok(()) }
}

fn in_tree(index: u64, size: u64) -> Result<(), Error> {
    if index < size { Ok(()) } else { Err(Error::LeafIndex { index, size }) }
}

fn old_then_new(old: u64, new: u64) -> Result<(), Error> {
    if (1..=new).contains(&old) { Ok(()) } else { Err(Error::ConsistencySizes { old, new }) }
}

fn check_length(proof: &[Hash], expected: usize) -> Result<(), Error> {
    if proof.len() == expected { Ok(()) } else { Err(Error::ProofLength { len: proof.len(), expected }) }
}

#[cfg(test)]
mod tests;
