//! Going on under a new name.

use std::process::Command;

use crate::anchor::anchored;
use crate::support::BREVET;
use crate::support::place::Place;
use crate::support::stage::Stage;

fn recover(place: &Place, more: &[&str]) -> (i32, String) {
    let output = Command::new(BREVET)
        .args(["audit", "recover", "--config"])
        .arg(place.settings_file())
        .arg("--data")
        .arg(place.data())
        .arg("--into")
        .arg(place.path().join("new"))
        .arg("--anchor")
        .arg(place.site("anchor-2"))
        .args(more)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn a_new_ledger_begins_with_the_last_checkpoint_of_the_one_before() {
    let stage = anchored();
    stage.policy("Linux/Say", "");
    let authorization = stage.grant("bob", "--task Linux/Say");
    let old = stage.asks("otto", "audit status");
    let (place, people) = stage.stop();
    let (code, said) = recover(&place, &["-o", "json"]);
    assert_eq!(code, 0, "{said}");
    let told: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["previous"], old["origin"]);
    assert_ne!(told["origin"], old["origin"]);
    // The old folder stays as it was; the new one is served in its place.
    std::fs::rename(place.data(), place.path().join("evidence")).unwrap();
    std::fs::rename(place.path().join("new"), place.data()).unwrap();
    place.settings(&format!("[ledger]\nanchor = \"{}\"\n", place.site("anchor-2").display()));
    let stage = Stage::again(place, people);
    let first = &stage.entries()[0];
    assert_eq!(first["kind"], "ledger.recovered", "{first}");
    assert_eq!(first["details"]["previous"], old["origin"]);
    assert!(first["details"]["previous_checkpoint"].as_str().unwrap().contains("\u{2014}"), "{first}");
    // What was in force still is, and ids go on.
    stage.types("bob", "run Linux/Say --param text=hello", 0);
    assert_eq!(stage.asks("bob", &format!("authorization show {authorization}"))["state"], "active");
    let request = stage.request("carol", "--task Linux/Say");
    assert_ne!(request, "req-1");
}

#[test]
fn a_checkpoint_of_another_ledger_and_a_folder_that_exists_are_refused() {
    let (place, _) = anchored().stop();
    let (other, _) = anchored().stop();
    let theirs = other.site("anchor").display().to_string();
    let (code, said) = recover(&place, &["--checkpoint", &theirs]);
    assert!(code == 1 && said.contains("the checkpoint is of"), "{said}");
    std::fs::create_dir(place.path().join("new")).unwrap();
    let (code, said) = recover(&place, &[]);
    assert!(code == 1 && said.contains("exists already"), "{said}");
}
