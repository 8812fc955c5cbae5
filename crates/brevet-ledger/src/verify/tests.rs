use crate::testing::{ORIGIN, Sample, key};
use crate::{
    Checkpoint, Claim, Error, Finding, Hash, KeyName, Note, Origin, PART_ROWS, Rotation, Salt, SigningKey,
    StoredNode, TlogProof, VerifierKey, Watch, empty_root, judge, leaf_hash, prove_inclusion,
};

mod flips;
mod judging;

/// Offset of the lowest byte of the index, and of the time, in an entry.
const INDEX_END: usize = 8;
const TIME_BEGIN: usize = 9;
const BY: &str = "the checkpoint";

/// Does harm to a sound ledger of 600 entries and looks for what is found.
fn check(harm: impl FnOnce(&mut Sample), expected: &Finding) {
    let mut sample = Sample::new(600);
    harm(&mut sample);
    assert_eq!(sample.verify().as_ref(), Err(expected));
}

fn flipped(hash: Hash) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[31] ^= 1;
    Hash::from_bytes(bytes)
}

#[test]
fn a_sound_ledger_is_found_sound() {
    for size in [0, 1, 2, 8, 255, 256, 257, 600, PART_ROWS, PART_ROWS + 1, 2 * PART_ROWS + 300] {
        let sample = Sample::new(size);
        let report = sample.verify().unwrap();
        assert_eq!(report.size, size);
        let texts = sample.rows.iter().map(|row| row.texts.len() as u64).sum();
        assert_eq!((report.texts_present, report.texts_erased), (texts, 0));
    }
}

#[test]
fn roots_and_leaves_are_remembered_where_they_are_asked_for() {
    let sizes = [1, 500, PART_ROWS, PART_ROWS + 1, PART_ROWS + 600, 10 * PART_ROWS];
    let sample = Sample::new(PART_ROWS + 600);
    let watch = Watch { sizes: sizes.into(), leaves: [0, PART_ROWS, 10 * PART_ROWS].into() };
    let derived = sample.derive_all(&watch).unwrap();
    for size in &sizes[..5] {
        let shorter = Sample::new(*size).derive_all(&Watch::default()).unwrap();
        assert_eq!(derived.roots[size], shorter.root, "{size}");
    }
    assert_eq!((derived.roots.len(), derived.leaves.len()), (5, 2));
    assert_eq!(derived.leaves[&PART_ROWS], sample.rows[4_096].leaf);
    assert_eq!(derived.first_time_micros, Some(1_767_225_600_000_000));
    assert_eq!(derived.last_time_micros, Some(1_767_225_600_002_347));
    assert_eq!(Sample::new(0).verify().unwrap().root, empty_root());
}

#[test]
fn erased_texts_break_nothing() {
    let mut sample = Sample::new(600);
    sample.rows[5].texts = vec![None, None];
    sample.rows[8].texts[1] = None;
    let report = sample.verify().unwrap();
    assert_eq!((report.texts_present, report.texts_erased), (597, 3));
}

#[test]
fn a_changed_entry_is_found() {
    check(|sample| sample.rows[7].bytes[30] ^= 1, &Finding::Changed { index: 7 });
    check(|sample| sample.rows[7].leaf = flipped(sample.rows[7].leaf), &Finding::Changed { index: 7 });
    check(|sample| sample.rows[7].bytes.clear(), &Finding::Changed { index: 7 });
}

#[test]
fn an_entry_changed_together_with_its_hash_is_found() {
    let change = |sample: &mut Sample, at: usize| {
        let row = &mut sample.rows[at];
        *row.bytes.last_mut().unwrap() ^= 1;
        row.leaf = leaf_hash(&row.bytes);
    };
    check(|sample| change(sample, 7), &Finding::NodeDiffers { tile_level: 1, index: 0 });
    check(|sample| change(sample, 300), &Finding::NodeDiffers { tile_level: 1, index: 1 });
    check(|sample| change(sample, 599), &Finding::HeadDiffers { size: 600 });
}

