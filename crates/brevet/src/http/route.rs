//! Routes. One can only be registered together with the permission that it demands and with what it says in
//! the OpenAPI document; the permission is checked before the handler is called, in this one place.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::header::{AUTHORIZATION, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use brevet_core::{Origin, Refusal, UserId};
use bytes::Bytes;

use super::answer::POSITION;
use super::front::Peer;
use super::ledger_reads::LedgerReads;
use super::operation::Operation;
use super::problem::Failure;
use super::wait::Waits;
use crate::app::{App, AppError, Session};

/// Says that nobody sits in front of whoever asks, such as a page that refreshes itself: the session is not kept alive.
const UNATTENDED: HeaderName = HeaderName::from_static("brevet-unattended");

/// What every handler can reach.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) app: App,
    /// The OpenAPI document.
    pub(super) document: Bytes,
    /// Who follows the ledger.
    pub(super) ledger_reads: Arc<LedgerReads>,
    /// Who waits for something, or follows a run.
    pub(super) waits: Waits,
}

/// Who may use a route at all. What somebody sees of it, and whether a command is carried out, is decided
/// further in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// Anybody, signed in or not. None of these changes anything but by a proof of who asks.
    Public,
    /// Any active account.
    SignedIn,
    /// Administrators.
    Administrator,
    /// Auditors.
    Auditor,
    /// Administrators and auditors.
    Oversight,
}

impl Permission {
    /// As the OpenAPI document and the golden files write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SignedIn => "signed-in",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Oversight => "administrator or auditor",
        }
    }

    /// The caller, when they have it.
    pub(super) async fn admit(self, app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Failure> {
        let who = match self {
            Self::Public => return Ok(None),
            Self::SignedIn => return Caller::of(app, headers).await.map(Some),
            Self::Administrator => "an administrator",
            Self::Auditor => "an auditor",
            Self::Oversight => "an administrator or an auditor",
        };
        let caller = Caller::of(app, headers).await?;
        let (administrator, auditor) = caller.standing();
        let has = match self {
            Self::Public | Self::SignedIn => true,
            Self::Administrator => administrator,
            Self::Auditor => auditor,
            Self::Oversight => administrator || auditor,
        };
        if has { Ok(Some(caller)) } else { Err(Refusal::Forbidden { who }.into()) }
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) app: App,
    pub(super) session: Arc<Session>,
    /// Whether somebody sits in front of what asks.
    pub(super) is_attended: bool,
}

impl Caller {
    async fn of(app: &App, headers: &HeaderMap) -> Result<Self, Failure> {
        let token = bearer(headers).ok_or(AppError::NotSignedIn)?;
        let is_attended = !headers.contains_key(UNATTENDED);
        let session = match is_attended {
            true => app.session(token).await?,
            false => app.session_unattended(token).await?,
        };
        Ok(Self { app: app.clone(), session, is_attended })
    }

    /// Refuses to answer on in a session that ended since it was asked.
    pub(super) fn check_open(&self) -> Result<(), AppError> {
        self.app.check_open(&self.session, self.is_attended)
    }

    /// Who.
    pub(super) fn user(&self) -> UserId {
        self.session.user
    }

    /// From where their commands come.
    pub(super) fn origin(&self) -> Origin {
        self.session.origin()
    }

    /// Whether they administer, and whether they audit.
    pub(super) fn standing(&self) -> (bool, bool) {
        self.app.read(|state| {
            state.user(self.user()).map_or((false, false), |user| (user.administrator, user.auditor))
        })
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// Somebody who need not be signed in, and from where they come.
pub(super) struct Visitor {
    pub(super) server: Server,
    pub(super) source: String,
}

impl FromRequestParts<Server> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Failure> {
        let admitted = parts.extensions.get::<Self>().cloned();
        admitted.ok_or_else(|| Failure::bug("a public route asks who its caller is"))
    }
}

impl FromRequestParts<Server> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Failure> {
        let source = parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_string());
        Ok(Self { server: server.clone(), source: source.unwrap_or_default() })
    }
}

/// One route, as it is listed.
pub(super) struct Listed {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) permission: Permission,
    pub(super) operation: Operation,
}

impl Listed {
    /// The path as documents show it: there, the rest of a path is a variable like any other.
    pub(super) fn shown_path(&self) -> String {
        self.path.replace("{*", "{")
    }
}

/// Routes in the making.
pub(super) struct Routes {
    router: Router<Server>,
    listed: Vec<Listed>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Self { router: Router::new(), listed: Vec::new() }
    }

    pub(super) fn get<H, T>(
        self,
        path: &'static str,
        permission: Permission,
        handler: H,
        says: Operation,
    ) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        self.add((Method::GET, MethodFilter::GET), path, permission, handler, says)
    }

    pub(super) fn post<H, T>(
        self,
        path: &'static str,
        permission: Permission,
        handler: H,
        says: Operation,
    ) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        self.add((Method::POST, MethodFilter::POST), path, permission, handler, says)
    }

    pub(super) fn patch<H, T>(
        self,
        path: &'static str,
        permission: Permission,
        handler: H,
        says: Operation,
    ) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        self.add((Method::PATCH, MethodFilter::PATCH), path, permission, handler, says)
    }

    pub(super) fn delete<H, T>(
        self,
        path: &'static str,
        permission: Permission,
        handler: H,
        says: Operation,
    ) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        self.add((Method::DELETE, MethodFilter::DELETE), path, permission, handler, says)
    }

    fn add<H, T>(
        mut self,
        (method, filter): (Method, MethodFilter),
        path: &'static str,
        permission: Permission,
        handler: H,
        operation: Operation,
    ) -> Self
    where
        H: Handler<T, Server>,
        T: 'static,
    {
        let guarded = Guarded { permission, takes_query: operation.takes_query(), handler };
        self.router = self.router.route(path, on(filter, guarded));
        self.listed.push(Listed { method, path, permission, operation });
        self
    }

    pub(super) fn finish(self) -> (Router<Server>, Vec<Listed>) {
        (self.router, self.listed)
    }
}

/// Waits until this server knows what the caller has seen of the ledger, perhaps through another one.
async fn reach(app: &App, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(given) = headers.get(POSITION) else { return Ok(()) };
    let position = given.to_str().ok().and_then(|text| text.parse().ok());
    let bad = || Failure::unreadable("bad-position", "Brevet-Position is a number of entries".to_owned());
    Ok(app.reach(position.ok_or_else(bad)?).await?)
}

/// A handler behind its permission.
#[derive(Clone)]
struct Guarded<H> {
    permission: Permission,
    takes_query: bool,
    handler: H,
}

impl<H, T> Handler<(T,), Server> for Guarded<H>
where
    H: Handler<T, Server>,
    T: 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, mut request: Request, server: Server) -> Self::Future {
        Box::pin(async move {
            if let Err(failure) = reach(&server.app, request.headers()).await {
                return failure.into_response();
            }
            match self.permission.admit(&server.app, request.headers()).await {
                Err(failure) => return failure.into_response(),
                Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
                Ok(None) => {}
            }
            if !self.takes_query && request.uri().query().is_some_and(|query| !query.is_empty()) {
                let detail = "nothing can be said after the '?' here";
                return Failure::unreadable("bad-query", detail).into_response();
            }
            let app = server.app.clone();
            let mut response = self.handler.call(request, server).await;
            // What the answer was made of is not newer than this.
            let position = HeaderValue::from(app.published().size);
            response.headers_mut().entry(POSITION).or_insert(position);
            response
        })
    }
}
