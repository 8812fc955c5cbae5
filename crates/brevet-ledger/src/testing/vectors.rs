//! Known answers. Every ledger that Brevet ever wrote must verify for ever, so what `vectors/v1.txt` says may
//! be added to and never changed.

use std::fmt::{Display, Write};

use super::{MemoryHashes, ORIGIN, Sample, key, mth};
use crate::{
    AddCheckpoint, Checkpoint, CosigningKey, Hash, KeyName, Note, Origin, Policy, TlogProof,
    prove_consistency, prove_inclusion,
};

const STORED: &str = include_str!("../../vectors/v1.txt");
const ENTRIES: u64 = 20;
const INDEX: u64 = 13;

/// The vectors, made anew.
fn vectors() -> String {
    let sample = Sample::new(ENTRIES);
    let leaves: Vec<Hash> = sample.rows.iter().map(|row| row.leaf).collect();
    let mut lines = Lines(String::new());
    lines.heading("Known answers of the ledger format, version 1. See docs/ledger-format.md.");
    for row in &sample.rows {
        lines.add("entry", row.position, hex(&row.bytes));
        lines.add("leaf", row.position, row.leaf);
        for (slot, (salt, text)) in row.texts.iter().flatten().enumerate() {
            let place = format!("{}.{slot}", row.position);
            lines.add("salt", &place, hex(salt.as_bytes()));
            lines.add("text", &place, text);
        }
    }
    for size in 0..=leaves.len() {
        lines.add("root", size, mth(&leaves[..size]));
    }
    lines.add("edge", ENTRIES, hex(&sample.edge));
    add_large_tree(&mut lines);
    add_proofs(&mut lines, &leaves);
    lines.add("verifier-key", 0, key(ORIGIN).verifier());
    key(ORIGIN).reveal_text(|text| lines.add("signing-key", 0, text));
    lines.add_text("checkpoint", ENTRIES, &sample.checkpoints[0]);
    lines.add_text("tlog-proof", INDEX, &receipt(&sample, &leaves));
    add_witness(&mut lines, &sample, &leaves);
    lines.0
}

/// A witness, what it is sent, what it answers, and a policy that asks for it.
fn add_witness(lines: &mut Lines, sample: &Sample, leaves: &[Hash]) {
    let witness = CosigningKey::from_seed(KeyName::parse("witness.example/sample").unwrap(), &[8; 32]);
    let checkpoint: Note = sample.checkpoints[0].parse().unwrap();
    let proof = prove_consistency(&MemoryHashes::new(leaves), INDEX, ENTRIES).unwrap();
    let body = AddCheckpoint { old: INDEX, proof, checkpoint: checkpoint.clone() };
    let line = witness.cosign(&checkpoint, 1_767_225_660);
    let cosigned = checkpoint.with_signature(line).unwrap();
    lines.add("witness-key", 0, witness.verifier());
    witness.reveal_text(|text| lines.add("cosigning-key", 0, text));
    lines.add_text("add-checkpoint", INDEX, &body.to_string());
    lines.add_text("cosigned", ENTRIES, &cosigned.to_string());
    let (log, witness) = (key(ORIGIN), witness.verifier());
    let policy = format!("log {}\nwitness office {witness}\nquorum office\n", log.verifier());
    lines.add_text("policy", 0, &policy);
}

/// A tree with stored nodes, over the leaf hashes of the indexes as eight bytes each.
fn add_large_tree(lines: &mut Lines) {
    let leaves = super::leaves(600);
    let mut edge = crate::RightEdge::new();
    for node in leaves.iter().flat_map(|leaf| edge.append(*leaf)) {
        lines.add("large-node", format!("{}.{}", node.tile_level, node.index), node.hash);
    }
    lines.add("large-root", edge.size(), edge.root());
}

