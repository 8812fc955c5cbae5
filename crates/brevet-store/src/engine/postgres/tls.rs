//! Encryption on the way to PostgreSQL: whoever answers must have a certificate for the host that was asked, from an
//! authority that is trusted. There is no weaker kind.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Socket;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};

use super::Fault;

/// What the other side must speak inside the encryption, where it can say so.
const PROTOCOL: &[u8] = b"postgresql";

/// Whom to trust.
#[derive(Clone, Default)]
pub(super) struct Trust(Option<Arc<ClientConfig>>);

impl Trust {
    /// The authorities of this PEM file alone, or those of the system.
    pub(super) fn of(authority: Option<&Path>) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        match authority {
            Some(path) => {
                let bad =
                    |why: &dyn std::fmt::Display| Fault::Authority(format!("{}: {why}", path.display()));
                let certificates = CertificateDer::pem_file_iter(path).map_err(|error| bad(&error))?;
                for certificate in certificates {
                    let added = certificate.map(|certificate| roots.add(certificate));
                    added.map_err(|error| bad(&error))?.map_err(|error| bad(&error))?;
                }
                if roots.is_empty() {
                    return Err(bad(&"there is no certificate in it"));
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                if roots.is_empty() {
                    return Err(Fault::Authority(
                        "this system trusts no certificates; name a file".to_owned(),
                    ));
                }
            }
        }
        let mut client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::Authority(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        client.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self(Some(Arc::new(client))))
    }
}

impl MakeTlsConnect<Socket> for Trust {
    type Stream = Encrypted;
    type TlsConnect = Handshake;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<Handshake> {
        Ok(Handshake { client: self.0.clone(), host: host.to_owned() })
    }
}

/// A handshake with one host that is to come.
pub(super) struct Handshake {
    client: Option<Arc<ClientConfig>>,
    host: String,
}

impl TlsConnect<Socket> for Handshake {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, socket: Socket) -> Self::Future {
        Box::pin(async move {
            let client = self.client.ok_or_else(|| io::Error::other("nobody is trusted"))?;
            let host = ServerName::try_from(self.host).map_err(io::Error::other)?;
            TlsConnector::from(client).connect(host, socket).await.map(Encrypted)
        })
    }
}

/// A connection that is encrypted.
pub(super) struct Encrypted(tokio_rustls::client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let own = session.peer_certificates().and_then(|certificates| certificates.first());
        match own.and_then(|certificate| end_point(certificate)) {
            Some(digest) => ChannelBinding::tls_server_end_point(digest),
            None => ChannelBinding::none(),
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// What a password is bound to, so that nobody in the middle can use it (RFC 5929, section 4.1): the hash of the
/// certificate by the algorithm of its signature. `None` where that has none, as Ed25519.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    /// 1.2.840.113549.1.1 and 1.2.840.10045.4.3, without the last number.
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let (last, family) = signature_algorithm(certificate)?.split_last()?;
    match (family, last) {
        // SHA-1 is taken for too weak, and SHA-256 is in its place.
        (RSA, 5 | 11) | (ECDSA, 2) => Some(Sha256::digest(certificate).to_vec()),
        (RSA, 12) | (ECDSA, 3) => Some(Sha384::digest(certificate).to_vec()),
        (RSA, 13) | (ECDSA, 4) => Some(Sha512::digest(certificate).to_vec()),
        _ => None,
    }
}

/// The object identifier of the algorithm by which a certificate is signed: the first part of the second part.
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const OBJECT_IDENTIFIER: u8 = 0x06;
    let (certificate, _) = value(SEQUENCE, certificate)?;
    let (_, behind) = value(SEQUENCE, certificate)?;
    let (algorithm, _) = value(SEQUENCE, behind)?;
    value(OBJECT_IDENTIFIER, algorithm).map(|(identifier, _)| identifier)
}

/// A value in DER with this tag, and what is behind it.
fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, bytes) = bytes.split_first()?;
    let (short, bytes) = bytes.split_first()?;
    let (length, bytes) = match short {
        0..=0x7f => (usize::from(*short), bytes),
        0x81..=0x83 => {
            let (long, bytes) = bytes.split_at_checked(usize::from(short - 0x80))?;
            (long.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), bytes)
        }
        _ => return None,
    };
    bytes.split_at_checked(length).filter(|_| *found == tag)
}

/// What a person can do about a handshake that failed.
pub(super) fn advice(error: &tokio_postgres::Error) -> Option<&'static str> {
    use std::error::Error as _;
    let cause = error.source()?.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<TlsError>()?;
    match cause {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("name the authority that signed its certificate as database.authority")
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            Some("its certificate is for another host; name the host in database.url as its certificate does")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::end_point;

    #[test]
    fn what_is_no_certificate_binds_nothing() {
        for bytes in [
            &b""[..],
            &[0x30],
            &[0x30, 0x84, 0, 0, 0, 1],
            &[0x30, 0x80],
            &[0x30, 0x02, 0x30, 0x05],
            &[0x30, 0x06, 0x30, 0x00, 0x30, 0x02, 0x06, 0x00],
        ] {
            assert!(end_point(bytes).is_none(), "{bytes:?}");
        }
    }
}
