//! What a server publishes, followed by a monitor; and an evidence bundle.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::ledger::{checkpoint, complain, keep, text, verify, verify_with_token};
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
    assert_eq!(anybody.value["entries_read"], false);
    assert_eq!(anybody.value["completeness"]["gaps"], serde_json::Value::Null);
    let fresh = [&more[..], &["--max-age", "1h"]].concat();
    verify(&fresh).is(14, "stale", "how old the ledger is cannot be told");
    verify_with_token(&stage.person("otto").token, &fresh).is_well();
    verify_with_token(&stage.person("bob").token, &more).is(
        1,
        "cannot-verify",
        "with the token in BREVET_TOKEN",
    );
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

/// Hands on what the ledger publishes, but for its entries: these it denies.
fn denies_entries(stage: &Stage, listener: TcpListener) {
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.unwrap());
        let mut asked = String::new();
        stream.read_line(&mut asked).unwrap();
        let mut header = String::from("-");
        while !header.trim().is_empty() {
            header.clear();
            stream.read_line(&mut header).unwrap();
        }
        let path = asked.split(' ').nth(1).unwrap_or_default();
        if path == "/enough" {
            return;
        }
        let (status, body) = match path.contains("tile/entries") {
            true => ("404 Not Found", Vec::new()),
            false => ("200 OK", stage.server.connect("").get(path).unwrap().body),
        };
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
    }
}

#[test]
fn a_server_that_says_its_entries_are_not_there_has_lost_them() {
    let stage = Stage::set();
    let key = stage.place.data().join("ledger.vkey");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| denies_entries(&stage, listener));
        let verdict = verify(&["--url", &format!("http://{at}"), "--key", text(&key), "--max-age", "1h"]);
        TcpStream::connect(at).unwrap().write_all(b"GET /enough HTTP/1.1\r\n\r\n").unwrap();
        verdict.is(11, "missing", "entry 0 is missing");
    });
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
    for option in ["--checkpoint", "--receipts", "--anchor", "--archive", "--max-age"] {
        let (code, _, said) = complain(&[&arguments[..], &[option, "1h"]].concat());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(&format!("{option} cannot be held against an evidence bundle")), "{said}");
    }
    let sound = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, sound.replace("Because", "Whatever")).unwrap();
    assert_eq!(verify(&arguments).code, 10);
}
