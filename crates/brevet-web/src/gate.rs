//! What every page passes first: a change comes from a page of this server and nowhere else, somebody is signed in, and every
//! answer says to the browser what may run in it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, LOCATION, ORIGIN, REFERER,
    REFERRER_POLICY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use brevet_wire::WhoAmI;

use crate::api::{Api, Done, query};
use crate::failure::{Answer, Failure};
use crate::form::Form;
use crate::page::{Frame, Here, Page, kept_page, problem_page};
use crate::said::Said;
use crate::{World, cookie};

/// Bytes of chance in a nonce, or in the key of a form.
const NONCE_BYTES: usize = 16;
/// What a page's own refreshing says, so that a session ends although a page is left open.
const UNATTENDED: HeaderName = HeaderName::from_static("brevet-unattended");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What every page can reach.
#[derive(Clone)]
pub(crate) struct Site(Arc<Inner>);

struct Inner {
    api: Router,
    world: Box<dyn World>,
}

/// Somebody who is signed in, looking at a page.
#[derive(Clone)]
pub(crate) struct Visit {
    /// The API in their name.
    pub(crate) api: Api,
    /// Who.
    pub(crate) me: Arc<WhoAmI>,
    frame: Frame,
}

/// Somebody who need not be signed in.
#[derive(Clone)]
pub(crate) struct Guest {
    /// The API in nobody's name.
    pub(crate) api: Api,
    frame: Frame,
}

impl Site {
    pub(crate) fn new(api: Router, world: impl World) -> Self {
        Self(Arc::new(Inner { api, world: Box::new(world) }))
    }

    fn draw(&self) -> Result<String, Failure> {
        let mut bytes = [0; NONCE_BYTES];
        self.0.world.fill(&mut bytes).map_err(|error| Failure::bug(&error.to_string()))?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn frame(&self, headers: &HeaderMap) -> Result<Frame, Failure> {
        let (nonce, key) = (self.draw()?, self.draw()?);
        // What a page asks by itself would be told to nobody.
        let said = if is_unattended(headers) { None } else { cookie::said(headers) };
        Ok(Frame { nonce, key, now: self.0.world.now(), said, me: None, position: None })
    }

    fn api(&self, request: &Request) -> Api {
        let api = Api::new(self.0.api.clone(), self.0.world.connection(request.extensions()));
        let headers = request.headers();
        let api = api.at_position(cookie::position(headers)).unattended(is_unattended(headers));
        match cookie::token(headers) {
            Some(token) => api.with_token(token),
            None => api,
        }
    }
}

/// Whether a page asks by itself: it says so, or follows a stream, which a browser takes up again whenever it breaks off.
fn is_unattended(headers: &HeaderMap) -> bool {
    headers.contains_key(UNATTENDED) || headers.get(ACCEPT).is_some_and(|kind| kind == "text/event-stream")
}

impl Visit {
    /// A page of this title.
    pub(crate) fn page(&self, title: impl Into<String>, here: Here) -> Page {
        Page { title: title.into(), here, frame: self.frame.clone() }
    }

    /// Whether they administer.
    pub(crate) fn administers(&self) -> bool {
        self.me.user.administrator
    }

    /// Whether they audit.
    pub(crate) fn audits(&self) -> bool {
        self.me.user.auditor
    }

    /// Now, as the server has it.
    pub(crate) const fn now(&self) -> jiff::Timestamp {
        self.frame.now
    }

    /// To another page, which says what was done.
    pub(crate) fn done<T>(&self, done: &Done<T>, path: &str, said: Said) -> Response {
        go_saying(go_with(done, path), said)
    }
}

impl Guest {
    pub(crate) fn page(&self, title: impl Into<String>, here: Here) -> Page {
        Page { title: title.into(), here, frame: self.frame.clone() }
    }
}

/// To another page, from which the browser asks with GET.
pub(crate) fn go(path: &str) -> Response {
    let place = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}

/// The same after something was done, so that the page knows it whichever server it comes from.
pub(crate) fn go_with<T>(done: &Done<T>, path: &str) -> Response {
    let mut response = go(path);
    if let Some(position) = &done.position {
        cookie::keep_position(response.headers_mut(), position);
    }
    response
}

/// The same with what the page is to say was done.
pub(crate) fn go_saying(mut response: Response, said: Said) -> Response {
    cookie::keep_said(response.headers_mut(), said);
    response
}

/// A page that shows what was done, for what cannot be shown a second time.
pub(crate) fn keep(position: Option<&HeaderValue>, mut shown: Response) -> Response {
    if let Some(position) = position {
        cookie::keep_position(shown.headers_mut(), position);
    }
    shown
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Failure::bug("a page for guests asks who is signed in"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Guest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Failure::bug("a page for guests has none"))
    }
}

