//! A connection to a server: TCP on this machine, TLS elsewhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};

use super::exit::Failure;
use super::server::ServerUrl;

/// How long a server may take to accept a connection.
const CONNECT_SECONDS_MAX: u64 = 10;

/// Opens a connection for one call. Certificates are read only when the server is `https`.
pub(crate) async fn connect(
    server: &ServerUrl,
    ca_file: Option<&Path>,
) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let opening = async {
        let stream = open(server).await?;
        match server.https {
            false => handshake(server, TokioIo::new(stream)).await,
            true => handshake(server, TokioIo::new(encrypt(server, ca_file, stream).await?)).await,
        }
    };
    match tokio::time::timeout(Duration::from_secs(CONNECT_SECONDS_MAX), opening).await {
        Ok(opened) => opened,
        Err(_) => Err(unreachable(server, format!("no answer within {CONNECT_SECONDS_MAX} s"))),
    }
}

async fn open(server: &ServerUrl) -> Result<TcpStream, Failure> {
    let to = (server.host.as_str(), server.port);
    let stream = TcpStream::connect(to).await.map_err(|error| unreachable(server, error))?;
    // What `localhost` means is up to a file or a name server; a token goes nowhere else all the same.
    let stays_here = stream.peer_addr().is_ok_and(|address| address.ip().is_loopback());
    if !server.https && !stays_here {
        return Err(Failure::Failed(format!("{server} is not on this machine; use https://")));
    }
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn handshake<S>(server: &ServerUrl, stream: TokioIo<S>) -> Result<SendRequest<Full<Bytes>>, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(stream).await.map_err(|error| unreachable(server, error))?;
    tokio::spawn(async move {
        // What goes wrong here, the one who waits for the answer is told.
        let _ = connection.await;
    });
    Ok(sender)
}

async fn encrypt(
    server: &ServerUrl,
    ca_file: Option<&Path>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    let trusted = trusted(ca_file)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(server, error))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let name = ServerName::try_from(server.host.clone()).map_err(|error| unreachable(server, error))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| {
        Failure::Failed(format!(
            "no encrypted connection to {server}: {error}. If its certificate is your own authority's, \
             name the authority's certificate with --ca-file"
        ))
    })
}

/// The certificates of this file alone, or those that the system trusts.
fn trusted(ca_file: Option<&Path>) -> Result<rustls::RootCertStore, Failure> {
    let mut store = rustls::RootCertStore::empty();
    let Some(path) = ca_file else {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return match store.is_empty() {
            true => {
                Err(Failure::Failed("this system trusts no certificates; name some with --ca-file".into()))
            }
            false => Ok(store),
        };
    };
    let bad = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("{} holds no certificates in PEM: {error}", path.display()))
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))? {
        store.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
    }
    match store.is_empty() {
        true => Err(bad(&"it is empty")),
        false => Ok(store),
    }
}

pub(super) fn unreachable(server: &ServerUrl, why: impl std::fmt::Display) -> Failure {
    Failure::Unreachable { server: server.to_string(), why: why.to_string() }
}
