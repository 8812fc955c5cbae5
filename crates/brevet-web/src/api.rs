//! The API, as somebody with a browser uses it: the same routes as for everybody, called without a network between.

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use axum::http::{Extensions, HeaderValue, Method, Request};
use axum::response::Response;
use brevet_wire::{Problem, SecretText};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::form::wipe;

/// How many entries the ledger has with what was written, or seen.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("brevet-position");
/// Says that nobody sits in front of it: the session is used, and does not last longer by it.
const UNATTENDED: HeaderName = HeaderName::from_static("brevet-unattended");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What needs no other spelling within one segment of a path.
///
/// A full stop stays: two of them alone are no name, and no route takes them for one.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@');

/// What a body takes, but for the longest ones, in bytes.
const JSON_BYTES_USUAL: usize = 4 * 1024;

/// One name as a segment of a path.
pub(crate) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// Workload and name of `Scope\Name`, or of `Scope/Name` as somebody typed it; no workload where none is named.
pub(crate) fn scope_and_name(qualified: &str) -> (&str, &str) {
    qualified.split_once(['\\', '/']).unwrap_or(("", qualified))
}

/// The same as two segments of a path.
pub(crate) fn qualified(name: &str) -> String {
    let (scope, name) = scope_and_name(name);
    format!("{}/{}", segment(scope), segment(name))
}

/// A path with what stands after its `?`, where there is something.
pub(crate) fn query<'a>(path: &str, said: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let said = said.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let said = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    if said.is_empty() { path.to_owned() } else { format!("{path}?{said}") }
}

/// The API in the name of somebody, or of nobody yet.
#[derive(Clone)]
pub(crate) struct Api {
    router: Router,
    /// Where the browser is.
    connection: Extensions,
    token: Option<SecretText>,
    /// What the browser has seen of the ledger, perhaps through another server.
    position: Option<HeaderValue>,
    is_unattended: bool,
}

impl Api {
    pub(crate) fn new(router: Router, connection: Extensions) -> Self {
        Self { router, connection, token: None, position: None, is_unattended: false }
    }

    /// In the name of whoever has this token.
    pub(crate) fn with_token(self, token: SecretText) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Answered from no less than this much of the ledger.
    pub(crate) fn at_position(self, position: Option<HeaderValue>) -> Self {
        Self { position, ..self }
    }

    /// As a page does by itself, without anybody touching it.
    pub(crate) fn unattended(self, is_unattended: bool) -> Self {
        Self { is_unattended, ..self }
    }

    /// Whether nobody touched the page that asks.
    pub(crate) const fn is_unattended(&self) -> bool {
        self.is_unattended
    }

    /// Asks for something, and how much of the ledger the answer knows.
    pub(crate) async fn look<T: DeserializeOwned>(&self, path: &str) -> Result<Done<T>, Failure> {
        self.call(Method::GET, path, None, None).await
    }

