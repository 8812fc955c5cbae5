//! The files of a ledger (C2SP tlog-tiles) as a server hands them out, fetched one after the other.

use std::path::PathBuf;
use std::time::Duration;

use brevet_ledger::KeyHandover;
use brevet_wire::{self as wire, SecretText};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, StatusCode};

use super::connect::{Open, connect, unreachable};
use super::exit::Failure;
use super::memory::handover;
use super::server::ServerUrl;
use super::settings::Environment;

/// How long one file may take, in seconds.
const FILE_SECONDS_MAX: u64 = 60;
/// The largest file: 256 entries of 65,535 bytes, each behind its length.
const FILE_BYTES_MAX: usize = 256 * (2 + 65_535);
/// How often a file is asked for whose connection breaks.
const ATTEMPTS_MAX: u32 = 3;

/// What is asked for with a token, below the address of the server: entries, and how the key changed.
const ENTRIES: &str = "ledger/tile/entries/";
const KEYS: &str = "api/v1/ledger/keys";

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

/// To whom the token of the environment is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenFor {
    /// To the server that it was given for alone: that of `BREVET_SERVER`, or the one signed in to last.
    ItsServer,
    /// To the server that is asked, whichever it is, because somebody said so.
    Whoever,
}

/// Fetches files of one server's ledger. Entries, and the changes of the key, are asked for with the token of the
/// environment, if it is for this server.
pub(crate) struct LedgerFiles {
    runtime: tokio::runtime::Runtime,
    server: ServerUrl,
    ca_file: Option<PathBuf>,
    token: Option<SecretText>,
    /// The server that the token is for, where it is another one.
    kept_from: Option<String>,
    open: Option<Open>,
}

impl LedgerFiles {
    /// For the server at this address. Nothing is sent yet.
    pub(crate) fn of(url: &str, ca_file: Option<PathBuf>, token_for: TokenFor) -> Result<Self, Failure> {
        let server = ServerUrl::parse(url)?;
        if !server.is_private() {
            return Err(Failure::Usage(format!("{server} is not on this machine; use https://")));
        }
        let mut environment = Environment::read();
        let its_server = environment.token_server();
        let is_its_server = its_server.as_ref().is_ok_and(|its_server| its_server.has_origin_of(&server));
        let may_send = token_for == TokenFor::Whoever || is_its_server;
        let token = environment.token.take();
        let kept_from = token.as_ref().filter(|_| !may_send).map(|_| {
            its_server.map_or_else(|_| "another server".to_owned(), |its_server| its_server.to_string())
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::io("this process cannot wait for anything"))?;
        let ca_file = ca_file.or(environment.ca_file);
        let token = token.filter(|_| may_send);
        Ok(Self { runtime, server, ca_file, token, kept_from, open: None })
    }

    /// The server that the token of the environment is for, where it is not sent because that is another one.
    pub(crate) fn token_kept_from(&self) -> Option<&str> {
        self.kept_from.as_deref()
    }

    /// How earlier keys of the ledger handed over to later ones, as the server tells whoever is signed in; nothing
    /// without a token.
    pub(crate) fn handovers(&mut self) -> Result<Vec<KeyHandover>, Failure> {
        if self.token.is_none() {
            return Ok(Vec::new());
        }
        let server = self.server.to_string();
        let unexpected = |why: String| Failure::Unexpected { server: server.clone(), why };
        let Fetched::Here(bytes) = self.fetch(KEYS)? else { return Ok(Vec::new()) };
        let keys: wire::LedgerKeys =
            serde_json::from_slice(&bytes).map_err(|error| unexpected(error.to_string()))?;
        keys.handovers.iter().map(handover).collect::<Result<_, _>>().map_err(unexpected)
    }

    /// Whether a token is sent along.
    pub(crate) const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Fetches a file by its path below `/ledger/`.
    pub(crate) fn get(&mut self, path: &str) -> Result<Fetched, Failure> {
        self.fetch(&format!("ledger/{path}"))
    }

    fn fetch(&mut self, path: &str) -> Result<Fetched, Failure> {
        let Self { runtime, server, ca_file, token, kept_from: _, open } = self;
        let limit = Duration::from_secs(FILE_SECONDS_MAX);
        let mut attempt = 1;
        loop {
            // What is public is fetched without showing who asks.
            let token = token.as_ref().filter(|_| path.starts_with(ENTRIES) || path == KEYS);
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
        .uri(format!("{}/{path}", server.prefix))
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