/// Lets those in who are signed in; shows the others where they can.
pub(crate) async fn member(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let mut frame = match site.frame(request.headers()) {
        Ok(frame) => frame,
        Err(failure) => return failure.into_response(),
    };
    let api = site.api(&request);
    let mut way = Way::of(&request);
    let come = match check_origin(&request).and_then(|()| check_reading(&request)) {
        Ok(()) => way.take_form(&mut request).await,
        Err(failure) => Err(failure),
    };
    let entered = match come {
        Ok(()) => api.look::<WhoAmI>("/whoami").await,
        Err(failure) => Err(failure),
    };
    let me = match entered {
        Ok(Done { value, position }) => {
            frame.position = position.and_then(|position| position.to_str().ok()?.parse().ok());
            Arc::new(value)
        }
        Err(failure) => return finish(failure.into_response(), &frame, &way),
    };
    frame.me = Some(Arc::clone(&me));
    request.extensions_mut().insert(Visit { api, me, frame: frame.clone() });
    finish(next.run(request).await, &frame, &way)
}

/// Lets everybody in.
pub(crate) async fn guest(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let frame = match site.frame(request.headers()) {
        Ok(frame) => frame,
        Err(failure) => return failure.into_response(),
    };
    let mut way = Way::of(&request);
    let come = match check_origin(&request) {
        Ok(()) => way.take_form(&mut request).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = come {
        return finish(failure.into_response(), &frame, &way);
    }
    let api = site.api(&request);
    request.extensions_mut().insert(Guest { api, frame: frame.clone() });
    finish(next.run(request).await, &frame, &way)
}

/// Looking at these is on record: no other site makes somebody look.
const ON_RECORD: [&str; 2] = ["/audit", "/history"];

fn check_reading(request: &Request) -> Result<(), Failure> {
    let path = request.uri().path();
    let is_on_record = ON_RECORD.iter().any(|start| path.starts_with(start));
    let site = request.headers().get(FETCH_SITE);
    if is_on_record && site.is_some_and(|site| site == "cross-site" || site == "same-site") {
        let detail = "that you read the ledger is itself on record, so this page does not open from a link elsewhere; \
                      put its address into the browser, or begin at the audit page";
        return Err(Failure::new(StatusCode::FORBIDDEN, "Not from there", detail));
    }
    Ok(())
}

/// What changes something is sent by a page of this server (Fetch Metadata, section 2.2; the origin where a browser does not
/// say it).
fn check_origin(request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    let is_ours = match headers.get(FETCH_SITE) {
        _ if matches!(*request.method(), Method::GET | Method::HEAD) => true,
        Some(site) => site == "same-origin",
        None => is_own_origin(headers),
    };
    let detail = "this form was sent from another site, or by a browser that does not say from where; nothing was done. \
                  Open the page here and send it again";
    if is_ours { Ok(()) } else { Err(Failure::new(StatusCode::FORBIDDEN, "Not from here", detail)) }
}

fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let origin = text(ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    origin.is_some_and(|origin| text(HOST) == Some(origin))
}

/// Where a browser comes from and goes to, with what it sends.
struct Way {
    /// The page to come back to from signing in: the one asked for, or the one with the form that was sent.
    back: String,
    /// Where a form was sent to.
    target: String,
    form: Option<Form>,
}

impl Way {
    fn of(request: &Request) -> Self {
        let target = target(request.uri());
        let back = match *request.method() {
            Method::GET => target.clone(),
            _ => form_page(request.headers()),
        };
        Self { back, target, form: None }
    }

    /// Reads what was typed before anything else can fail.
    async fn take_form(&mut self, request: &mut Request) -> Result<(), Failure> {
        self.form = Form::take(request).await?;
        Ok(())
    }
}

/// The last parts of addresses that forms are sent to, of which some show nothing.
const SHOW_NOTHING: &[&str] = &[
    "cancel",
    "code",
    "command",
    "decide",
    "enable",
    "give-back",
    "groups",
    "members",
    "password",
    "remove",
    "revoke",
    "run",
    "stop",
];

/// The page with the form that was sent: the one that it was sent from, where that shows something.
fn form_page(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let from = text(REFERER).and_then(|from| from.parse::<Uri>().ok());
    let from = from.filter(|from| from.authority().is_some_and(|ours| text(HOST) == Some(ours.as_str())));
    let Some(from) = from else { return "/".to_owned() };
    let parts: Vec<&str> = from.path().split('/').skip(1).collect();
    let (first, last) =
        (parts.first().copied().unwrap_or_default(), parts.last().filter(|_| parts.len() > 1));
    match last {
        // A form that was shown again is at the address it was sent to; the part of the site has a page.
        Some(last) if SHOW_NOTHING.contains(last) => format!("/{first}"),
        None if first == "sign-out" => "/".to_owned(),
        _ => target(&from),
    }
}

/// Where a browser is, to come back to.
fn target(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), |target| target.as_str().to_owned())
}

