//! The files of a ledger (C2SP tlog-tiles) as a server hands them out, fetched one after the other.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};

use super::connect::{Open, connect, unreachable};
use super::exit::Failure;
use super::server::ServerUrl;
use super::settings::Environment;
use crate::wire::SecretText;

/// How long one file may take, in seconds.
const FILE_SECONDS_MAX: u64 = 60;
/// The largest file: 256 entries of 65,535 bytes, each behind its length.
const FILE_BYTES_MAX: usize = 256 * (2 + 65_535);
/// How often a file is asked for whose connection breaks.
const ATTEMPTS_MAX: u32 = 3;

/// What a server answers.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The file.
    Here(Bytes),
    /// Its entries are in an archive.
    Archived,
    /// Only for those who may read the audit.
    Withheld(String),
    /// Not there.
    Absent(String),
}

/// Fetches files of one server's ledger. The token of the environment is sent along.
pub(crate) struct LedgerFiles {
    runtime: tokio::runtime::Runtime,
    server: ServerUrl,
    ca_file: Option<PathBuf>,
    token: Option<SecretText>,
    open: Option<Open>,
}

impl LedgerFiles {
    /// For the server at this address. Nothing is sent yet.
    pub(crate) fn of(url: &str, ca_file: Option<PathBuf>) -> Result<Self, Failure> {
        let server = ServerUrl::parse(url)?;
        if !server.is_private() {
            return Err(Failure::Usage(format!("{server} is not on this machine; use https://")));
        }
        let environment = Environment::read();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::io("this process cannot wait for anything"))?;
        let ca_file = ca_file.or(environment.ca_file);
        Ok(Self { runtime, server, ca_file, token: environment.token, open: None })
    }

    /// Whether a token is sent along.
    pub(crate) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Fetches a file by its path below `/ledger/`.
    pub(crate) fn get(&mut self, path: &str) -> Result<Fetched, Failure> {
        let Self { runtime, server, ca_file, token, open } = self;
        let limit = Duration::from_secs(FILE_SECONDS_MAX);
        let mut attempt = 1;
        loop {
            // What is public is fetched without showing who asks.
            let token = token.as_ref().filter(|_| path.starts_with("tile/entries/"));
            let request = request(server, token, path)?;
            let asking = async {
                let mut sender = match open.take() {
                    Some(sender) if !sender.is_closed() => sender,
                    _ => connect(server, ca_file.as_deref()).await?,
                };
                sender.ready().await.map_err(|error| unreachable(server, error))?;
                let response =
                    sender.send_request(request).await.map_err(|error| unreachable(server, error))?;
                let (head, body) = response.into_parts();
                let body = Limited::new(body, FILE_BYTES_MAX).collect().await;
                let body = body.map_err(|error| unreachable(server, error))?.to_bytes();
                *open = Some(sender);
                Ok((head.status, body))
            };
            let asked = runtime.block_on(async { tokio::time::timeout(limit, asking).await });
            match asked.unwrap_or_else(|_| Err(unreachable(server, "the answer took too long"))) {
                Ok((status, body)) => return answer(server, path, status, body),
                Err(failure) if attempt == ATTEMPTS_MAX => return Err(failure),
                Err(_) => attempt += 1,
            }
        }
    }
}

fn request(
    server: &ServerUrl,
    token: Option<&SecretText>,
    path: &str,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::builder()
        .uri(format!("{}/ledger/{path}", server.prefix))
        .header(HOST, server.authority())
        .header(USER_AGENT, concat!("brevet/", env!("CARGO_PKG_VERSION")));
    if let Some(token) = token {
        let value = token.reveal(|token| {
            HeaderValue::try_from(zeroize::Zeroizing::new(format!("Bearer {token}")).as_str())
        });
        let mut value = value.map_err(|_| Failure::NotSignedIn { why: "The token is damaged.".into() })?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request
        .body(Full::new(Bytes::new()))
        .map_err(|error| Failure::Failed(format!("this cannot be asked of a server: {error}")))
}

fn answer(server: &ServerUrl, path: &str, status: StatusCode, body: Bytes) -> Result<Fetched, Failure> {
    match status {
        status if status.is_success() => Ok(Fetched::Here(body)),
        StatusCode::GONE => Ok(Fetched::Archived),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Ok(Fetched::Withheld(format!("{server} answers {path} with status {}", status.as_u16())))
        }
        StatusCode::NOT_FOUND => {
            Ok(Fetched::Absent(format!("{server} answers {path} with status {}", status.as_u16())))
        }
        status => Err(Failure::Failed(format!("{server} answers {path} with status {}", status.as_u16()))),
    }
}
