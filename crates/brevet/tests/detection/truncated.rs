//! A lost end, with an older state that is consistent in itself: what shows it is what was kept elsewhere, or its age.

use std::path::PathBuf;

use crate::ledger::{add_entries, back_up, checkpoint, complaint, copy, keep, size, text, verify_folder};
use crate::support::patience::{SOON, until, within};
use crate::support::place::Place;
use crate::support::stage::{Stage, text as field};

/// A ledger, backups of it without its last 1,000, 10 and 1 entries, and what was kept of its whole.
struct Cut {
    place: Place,
    backups: Vec<(u64, PathBuf)>,
    checkpoint: String,
    receipt: String,
    anchor: String,
}

fn cut() -> Cut {
    let stage = Stage::set();
    let data = stage.place.data();
    let mut backups = Vec::new();
    let mut made = 0;
    for (count, lost) in [(0, 1_000), (990, 10), (9, 1)] {
        add_entries(&stage, made, count);
        made += count;
        backups.push((lost, back_up(&data, &stage.place.path().join(format!("without-{lost}")))));
    }
    add_entries(&stage, made, 1);
    let all = size(&data);
    for (lost, backup) in &backups {
        assert_eq!(all - size(backup), *lost, "nothing else was written meanwhile");
    }
    let proof =
        stage.person("otto").connect(&stage.server).get(&format!("/api/v1/audit/entries/{}/proof", all - 1));
    let receipt = field(&proof.unwrap().ok(), "proof");
    let note = checkpoint(&data);
    let anchor = within(SOON, "the newest checkpoint is in the anchor", || {
        let anchor = std::fs::read_to_string(data.join("anchor")).ok()?;
        (anchor.lines().nth(1)?.parse::<u64>().ok()? >= all).then_some(anchor)
    });
    let (place, _) = stage.stop();
    let receipts = place.path().join("receipts");
    std::fs::create_dir(&receipts).unwrap();
    std::fs::write(receipts.join("last.tlog-proof"), receipt).unwrap();
    Cut {
        backups,
        checkpoint: keep(&place, "checkpoint", &note),
        receipt: text(&receipts).to_owned(),
        anchor: keep(&place, "anchor", &anchor),
        place,
    }
}

#[test]
fn a_lost_end_shows_by_a_receipt_a_larger_checkpoint_or_the_anchor() {
    let Cut { place, backups, checkpoint, receipt, anchor } = cut();
    let kept = [("--receipts", &receipt), ("--checkpoint", &checkpoint), ("--anchor", &anchor)];
    for (option, file) in kept {
        verify_folder(&place.data(), &[option, file]).is_well();
    }
    for (lost, backup) in &backups {
        verify_folder(backup, &[]).is_well();
        for (option, file) in kept {
            let verdict = verify_folder(backup, &[option, file]);
            let left = size(backup);
            let says = format!("the ledger was cut short: it has {left} entries, and the ");
            verdict.is(12, "truncated", &says);
            assert_eq!(verdict.value["entry"], left, "{lost} lost, {option}");
        }
    }
    let (_, backup) = &backups[0];
    let (code, _, said) = complaint(backup, &["--receipts", &receipt]);
    assert_eq!(code, 12);
    assert!(said.starts_with("NOT VERIFIED: the ledger was cut short: it has "), "{said}");
    assert!(said.contains("last.tlog-proof signs "), "{said}");
}

#[test]
fn a_lost_end_shows_by_its_age() {
    let stage = Stage::set();
    let data = stage.place.data();
    let backup = back_up(&data, &stage.place.path().join("older"));
    verify_folder(&backup, &["--max-age", "1h"]).is_well();
    until("the backup is older than a second", || verify_folder(&backup, &["--max-age", "1s"]).code != 0);
    verify_folder(&backup, &["--max-age", "1s"]).is(
        14,
        "stale",
        "the ledger is stale: the last entry is of ",
    );
    // The ledger itself goes on.
    add_entries(&stage, 0, 1);
    verify_folder(&data, &["--max-age", "20s"]).is_well();
}

#[test]
fn a_backup_of_the_whole_folder_that_is_restored_shows_by_what_was_kept_elsewhere() {
    let (place, people) = Stage::set().stop();
    let restored = copy(&place.data(), &place.path().join("restored"));
    let stage = Stage::again(place, people);
    add_entries(&stage, 0, 3);
    let (place, _) = stage.stop();
    let kept = keep(&place, "checkpoint", &checkpoint(&place.data()));
    // Its own anchor was restored with it.
    verify_folder(&restored, &[]).is_well();
    verify_folder(&restored, &["--checkpoint", &kept]).is(12, "truncated", "the ledger was cut short");
    // The database alone was restored: the anchor beside it is newer.
    std::fs::write(restored.join("anchor"), checkpoint(&place.data())).unwrap();
    verify_folder(&restored, &[]).is(12, "truncated", "and the anchor in the folder signs ");
}
