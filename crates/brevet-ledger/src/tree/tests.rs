use proptest::prelude::*;

use crate::testing::{leaves, mth};
use crate::{Error, RightEdge, StoredNode, TREE_SIZE_MAX, empty_root};

fn edge_of(size: u64) -> RightEdge {
    let mut edge = RightEdge::new();
    for leaf in leaves(size) {
        edge.append(leaf);
    }
    edge
}

#[test]
fn at_every_size_the_root_is_that_of_the_rfc() {
    let all = leaves(600);
    let mut edge = RightEdge::new();
    assert_eq!(edge.root(), empty_root());
    for (index, leaf) in all.iter().enumerate() {
        edge.append(*leaf);
        assert_eq!(edge.root(), mth(&all[..=index]));
        assert_eq!(edge.size(), index as u64 + 1);
    }
}

#[test]
fn appending_completes_the_root_of_each_block_once() {
    let all = leaves(65_536 + 600);
    let mut edge = RightEdge::new();
    let completed: Vec<_> = all
        .iter()
        .enumerate()
        .flat_map(|(at, leaf)| edge.append(*leaf).into_iter().map(move |node| (at, node)))
        .collect();
    assert_eq!(completed.len(), 258 + 1);
    for (at, StoredNode { tile_level, index, hash }) in completed {
        let width = 256_usize.pow(u32::from(tile_level));
        let first = usize::try_from(index).unwrap() * width;
        assert_eq!(at, first + width - 1, "a node appears with the last leaf of its block");
        assert_eq!(hash, mth(&all[first..first + width]));
    }
}

#[test]
fn the_nodes_of_one_leaf_come_smallest_first() {
    let all = leaves(65_536);
    let mut edge = RightEdge::new();
    let last = all.iter().map(|leaf| edge.append(*leaf)).last().unwrap();
    let places: Vec<_> = last.into_iter().map(|node| (node.tile_level, node.index)).collect();
    assert_eq!(places, [(1, 255), (2, 0)]);
}

#[test]
fn an_edge_that_was_stored_goes_on_as_before() {
    let all = leaves(300);
    for size in 0..all.len() {
        let mut edge = RightEdge::from_bytes(&edge_of(size as u64).to_bytes()).unwrap();
        edge.append(all[size]);
        assert_eq!(edge.root(), mth(&all[..=size]));
    }
}

#[test]
fn edges_are_equal_when_their_trees_are() {
    let stored = RightEdge::from_bytes(&edge_of(8).to_bytes()).unwrap();
    assert_eq!(stored, edge_of(8));
    assert_ne!(stored, edge_of(9));
    assert_ne!(edge_of(0), edge_of(1));
}

#[test]
fn a_stored_edge_of_another_length_is_refused() {
    let good = edge_of(7).to_bytes();
    for len in 0..good.len() {
        assert_eq!(RightEdge::from_bytes(&good[..len]), Err(Error::EdgeLength { len }));
    }
    let longer = [good, vec![0]].concat();
    assert_eq!(RightEdge::from_bytes(&longer), Err(Error::EdgeLength { len: longer.len() }));
}

#[test]
fn a_size_that_no_tree_has_is_refused() {
    let stored = |size: u64| [size.to_be_bytes().to_vec(), vec![0; 32]].concat();
    assert_eq!(RightEdge::from_bytes(&stored(TREE_SIZE_MAX)).map(|edge| edge.size()), Ok(TREE_SIZE_MAX));
    let size = TREE_SIZE_MAX + 1;
    assert_eq!(RightEdge::from_bytes(&stored(size)), Err(Error::TreeSize { size }));
}

proptest! {
    #[test]
    fn what_is_read_is_written_alike(size in 0..=TREE_SIZE_MAX, fill in any::<u8>()) {
        let hashes = vec![fill; size.count_ones() as usize * 32];
        let bytes = [size.to_be_bytes().to_vec(), hashes].concat();
        prop_assert_eq!(RightEdge::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }
}
