//! Over a real connection: where may be listened, and what a slow or wordy client gets.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use brevet::config::{Config, LedgerConfig};
use brevet::http::{ServeError, bind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::office::Office;

fn config(office: &Office, listen: &str) -> Config {
    let path = office.folder.path();
    let (listen, path) = (listen.parse().unwrap(), path.to_owned());
    Config {
        database: Default::default(),
        listen,
        data: path.clone(),
        tasks: path,
        tls: None,
        connections_per_address: None,
        ledger: LedgerConfig::default(),
        sinks: Vec::new(),
    }
}

#[tokio::test]
async fn without_tls_only_this_machine_is_listened_to() {
    let office = Office::empty().await;
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8420"] {
        let refused = bind(&config(&office, listen)).await.err().unwrap();
        assert!(matches!(refused, ServeError::Plain { .. }), "{refused}");
        assert!(refused.to_string().contains("tls.certificate"), "{refused}");
    }
    assert!(bind(&config(&office, "127.0.0.1:0")).await.is_ok());
}

#[tokio::test]
async fn a_key_that_everybody_can_read_and_files_without_pem_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let office = Office::empty().await;
    let (certificate, key) = (office.folder.path().join("cert.pem"), office.folder.path().join("key.pem"));
    for file in [&certificate, &key] {
        std::fs::write(file, "no PEM").unwrap();
    }
    let tls = Some(brevet::config::Tls { certificate, key: key.clone() });
    let config = Config { tls, ..config(&office, "127.0.0.1:0") };
    for (mode, says) in [(0o644, "chmod 600"), (0o600, "cert.pem cannot be read as PEM")] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let refused = bind(&config).await.err().unwrap().to_string();
        assert!(refused.contains(says), "{refused}");
    }
}

async fn serve(office: &Office) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let listening = bind(&config(office, "127.0.0.1:0")).await.unwrap();
    let (address, (stop, stopped)) = (listening.address(), tokio::sync::oneshot::channel());
    let serving =
        listening.serve(office.app.clone(), async { drop(stopped.await) }, std::time::Duration::from_secs(1));
    tokio::spawn(serving);
    (address, stop)
}

async fn talk(address: SocketAddr, request: &str) -> String {
    let mut connection = TcpStream::connect(address).await.unwrap();
    drop(connection.write_all(request.as_bytes()).await);
    let mut answer = Vec::new();
    drop(connection.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_connection_is_answered_and_bad_heads_are_refused() {
    let office = Office::empty().await;
    let (address, stop) = serve(&office).await;
    let answer = talk(address, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"needs_setup\":true"), "{answer}");
    let many: String = (0..100).map(|n| format!("X-{n}: y\r\n")).collect();
    let answer = talk(address, &format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(100 << 10));
    let answer = talk(address, &long).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let answer = talk(address, "GET /api/../health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    drop(stop);
}

/// The clock of the test is turned, nobody waits: a head that does not come in time ends the connection.
#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_cut_off() {
    let office = Office::empty().await;
    let (address, stop) = serve(&office).await;
    let began = tokio::time::Instant::now();
    let answer = talk(address, "GET /health HTTP/1.1\r\nHost: x\r\n").await;
    let took = began.elapsed().as_secs();
    assert!(!answer.contains("200 OK"), "{answer}");
    assert!((8..20).contains(&took), "{took} s");
    drop(stop);
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_the_settings_say() {
    let office = Office::empty().await;
    let config = Config { connections_per_address: NonZeroUsize::new(2), ..config(&office, "127.0.0.1:0") };
    let listening = bind(&config).await.unwrap();
    let address = listening.address();
    let stop = std::future::pending();
    tokio::spawn(listening.serve(office.app.clone(), stop, std::time::Duration::ZERO));
    let ask = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let first = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    assert_eq!(talk(address, ask).await, "", "they are two already");
    drop(first);
    // The server sees a moment later that they left.
    while !talk(address, ask).await.starts_with("HTTP/1.1 200 OK") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
