//! A ledger that went on under a new name more than once.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ledger::{add_entries, checkpoint, copy, edit, keep, open, size, text, verify_folder};
use crate::support::BREVET;
use crate::support::person::Typed;
use crate::support::place::Place;
use crate::support::stage::Stage;

/// Three ledgers, one after the other: a folder with the last one, and what was kept of each.
struct Generations {
    place: Place,
    /// Checkpoints, in files, and verifier keys: the oldest first.
    kept: Vec<String>,
    keys: Vec<String>,
}

impl Generations {
    fn told() -> Self {
        let stage = Stage::with_policy("Linux/Say", "");
        stage.grant("bob", "--task Linux/Say");
        let (mut place, mut people) = stage.stop();
        let (mut kept, mut keys) = (Vec::new(), Vec::new());
        for number in 0..3 {
            if number > 0 {
                let mut stage = Stage::again(place, people);
                stage.sign_in_again();
                add_entries(&stage, 10 * number, 5);
                (place, people) = stage.stop();
            }
            let data = place.data();
            kept.push(keep(&place, &format!("kept-{number}"), &checkpoint(&data)));
            keys.push(std::fs::read_to_string(data.join("ledger.vkey")).unwrap().trim().to_owned());
            if number < 2 {
                recover(&place, number);
            }
        }
        Self { place, kept, keys }
    }

    fn copy(&self) -> PathBuf {
        copy(&self.place.data(), &self.place.path().join("copy"))
    }

    /// The archive that lies in a folder with the entries of a generation.
    fn archive(&self, data: &Path, generation: usize) -> PathBuf {
        let origin = self.keys[generation].split('+').next().unwrap();
        let files = std::fs::read_dir(data.join("archive")).unwrap();
        let is_its =
            |path: &PathBuf| std::fs::read_to_string(path).unwrap().lines().next().unwrap().contains(origin);
        files.map(|file| file.unwrap().path()).find(is_its).unwrap()
    }
}

/// Goes on under a new name, in the place of the old folder.
fn recover(place: &Place, number: usize) {
    let into = place.path().join("recovered");
    let mut command = Command::new(BREVET);
    command.args(["audit", "recover", "--data", text(&place.data()), "--into", text(&into)]);
    let typed = Typed::of(command.output().unwrap());
    assert_eq!(typed.code, 0, "{typed:?}");
    std::fs::rename(place.data(), place.path().join(format!("evidence-{number}"))).unwrap();
    std::fs::rename(into, place.data()).unwrap();
}

#[test]
fn a_chain_of_three_ledgers_is_followed_to_its_beginning() {
    let told = Generations::told();
    let data = told.place.data();
    let kept: Vec<&str> = told.kept.iter().flat_map(|file| ["--checkpoint", file.as_str()]).collect();
    let keys: Vec<&str> = told.keys.iter().flat_map(|key| ["--key", key.as_str()]).collect();
    for trust in [&[][..], &keys] {
        let verdict = verify_folder(&data, &[&kept[..], trust].concat());
        let notes = verdict.is_well().value["notes"].to_string();
        assert_eq!(notes.matches("were verified from their archive").count(), 2, "{verdict:?}");
        assert!(
            verdict.value["rows"].as_u64() > Some(3),
            "rows of the first one are compared too: {verdict:?}"
        );
    }
    let verdict = verify_folder(&data, &keys[2..]);
    verdict.is(15, "bad-signature", "none of the keys that are trusted is of that name");

    // What the first ledger made, and what the second did.
    for name in [
        "UPDATE object SET text1 = 'mallory' WHERE kind = 'user' AND id = 2",
        "DELETE FROM object WHERE kind = 'group' AND id = (SELECT max(id) - 5 FROM object WHERE kind = 'group')",
    ] {
        let copy = told.copy();
        edit(&copy, name);
        verify_folder(&copy, &[]).is(17, "rows-differ", "is not what the entries add up to");
    }
}