    /// Asks for something; the path is that below `/api/v1`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        Ok(self.call(Method::GET, path, None, None).await?.value)
    }

    /// Does something, under a key that makes it happen once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<Done<T>, Failure> {
        self.call(Method::POST, path, Some(json(body)?), key).await
    }

    /// Changes something.
    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Done<T>, Failure> {
        self.call(Method::PATCH, path, Some(json(body)?), None).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> Result<Done<()>, Failure> {
        self.call(Method::DELETE, path, None, None).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        key: Option<&str>,
    ) -> Result<Done<T>, Failure> {
        let response = self.answer(method, path, body, key, "application/json").await?;
        let position = response.headers().get(POSITION).cloned();
        let body = collect(response).await?;
        let json = if body.is_empty() { b"null".as_slice() } else { &body };
        let value = serde_json::from_slice(json);
        // It may tell a code, or a token.
        wipe(body);
        let value = value.map_err(|error| Failure::bug(&format!("{path}: {error}")))?;
        Ok(Done { value, position })
    }

    /// The answer as it is, for what is handed on: a stream, a file.
    pub(crate) async fn raw(&self, path: &str, accept: &'static str) -> Result<Response, Failure> {
        self.answer(Method::GET, path, None, None, accept).await
    }

    /// A file of the ledger (C2SP tlog-tiles); the path is that below `/ledger/`.
    pub(crate) async fn ledger_file(&self, path: &str) -> Result<Response, Failure> {
        let request = Request::builder().uri(format!("/ledger/{path}"));
        let request = request.body(Body::empty()).map_err(|_| Failure::unreadable("this is no path"))?;
        self.send(request).await
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        key: Option<&str>,
        accept: &'static str,
    ) -> Result<Response, Failure> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        request = request.header("accept", accept);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(key) = key {
            let odd = |_| Failure::unreadable("the key of this form cannot be one; open its page again");
            request = request.header(IDEMPOTENCY_KEY, HeaderValue::try_from(key).map_err(odd)?);
        }
        if let Some(position) = &self.position {
            request = request.header(POSITION, position);
        }
        if self.is_unattended {
            request = request.header(UNATTENDED, "1");
        }
        // It stays in the memory that is wiped with it.
        let body = body.map_or_else(Body::empty, |body| Body::from(Bytes::from_owner(body)));
        self.send(request.body(body).map_err(|error| Failure::bug(&error.to_string()))?).await
    }

    async fn send(&self, mut request: Request<Body>) -> Result<Response, Failure> {
        if let Some(token) = &self.token {
            let bearer = token.reveal(|token| HeaderValue::try_from(format!("Bearer {token}")));
            let mut bearer = bearer.map_err(|_| Failure::signed_out())?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        *request.extensions_mut() = self.connection.clone();
        let Ok(response) = self.router.clone().oneshot(request).await;
        if response.status().is_success() { Ok(response) } else { Err(problem(response).await) }
    }
}

/// What the API did.
#[derive(Debug)]
pub(crate) struct Done<T> {
    /// What there is now.
    pub(crate) value: T,
    /// Where it is on record.
    pub(crate) position: Option<HeaderValue>,
}

fn json(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut json = Wiped(Zeroizing::new(Vec::with_capacity(JSON_BYTES_USUAL)));
    serde_json::to_writer(&mut json, body).map_err(|error| Failure::bug(&error.to_string()))?;
    Ok(json.0)
}

/// Bytes that leave nothing behind when they need more room.
struct Wiped(Zeroizing<Vec<u8>>);

impl std::io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let needed = self.0.len().saturating_add(bytes.len());
        if needed > self.0.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.0.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn collect(response: Response) -> Result<Bytes, Failure> {
    let collected = response.into_body().collect().await;
    Ok(collected.map_err(|error| Failure::bug(&error.to_string()))?.to_bytes())
}

async fn problem(response: Response) -> Failure {
    let status = response.status();
    let body = collect(response).await.unwrap_or_default();
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Failure::from(problem),
        Err(_) => Failure::bug(&format!("the API answered {status} without a problem")),
    }
}

#[cfg(test)]
mod tests {
    use super::{json, qualified, query, scope_and_name, segment};

    #[test]
    fn a_body_is_the_json_of_what_is_said_however_long() {
        for length in [0, 1, 4_095, 4_096, 100_000] {
            let said = vec!["x".repeat(length), "y".to_owned()];
            assert_eq!(*json(&said).unwrap(), serde_json::to_vec(&said).unwrap(), "{length}");
        }
    }

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(segment("anna.b-c_d@e"), "anna.b-c_d@e");
        assert_eq!(segment("a/b?c#d%e é"), "a%2Fb%3Fc%23d%25e%20%C3%A9");
    }

    #[test]
    fn a_task_is_named_by_two_segments() {
        for name in ["Linux\\Read-Log", "Linux/Read-Log"] {
            assert_eq!(scope_and_name(name), ("Linux", "Read-Log"));
            assert_eq!(qualified(name), "Linux/Read-Log");
        }
        assert_eq!(qualified("Read Log"), "/Read%20Log");
        assert_eq!(qualified("a\\b/c"), "a/b%2Fc");
    }

    #[test]
    fn a_query_says_only_what_there_is() {
        assert_eq!(query("/x", [("a", None)]), "/x");
        assert_eq!(query("/x", [("a", Some("1&2")), ("b", None), ("c", Some(""))]), "/x?a=1%262&c=");
    }
}