/// Makes a page of a problem, and says what may run in any page.
fn finish(mut response: Response, frame: &Frame, way: &Way) -> Response {
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let back = Some(way.back.as_str()).filter(|back| *back != "/");
        response = match &way.form {
            _ if failure.is_signed_out() => go(&query("/sign-in", [("next", back)])),
            Some(form) if failure.is_for_now() => kept_page(frame, &failure, &way.target, form),
            _ => problem_page(frame, &failure),
        };
        // It may know of a ledger that is not there any more, such as before a restore.
        if failure.is_behind() {
            cookie::drop_position(response.headers_mut());
        }
    }
    let is_page =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        let headers = response.headers_mut();
        if frame.said.is_some() {
            cookie::drop_said(headers);
        }
        if let Ok(policy) = HeaderValue::try_from(content_policy(&frame.nonce)) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        // Without it a browser says of a form's origin only that it is nobody's business.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

/// Nothing from elsewhere, no script or style that this answer did not name (CSP Level 3).
fn content_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types brevet"
    )
}

/// The outcome of a form that is shown again where the API says what is wrong with it.
pub(crate) async fn or_told<T, F>(done: Result<Done<T>, Failure>, again: F) -> Result<Done<T>, Answer>
where
    F: AsyncFnOnce(brevet_wire::Problem) -> Answer,
{
    match done.map_err(Failure::into_told) {
        Ok(done) => Ok(done),
        Err(Ok(problem)) => Err(again(problem).await),
        Err(Err(failure)) => Err(Err(failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_origin, form_page};
    use axum::body::Body;
    use axum::http::Request;

    fn may(method: &str, headers: &[(&str, &str)]) -> bool {
        let request = headers
            .iter()
            .fold(Request::builder().method(method), |request, (name, value)| request.header(*name, *value));
        check_origin(&request.body(Body::empty()).unwrap()).is_ok()
    }

    #[test]
    fn a_change_comes_from_a_page_of_this_server() {
        let (host, site) = (("host", "brevet.example"), "sec-fetch-site");
        assert!(may("POST", &[host, (site, "same-origin")]));
        assert!(may("POST", &[host, ("origin", "https://brevet.example")]));
        for elsewhere in ["cross-site", "same-site", "none", ""] {
            assert!(!may("POST", &[host, (site, elsewhere)]), "{elsewhere}");
            assert!(!may("POST", &[host, (site, elsewhere), ("origin", "https://brevet.example")]));
        }
        for origin in ["https://evil.example", "null", "", "https://brevet.example.evil.example"] {
            assert!(!may("POST", &[host, ("origin", origin)]), "{origin}");
        }
        assert!(!may("POST", &[host]));
        assert!(!may("DELETE", &[host]));
        assert!(may("GET", &[host, (site, "cross-site")]));
    }

    #[test]
    fn the_page_with_a_form_is_the_one_that_it_was_sent_from() {
        let check = |from: Option<&str>, page: &str| {
            let mut request = Request::builder().header("host", "brevet.example");
            if let Some(from) = from {
                request = request.header("referer", from);
            }
            let request = request.body(Body::empty()).unwrap();
            assert_eq!(form_page(request.headers()), page, "{from:?}");
        };
        let at = |path: &str| Some(format!("https://brevet.example{path}"));
        let cases = [
            ("/groups/grp-1?from=100", "/groups/grp-1?from=100"),
            ("/requests/new?task=a%2Fb", "/requests/new?task=a%2Fb"),
            ("/groups", "/groups"),
            // What a form was sent to shows nothing, whichever form of the page there is sent next.
            ("/groups/grp-1/members", "/groups"),
            ("/authorizations/aut-1/revoke", "/authorizations"),
            ("/requests/req-1/decide", "/requests"),
            ("/sign-out", "/"),
            ("/", "/"),
        ];
        for (from, page) in cases {
            check(at(from).as_deref(), page);
        }
        check(Some("https://evil.example/x"), "/");
        check(Some("https://brevet.example.evil.example/x"), "/");
        check(Some("about:blank"), "/");
        check(None, "/");
    }
}