#[test]
fn an_entry_that_cannot_be_read_is_found() {
    let reason = Error::EntryTrailing { len: 1 };
    check(
        |sample| {
            sample.rows[7].bytes.push(0);
            sample.derive();
        },
        &Finding::Unreadable { index: 7, reason },
    );
}

#[test]
fn missing_entries_are_found() {
    check(|sample| drop(sample.rows.remove(0)), &Finding::Missing { index: 0 });
    check(|sample| drop(sample.rows.drain(7..9)), &Finding::Missing { index: 7 });
    check(|sample| sample.rows.truncate(598), &Finding::Missing { index: 598 });
}

#[test]
fn inserted_entries_are_found() {
    check(|sample| sample.rows.insert(7, sample.rows[6].clone()), &Finding::Duplicate { index: 6 });
    check(|sample| sample.rows.push(sample.rows[3].clone()), &Finding::Duplicate { index: 3 });
    let longer = |sample: &mut Sample| sample.rows = Sample::new(602).rows;
    check(longer, &Finding::BeyondHead { index: 600, size: 600 });
}

#[test]
fn an_insertion_with_all_later_entries_moved_on_is_found() {
    let insert = |sample: &mut Sample| {
        sample.rows.insert(8, sample.rows[7].clone());
        for (position, row) in (0..).zip(&mut sample.rows) {
            row.position = position;
        }
        sample.derive();
    };
    check(insert, &Finding::Reordered { index: 8, claimed: 7 });
}

#[test]
fn rows_in_another_order_are_found() {
    check(|sample| sample.rows.swap(7, 8), &Finding::Missing { index: 7 });
    let swap = |sample: &mut Sample| {
        sample.rows.swap(7, 8);
        sample.rows[7].position = 7;
        sample.rows[8].position = 8;
    };
    check(swap, &Finding::Reordered { index: 7, claimed: 8 });
}

#[test]
fn a_time_that_went_back_is_found() {
    let set_back = |sample: &mut Sample| {
        sample.rows[7].bytes[TIME_BEGIN + 1] = 0;
        sample.derive();
    };
    check(set_back, &Finding::TimeWentBack { index: 7 });
}

#[test]
fn texts_that_are_not_those_committed_to_are_found() {
    let differs = |slot| Finding::TextDiffers { index: 8, slot };
    let text = |sample: &mut Sample, slot: usize, change: fn(&mut (Salt, String))| {
        change(sample.rows[8].texts[slot].as_mut().unwrap());
    };
    check(|sample| text(sample, 0, |(_, text)| text.push('.')), &differs(0));
    check(|sample| text(sample, 1, |(_, text)| text.clear()), &differs(1));
    check(|sample| text(sample, 1, |(salt, _)| *salt = Salt::from_bytes([9; 16])), &differs(1));
    check(|sample| sample.rows[8].texts.swap(0, 1), &differs(0));
    check(|sample| sample.rows[8].texts.truncate(1), &differs(1));
    check(|sample| sample.rows[8].texts.push(None), &differs(2));
}

#[test]
fn stored_nodes_that_do_not_fit_are_found() {
    let node = |index| StoredNode { tile_level: 1, index, hash: empty_root() };
    check(|sample| sample.nodes[1] = node(1), &Finding::NodeDiffers { tile_level: 1, index: 1 });
    check(
        |sample| sample.nodes = sample.nodes.split_off(1),
        &Finding::NodeMissing { tile_level: 1, index: 0 },
    );
    check(|sample| sample.nodes.truncate(1), &Finding::NodeMissing { tile_level: 1, index: 1 });
    check(|sample| sample.nodes.push(node(2)), &Finding::NodeSurplus { tile_level: 1, index: 2 });
    check(
        |sample| sample.nodes.insert(1, sample.nodes[0]),
        &Finding::NodeSurplus { tile_level: 1, index: 0 },
    );
    check(|sample| sample.nodes.swap(0, 1), &Finding::NodeMissing { tile_level: 1, index: 0 });
}

