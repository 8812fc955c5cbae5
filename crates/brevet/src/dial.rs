//! Connections to others: TCP, TLS where it is wanted, HTTP/1.1 on top. Whom to trust is the caller's.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Why nobody can be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadTrust {
    /// The system names no authority.
    #[error("this system trusts no certificates")]
    Empty,
    /// These are no certificates.
    #[error("there are no certificates in PEM: {0}")]
    Pem(String),
    /// TLS does not take them.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The authorities that may vouch for the other side. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Those that the system trusts.
    pub(crate) fn of_system() -> Result<Self, BadTrust> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::new(store, BadTrust::Empty)
    }

    /// Those of this PEM text alone.
    pub(crate) fn of_pem(pem: &[u8]) -> Result<Self, BadTrust> {
        let bad = |error: &dyn std::fmt::Display| BadTrust::Pem(error.to_string());
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            store.add(certificate.map_err(|error| bad(&error))?).map_err(|error| bad(&error))?;
        }
        Self::new(store, bad(&"it is empty"))
    }

    fn new(store: RootCertStore, empty: BadTrust) -> Result<Self, BadTrust> {
        if store.is_empty() {
            return Err(empty);
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Encrypts a connection, if the other side proves to be `host`.
    pub(crate) async fn encrypt(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        tokio_rustls::TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await
    }
}

/// A plain connection.
pub(crate) async fn open(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// HTTP/1.1 over a connection, which lives as long as what is returned.
pub(crate) async fn speak_http<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // What goes wrong here, the one who waits for the answer is told.
        let _ = connection.await;
    });
    Ok(sender)
}
