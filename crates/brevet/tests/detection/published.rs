//! What a server publishes, followed by a monitor; and an evidence bundle.

use crate::ledger::{checkpoint, keep, text, verify, verify_with_token};
use crate::support::patience::until;
use crate::support::stage::Stage;

#[test]
fn a_server_is_followed_by_its_files_and_held_against_what_was_kept() {
    let stage = Stage::with_policy("Linux/Say", "");
    let published = || {
        let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
        let note = String::from_utf8(note).unwrap();
        let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
        (size, note)
    };
    let (before, note) = published();
    let kept = keep(&stage.place, "kept", &note);
    stage.grant("bob", "--task Linux/Say");
    until("what happened since is published", || published().0 > before);
    let url = stage.server.url();
    let key = stage.place.data().join("ledger.vkey");
    let more = ["--url", url.as_str(), "--key", text(&key), "--checkpoint", &kept];
    let anybody = verify(&more);
    assert!(anybody.is_well().value["notes"][0].as_str().unwrap().contains("the entries were not read"));
    let auditor = verify_with_token(&stage.person("otto").token, &more);
    assert_eq!(auditor.is_well().value["notes"], serde_json::json!([]));
    assert!(auditor.value["entries"].as_u64() > Some(before), "{auditor:?}");
    verify(&["--url", &url]).is(1, "cannot-verify", "give its verifier key with --key");
    // Another server with the same key would be found out in the same way.
    let (other, _) = Stage::set().stop();
    let stranger = keep(&stage.place, "stranger", &checkpoint(&other.data()));
    verify(&["--url", &url, "--key", text(&key), "--checkpoint", &stranger]).is(
        15,
        "bad-signature",
        "cannot be believed",
    );
}

#[test]
fn an_evidence_bundle_is_checked_alone() {
    let stage = Stage::with_policy("Linux/Say", "");
    let request = stage.request("bob", "--task Linux/Say");
    stage.asks("alice", &format!("request approve {request}"));
    let file = stage.place.path().join("story.brevet-bundle");
    stage.types("otto", &format!("audit bundle {request} --out {}", file.display()), 0);
    let key = std::fs::read_to_string(stage.place.data().join("ledger.vkey")).unwrap();
    let arguments = ["--bundle", text(&file), "--key", key.trim()];
    assert_eq!(verify(&arguments).is_well().value["request"], request.as_str());
    assert_eq!(verify(&[text(&file), "--key", key.trim()]).is_well().value["request"], request.as_str());
    verify(&["--bundle", text(&file)]).is(15, "bad-signature", "no key of that ledger is given");
    let sound = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, sound.replace("Because", "Whatever")).unwrap();
    assert_eq!(verify(&arguments).code, 10);
}
