//! A thin client of the API: one connection per call, sentences for what goes wrong.
//!
//! A token is sent over an encrypted connection or to this very machine, and nowhere else. Every POST has an
//! `Idempotency-Key`, and a call whose connection broke is made again with the same key, so that nothing happens
//! twice.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brevet_wire::{Problem, SecretText, reason};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connect::{Open, connect, unreachable};
use super::exit::Failure;
use super::memory::{Act, Acts};
use super::server::ServerUrl;
use super::settings;
use crate::on_record::Asked;

/// How long an ordinary answer may take.
const ANSWER_SECONDS_MAX: u64 = 60;
/// The largest answer that is read at once, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How often a call is made whose connection breaks.
const ATTEMPTS_MAX: u32 = 3;
/// The header that names the entry which says what was done.
const ENTRY: &str = "brevet-entry";
/// The header that says how many entries the server knew.
const POSITION: &str = "brevet-position";
/// How long a server wants to be left alone that says "in a moment".
const MOMENT: Duration = Duration::from_secs(1);
/// What a stream of events is called.
const EVENT_STREAM: &str = "text/event-stream";

/// Speaks with one server, on behalf of one person or of nobody yet.
#[derive(Debug)]
pub(crate) struct Client {
    server: ServerUrl,
    token: Option<SecretText>,
    ca_file: Option<PathBuf>,
    acts: Acts,
    /// How many entries the servers had whose answers were seen; none of them answers from less.
    position: AtomicU64,
}

/// What is asked of the server.
struct Call {
    method: Method,
    path: String,
    body: Option<Bytes>,
    accept: &'static str,
    key: Option<String>,
}

impl Client {
    /// A client; refuses to carry a token in the clear to another machine.
    pub(crate) fn new(
        server: ServerUrl,
        token: Option<SecretText>,
        ca_file: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        if !server.is_private() {
            return Err(Failure::Usage(format!(
                "{server} would send passwords and tokens in the clear to another machine; use https://"
            )));
        }
        Ok(Self { server, token, ca_file, acts: Acts::default(), position: AtomicU64::new(0) })
    }

    /// The same, with what is done and put on record noted there.
    pub(crate) fn noting(self, acts: &Acts) -> Self {
        Self { acts: acts.clone(), ..self }
    }

