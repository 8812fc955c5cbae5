//! What a server publishes, followed by a monitor; and an evidence bundle.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use brevet_ledger::{Checkpoint, Note, Origin, SigningKey, VerifierKey, leaf_hash};

use crate::ledger::{
    Verdict, add_entries, checkpoint, complain, keep, text, verify, verify_with_environment,
    verify_with_token,
};
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
    let sent = |who: &str, arguments: &[&str]| {
        verify_with_token(&stage.person(who).token, &[arguments, &["--send-token"]].concat())
    };
    sent("otto", &fresh).is_well();
    sent("bob", &more).is(1, "cannot-verify", "with the token in BREVET_TOKEN");
    let auditor = sent("otto", &more);
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

/// Hands on what the ledger publishes until somebody has enough; answers all that was asked, headers included.
fn overhears(stage: &Stage, listener: &TcpListener, checkpoint: Option<&str>) -> Vec<String> {
    let mut heard = Vec::new();
    for stream in listener.incoming() {
        let mut stream = BufReader::new(stream.unwrap());
        let mut asked = String::new();
        while !asked.ends_with("\r\n\r\n") && stream.read_line(&mut asked).unwrap() > 0 {}
        let path = asked.split(' ').nth(1).unwrap_or_default().to_owned();
        if path == "/enough" {
            break;
        }
        heard.push(asked);
        let body = match checkpoint {
            Some(note) if path == "/ledger/checkpoint" => note.as_bytes().to_vec(),
            _ => stage.server.connect(&stage.person("otto").token).get(&path).unwrap().body,
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
    }
    heard
}

/// What a verifier with a token asks of somebody who stands there in place of the server.
fn heard(
    stage: &Stage,
    checkpoint: Option<&str>,
    verify: impl FnOnce(&str) -> Verdict,
) -> (Verdict, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::scope(|scope| {
        let overhearing = scope.spawn(|| overhears(stage, &listener, checkpoint));
        let verdict = verify(&format!("http://{at}"));
        TcpStream::connect(at).unwrap().write_all(b"GET /enough HTTP/1.1\r\n\r\n").unwrap();
        (verdict, overhearing.join().unwrap())
    })
}

#[test]
fn a_token_goes_to_the_server_that_it_is_for_and_to_no_other() {
    let stage = Stage::with_policy("Linux/Say", "");
    let token = &stage.person("otto").token;
    let key = stage.place.data().join("ledger.vkey");
    let asks = |url: &str, its_server: &str, more: &[&str]| {
        let arguments = [&["--url", url, "--key", text(&key)], more].concat();
        verify_with_environment(&[("BREVET_TOKEN", token), ("BREVET_SERVER", its_server)], &arguments)
    };
    let shows = |heard: &[String]| {
        let with = |asked: &&String| asked.to_lowercase().contains("authorization:");
        (heard.iter().any(|asked| with(&asked)), heard.iter().any(|asked| asked.contains(token)))
    };
    let its_server = stage.server.url();
    let (verdict, asked) = heard(&stage, None, |url| asks(url, &its_server, &[]));
    assert_eq!(shows(&asked), (false, false), "{asked:?}");
    assert!(asked.len() > 1, "{asked:?}");
    verdict.is_well();
    let (verdict, asked) = heard(&stage, None, |url| asks(url, &its_server, &["--send-token"]));
    assert_eq!(shows(&asked), (true, true));
    assert_eq!(verdict.is_well().value["entries_read"], true);
    let (_, asked) = heard(&stage, None, |url| asks(url, &format!("{url}/below"), &[]));
    assert_eq!(shows(&asked), (true, true), "the path makes no other server");
    // The true server withholds entries from whoever shows no token, and the reason is said.
    let verdict = asks(&its_server, "https://brevet.example.org", &[]);
    let note = verdict.is_well().value["notes"][0].as_str().unwrap().to_owned();
    assert!(
        note.contains("it is for https://brevet.example.org:443") && note.contains("--send-token"),
        "{note}"
    );
    assert_eq!(asks(&its_server, &its_server, &[]).is_well().value["entries_read"], true);
}

#[test]
fn nothing_is_fetched_by_a_size_that_no_trusted_key_signed_or_without_end() {
    let stage = Stage::set();
    let data = stage.place.data();
    let key = data.join("ledger.vkey");
    let own = SigningKey::parse(std::fs::read_to_string(data.join("ledger.key")).unwrap().trim()).unwrap();
    let stranger = SigningKey::from_seed(own.verifier().name().clone(), &[9; 32]);
    let origin = Origin::parse(own.verifier().name().as_str()).unwrap();
    let endless = Checkpoint::new(origin, 1 << 40, leaf_hash(b"whatever"));
    for (signer, code, finding, says) in [
        (&stranger, 15, "bad-signature", "nothing more was fetched"),
        (&own, 1, "cannot-verify", "and at most 67108864 are fetched"),
    ] {
        let note = endless.sign(signer).unwrap().to_string();
        let asks = |url: &str| verify(&["--url", url, "--key", text(&key)]);
        let (verdict, asked) = heard(&stage, Some(&note), asks);
        verdict.is(code, finding, says);
        assert_eq!(asked.len(), 1, "{asked:?}");
    }
}

#[test]
fn an_auditor_who_trusts_the_key_before_follows_to_the_one_that_signs_now() {
    let stage = Stage::set();
    let old =
        keep(&stage.place, "old", &std::fs::read_to_string(stage.place.data().join("ledger.vkey")).unwrap());
    stage.types("ada", "audit rotate-key --overlap 0", 0);
    let is_signed_anew = || {
        let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
        let key = std::fs::read_to_string(stage.place.data().join("ledger.vkey")).unwrap();
        let key: VerifierKey = key.lines().next().unwrap().parse().unwrap();
        String::from_utf8(note).unwrap().parse::<Note>().unwrap().verify(&[key]).is_ok()
    };
    until("a checkpoint of the new key is published", is_signed_anew);
    add_entries(&stage, 0, 3);
    until("a later one is published", || {
        let note = stage.server.connect("").get("/ledger/checkpoint").unwrap().body;
        let note: Note = String::from_utf8(note).unwrap().parse().unwrap();
        note.signatures().len() == 1
    });
    let url = stage.server.url();
    let arguments = ["--url", &url, "--key", &old];
    verify(&arguments).is(15, "bad-signature", "give the new one with --key");
    let auditor = [&arguments[..], &["--send-token"]].concat();
    verify_with_token(&stage.person("otto").token, &auditor).is_well();
}
