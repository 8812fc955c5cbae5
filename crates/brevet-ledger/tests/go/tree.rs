//! Roots, proofs, tiles.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{
    Error, FetchedTiles, Hash, HashReader, RightEdge, Tile, TileContent, check_consistency, check_inclusion,
    leaf_hash, prove_consistency, prove_inclusion, read_hashes, root_at,
};

use crate::Dice;
use crate::other::Other;

/// Enough for three levels of tiles.
const SIZE: u64 = 70_000;

/// Sizes at which trees change shape.
const EDGES: &[u64] = &[
    1, 2, 3, 4, 5, 7, 8, 9, 127, 128, 129, 255, 256, 257, 511, 512, 513, 767, 768, 1023, 1024, 1025, 4095,
    4096, 65_535, 65_536, 65_537, 65_792, 69_999, 70_000,
];

/// Our tree over the indexes as eight bytes, as a store keeps it.
struct Stored(Vec<Vec<Hash>>);

impl Stored {
    fn new(size: u64) -> Self {
        let mut edge = RightEdge::new();
        let mut levels = vec![Vec::new(), Vec::new(), Vec::new()];
        for index in 0..size {
            let leaf = leaf_hash(&index.to_be_bytes());
            levels[0].push(leaf);
            edge.append(leaf)
                .into_iter()
                .for_each(|node| levels[usize::from(node.tile_level)].push(node.hash));
        }
        Self(levels)
    }

    fn leaf(&self, index: u64) -> Hash {
        self.0[0][usize::try_from(index).unwrap()]
    }
}

impl HashReader for Stored {
    type Error = Error;

    fn hashes(&self, tile_level: u8, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let from = usize::try_from(first).unwrap();
        let hashes = self.0[usize::from(tile_level)].get(from..from + count);
        hashes.map(<[Hash]>::to_vec).ok_or(Error::HashesMissing { tile_level, first })
    }
}

fn grown() -> Option<(Other, Stored)> {
    let mut go = Other::start()?;
    go.ask(&format!("grow {SIZE}")).unwrap();
    Some((go, Stored::new(SIZE)))
}

fn words(hashes: &[Hash]) -> String {
    hashes.iter().map(|hash| format!(" {}", hash.to_base64())).collect()
}

fn read(words: &[String]) -> Vec<Hash> {
    words.iter().map(|word| Hash::parse_base64(word).unwrap()).collect()
}

/// The hashes with one bit of one of them changed.
fn changed(hashes: &[Hash], dice: &mut Dice) -> Vec<Hash> {
    let mut hashes = hashes.to_vec();
    let at = usize::try_from(dice.below(hashes.len() as u64)).unwrap();
    let mut bytes = *hashes[at].as_bytes();
    bytes[usize::try_from(dice.below(32)).unwrap()] ^= 1 << dice.below(8);
    hashes[at] = Hash::from_bytes(bytes);
    hashes
}

/// A size, now an edge and now any.
fn size(dice: &mut Dice) -> u64 {
    if dice.below(2) == 0 { *dice.pick(EDGES) } else { 1 + dice.below(SIZE) }
}

#[test]
fn roots_are_equal() {
    let Some((mut go, ours)) = grown() else { return };
    let mut dice = Dice(1);
    let random = (0..300).map(|_| 1 + dice.below(SIZE));
    for size in (1..=700).chain(EDGES.iter().copied()).chain(random) {
        let theirs = go.ask(&format!("root {size}")).unwrap();
        assert_eq!(root_at(&ours, size).unwrap().to_base64(), theirs[0], "size {size}");
    }
}

#[test]
fn inclusion_proofs_are_equal_and_each_accepts_the_others() {
    let Some((mut go, ours)) = grown() else { return };
    let mut dice = Dice(2);
    for _ in 0..600 {
        let size = size(&mut dice);
        let index = [0, size - 1, dice.below(size)][usize::try_from(dice.below(3)).unwrap()];
        let (root, leaf) = (root_at(&ours, size).unwrap(), ours.leaf(index));
        let proof = prove_inclusion(&ours, index, size).unwrap();
        let theirs = read(&go.ask(&format!("prove-record {size} {index}")).unwrap());
        assert_eq!(proof, theirs, "{index} of {size}");
        let check = |proof: &[Hash]| {
            format!("check-record {size} {index} {} {}{}", leaf.to_base64(), root.to_base64(), words(proof))
        };
        assert_eq!(go.ask(&check(&proof)), Ok(vec![]), "{index} of {size}");
        assert_eq!(check_inclusion(leaf, index, size, &root, &theirs), Ok(()));
        if !proof.is_empty() {
            for wrong in [changed(&proof, &mut dice), proof[1..].to_vec(), [&proof[..], &[root]].concat()] {
                assert!(
                    go.ask(&check(&wrong)).is_err()
                        && check_inclusion(leaf, index, size, &root, &wrong).is_err()
                );
            }
        }
    }
}