    /// Which server.
    pub(crate) const fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.answer(&Call::get(path), ANSWER_SECONDS_MAX).await
    }

    /// Reads something that the server holds back for up to `seconds`.
    pub(crate) async fn get_patiently(&self, path: &str, seconds: u64) -> Result<Answer, Failure> {
        self.answer(&Call::get(path), seconds + ANSWER_SECONDS_MAX).await
    }

    /// Reads something within so many seconds, on a connection that is open already, or on a new one where it is not
    /// open any more. The connection is handed back.
    pub(crate) async fn get_on(
        &self,
        open: &mut Option<Open>,
        path: &str,
        seconds: u64,
    ) -> Result<Answer, Failure> {
        let call = Call::get(path);
        let asking = async {
            if let Some(mut sender) = open.take()
                && sender.ready().await.is_ok()
                && let Ok(response) = sender.send_request(self.request(&call)?).await
            {
                return Ok((read(&self.server, response).await?, sender));
            }
            let mut sender = connect(&self.server, self.ca_file.as_deref()).await?;
            let response = sender.send_request(self.request(&call)?).await;
            let response = response.map_err(|error| unreachable(&self.server, error))?;
            Ok((read(&self.server, response).await?, sender))
        };
        let (answer, sender) = match tokio::time::timeout(Duration::from_secs(seconds), asking).await {
            Ok(asked) => asked?,
            Err(_) => return Err(unreachable(&self.server, format!("no answer within {seconds} s"))),
        };
        *open = Some(sender);
        match answer.status.is_success() {
            true => Ok(answer),
            false => Err(self.refusal(answer)),
        }
    }

    /// Does something.
    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        self.answer(&Call::post(path, body)?, ANSWER_SECONDS_MAX).await
    }

    /// Changes something.
    pub(crate) async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let call = Call { method: Method::PATCH, body: Some(json(body)?), ..Call::get(path) };
        self.answer(&call, ANSWER_SECONDS_MAX).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.answer(&Call { method: Method::DELETE, ..Call::get(path) }, ANSWER_SECONDS_MAX).await
    }

    /// Does something, and follows it.
    pub(crate) async fn post_and_follow(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Incoming, Failure> {
        self.follow_call(&Call { accept: EVENT_STREAM, ..Call::post(path, body)? }).await
    }

    /// Follows something that goes on.
    pub(crate) async fn follow(&self, path: &str) -> Result<Incoming, Failure> {
        self.follow_call(&Call { accept: EVENT_STREAM, ..Call::get(path) }).await
    }

    /// Reads something long, piece by piece.
    pub(crate) async fn stream(&self, path: &str) -> Result<Incoming, Failure> {
        self.follow_call(&Call { accept: "*/*", ..Call::get(path) }).await
    }

    async fn follow_call(&self, call: &Call) -> Result<Incoming, Failure> {
        let response = self.patient_send(call, ANSWER_SECONDS_MAX).await?;
        match response.status().is_success() {
            true => Ok(response.into_body()),
            false => Err(self.refusal(read(&self.server, response).await?)),
        }
    }

    async fn answer(&self, call: &Call, seconds: u64) -> Result<Answer, Failure> {
        let response = self.patient_send(call, seconds).await?;
        let answer = read(&self.server, response).await?;
        match answer.status.is_success() {
            true => Ok(answer),
            false => Err(self.refusal(answer)),
        }
    }

    async fn patient_send(&self, call: &Call, seconds: u64) -> Result<Response<Incoming>, Failure> {
        match tokio::time::timeout(Duration::from_secs(seconds), self.send(call)).await {
            Ok(response) => response,
            Err(_) => Err(unreachable(&self.server, format!("no answer within {seconds} s"))),
        }
    }

    /// Sends, and again while the connection breaks: a server that restarts, a proxy that gave up; or while a server says
    /// that it will know more in a moment, when a proxy may lead to another one.
    async fn send(&self, call: &Call) -> Result<Response<Incoming>, Failure> {
        let mut attempt = 1;
        loop {
            let mut sender = connect(&self.server, self.ca_file.as_deref()).await?;
            match sender.send_request(self.request(call)?).await {
                Ok(response) if attempt < ATTEMPTS_MAX && is_for_a_moment(&response) => {
                    tokio::time::sleep(MOMENT).await;
                }
                Ok(response) => {
                    self.note_position(&response);
                    self.note_act(call, &response, attempt > 1, sender);
                    return Ok(response);
                }
                Err(error) if attempt == ATTEMPTS_MAX => return Err(unreachable(&self.server, error)),
                Err(_) => tokio::time::sleep(Duration::from_millis(100 << (2 * attempt))).await,
            }
            attempt += 1;
        }
    }

    /// Several servers may be behind one address.
    fn note_position(&self, response: &Response<Incoming>) {
        let position = response.headers().get(POSITION).and_then(|value| value.to_str().ok()?.parse().ok());
        self.position.fetch_max(position.unwrap_or(0), Ordering::Relaxed);
    }

    /// Notes what was done, also where the server does not say where it is on record; its receipt is asked for on the
    /// same connection.
    fn note_act(&self, call: &Call, response: &Response<Incoming>, was_repeated: bool, sender: Open) {
        let Some(asked) = Asked::of(call.method.as_str(), &call.path) else { return };
        if response.status().is_success() {
            let entry = response.headers().get(ENTRY).and_then(|value| value.to_str().ok()?.parse().ok());
            self.acts.note(Act { asked, entry, was_repeated, open: Some(sender) });
        }
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}/api/v1{}", self.server.prefix, call.path))
            .header(HOST, self.server.authority())
            .header(USER_AGENT, concat!("brevet/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, call.accept);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        let position = self.position.load(Ordering::Relaxed);
        if position > 0 {
            request = request.header(POSITION, position);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(call.body.clone().unwrap_or_default());
        request
            .body(body)
            .map_err(|error| Failure::Failed(format!("this cannot be asked of a server: {error}")))
    }

    /// The sentence for an answer that is no success.
    fn refusal(&self, answer: Answer) -> Failure {
        let status = answer.status;
        let mut problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
        if problem.status == 0 {
            problem.status = status.as_u16();
        }
        if problem.detail.is_empty() && problem.title.is_empty() {
            status.canonical_reason().unwrap_or("Unknown status").clone_into(&mut problem.title);
        }
        let signed_in = self.token.is_some();
        match problem.reason.as_deref() {
            Some(reason::NEEDS_APPROVAL) => Failure::NeedsApproval(Box::new(problem)),
            Some(reason::NOT_SIGNED_IN) | None if status == StatusCode::UNAUTHORIZED && signed_in => {
                Failure::NotSignedIn { why: format!("Your session on {} is over.", self.server) }
            }
            _ => Failure::Refused(Box::new(problem)),
        }
    }
}

impl Call {
    fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), body: None, accept: "application/json", key: None }
    }

    fn post(path: &str, body: &impl Serialize) -> Result<Self, Failure> {
        let key =
            settings::random_key().map_err(|error| Failure::Failed(format!("no random numbers: {error}")))?;
        Ok(Self { method: Method::POST, body: Some(json(body)?), key: Some(key), ..Self::get(path) })
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    server: String,
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// As the server wrote it; `null` where it wrote nothing.
    pub(crate) fn value(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        self.read()
    }

    /// As one of the types of the API.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::Unexpected { server: self.server.clone(), why: error.to_string() })
    }
}

