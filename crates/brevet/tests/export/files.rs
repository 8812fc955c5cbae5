//! A file that every entry is appended to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::patience::until;
use crate::support::place::Place;
use crate::support::stage::{Stage, TASKS};
use crate::{assert_complete, play, size};

fn stage(more: &str) -> Stage {
    let place = Place::new();
    let path = place.site("ledger.jsonl");
    place.settings(&format!("[[sink]]\nname = 'copy'\nkind = 'file'\npath = '{}'\n{more}\n", path.display()));
    Stage::set_in(place, TASKS)
}

/// Whole lines only; each is an entry.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn indices(paths: &[&Path], name: &str) -> Vec<u64> {
    let lines = paths.iter().flat_map(|path| lines(path));
    lines.map(|line| line[name].as_u64().unwrap_or_else(|| panic!("no index in {line}"))).collect()
}

#[test]
fn every_entry_is_in_the_file_which_is_nobody_elses() {
    let stage = stage("");
    play(&stage);
    let (path, size) = (stage.place.site("ledger.jsonl"), size(&stage));
    until("every entry is there", || indices(&[&path], "index").len() as u64 >= size);
    assert_complete(&indices(&[&path], "index"), size);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (there, entries) = (lines(&path), stage.entries());
    for (line, entry) in there.iter().zip(&entries) {
        assert_eq!((&line["bytes"], &line["texts"]), (&entry["bytes"], &entry["texts"]));
    }
}

#[test]
fn a_file_that_is_moved_away_is_followed_by_a_new_one() {
    let stage = stage("");
    let (path, old, older) =
        (stage.place.site("ledger.jsonl"), stage.place.site("ledger.1"), stage.place.site("ledger.2"));
    play(&stage);
    until("something is there", || !lines(&path).is_empty());
    fs::rename(&path, &older).unwrap();
    stage.request("carol", "--task Linux/Say");
    until("a new file is begun", || !lines(&path).is_empty());
    fs::rename(&path, &old).unwrap();
    stage.server.signal(Signal::HUP);
    let request = stage.request("bob", "--task Linux/Say");
    stage.types("bob", &format!("request cancel {request}"), 0);
    let size = size(&stage);
    let all: [&Path; 3] = [&older, &old, &path];
    until("every entry is in one of them", || indices(&all, "index").len() as u64 >= size);
    assert_complete(&indices(&all, "index"), size);
}

#[test]
fn nothing_is_lost_and_no_line_is_broken_when_the_server_is_killed() {
    let mut stage = stage("format = 'office365'");
    stage.policy("Linux/Say", "");
    let path = stage.place.site("ledger.jsonl");
    for _ in 0..5 {
        for _ in 0..4 {
            let request = stage.request("carol", "--task Linux/Say");
            stage.types("carol", &format!("request cancel {request}"), 0);
        }
        stage.crash_and_start_again();
    }
    let size = size(&stage);
    let last = || indices(&[&path], "BrevetIndex").into_iter().max();
    until("every entry is there", || last().is_some_and(|last| last + 1 >= size));
    assert_complete(&indices(&[&path], "BrevetIndex"), size);
}

#[test]
fn a_line_that_was_cut_off_is_written_again() {
    let stage = stage("");
    let path = stage.place.site("ledger.jsonl");
    let (place, people) = stage.stop();
    let text = fs::read(&path).unwrap();
    fs::write(&path, [&text[..], b"{\"index\": 1, \"ti"].concat()).unwrap();
    let stage = Stage::again(place, people);
    let size = size(&stage);
    until("every entry is there", || {
        indices(&[&path], "index").into_iter().max().is_some_and(|last| last + 1 >= size)
    });
    assert_complete(&indices(&[&path], "index"), size);
}

#[test]
fn a_folder_that_is_missing_is_told_and_made_up_for_when_it_is_there() {
    let place = Place::new();
    let path = place.site("not-yet").join("ledger.jsonl");
    place.settings(&format!("[[sink]]\nname = 'copy'\nkind = 'file'\npath = '{}'\n", path.display()));
    let stage = Stage::set_in(place, TASKS);
    until("the trouble is told", || stage.server.errors().contains("not-yet"));
    fs::create_dir(path.parent().unwrap()).unwrap();
    let size = size(&stage);
    until("every entry is there", || indices(&[&path], "index").len() as u64 >= size);
    assert_complete(&indices(&[&path], "index"), size);
}

#[test]
fn a_file_of_somebody_else_stays_byte_for_byte_and_is_told() {
    let place = Place::new();
    let path = place.site("ledger.jsonl");
    let foreign = "127.0.0.1 localhost\n# not finished";
    fs::write(&path, foreign).unwrap();
    place.settings(&format!("[[sink]]\nname = 'copy'\nkind = 'file'\npath = '{}'\n", path.display()));
    let stage = Stage::set_in(place, TASKS);
    until("the trouble is told", || stage.server.errors().contains("Move it away"));
    play(&stage);
    assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
    // Once it is out of the way, every entry comes.
    fs::rename(&path, stage.place.site("hosts")).unwrap();
    let size = size(&stage);
    until("every entry is there", || indices(&[&path], "index").len() as u64 >= size);
    assert_complete(&indices(&[&path], "index"), size);
    assert_eq!(fs::read_to_string(stage.place.site("hosts")).unwrap(), foreign);
}
