//! A connection to a server: TCP on this machine, TLS elsewhere.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::net::TcpStream;

use super::exit::Failure;
use super::server::ServerUrl;
use crate::dial::{self, BadTrust, Trust};

/// How long a server may take to accept a connection.
const CONNECT_SECONDS_MAX: u64 = 10;

/// A connection that is open.
pub(crate) type Open = SendRequest<Full<Bytes>>;

/// Opens a connection for one call. Certificates are read only when the server is `https`.
pub(crate) async fn connect(server: &ServerUrl, ca_file: Option<&Path>) -> Result<Open, Failure> {
    let opening = async {
        let stream = open(server).await?;
        let spoken = match server.https {
            false => dial::speak_http(stream).await,
            true => dial::speak_http(encrypt(server, ca_file, stream).await?).await,
        };
        spoken.map_err(|error| unreachable(server, error))
    };
    match tokio::time::timeout(Duration::from_secs(CONNECT_SECONDS_MAX), opening).await {
        Ok(opened) => opened,
        Err(_) => Err(unreachable(server, format!("no answer within {CONNECT_SECONDS_MAX} s"))),
    }
}

async fn open(server: &ServerUrl) -> Result<TcpStream, Failure> {
    let stream = dial::open(&server.host, server.port).await.map_err(|error| unreachable(server, error))?;
    // What `localhost` means is up to a file or a name server; a token goes nowhere else all the same.
    let stays_here = stream.peer_addr().is_ok_and(|address| address.ip().is_loopback());
    if !server.https && !stays_here {
        return Err(Failure::Failed(format!("{server} is not on this machine; use https://")));
    }
    Ok(stream)
}

async fn encrypt(
    server: &ServerUrl,
    ca_file: Option<&Path>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    trusted(server, ca_file)?.encrypt(&server.host, stream).await.map_err(|error| {
        Failure::Failed(format!(
            "no encrypted connection to {server}: {error}. If its certificate is your own authority's, \
             name the authority's certificate with --ca-file"
        ))
    })
}

/// The certificates of this file alone, or those that the system trusts.
fn trusted(server: &ServerUrl, ca_file: Option<&Path>) -> Result<Trust, Failure> {
    let trust = match ca_file {
        None => Trust::of_system(),
        Some(path) => {
            let read = std::fs::read(path);
            let pem = read.map_err(Failure::io(format!("{} cannot be read", path.display())))?;
            Trust::of_pem(&pem)
        }
    };
    trust.map_err(|error| match (error, ca_file) {
        (BadTrust::Empty, _) => {
            Failure::Failed("this system trusts no certificates; name some with --ca-file".into())
        }
        (BadTrust::Pem(why), Some(path)) => {
            Failure::Failed(format!("{} holds no certificates in PEM: {why}", path.display()))
        }
        (error, _) => unreachable(server, error),
    })
}

pub(super) fn unreachable(server: &ServerUrl, why: impl std::fmt::Display) -> Failure {
    Failure::Unreachable { server: server.to_string(), why: why.to_string() }
}