#[test]
fn a_head_that_does_not_fit_is_found() {
    check(|sample| sample.size += 1, &Finding::Missing { index: 600 });
    check(|sample| sample.size -= 1, &Finding::BeyondHead { index: 599, size: 599 });
    check(|sample| sample.edge = Sample::new(599).edge, &Finding::HeadDiffers { size: 600 });
    check(|sample| sample.edge.clear(), &Finding::HeadDiffers { size: 600 });
}

#[test]
fn a_ledger_rewritten_by_its_owner_disagrees_with_any_checkpoint() {
    let rewrite = |sample: &mut Sample| {
        *sample.rows[7].bytes.last_mut().unwrap() ^= 1;
        sample.derive();
    };
    check(rewrite, &Finding::Rewritten { size: 600, by: BY.to_owned() });
}

#[test]
fn a_ledger_cut_short_by_its_owner_disagrees_with_a_later_checkpoint() {
    for cut in [1, 10, 600] {
        let size = 600 - cut;
        let cut_short = |sample: &mut Sample| {
            sample.rows.truncate(usize::try_from(size).unwrap());
            sample.derive();
        };
        let finding = Finding::Truncated { size, signed: 600, by: BY.to_owned() };
        check(cut_short, &finding);
        assert_eq!(finding.index(), Some(size));
    }
}

#[test]
fn a_checkpoint_that_cannot_be_believed_is_found() {
    let resigned = |origin: &str, signer: &str, root| {
        let checkpoint = Checkpoint::new(Origin::parse(origin).unwrap(), 0, root);
        vec![checkpoint.sign(&key(signer)).unwrap().to_string()]
    };
    let found = |sample: &mut Sample, checkpoints| sample.checkpoints = checkpoints;
    let claim = |reason| Finding::Claim { by: BY.to_owned(), reason };
    let unsigned = claim(Error::NoteUnsigned);
    check(|sample| found(sample, resigned(ORIGIN, "x", empty_root())), &unsigned);
    let wrong = Error::CheckpointOrigin { expected: ORIGIN.to_owned(), found: "other".to_owned() };
    check(|sample| found(sample, resigned("other", ORIGIN, empty_root())), &claim(wrong));
    let impossible = leaf_hash(b"");
    check(
        |sample| found(sample, resigned(ORIGIN, ORIGIN, impossible)),
        &Finding::Rewritten { size: 0, by: BY.to_owned() },
    );
    check(|sample| found(sample, vec![String::new()]), &claim(Error::NoteForm));
    let no_checkpoint = Note::sign("hello\n", &key(ORIGIN)).unwrap().to_string();
    check(|sample| found(sample, vec![no_checkpoint]), &claim(Error::CheckpointForm));
    let changed = |sample: &mut Sample| {
        let changed = sample.checkpoints[0].replacen("\n600\n", "\n599\n", 1);
        sample.checkpoints = vec![changed];
    };
    let wrong = Error::NoteSignatureWrong { name: ORIGIN.to_owned() };
    check(changed, &claim(wrong));
}

#[test]
fn the_first_of_several_faults_is_named() {
    let two = |sample: &mut Sample| {
        sample.rows[450].bytes[INDEX_END] ^= 1;
        sample.rows[130].bytes[INDEX_END] ^= 1;
        sample.rows.remove(140);
    };
    check(two, &Finding::Changed { index: 130 });
    let gap_first = |sample: &mut Sample| {
        sample.rows[150].bytes[INDEX_END] ^= 1;
        sample.rows.remove(140);
    };
    check(gap_first, &Finding::Missing { index: 140 });
}

#[test]
fn what_was_found_stays_found() {
    let mut sample = Sample::new(3);
    sample.rows.push(sample.rows[2].clone());
    sample.rows.push(Sample::new(4).rows[3].clone());
    assert_eq!(sample.verify(), Err(Finding::Duplicate { index: 2 }));
}

#[test]
fn findings_are_sentences() {
    let reason = Error::EntryShort;
    let text = Finding::Unreadable { index: 7, reason }.to_string();
    assert_eq!(text, "entry 7 was changed: the entry ends before its last field does");
    assert_eq!(Finding::HeadDiffers { size: 3 }.index(), None);
}
