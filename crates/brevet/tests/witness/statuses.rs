//! Every status of `add-checkpoint`, and the read routes.

use std::time::{SystemTime, UNIX_EPOCH};

use brevet_ledger::{Note, leaf_hash};
use sha2::{Digest as _, Sha256};

use crate::ledger::Ledger;
use crate::process::{Home, NAME, Running};
use crate::talk::{Answer, Talk};

const ORIGIN: &str = "ledger.example/one";

/// A witness that watches one ledger.
fn watching(ledger: &Ledger) -> (Home, Running) {
    let home = Home::new();
    let witness = home.start();
    home.does(&["add-log", &ledger.key()]);
    (home, witness)
}

fn send(talk: &mut Talk, request: &brevet_ledger::AddCheckpoint) -> Answer {
    talk.add(request.to_string().as_bytes()).unwrap()
}

#[track_caller]
fn is(answer: &Answer, status: u16, says: &str) {
    assert!(answer.status == status && answer.body.contains(says), "not {status} with {says:?}: {answer:?}");
}

#[test]
fn every_request_gets_the_status_that_the_protocol_gives_it() {
    let ledger = Ledger::of(ORIGIN, 1, 20);
    let (home, witness) = watching(&ledger);
    let mut talk = witness.talk();

    let unknown = Ledger::of("ledger.example/other", 1, 5);
    is(&send(&mut talk, &unknown.request(0, 5)), 404, "does not watch");
    is(&send(&mut talk, &ledger.with_key(2).request(0, 5)), 403, "no key");
    let mut forged = ledger.request(0, 5).to_string();
    forged = forged.replace("\n5\n", "\n6\n");
    is(&talk.add(forged.as_bytes()).unwrap(), 403, "no key");
    is(&send(&mut talk, &ledger.request(6, 5)), 400, "above");
    let fine = ledger.request(0, 5).to_string();
    for bad in ["", "old 0\n\n", "old 00\n\nx\n", &fine[1..], &fine[..fine.len() - 1], &format!("{fine}\n")] {
        is(&talk.add(bad.as_bytes()).unwrap(), 400, "");
    }
    is(&talk.add(b"\xff\xfe").unwrap(), 400, "");

    let needless = ledger.request_with(0, 5, ledger.root(5), vec![leaf_hash(b"x")]);
    is(&send(&mut talk, &needless), 422, "nothing to prove");
    is(&send(&mut talk, &ledger.request_with(0, 0, leaf_hash(b"x"), Vec::new())), 422, "empty tree");
    is(&send(&mut talk, &ledger.request(0, 0)), 200, NAME);
    is(&send(&mut talk, &ledger.request(0, 5)), 200, NAME);
    is(&send(&mut talk, &ledger.request(5, 9)), 200, NAME);
    is(&send(&mut talk, &ledger.request(9, 9)), 200, NAME);

    for (old, size) in [(0, 20), (5, 20), (10, 20), (5, 9), (0, 0), (5, 5)] {
        let answer = send(&mut talk, &ledger.request(old, size));
        assert_eq!(
            (answer.status, answer.body.as_str(), answer.kind.as_str()),
            (409, "9\n", "text/x.tlog.size")
        );
    }
    let fork = ledger.forked_at(3);
    is(&send(&mut talk, &fork.request(9, 9)), 422, "another root");
    is(&send(&mut talk, &fork.request(9, 20)), 422, "does not show");
    let mut short = ledger.request(9, 20);
    short.proof.pop();
    is(&send(&mut talk, &short), 422, "hashes");
    is(&send(&mut talk, &ledger.request(9, 20)), 200, NAME);
    assert_eq!(home.types(&["key", "--name", NAME]).status.code(), Some(0));
    witness.stop();
}

#[test]
fn a_cosignature_holds_is_dated_now_and_is_on_the_checkpoint_that_monitors_read() {
    let ledger = Ledger::of(ORIGIN, 1, 9);
    let (home, witness) = watching(&ledger);
    let mut talk = witness.talk();
    let place = format!(
        "/{}/checkpoint",
        Sha256::digest(ORIGIN).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    );
    is(&talk.get(&place), 404, "no checkpoint");
    let request = ledger.request(0, 9);
    // Signatures by keys that nobody trusts are ignored, and not handed on.
    let stranger = ledger.with_key(7).request(0, 9).checkpoint.signatures()[0].clone();
    let sent = brevet_ledger::AddCheckpoint {
        checkpoint: request.checkpoint.clone().with_signature(stranger).unwrap(),
        ..request.clone()
    };
    let answer = send(&mut talk, &sent);
    is(&answer, 200, NAME);
    let keys = [home.key()];
    let note: Note = format!("{}{}", request.checkpoint, answer.body).parse().unwrap();
    let time = note.cosignatures(&keys).unwrap()[0].unix_seconds;
    #[expect(clippy::disallowed_methods, reason = "the time that the witness must say")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now - 60..=now + 1).contains(&time), "{time}, and it is {now}");
    let shown = talk.get(&place);
    assert_eq!((shown.status, shown.body), (200, note.to_string()));
    is(&talk.get(&place.to_uppercase()), 404, "");
    witness.stop();
}

#[test]
fn what_is_too_long_or_goes_elsewhere_is_refused_and_the_connection_goes_on() {
    let ledger = Ledger::of(ORIGIN, 1, 5);
    let (_home, witness) = watching(&ledger);
    let mut talk = witness.talk();
    is(&talk.call("GET /add-checkpoint HTTP/1.1\r\nhost: w\r\n\r\n", &[]).unwrap(), 405, "");
    is(&talk.get("/"), 404, "/add-checkpoint");
    is(&talk.get("/metrics/x"), 404, "");
    is(&send(&mut talk, &ledger.request(0, 5)), 200, NAME);
    let long = vec![b'x'; (64 << 10) + 1];
    is(&witness.talk().add(&long).unwrap(), 413, "65536");
    is(&send(&mut talk, &ledger.request(5, 5)), 200, NAME);
    witness.stop();
}

#[test]
fn health_and_metrics_say_what_happened() {
    let ledger = Ledger::of(ORIGIN, 1, 9);
    let (_home, witness) = watching(&ledger);
    let mut talk = witness.talk();
    is(&talk.get("/health"), 200, "watches 1 ledger");
    is(&send(&mut talk, &ledger.request(0, 7)), 200, NAME);
    is(&send(&mut talk, &ledger.request(3, 9)), 409, "7");
    is(&send(&mut talk, &ledger.forked_at(2).request(7, 7)), 422, "");
    let metrics = talk.get("/metrics");
    assert!(metrics.kind.starts_with("text/plain; version=0.0.4"), "{metrics:?}");
    for line in [
        "brevet_witness_requests_total{outcome=\"cosigned\"} 1",
        "brevet_witness_requests_total{outcome=\"other-size\"} 1",
        "brevet_witness_requests_total{outcome=\"inconsistent\"} 1",
        "brevet_witness_log_size{origin=\"ledger.example/one\"} 7",
        "brevet_witness_log_keys{origin=\"ledger.example/one\"} 1",
        "brevet_witness_evidence{origin=\"ledger.example/one\",kind=\"two-roots\"} 1",
        "brevet_witness_evidence{origin=\"ledger.example/one\",kind=\"unproven\"} 0",
    ] {
        assert!(metrics.body.lines().any(|found| found == line), "{line} is not in {}", metrics.body);
    }
    witness.stop();
}
