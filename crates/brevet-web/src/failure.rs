//! Why something was not shown or done: a problem of the API, on its way to a page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use brevet_wire::{Problem, reason};

/// What a page answers.
pub(crate) type Answer = Result<Response, Failure>;

/// A problem. The [`gate`](crate::gate) makes a page of it.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Box<Problem>);

impl Failure {
    pub(crate) fn new(status: StatusCode, title: &str, detail: impl Into<String>) -> Self {
        let status = status.as_u16();
        Self(Box::new(Problem {
            status,
            title: title.to_owned(),
            detail: detail.into(),
            ..Problem::default()
        }))
    }

    /// What a form, or an address, says cannot be read.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Cannot be read", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    /// Nobody is signed in, or not any more.
    pub(crate) fn signed_out() -> Self {
        let mut failure = Self::new(StatusCode::UNAUTHORIZED, "Signed out", "sign in first");
        failure.0.reason = Some(reason::NOT_SIGNED_IN.to_owned());
        failure
    }

    /// Something that cannot be.
    pub(crate) fn bug(what: &str) -> Self {
        tracing::error!(what, "a bug in the web admin center");
        let detail = "the server made a mistake; its log says which";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "A mistake", detail)
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether this server knows less of the ledger than the browser has seen.
    pub(crate) fn is_behind(&self) -> bool {
        self.0.reason.as_deref() == Some(reason::BEHIND)
    }

    /// Whether the same may be done a moment later.
    pub(crate) fn is_for_now(&self) -> bool {
        self.status() == StatusCode::SERVICE_UNAVAILABLE
    }

    pub(crate) fn is_signed_out(&self) -> bool {
        self.0.reason.as_deref() == Some(reason::NOT_SIGNED_IN)
    }

    /// Whether a person can mend what they sent, or must at least be told beside it; other problems have a page of their own.
    pub(crate) fn is_about_input(&self) -> bool {
        matches!(self.0.status, 400 | 403 | 409 | 422 | 429)
    }

    /// The same as a problem with what was typed, where a name in it, and not the page itself, leads nowhere: that is told
    /// above the form.
    pub(crate) fn about_what_is_named(mut self) -> Self {
        if self.status() == StatusCode::NOT_FOUND {
            self.0.status = StatusCode::UNPROCESSABLE_ENTITY.as_u16();
        }
        self
    }

    /// The problem, where it is about what somebody sent; otherwise it is handed on.
    pub(crate) fn into_told(self) -> Result<Problem, Self> {
        if self.is_about_input() && !self.is_signed_out() { Ok(*self.0) } else { Err(self) }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
