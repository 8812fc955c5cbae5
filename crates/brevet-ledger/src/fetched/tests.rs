use proptest::prelude::*;

use crate::testing::{MemoryHashes, leaves, mth};
use crate::{
    Error, FetchedTiles, Hash, HashReader, Tile, TileContent, check_consistency, check_inclusion,
    prove_consistency, prove_inclusion, root_at,
};

/// What a server of the tree would answer for this path.
fn serve(tree: &MemoryHashes, tile: Tile) -> Vec<u8> {
    let TileContent::Hashes { level } = tile.content() else { panic!("no entries are asked for") };
    let hashes = tree.hashes(level, tile.first(), usize::from(tile.width())).unwrap();
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

fn fetch(tree: &MemoryHashes, needed: &[Tile]) -> FetchedTiles {
    let mut tiles = FetchedTiles::new();
    needed.iter().for_each(|tile| tiles.insert(*tile, &serve(tree, *tile)).unwrap());
    tiles
}

#[test]
fn the_tiles_of_a_proof_are_few() {
    let needed = FetchedTiles::needed_for_inclusion(1_234_567, 10_000_000).unwrap();
    let paths: Vec<_> = needed.iter().map(Tile::to_string).collect();
    let expected =
        ["tile/0/x004/822", "tile/0/x039/062.p/128", "tile/1/018", "tile/1/152.p/150", "tile/2/000.p/152"];
    assert_eq!(paths, expected);
    assert_eq!(FetchedTiles::needed_for_inclusion(0, 1), Ok(vec![]));
    assert_eq!(FetchedTiles::needed_for_inclusion(1, 1), Err(Error::LeafIndex { index: 1, size: 1 }));
    assert_eq!(FetchedTiles::needed_for_consistency(2, 1), Err(Error::ConsistencySizes { old: 2, new: 1 }));
}

#[test]
fn a_full_tile_serves_for_a_partial_one() {
    let (all, then) = (leaves(600), 300);
    let tree = MemoryHashes::new(&all);
    let mut tiles = FetchedTiles::new();
    for tile in FetchedTiles::needed_for_root(then).unwrap() {
        let wider = Tile::of_tree(tile.content(), tile.index(), 600).unwrap();
        tiles.insert(wider, &serve(&tree, wider)).unwrap();
        tiles.insert(tile, &serve(&tree, tile)).unwrap();
    }
    assert_eq!(root_at(&tiles, then), Ok(mth(&all[..300])));
}

#[test]
fn a_tile_that_was_not_fetched_is_missing() {
    let missing = Error::HashesMissing { tile_level: 0, first: 0 };
    assert_eq!(prove_inclusion(&FetchedTiles::new(), 0, 300), Err(missing));
}

#[test]
fn files_of_other_lengths_and_bundles_are_refused() {
    let tile: Tile = "tile/0/000.p/2".parse().unwrap();
    let mut tiles = FetchedTiles::new();
    for len in [0, 63, 65, 96] {
        assert_eq!(tiles.insert(tile, &vec![0; len]), Err(Error::TileLength { len, width: 2 }));
    }
    let entries: Tile = "tile/entries/000.p/2".parse().unwrap();
    assert_eq!(tiles.insert(entries, &[0; 64]), Err(Error::TilePath));
    assert_eq!(tiles.hashes(0, 255, usize::MAX), Err(Error::HashesMissing { tile_level: 0, first: 255 }));
}

#[test]
fn a_tile_with_a_bit_changed_proves_nothing() {
    let all = leaves(300);
    let tree = MemoryHashes::new(&all);
    let needed = FetchedTiles::needed_for_inclusion(5, 300).unwrap();
    for tile in &needed {
        let mut bytes = serve(&tree, *tile);
        // A sibling of leaf 5 at every height, and the whole of the right part, lead to the root.
        let at = if tile.index() == 0 { 4 * Hash::BYTES } else { 0 };
        bytes[at] ^= 1;
        let mut tiles =
            fetch(&tree, &needed.iter().copied().filter(|other| other != tile).collect::<Vec<_>>());
        tiles.insert(*tile, &bytes).unwrap();
        let proof = prove_inclusion(&tiles, 5, 300).unwrap();
        assert!(check_inclusion(all[5], 5, 300, &mth(&all), &proof).is_err(), "{tile}");
    }
}

proptest! {
    #[test]
    fn proofs_from_exactly_the_needed_tiles_hold(old in 1_u64..1500, more in 0_u64..1500, index in 0_u64..1500) {
        let new = old + more;
        let index = index % new;
        let all = leaves(new);
        let tree = MemoryHashes::new(&all);
        let before = usize::try_from(old).unwrap();

        let tiles = fetch(&tree, &FetchedTiles::needed_for_inclusion(index, new).unwrap());
        let proof = prove_inclusion(&tiles, index, new).unwrap();
        let leaf = all[usize::try_from(index).unwrap()];
        prop_assert_eq!(check_inclusion(leaf, index, new, &mth(&all), &proof), Ok(()));

        let tiles = fetch(&tree, &FetchedTiles::needed_for_consistency(old, new).unwrap());
        let proof = prove_consistency(&tiles, old, new).unwrap();
        prop_assert_eq!(check_consistency(old, &mth(&all[..before]), new, &mth(&all), &proof), Ok(()));

        let tiles = fetch(&tree, &FetchedTiles::needed_for_root(old).unwrap());
        prop_assert_eq!(root_at(&tiles, old), Ok(mth(&all[..before])));
    }
}
