//! Evidence bundles: as they are, and with proofs that hold around whatever entries there are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{Checkpoint, Hash, KeyName, Origin, RightEdge, SigningKey, leaf_hash, node_hash};
use serde_json::json;

use crate::bundle::{Trust, check};

const ORIGIN: &str = "ledger.example/sample";
/// More say nothing more about the story, and are slow.
const ENTRIES_MAX: usize = 128;

/// A bundle in JSON, or the number of a request and entries behind their lengths, which are put into a tree, signed and
/// bundled here: so the story that they tell is what is fuzzed.
pub fn evidence_bundle(bytes: &[u8]) -> bool {
    let key = SigningKey::from_seed(KeyName::parse(ORIGIN).expect("a name"), &[7; 32]);
    let keys = [key.verifier().clone()];
    let trust = Trust { keys: &keys, policy: None };
    if bytes.first() == Some(&b'{') {
        return check(bytes, &trust).is_ok();
    }
    let Some((request, entries)) = bytes.split_first() else { return false };
    let entries = take_apart(entries);
    let bundle = put_together(u64::from(*request), &entries, &key);
    if let Ok(report) = check(bundle.as_bytes(), &trust) {
        assert!(!report.sentences().is_empty(), "a story without words");
        let _ = (report.to_string(), report.to_json());
    }
    !entries.is_empty()
}

/// The entries, each with the index of its place.
fn take_apart(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    while let Some((len, behind)) = rest.split_first_chunk() {
        let Some((entry, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes(*len))) else {
            break;
        };
        rest = behind;
        let mut entry = entry.to_vec();
        if let Some(index) = entry.get_mut(1..9) {
            index.copy_from_slice(&(entries.len() as u64).to_be_bytes());
        }
        entries.push(entry);
        if entries.len() == ENTRIES_MAX {
            break;
        }
    }
    entries
}

fn put_together(request: u64, entries: &[Vec<u8>], key: &SigningKey) -> String {
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut edge = RightEdge::new();
    leaves.iter().for_each(|leaf| drop(edge.append(*leaf)));
    let checkpoint = Checkpoint::new(Origin::parse(ORIGIN).expect("an origin"), edge.size(), edge.root());
    let note = checkpoint.sign(key).expect("a checkpoint can be signed").to_string();
    let bundled = entries.iter().enumerate().map(|(index, entry)| {
        let proof: Vec<String> = path(index, &leaves).iter().map(Hash::to_base64).collect();
        json!({"index": index, "bytes": STANDARD.encode(entry), "texts": [], "proof": proof})
    });
    json!({
        "brevet": "evidence-bundle",
        "version": 1,
        "origin": ORIGIN,
        "keys": [],
        "request": format!("req-{request}"),
        "checkpoint": note,
        "entries": bundled.collect::<Vec<_>>(),
        "outputs": [],
        "summary": [],
    })
    .to_string()
}

/// `PATH(m, D[n])`, RFC 6962 section 2.1.1.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
    match m.checked_sub(left.len()) {
        None => [path(m, left), vec![root(right)]].concat(),
        Some(m) => [path(m, right), vec![root(left)]].concat(),
    }
}

/// `MTH(D[n])`, RFC 6962 section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&root(left), &root(right))
        }
    }
}
