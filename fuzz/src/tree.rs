//! The tree: proofs, the stored right edge, tiles and bundles.

use brevet_ledger::{
    FetchedTiles, Hash, RightEdge, Tile, append_to_bundle, check_consistency, check_inclusion,
    prove_consistency, prove_inclusion, read_bundle, read_hashes, root_at,
};

/// The path of a tile or bundle.
pub fn tile_path(bytes: &[u8]) -> bool {
    let Some(tile) = crate::read_and_print::<Tile>(bytes) else { return false };
    assert_eq!(tile.is_partial(), tile.to_string().contains(".p/"));
    true
}

/// How many entries or hashes, less one, then an entry bundle.
pub fn entry_bundle(bytes: &[u8]) -> bool {
    let Some((width, bytes)) = bytes.split_first() else { return false };
    let width = u16::from(*width) + 1;
    if let Ok(hashes) = read_hashes(bytes, width) {
        assert_eq!(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect::<Vec<_>>(), bytes);
    }
    let Ok(entries) = read_bundle(bytes, width) else { return false };
    let mut again = Vec::new();
    entries.iter().for_each(|entry| append_to_bundle(entry, &mut again).expect("it was in a bundle"));
    assert_eq!(again, bytes);
    true
}

/// The stored right edge of a tree.
pub fn right_edge(bytes: &[u8]) -> bool {
    let Ok(mut edge) = RightEdge::from_bytes(bytes) else { return false };
    assert_eq!(edge.to_bytes(), bytes);
    let root = edge.root();
    assert_eq!(RightEdge::from_bytes(bytes).map(|edge| edge.root()), Ok(root));
    if edge.size() < brevet_ledger::TREE_SIZE_MAX {
        edge.append(Hash::from_bytes([1; 32]));
        assert_ne!(edge.root(), root, "an entry more is another tree");
    }
    true
}

/// An index, two sizes, and the hashes of a proof: a forged proof never holds.
pub fn proofs(bytes: &[u8]) -> bool {
    let Some((numbers, hashes)) = numbers(bytes) else { return false };
    let [index, old, new] = numbers;
    let hashes: Vec<Hash> = hashes.as_chunks().0.iter().copied().map(Hash::from_bytes).collect();
    let root = Hash::from_bytes([1; 32]);
    let other = Hash::from_bytes([2; 32]);
    let included = check_inclusion(other, index, new, &root, &hashes);
    assert!(included.is_err(), "a root out of nothing");
    let consistent = check_consistency(old, &root, new, &other, &hashes);
    assert!(consistent.is_err(), "two roots out of nothing");
    true
}

/// An index, two sizes, and hashes to fill tiles with: exactly the tiles that are said to be needed are read.
pub fn fetched_tiles(bytes: &[u8]) -> bool {
    let Some((numbers, _)) = numbers(bytes) else { return false };
    let [index, old, new] = numbers;
    let mut read = false;
    if let Ok(needed) = FetchedTiles::needed_for_inclusion(index, new) {
        assert!(prove_inclusion(&filled(&needed), index, new).is_ok());
        read = true;
    }
    if let Ok(needed) = FetchedTiles::needed_for_consistency(old, new) {
        assert!(prove_consistency(&filled(&needed), old, new).is_ok());
        read = true;
    }
    if let Ok(needed) = FetchedTiles::needed_for_root(new) {
        assert!(root_at(&filled(&needed), new).is_ok());
        read = true;
    }
    read
}

fn filled(needed: &[Tile]) -> FetchedTiles {
    assert!(needed.len() <= 2 * 8, "two tiles of each level at most");
    let mut tiles = FetchedTiles::new();
    for tile in needed {
        let bytes = vec![7; usize::from(tile.width()) * Hash::BYTES];
        tiles.insert(*tile, &bytes).expect("a tile of its own width");
    }
    tiles
}

fn numbers(bytes: &[u8]) -> Option<([u64; 3], &[u8])> {
    let (numbers, rest) = bytes.split_first_chunk::<24>()?;
    let number =
        |at: usize| numbers[8 * at..][..8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    Some(([number(0), number(1), number(2)], rest))
}