/// Whether a server could not answer just now, and says when it can.
fn is_for_a_moment(response: &Response<Incoming>) -> bool {
    let again =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    response.status() == StatusCode::SERVICE_UNAVAILABLE
        && again.is_some_and(|again| again <= MOMENT.as_secs())
}

async fn read(server: &ServerUrl, response: Response<Incoming>) -> Result<Answer, Failure> {
    let (head, body) = response.into_parts();
    let reading = Limited::new(body, ANSWER_BYTES_MAX).collect();
    let limit = Duration::from_secs(ANSWER_SECONDS_MAX);
    let collected = match tokio::time::timeout(limit, reading).await {
        Ok(collected) => collected.map_err(|error| unreachable(server, error))?,
        Err(_) => return Err(unreachable(server, "the answer stopped in the middle")),
    };
    Ok(Answer { server: server.to_string(), status: head.status, body: collected.to_bytes() })
}

fn json(body: &impl Serialize) -> Result<Bytes, Failure> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| Failure::Failed(error.to_string()))
}

fn bearer(token: &SecretText) -> Result<HeaderValue, Failure> {
    let header = token
        .reveal(|token| HeaderValue::try_from(zeroize::Zeroizing::new(format!("Bearer {token}")).as_str()));
    let mut header = header.map_err(|_| Failure::NotSignedIn { why: "The token is damaged.".into() })?;
    header.set_sensitive(true);
    Ok(header)
}

/// One segment of a path: a name or an id that somebody typed.
pub(crate) fn segment(text: &str) -> String {
    encoded(text)
}

/// `Scope\Name` or `Scope/Name` as two segments.
pub(crate) fn qualified(name: &str) -> Result<String, Failure> {
    match name.split_once(['\\', '/']) {
        Some((scope, name)) => Ok(format!("{}/{}", encoded(scope), encoded(name))),
        None => Err(Failure::Usage(format!(
            "'{name}' has no workload; write it as Scope/Name, for example Linux/{name}"
        ))),
    }
}

/// A path with a query of those fields that have a value.
pub(crate) fn query(path: &str, fields: &[(&str, Option<String>)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", encoded(value))))
        .collect();
    match pairs.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", pairs.join("&")),
    }
}

/// Percent-encoding of all but the unreserved characters (RFC 3986, section 2.3). A whole `.` or `..` is
/// encoded too: as a segment it would mean another path.
fn encoded(text: &str) -> String {
    let dots = matches!(text, "." | "..");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && !dots);
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match plain(byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
