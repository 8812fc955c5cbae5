//! Every single bit of a small stored ledger, turned: each one is found.

use crate::testing::Sample;
use crate::{Finding, Hash};

/// Turns each bit of `part` in turn and looks for a finding.
fn every_flip_is_found(sound: &Sample, part: impl Fn(&mut Sample) -> &mut [u8]) -> Vec<Finding> {
    let mut sample = sound.clone();
    let len = part(&mut sample).len();
    assert!(len > 0);
    let mut findings = Vec::new();
    for (at, bit) in (0..len).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        part(&mut sample)[at] ^= 1 << bit;
        match sample.verify() {
            Err(finding) => findings.push(finding),
            Ok(_) => panic!("bit {bit} of byte {at} was turned, and all seems well"),
        }
        part(&mut sample)[at] ^= 1 << bit;
    }
    findings
}

#[test]
fn in_each_entry() {
    let sound = Sample::new(6);
    for row in 0..sound.rows.len() {
        let findings = every_flip_is_found(&sound, |sample| &mut sample.rows[row].bytes);
        let expected = Finding::Changed { index: row as u64 };
        assert!(findings.iter().all(|finding| *finding == expected));
    }
}

#[test]
fn in_each_entry_though_all_but_the_checkpoint_was_made_to_fit() {
    let sound = Sample::new(4);
    for row in 0..sound.rows.len() {
        for at in 0..sound.rows[row].bytes.len() * 8 {
            let mut sample = sound.clone();
            sample.rows[row].bytes[at / 8] ^= 1 << (at % 8);
            sample.derive();
            assert!(sample.verify().is_err(), "bit {at} of entry {row}");
        }
    }
}

#[test]
fn in_each_leaf_hash_and_node() {
    let sound = Sample::new(257);
    for row in [0, 128, 255, 256] {
        flip_hash(&sound, |sample| &mut sample.rows[row].leaf);
    }
    flip_hash(&sound, |sample| &mut sample.nodes[0].hash);
}

fn flip_hash(sound: &Sample, hash: impl Fn(&mut Sample) -> &mut Hash) {
    for bit in 0..256 {
        let mut sample = sound.clone();
        let mut bytes = *hash(&mut sample).as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        *hash(&mut sample) = Hash::from_bytes(bytes);
        assert!(sample.verify().is_err(), "bit {bit}");
    }
}

#[test]
fn in_each_position_and_node_place() {
    let sound = Sample::new(257);
    for bit in 0..64 {
        let mut sample = sound.clone();
        sample.rows[200].position ^= 1 << bit;
        assert!(sample.verify().is_err(), "bit {bit} of a position");
        let mut sample = sound.clone();
        sample.nodes[0].index ^= 1 << bit;
        assert!(sample.verify().is_err(), "bit {bit} of an index");
        let mut sample = sound.clone();
        sample.size ^= 1 << bit;
        assert!(sample.verify().is_err(), "bit {bit} of the size");
    }
    for bit in 0..8 {
        let mut sample = sound.clone();
        sample.nodes[0].tile_level ^= 1 << bit;
        assert!(sample.verify().is_err(), "bit {bit} of a level");
    }
}

#[test]
fn in_the_right_edge() {
    let findings = every_flip_is_found(&Sample::new(7), |sample| &mut sample.edge);
    assert!(findings.iter().all(|finding| *finding == Finding::HeadDiffers { size: 7 }));
}

#[test]
fn in_the_checkpoint() {
    let sound = Sample::new(7);
    let note = sound.checkpoints[0].clone().into_bytes();
    for bit in 0..note.len() * 8 {
        let mut note = note.clone();
        note[bit / 8] ^= 1 << (bit % 8);
        // What is not even text cannot be given to the verifier.
        if let Ok(note) = String::from_utf8(note) {
            let mut sample = sound.clone();
            sample.checkpoints = vec![note];
            assert!(matches!(sample.verify(), Err(Finding::Claim { .. })), "bit {bit}");
        }
    }
}

#[test]
fn in_each_text_and_salt() {
    let sound = Sample::new(6);
    let (salt, text) = sound.rows[5].texts[1].clone().unwrap();
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(text) = String::from_utf8(bytes) {
            let mut sample = sound.clone();
            sample.rows[5].texts[1] = Some((salt.clone(), text));
            assert_eq!(sample.verify(), Err(Finding::TextDiffers { index: 5, slot: 1 }));
        }
    }
    for bit in 0..128 {
        let mut bytes = *salt.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut sample = sound.clone();
        sample.rows[5].texts[1] = Some((crate::Salt::from_bytes(bytes), text.clone()));
        assert_eq!(sample.verify(), Err(Finding::TextDiffers { index: 5, slot: 1 }));
    }
}