#[test]
fn each_ledger_of_a_chain_must_be_the_one_that_the_next_one_names() {
    let told = Generations::told();
    for generation in [0, 1] {
        let copy = told.copy();
        let archive = told.archive(&copy, generation);
        let whole = std::fs::read_to_string(&archive).unwrap();
        let last = whole.lines().rfind(|line| line.contains("\"bytes\"")).unwrap();
        std::fs::write(&archive, whole.replacen(&format!("{last}\n"), "", 1)).unwrap();
        let verdict = verify_folder(&copy, &[]);
        verdict.is(10, "changed", "entries that entry 0 states");
    }
    // A checkpoint of the first one that signs more than it went on with.
    let copy = told.copy();
    let origin = told.keys[0].split('+').next().unwrap();
    let first = told.place.path().join("evidence-0");
    let key = std::fs::read_to_string(first.join("ledger.key")).unwrap();
    let key = brevet_ledger::SigningKey::parse(key.trim()).unwrap();
    let (origin, all) = (brevet_ledger::Origin::parse(origin).unwrap(), size(&first));
    let other = brevet_ledger::leaf_hash(b"another history");
    for (signed, code, word, says) in [
        (all + 9, 12, "truncated", format!("signs {} entries of ", all + 9)),
        (all - 3, 10, "changed", "another root".to_owned()),
    ] {
        let note = brevet_ledger::Checkpoint::new(origin.clone(), signed, other).sign(&key).unwrap();
        let file = keep(&told.place, "other", &note.to_string());
        let verdict = verify_folder(&copy, &["--checkpoint", &file]);
        assert_eq!((verdict.code, verdict.value["finding"].as_str()), (code, Some(word)), "{verdict:?}");
        assert!(verdict.sentence().contains(&says) || code == 10, "{verdict:?}");
    }
}

#[test]
fn a_chain_that_cannot_be_followed_to_its_beginning_says_which_archive_is_lacking() {
    let told = Generations::told();
    for (generation, verified) in [(0, 1), (1, 0)] {
        let copy = told.copy();
        std::fs::remove_file(told.archive(&copy, generation)).unwrap();
        let verdict = verify_folder(&copy, &[]);
        let notes = verdict.is_well().value["notes"].to_string();
        let origin = told.keys[generation].split('+').next().unwrap();
        assert!(notes.contains(&format!("it goes on from {origin}, of which")), "{notes}");
        assert_eq!(notes.matches("were verified from their archive").count(), verified, "{notes}");
        assert!(verdict.value["rows"].is_null(), "rows cannot be compared: {verdict:?}");
        let given = keep(&told.place, "archive-again", "");
        std::fs::copy(told.archive(&told.place.data(), generation), &given).unwrap();
        verify_folder(&copy, &["--archive", &given]).is_well();
    }
    assert!(
        open(&told.place.data())
            .query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))
            .unwrap()
            > 5
    );
}

#[test]
fn an_archive_that_leads_back_to_itself_ends_the_question() {
    let told = Generations::told();
    let data = told.copy();
    let [first, second] = [told.archive(&data, 0), told.archive(&data, 1)];
    let [first_name, second_name] = [0, 1].map(|number| told.keys[number].split('+').next().unwrap());
    // Entry 0 of the second ledger says that it goes on from the first one.
    let forged = std::fs::read_to_string(second).unwrap();
    let (heading, entries) = forged.split_once('\n').unwrap();
    assert!(heading.contains(second_name));
    std::fs::write(first, format!("{}\n{entries}", heading.replace(second_name, first_name))).unwrap();
    let mut command = Command::new(BREVET);
    command.args(["audit", "as-of", "now", "--data", text(&data)]);
    let typed = Typed::of(command.output().unwrap());
    assert_eq!(typed.code, 1, "{typed:?}");
    assert!(typed.stderr.contains("goes on from itself"), "{typed:?}");
}
