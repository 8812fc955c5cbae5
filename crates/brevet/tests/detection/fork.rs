//! Two histories, both signed by the true key.

use std::os::unix::fs::DirBuilderExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_ledger::{Checkpoint, Hash, Note, Origin, VerifierKey, check_consistency};

use crate::ledger::{add_entries, checkpoint, complaint, copy, keep, text, verify_folder};
use crate::support::place::Place;
use crate::support::server::Server;
use crate::support::stage::{Stage, TASKS};

#[test]
fn a_ledger_that_was_rewritten_with_its_own_key_is_a_fork_with_both_checkpoints() {
    let (place, _) = Stage::set().stop();
    let kept = checkpoint(&place.data());
    // The same key, and another history from the first entry on.
    let other = Place::new();
    other.define("linux.toml", TASKS);
    std::fs::DirBuilder::new().mode(0o700).create(other.data()).unwrap();
    for name in ["ledger.key", "ledger.vkey"] {
        std::fs::copy(place.data().join(name), other.data().join(name)).unwrap();
    }
    let server = Server::start(&other);
    let people = crate::support::person::People::found(&server, &other, &["bob", "carol"]);
    let mut ada = people["ada"].connect(&server);
    for number in 0..20 {
        ada.post("/api/v1/groups", &serde_json::json!({"name": format!("g{number}")})).unwrap().ok();
    }
    let (status, log) = server.stop();
    assert!(status.success(), "{log}");
    verify_folder(&other.data(), &[]).is_well();
    is_forked(&other, &kept);
}

#[test]
fn two_servers_that_go_on_with_one_key_are_a_fork() {
    let (place, people) = Stage::set().stop();
    let twin = Place::new();
    twin.define("linux.toml", TASKS);
    copy(&place.data(), &twin.data());
    let stage = Stage::again(place, people);
    add_entries(&stage, 100, 1);
    let (place, _) = stage.stop();
    let kept = checkpoint(&place.data());
    let server = Server::start(&twin);
    server.stop();
    let server = Server::start(&twin);
    server.stop();
    let server = Server::start(&twin);
    server.stop();
    verify_folder(&twin.data(), &[]).is_well();
    is_forked(&twin, &kept);
}

/// The ledger must have grown beyond the checkpoint that was kept of the other history.
fn is_forked(place: &Place, kept: &str) {
    let file = keep(place, "kept", kept);
    let key = std::fs::read_to_string(place.data().join("ledger.vkey")).unwrap();
    let evidence = place.path().join("evidence");
    let arguments = ["--checkpoint", file.as_str(), "--key", key.trim(), "--evidence", text(&evidence)];
    let verdict = verify_folder(&place.data(), &arguments);
    verdict.is(13, "forked", "the ledger was forked: its first ");
    let presented = checkpoint(&place.data());
    for evidence in
        [std::fs::read_to_string(&evidence).unwrap(), verdict.value["evidence"].as_str().unwrap().to_owned()]
    {
        assert!(evidence.contains(kept) && evidence.contains(&presented), "{evidence}");
        assert!(evidence.contains("The holder of the key signed two histories."), "{evidence}");
        convinces(&evidence, key.trim());
    }
    let (code, printed, said) = complaint(&place.data(), &["--checkpoint", &file]);
    assert_eq!(code, 13);
    assert!(said.starts_with("NOT VERIFIED: the ledger was forked"), "{said}");
    assert!(printed.contains(kept) && printed.contains(&presented), "{printed}");
}

/// What somebody checks who has the key and the evidence, and nothing else; and that no other root goes through.
fn convinces(evidence: &str, key: &str) {
    let key: VerifierKey = key.parse().unwrap();
    let origin = Origin::parse(key.name().as_str()).unwrap();
    let sections: Vec<&str> =
        evidence.split("\n=== ").skip(1).map(|part| part.split_once('\n').unwrap().1).collect();
    let open = |text: &str| {
        let note: Note = format!("{}\n", text.trim_end()).parse().unwrap();
        Checkpoint::open(&note, &origin, std::slice::from_ref(&key)).unwrap()
    };
    let (one, two) = (open(sections[0]), open(sections[1]));
    if one.size() == two.size() {
        assert!(one.root() != two.root() && sections.len() == 2, "{evidence}");
        return;
    }
    assert!(one.size() < two.size());
    let mut lines = sections[2].lines();
    assert_eq!(lines.next(), Some(format!("old {}", one.size()).as_str()));
    let hash = |text: &str| Hash::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
    let root = hash(lines.next().unwrap());
    let proof: Vec<Hash> = lines.map(hash).collect();
    let check =
        |root: &Hash, proof: &[Hash]| check_consistency(one.size(), root, two.size(), &two.root(), proof);
    check(&root, &proof).unwrap();
    assert_ne!(root, one.root());
    assert!(check(&one.root(), &proof).is_err(), "the root that was signed first leads nowhere");
    for place in 0..proof.len() {
        let mut other = proof.clone();
        other[place] = one.root();
        assert!(check(&root, &other).is_err(), "hash {place}");
    }
    assert!(check(&root, &proof[..proof.len() - 1]).is_err());
}
