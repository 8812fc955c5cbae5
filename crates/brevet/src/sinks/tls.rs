//! Reaching a syslog receiver: TLS (RFC 5425), with the certificate authority that the settings name and no other.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::config::{SyslogConfig, Tls};

/// How long a receiver may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// A connection on which nothing came back for so long is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(5);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 2;
/// A connection on which sent bytes stay without acknowledgement for so long is given up.
/// INVARIANT: a dead receiver is noticed well within the time that is sent again (see `syslog`).
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);

/// Why a sink cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadSink {
    /// A file that it names cannot be used.
    #[error("the sink {sink}: {path} cannot be read as PEM: {why}")]
    Unreadable { sink: String, path: PathBuf, why: String },
    /// Everybody on this machine can read the key.
    #[error("the sink {sink}: others can read the key {path}; make it private with: chmod 600 {path}")]
    OpenKey { sink: String, path: PathBuf },
    /// No name that a certificate can have.
    #[error("the sink {sink}: \"{name}\" is no name that a certificate can have")]
    Name { sink: String, name: String },
    /// Certificate and key do not belong together.
    #[error("the sink {sink}: TLS cannot be set up: {why}")]
    Tls { sink: String, why: String },
}

/// Knows how to reach one receiver.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    name: ServerName<'static>,
    host: String,
    port: u16,
}

impl Connector {
    pub(super) fn new(sink: &str, config: &SyslogConfig) -> Result<Self, BadSink> {
        let tls = |error: rustls::Error| BadSink::Tls { sink: sink.to_owned(), why: error.to_string() };
        let mut trusted = RootCertStore::empty();
        for certificate in certificates(sink, &config.ca)? {
            trusted.add(certificate).map_err(|error| unreadable(sink, &config.ca)(error.to_string()))?;
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(trusted);
        let client = match &config.client {
            None => builder.with_no_client_auth(),
            Some(Tls { certificate, key }) => {
                let private = private_key(sink, key)?;
                builder.with_client_auth_cert(certificates(sink, certificate)?, private).map_err(tls)?
            }
        };
        let name = ServerName::try_from(config.server_name.clone())
            .map_err(|_| BadSink::Name { sink: sink.to_owned(), name: config.server_name.clone() })?;
        let tls = TlsConnector::from(Arc::new(client));
        Ok(Self { tls, name, host: config.host.clone(), port: config.port })
    }

    /// Opens a connection; a sentence where there is none.
    pub(super) async fn connect(&self) -> Result<TlsStream<TcpStream>, String> {
        match tokio::time::timeout(CONNECT_MAX, self.open()).await {
            Ok(opened) => opened,
            Err(_) => Err(format!("no answer within {} s", CONNECT_MAX.as_secs())),
        }
    }

    async fn open(&self) -> Result<TlsStream<TcpStream>, String> {
        let unreachable = |error: std::io::Error| format!("it cannot be reached: {error}");
        let addresses: Vec<SocketAddr> =
            tokio::net::lookup_host((self.host.as_str(), self.port)).await.map_err(unreachable)?.collect();
        let stream = TcpStream::connect(addresses.as_slice()).await.map_err(unreachable)?;
        watch_closely(&stream).map_err(|error| format!("the connection cannot be watched: {error}"))?;
        let encrypted = self.tls.connect(self.name.clone(), stream).await;
        encrypted.map_err(|error| format!("there is no trusted connection: {error}"))
    }
}

/// Lets the kernel notice a receiver that is gone without a word.
fn watch_closely(stream: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY)?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?;
    let millis = u32::try_from(UNACKNOWLEDGED_MAX.as_millis()).unwrap_or(u32::MAX);
    Ok(sockopt::set_tcp_user_timeout(stream, millis)?)
}

fn certificates(sink: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, BadSink> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(sink, path)(error.to_string()))?;
    match found.is_empty() {
        true => Err(unreadable(sink, path)("there is no certificate in it".to_owned())),
        false => Ok(found),
    }
}

fn private_key(sink: &str, path: &Path) -> Result<PrivateKeyDer<'static>, BadSink> {
    let mode = std::fs::metadata(path).map_err(|error| unreadable(sink, path)(error.to_string()))?.mode();
    if mode & 0o007 != 0 {
        return Err(BadSink::OpenKey { sink: sink.to_owned(), path: path.to_owned() });
    }
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(sink, path)(error.to_string()))
}

fn unreadable(sink: &str, path: &Path) -> impl FnOnce(String) -> BadSink {
    let (sink, path) = (sink.to_owned(), path.to_owned());
    move |why| BadSink::Unreadable { sink, path, why }
}
