use std::sync::Arc;
use std::time::Duration;

use brevet_ledger::{AddCheckpoint, Checkpoint, KeyName, Note, Origin, SigningKey, VerifierKey, leaf_hash};
use brevet_store::{DataFolder, WitnessLedgers, WitnessStore};
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Answer, Client, ClientError, SIZE_TYPE, WitnessUrl, understand};
use crate::witness::office::Office;
use crate::witness::writer::Writer;
use crate::world::Machine;

const PATIENCE: Duration = Duration::from_secs(30);

/// A witness in this process, at its address; it watches the ledger whose checkpoints [`request`] makes.
struct Witness {
    url: String,
    key: VerifierKey,
    _folder: tempfile::TempDir,
}

async fn witness() -> Witness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witness");
    let name = KeyName::parse("witness.example/w1").unwrap();
    let store = WitnessStore::open(DataFolder::claim(&path).unwrap(), Some(&name), &[9; 32]).unwrap();
    let (origin, ledger) = ledger();
    WitnessLedgers::visit(&path).unwrap().add(&origin, ledger.verifier(), 1).unwrap();
    let key = store.verifier().clone();
    let (writer, _ended) = Writer::start(store, Machine).unwrap();
    let office = Arc::new(Office::open(writer).unwrap());
    let listening = crate::http::bind_to("127.0.0.1:0".parse().unwrap(), None).await.unwrap();
    let url = format!("http://{}", listening.address());
    let routes = crate::witness::http::routes(office);
    tokio::spawn(listening.serve_routes(routes, std::future::pending(), PATIENCE));
    Witness { url, key, _folder: folder }
}

fn ledger() -> (Origin, SigningKey) {
    let name = KeyName::parse("ledger.example/one").unwrap();
    (Origin::parse(name.as_str()).unwrap(), SigningKey::from_seed(name, &[1; 32]))
}

fn request(old: u64, size: u64, root: &str) -> AddCheckpoint {
    let (origin, key) = ledger();
    let checkpoint = Checkpoint::new(origin, size, leaf_hash(root.as_bytes())).sign(&key).unwrap();
    AddCheckpoint { old, proof: Vec::new(), checkpoint }
}

#[tokio::test]
async fn a_witness_is_asked_again_and_again_over_one_connection() {
    let Witness { url, key, _folder } = witness().await;
    let client = Client::new(PATIENCE, None).unwrap();
    for size in [5, 5] {
        let old = if client.kept.lock().unwrap().is_empty() { 0 } else { size };
        let request = request(old, size, "a");
        let Answer::Cosigned(signatures) = client.add_checkpoint(&url, &request).await.unwrap() else {
            panic!("not cosigned")
        };
        let note = signatures.into_iter().try_fold(request.checkpoint, Note::with_signature).unwrap();
        assert_eq!(note.cosignatures(std::slice::from_ref(&key)).unwrap().len(), 1);
        assert_eq!(client.kept.lock().unwrap().len(), 1);
    }
    let slash = format!("{url}/");
    assert!(matches!(client.add_checkpoint(&slash, &request(0, 6, "a")).await, Ok(Answer::HasSize(5))));
    let refused = client.add_checkpoint(&url, &request(5, 5, "b")).await.unwrap();
    assert!(matches!(refused, Answer::Refused { status: 422, .. }), "{refused:?}");
    let elsewhere = client.add_checkpoint(&format!("{url}/w1"), &request(5, 5, "a")).await.unwrap();
    assert!(matches!(elsewhere, Answer::Refused { status: 404, .. }), "{elsewhere:?}");
}

/// Somebody who answers every connection with these bytes, and goes on for ever with the last of them.
async fn somebody(answer: &'static [u8], goes_on: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.read(&mut [0; 4096]).await);
            drop(stream.write_all(answer).await);
            while goes_on && stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
        }
    });
    url
}

#[tokio::test]
async fn whoever_is_no_witness_costs_neither_memory_nor_time_without_end() {
    let client = Client::new(PATIENCE, None).unwrap();
    let endless = somebody(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", true).await;
    let told = client.add_checkpoint(&endless, &request(0, 1, "a")).await;
    assert!(matches!(told, Err(ClientError::Unexpected(_))), "{told:?}");
    let other = somebody(b"220 mail.example ESMTP\r\n", false).await;
    let told = client.add_checkpoint(&other, &request(0, 1, "a")).await;
    assert!(matches!(told, Err(ClientError::Unreachable(_))), "{told:?}");
    let silent = somebody(b"", false).await;
    let hasty = Client::new(Duration::from_millis(100), None).unwrap();
    let told = hasty.add_checkpoint(&silent, &request(0, 1, "a")).await;
    assert!(matches!(told, Err(ClientError::Late(_))), "{told:?}");
    let told = client.add_checkpoint("http://127.0.0.1:1", &request(0, 1, "a")).await;
    assert!(matches!(told, Err(ClientError::Unreachable(_))), "{told:?}");
    assert!(matches!(Client::new(PATIENCE, Some(b"no PEM")), Err(ClientError::Untrusting(_))));
}

fn answer(status: u16, kind: &'static str, body: &str) -> Result<Answer, ClientError> {
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
    understand(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

#[test]
fn a_witness_has_one_address() {
    let parse = |text| WitnessUrl::parse(text).unwrap();
    let witness = parse("https://witness.example.org/w1/");
    assert_eq!((witness.https, witness.port, witness.prefix.as_str()), (true, 443, "/w1"));
    let witness = parse("http://[::1]:8430");
    assert_eq!(
        (witness.host.as_str(), witness.port, witness.authority.as_str()),
        ("::1", 8430, "[::1]:8430")
    );
    assert_eq!(witness.prefix, "");
    for text in
        ["", "witness.example.org", "ftp://a", "https://", "https://me@a.org", "https://a.org/?b=c", "/x"]
    {
        assert!(WitnessUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_size_is_a_size_only_in_its_own_type_and_spelling() {
    assert!(matches!(answer(409, SIZE_TYPE, "17\n"), Ok(Answer::HasSize(17))));
    assert!(matches!(answer(409, "text/plain", "17\n"), Ok(Answer::Refused { status: 409, .. })));
    for body in ["17", "017\n", "+17\n", "17\n\n", "", "\n", "18446744073709551616\n", "-1\n"] {
        assert!(matches!(answer(409, SIZE_TYPE, body), Err(ClientError::Unexpected(_))), "{body:?}");
    }
}

#[test]
fn what_is_no_signature_is_no_answer_and_a_redirect_is_a_refusal() {
    for body in ["", "\n", "welcome\n", "\u{2014} witness.example/w1 AAAA"] {
        assert!(matches!(answer(200, "text/plain", body), Err(ClientError::Unexpected(_))), "{body:?}");
    }
    let Ok(Answer::Refused { status: 302, text }) = answer(302, "text/plain", "else\x1bwhere\n") else {
        panic!("a redirect is followed")
    };
    assert!(!text.contains('\x1b'), "{text:?}");
    let Ok(Answer::Refused { text, .. }) = answer(500, "text/plain", &"x".repeat(9_000)) else {
        panic!("an error is no refusal")
    };
    assert!(text.len() < 1_000);
}
