//! What comes before all routes and after all answers: paths that mean another path are refused, and every
//! answer carries the headers that keep a browser from doing anything with it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tower::Service;

use super::limit::TARGET_BYTES_MAX;
use super::problem::Failure;

/// The address at the other end of the connection. What a proxy says about others is not looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// The whole service, for one connection.
#[derive(Clone)]
pub struct Front {
    router: Router,
    peer: Option<SocketAddr>,
    encrypted: bool,
}

impl Front {
    /// All routes, for callers whose connection is `encrypted` or comes from this machine.
    pub(super) fn new(router: Router, encrypted: bool) -> Self {
        Self { router, peer: None, encrypted }
    }

    /// The same, for the connection from this address.
    pub(super) fn for_peer(&self, peer: SocketAddr) -> Self {
        Self { peer: Some(peer), ..self.clone() }
    }
}

impl<B> Service<Request<B>> for Front
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let encrypted = self.encrypted;
        if let Err(failure) = check_target(request.uri()) {
            let mut response = failure.into_response();
            protect(response.headers_mut(), encrypted);
            return Box::pin(std::future::ready(Ok(response)));
        }
        let mut request = request.map(Body::new);
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let answered = self.router.call(request);
        Box::pin(async move {
            let mut response = answered.await?;
            protect(response.headers_mut(), encrypted);
            Ok(response)
        })
    }
}

/// One path has one spelling: what a proxy in front of us might read as another one is refused.
fn check_target(uri: &Uri) -> Result<(), Failure> {
    let path = uri.path();
    if path.len() + uri.query().map_or(0, str::len) > TARGET_BYTES_MAX {
        let detail = format!("path and query are at most {TARGET_BYTES_MAX} bytes long");
        return Err(Failure::new(StatusCode::URI_TOO_LONG, "bad-path", detail));
    }
    let bad = |why: &str| Err(Failure::unreadable("bad-path", format!("the path {why}")));
    if path.contains("//") || path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return bad("has an empty segment, or '.' or '..' as one");
    }
    for at in path.match_indices('%').map(|(at, _)| at + 1) {
        match path.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            None => return bad("has a '%' without two hexadecimal digits"),
            Some(b'.' | b'/' | 0) => return bad("hides a '.', a '/' or NUL behind a '%'"),
            Some(_) => {}
        }
    }
    Ok(())
}

fn protect(headers: &mut HeaderMap, encrypted: bool) {
    let mut put = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    put(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(CACHE_CONTROL, "no-store");
    put(REFERRER_POLICY, "no-referrer");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if encrypted {
        put(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

#[cfg(test)]
mod tests {
    use super::check_target;

    #[test]
    fn a_path_that_could_be_read_as_another_is_refused() {
        let check = |target: &str| check_target(&target.parse().unwrap()).is_ok();
        for fine in
            ["/", "/api/v1/users/anna.b", "/api/v1/groups/My%20Group", "/api/v1/users/a%40b?x=/../%2e"]
        {
            assert!(check(fine), "{fine}");
        }
        for bad in [
            "/api//v1",
            "//",
            "/api/./v1",
            "/api/../v1",
            "/api/v1/..",
            "/api/%2e%2e/v1",
            "/api/v1/users/%2E",
            "/api%2fv1",
            "/api/v1/%2F",
            "/a%00b",
            "/a%",
            "/a%2",
            "/a%zz",
        ] {
            assert!(!check(bad), "{bad}");
        }
        assert!(!check(&format!("/{}", "a".repeat(9_000))));
    }
}
