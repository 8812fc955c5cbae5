//! Asks a witness to sign a checkpoint (C2SP tlog-witness, "add-checkpoint").
//!
//! It believes nothing that it reads: what is answered is bounded, redirects are answers like any other, and the
//! signatures are for the caller to check against the keys of a policy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brevet_ledger::{AddCheckpoint, NoteSignature};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};

use super::SIZE_TYPE;
use crate::dial::{self, Trust};

/// The longest answer that is read, in bytes: room for every signature that a note may carry.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// What of a refusal is told on, in characters.
const REFUSAL_CHARS_MAX: usize = 300;
/// Connections that are kept open, one for each witness.
const KEPT_MAX: usize = 64;

/// What a witness answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It signed. Nothing of this is checked yet.
    Cosigned(Vec<NoteSignature>),
    /// It has seen another size than the request says.
    HasSize(u64),
    /// It does not sign.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says, in one line without control characters.
        text: String,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// Not the address of a witness.
    #[error("'{0}' is not the address of a witness; it looks like https://witness.example.org")]
    BadUrl(String),
    /// No authority is trusted, so nobody can be who they say.
    #[error("no encrypted connection can be made: {0}")]
    Untrusting(String),
    /// Not reached.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// Not in time.
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    /// Not understood.
    #[error("it gave an answer that is none of a witness: {0}")]
    Unexpected(String),
}

type Sender = SendRequest<Full<Bytes>>;

/// Asks witnesses, over connections that it keeps open. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    timeout: Duration,
    /// Missing where nobody is trusted: then `http` still works.
    trust: Result<Trust, String>,
    kept: Arc<Mutex<HashMap<String, Sender>>>,
}

impl Client {
    /// A client that waits so long for one answer; `authority` is a certificate authority as PEM, without which those
    /// of the system are trusted.
    pub(crate) fn new(timeout: Duration, authority: Option<&[u8]>) -> Result<Self, ClientError> {
        let trust = match authority {
            Some(pem) => Ok(Trust::of_pem(pem).map_err(|error| ClientError::Untrusting(error.to_string()))?),
            None => Trust::of_system().map_err(|error| error.to_string()),
        };
        Ok(Self { timeout, trust, kept: Arc::default() })
    }

    /// Shows a checkpoint to the witness with this submission prefix.
    pub(crate) async fn add_checkpoint(
        &self,
        url: &str,
        request: &AddCheckpoint,
    ) -> Result<Answer, ClientError> {
        let witness = WitnessUrl::parse(url)?;
        let body = Bytes::from(request.to_string());
        let asking = async {
            // A connection that was kept may have been closed by the witness meanwhile; asking twice does no harm.
            if let Some(sender) = self.take_kept(url)
                && let Ok(answered) = self.ask(sender, url, &witness, body.clone()).await
            {
                return Ok(answered);
            }
            let sender = self.connect(&witness).await?;
            self.ask(sender, url, &witness, body).await
        };
        let (status, headers, body) = tokio::time::timeout(self.timeout, asking)
            .await
            .map_err(|_| ClientError::Late(self.timeout))??;
        understand(status, &headers, &body)
    }

    async fn connect(&self, witness: &WitnessUrl) -> Result<Sender, ClientError> {
        let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable(error.to_string());
        let stream = dial::open(&witness.host, witness.port).await.map_err(|error| unreachable(&error))?;
        let spoken = match witness.https {
            false => dial::speak_http(stream).await,
            true => {
                let trust = self.trust.as_ref().map_err(|why| ClientError::Untrusting(why.clone()))?;
                let encrypted = trust.encrypt(&witness.host, stream).await;
                dial::speak_http(encrypted.map_err(|error| unreachable(&error))?).await
            }
        };
        spoken.map_err(|error| unreachable(&error))
    }

    /// Asks, reads the whole answer, and keeps the connection when it can be used again.
    async fn ask(
        &self,
        mut sender: Sender,
        url: &str,
        witness: &WitnessUrl,
        body: Bytes,
    ) -> Result<(StatusCode, HeaderMap, Bytes), ClientError> {
        let request = Request::post(format!("{}/add-checkpoint", witness.prefix))
            .header(HOST, &witness.authority)
            .header(USER_AGENT, concat!("brevet/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(Full::new(body))
            .map_err(|error| ClientError::Unexpected(error.to_string()))?;
        let unreachable = |error: hyper::Error| ClientError::Unreachable(error.to_string());
        let response: Response<Incoming> = sender.send_request(request).await.map_err(unreachable)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| ClientError::Unexpected(error.to_string()))?.to_bytes();
        self.keep(url, sender);
        Ok((head.status, head.headers, body))
    }

    fn take_kept(&self, url: &str) -> Option<Sender> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(url);
        kept.filter(|sender| !sender.is_closed())
    }

    fn keep(&self, url: &str, sender: Sender) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && kept.len() < KEPT_MAX {
            kept.insert(url.to_owned(), sender);
        }
    }
}

fn understand(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Answer, ClientError> {
    let text = String::from_utf8_lossy(body);
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let says_size = kind.split(';').next().is_some_and(|kind| kind.trim() == SIZE_TYPE);
    match status {
        StatusCode::OK => NoteSignature::parse_lines(&text)
            .map(Answer::Cosigned)
            .map_err(|error| ClientError::Unexpected(error.to_string())),
        // Without this type it is the answer of another, older protocol.
        StatusCode::CONFLICT if says_size => parse_size(&text)
            .map(Answer::HasSize)
            .ok_or_else(|| ClientError::Unexpected("the size that it has seen is no number".into())),
        status => {
            let text: String = text.trim().chars().take(REFUSAL_CHARS_MAX).collect();
            Ok(Answer::Refused { status: status.as_u16(), text: brevet_core::escape_for_display(&text) })
        }
    }
}

/// Digits and a line feed.
fn parse_size(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('\n')?;
    digits.parse().ok().filter(|size: &u64| size.to_string() == digits)
}

/// The submission prefix of a witness.
#[derive(Debug, PartialEq, Eq)]
struct WitnessUrl {
    https: bool,
    /// An IPv6 address without brackets.
    host: String,
    port: u16,
    /// As in the `Host` header.
    authority: String,
    /// Without a slash at its end.
    prefix: String,
}

impl WitnessUrl {
    fn parse(text: &str) -> Result<Self, ClientError> {
        let bad = || ClientError::BadUrl(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(bad());
        }
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { https, host, port, authority: authority.to_string(), prefix })
    }
}

#[cfg(test)]
mod tests;