#[test]
fn consistency_proofs_are_equal_and_each_accepts_the_others() {
    let Some((mut go, ours)) = grown() else { return };
    let mut dice = Dice(3);
    for _ in 0..600 {
        let (one, other) = (size(&mut dice), size(&mut dice));
        let (old, new) = (one.min(other), one.max(other));
        let (old_root, new_root) = (root_at(&ours, old).unwrap(), root_at(&ours, new).unwrap());
        let proof = prove_consistency(&ours, old, new).unwrap();
        let theirs = read(&go.ask(&format!("prove-tree {new} {old}")).unwrap());
        assert_eq!(proof, theirs, "{old} to {new}");
        let check = |proof: &[Hash]| {
            format!(
                "check-tree {new} {old} {} {}{}",
                new_root.to_base64(),
                old_root.to_base64(),
                words(proof)
            )
        };
        assert_eq!(go.ask(&check(&proof)), Ok(vec![]), "{old} to {new}");
        assert_eq!(check_consistency(old, &old_root, new, &new_root, &theirs), Ok(()));
        if !proof.is_empty() {
            for wrong in [changed(&proof, &mut dice), proof[1..].to_vec(), [&proof[..], &[old_root]].concat()]
            {
                let accepted = check_consistency(old, &old_root, new, &new_root, &wrong);
                assert!(go.ask(&check(&wrong)).is_err() && accepted.is_err());
            }
        }
    }
}

#[test]
fn tiles_have_the_same_paths_and_bytes() {
    let Some((mut go, ours)) = grown() else { return };
    let mut dice = Dice(4);
    for _ in 0..400 {
        let (level, size) = (u8::try_from(dice.below(3)).unwrap(), size(&mut dice));
        let tiles = size.div_ceil(256_u64.pow(u32::from(level) + 1));
        let Some(tile) = Tile::of_tree(TileContent::Hashes { level }, dice.below(tiles), size) else {
            continue;
        };
        let theirs = go.ask(&format!("tile {level} {} {}", tile.index(), tile.width())).unwrap();
        assert_eq!(tile.to_string(), theirs[0]);
        let hashes = ours.hashes(level, tile.first(), usize::from(tile.width())).unwrap();
        assert_eq!(
            read_hashes(&STANDARD.decode(&theirs[1]).unwrap(), tile.width()).unwrap(),
            hashes,
            "{tile}"
        );
    }
}

#[test]
fn paths_are_read_alike() {
    let Some(mut go) = Other::start() else { return };
    let mut dice = Dice(5);
    let pieces = [
        "tile/", "0/", "entries/", "1/", "63/", "64/", "00/", "x001/", "x000/", "1234/", "067", "000", "999",
        ".p/", "1", "255", "256", "/", "-1/", "data/",
    ];
    let mut read = 0;
    for round in 0..4000 {
        let path: String = match round % 2 {
            0 => (0..2 + dice.below(5)).map(|_| *dice.pick(&pieces)).collect(),
            _ => [
                "tile/",
                *dice.pick(&["0/", "1/", "entries/", "63/"]),
                *dice.pick(&["", "x001/", "x999/x001/"]),
                *dice.pick(&["000", "067", "1"]),
                *dice.pick(&["", ".p/1", ".p/255", ".p/0", ".p/256"]),
            ]
            .concat(),
        };
        if path.contains("data/") {
            // Go's own name for entries, which the specification does not have.
            assert!(path.parse::<Tile>().is_err(), "{path}");
            continue;
        }
        let theirs = go.ask(&format!("path {path}"));
        match path.parse::<Tile>() {
            Ok(tile) => {
                let level = match tile.content() {
                    TileContent::Entries => "-1".to_owned(),
                    TileContent::Hashes { level } => level.to_string(),
                };
                let ours = vec![level, tile.index().to_string(), tile.width().to_string()];
                assert_eq!(Ok(ours), theirs, "{path}");
                read += 1;
            }
            Err(_) => assert!(theirs.is_err(), "{path}: {theirs:?}"),
        }
    }
    assert!(read > 500, "only {read} paths were good ones");
}

#[test]
fn proofs_out_of_the_others_tiles_hold() {
    let Some((mut go, ours)) = grown() else { return };
    let mut dice = Dice(6);
    for _ in 0..100 {
        let (one, other) = (size(&mut dice), size(&mut dice));
        let (old, new, index) = (one.min(other), one.max(other), dice.below(one.max(other)));
        let mut tiles = FetchedTiles::new();
        let needed = FetchedTiles::needed_for_inclusion(index, new).unwrap();
        for tile in needed.into_iter().chain(FetchedTiles::needed_for_consistency(old, new).unwrap()) {
            let TileContent::Hashes { level } = tile.content() else { panic!("{tile} holds no hashes") };
            let theirs = go.ask(&format!("tile {level} {} {}", tile.index(), tile.width())).unwrap();
            tiles.insert(tile, &STANDARD.decode(&theirs[1]).unwrap()).unwrap();
        }
        let (old_root, new_root) = (root_at(&ours, old).unwrap(), root_at(&ours, new).unwrap());
        let proof = prove_inclusion(&tiles, index, new).unwrap();
        assert_eq!(check_inclusion(ours.leaf(index), index, new, &new_root, &proof), Ok(()));
        let proof = prove_consistency(&tiles, old, new).unwrap();
        assert_eq!(check_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
    }
}