fn add_proofs(lines: &mut Lines, leaves: &[Hash]) {
    let reader = MemoryHashes::new(leaves);
    for (place, hash) in prove_inclusion(&reader, INDEX, ENTRIES).unwrap().iter().enumerate() {
        lines.add("inclusion", format!("{INDEX}.{ENTRIES}.{place}"), hash);
    }
    for (place, hash) in prove_consistency(&reader, INDEX, ENTRIES).unwrap().iter().enumerate() {
        lines.add("consistency", format!("{INDEX}.{ENTRIES}.{place}"), hash);
    }
}

fn receipt(sample: &Sample, leaves: &[Hash]) -> String {
    let path = prove_inclusion(&MemoryHashes::new(leaves), INDEX, ENTRIES).unwrap();
    TlogProof::new(INDEX, path, sample.checkpoints[0].parse().unwrap()).to_string()
}

struct Lines(String);

impl Lines {
    fn heading(&mut self, text: &str) {
        writeln!(self.0, "# {text}").unwrap();
    }

    fn add(&mut self, name: &str, place: impl Display, value: impl Display) {
        writeln!(self.0, "{name} {place} {value}").unwrap();
    }

    /// Text of several lines, each behind a bar: no editor takes its empty lines for the end.
    fn add_text(&mut self, name: &str, place: impl Display, text: &str) {
        self.add(name, place, "follows");
        for line in text.split_inclusive('\n') {
            write!(self.0, "|{line}").unwrap();
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_format_is_still_that_of_the_vectors() {
    let made = vectors();
    for (number, (stored, made)) in STORED.lines().zip(made.lines()).enumerate() {
        assert_eq!(stored, made, "line {}", number + 1);
    }
    assert_eq!(STORED, made);
}

/// Reads the stored file without anything that made it: its checkpoint signs its entries.
#[test]
fn the_vectors_verify() {
    let leaves: Vec<Hash> = values("entry ").map(|entry| crate::leaf_hash(&from_hex(entry))).collect();
    let (origin, known) =
        (Origin::parse(ORIGIN).unwrap(), [values("verifier-key ").next().unwrap().parse().unwrap()]);
    let checkpoint = Checkpoint::open(&block("checkpoint").parse().unwrap(), &origin, &known).unwrap();
    assert_eq!((checkpoint.size(), checkpoint.root()), (leaves.len() as u64, mth(&leaves)));
    let receipt: TlogProof = block("tlog-proof").parse().unwrap();
    assert_eq!(receipt.verify(leaves[13], &origin, &known), Ok(checkpoint.clone()));

    let body = AddCheckpoint::parse(block("add-checkpoint").as_bytes()).unwrap();
    let (old, new) = (mth(&leaves[..13]), mth(&leaves));
    assert_eq!(crate::check_consistency(body.old, &old, checkpoint.size(), &new, &body.proof), Ok(()));
    let policy = Policy::parse(&block("policy")).unwrap();
    assert!(policy.check(&body.checkpoint).is_err(), "no witness has cosigned yet");
    let met = policy.check(&block("cosigned").parse().unwrap()).unwrap();
    assert_eq!((met.checkpoint, met.quorum_at), (checkpoint, Some(1_767_225_660)));
}

/// What stands on the lines that begin with the name and a place.
fn values(name: &'static str) -> impl Iterator<Item = &'static str> {
    STORED.lines().filter_map(move |line| line.strip_prefix(name)?.split_once(' ').map(|(_, value)| value))
}

/// What stands behind bars below the line that begins with the name.
fn block(name: &str) -> String {
    let lines = STORED.lines().skip_while(|line| !line.starts_with(name)).skip(1);
    lines.map_while(|line| line.strip_prefix('|')).flat_map(|line| [line, "\n"]).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// `cargo test -p brevet-ledger write_the_vectors -- --ignored`, after adding to them.
#[test]
#[ignore = "writes the file that the others compare with"]
fn write_the_vectors() {
    std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/v1.txt"), vectors()).unwrap();
}
