//! How fast it is, by hand: `cargo test --release -p brevet-ledger speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use crate::{
    Commitments, Content, EntryRef, PART_ROWS, Part, RightEdge, Row, StoredHead, Verifier, Watch, leaf_hash,
};

const ENTRIES: u64 = 1_000_000;
const ENTRY_BYTES: usize = 300;

#[expect(clippy::disallowed_methods, reason = "a stopwatch; nothing is decided by it")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    println!("{what}: {took:.3?}, {:.0} entries/s", 1e6 / took.as_secs_f64());
    (result, took)
}

fn entries() -> Vec<Vec<u8>> {
    let body = [0x5a; 241];
    let entry = |index| {
        let mut bytes = Vec::new();
        let (kind, actor) = ("request.submitted", "usr-7");
        let entry = EntryRef {
            index,
            time_micros: 0,
            kind,
            kind_version: 1,
            actor,
            session: 1,
            commitments: Commitments::default(),
            body: &body,
        };
        entry.encode(&mut bytes).unwrap();
        assert!(bytes.len().abs_diff(ENTRY_BYTES) < 10, "{}", bytes.len());
        bytes
    };
    (0..ENTRIES).map(entry).collect()
}

#[test]
#[ignore = "measures, asserts nothing about speed"]
fn speed_of_a_million_entries() {
    let entries = entries();
    let (leaves, hashing) =
        timed("leaf hashes alone", || entries.iter().map(|entry| leaf_hash(entry)).collect::<Vec<_>>());
    let (edge, appending) = timed("leaf hashes and append", || {
        let mut edge = RightEdge::new();
        for entry in &entries {
            edge.append(leaf_hash(entry));
        }
        edge
    });
    println!("appending reaches {:.2} of pure hashing", hashing.as_secs_f64() / appending.as_secs_f64());

    let mut nodes: Vec<_> = {
        let mut edge = RightEdge::new();
        leaves.iter().flat_map(|leaf| edge.append(*leaf)).collect()
    };
    nodes.sort_by_key(|node| (node.tile_level, node.index));
    let stored = edge.to_bytes();
    let (derived, _) = timed("verify on one thread", || {
        let mut verifier = Verifier::new();
        let width = usize::try_from(PART_ROWS).unwrap();
        for (first, rows) in (0..).step_by(width).zip(entries.chunks(width)) {
            let mut part = Part::new(first, &Watch::default());
            for (position, bytes) in (first..).zip(rows) {
                let content = Content::Here { bytes, leaf: None };
                part.push(&Row { position, content, texts: &[] }).unwrap();
            }
            verifier.accept(part).unwrap();
        }
        let head = StoredHead { size: ENTRIES, edge: &stored };
        verifier.finish(Some(head), Some(&nodes)).unwrap()
    });
    assert_eq!(derived.root, edge.root());
}
