use proptest::prelude::*;

use crate::{Error, TREE_SIZE_MAX, Tile, TileContent, append_to_bundle, read_bundle};

const LEAVES: TileContent = TileContent::Hashes { level: 0 };

#[test]
fn paths_are_those_of_the_specification() {
    let check = |content, index, width, path: &str| {
        let tile = Tile { content, index, width };
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    };
    check(LEAVES, 0, 256, "tile/0/000");
    check(LEAVES, 1_234_067, 256, "tile/0/x001/x234/067");
    check(LEAVES, 1_000, 1, "tile/0/x001/000.p/1");
    check(TileContent::Hashes { level: 63 }, 5, 255, "tile/63/005.p/255");
    check(TileContent::Entries, 999, 256, "tile/entries/999");
    check(TileContent::Entries, 273, 112, "tile/entries/273.p/112");
}

#[test]
fn every_other_spelling_is_refused() {
    let paths = [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/x/000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/000/000",
        "tile/0/001/x000",
        "tile/0/x01/000",
        "tile/0/1234",
        "tile/0/+12",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "/tile/0/000",
        "tile/0/000/",
        "tile//000",
        "tile/0/../000",
        "tile/0/000 ",
        "tile/0/٠٠٠",
        "tile/Entries/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ];
    for path in paths {
        assert_eq!(path.parse::<Tile>(), Err(Error::TilePath), "{path}");
    }
}

#[test]
fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
    let width = |level, index| Tile::of_tree(TileContent::Hashes { level }, index, 70_000).map(Tile::width);
    assert_eq!(width(0, 0), Some(256));
    assert_eq!(width(0, 272), Some(256));
    assert_eq!(width(0, 273), Some(112));
    assert_eq!(width(0, 274), None);
    assert_eq!(width(1, 0), Some(256));
    assert_eq!(width(1, 1), Some(17));
    assert_eq!(width(2, 0), Some(1));
    assert_eq!(width(2, 1), None);
    assert_eq!(width(3, 0), None);
    assert_eq!(width(63, 0), None);
    assert_eq!(width(0, u64::MAX), None);
}

#[test]
fn a_tile_knows_its_place() {
    let tile = Tile::of_tree(TileContent::Entries, 273, 70_000).unwrap();
    assert_eq!((tile.content(), tile.index(), tile.first()), (TileContent::Entries, 273, 69_888));
    assert!(tile.is_partial());
    assert!(!Tile::of_tree(LEAVES, 0, 256).unwrap().is_partial());
}

#[test]
fn entries_stand_in_a_bundle_behind_their_lengths() {
    let mut bundle = Vec::new();
    append_to_bundle(b"ab", &mut bundle).unwrap();
    append_to_bundle(b"", &mut bundle).unwrap();
    assert_eq!(bundle, b"\x00\x02ab\x00\x00");
    let refused = append_to_bundle(&[0; 65_536], &mut bundle);
    assert_eq!(refused, Err(Error::EntryLong { len: 65_536 }));
    assert_eq!(bundle.len(), 6);
}

#[test]
fn a_bundle_has_exactly_its_entries() {
    assert_eq!(read_bundle(b"\x00\x02ab\x00\x00", 2), Ok(vec![&b"ab"[..], b""]));
    for (bytes, width) in [
        (&b""[..], 1),
        (b"\x00", 1),
        (b"\x00\x02a", 1),
        (b"\x00\x02ab\x00\x00", 1),
        (b"\x00\x02ab\x00\x00", 3),
        (b"\x00\x02ab\x00", 2),
        (b"\x00\x02abc", 1),
    ] {
        assert_eq!(read_bundle(bytes, width), Err(Error::BundleForm { width }), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn bundles_are_read_back(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..40)) {
        let mut bundle = Vec::new();
        entries.iter().for_each(|entry| append_to_bundle(entry, &mut bundle).unwrap());
        prop_assert_eq!(read_bundle(&bundle, u16::try_from(entries.len()).unwrap()), Ok(entries.iter().map(Vec::as_slice).collect()));
    }

    #[test]
    fn every_path_is_read_back(
        index in 0..TREE_SIZE_MAX / 256,
        shift in 0_u32..54,
        width in 1_u16..=256,
        level in 0_u8..64,
    ) {
        let tile = Tile { content: TileContent::Hashes { level }, index: index >> shift, width };
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }
}
