//! TLS 1.2 and later, with rustls and aws-lc.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::Tls;

/// Why there is no TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum BadTls {
    /// A file cannot be read.
    #[error("{path} cannot be read as PEM: {why}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Everybody on this machine can read the key.
    #[error(
        "the key {path} can be read by everybody on this machine (mode {mode:03o}); make it private with: chmod 600 {path}"
    )]
    OpenKey {
        /// Which.
        path: PathBuf,
        /// As it is.
        mode: u32,
    },
    /// They do not belong together.
    #[error("certificate and key do not go together: {0}")]
    Mismatch(#[from] rustls::Error),
}

/// Reads the files.
pub(super) fn configuration(files: &Tls) -> Result<Arc<ServerConfig>, BadTls> {
    let Tls { certificate, key } = files;
    check_private(key)?;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    if chain.is_empty() {
        return Err(unreadable(certificate)("there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(configuration))
}

fn unreadable<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> BadTls {
    move |error| BadTls::Unreadable { path: path.to_owned(), why: error.to_string() }
}

fn check_private(key: &Path) -> Result<(), BadTls> {
    let mode = std::fs::metadata(key).map_err(unreadable(key))?.mode() & 0o777;
    match mode & 0o007 {
        0 => Ok(()),
        _ => Err(BadTls::OpenKey { path: key.to_owned(), mode }),
    }
}
