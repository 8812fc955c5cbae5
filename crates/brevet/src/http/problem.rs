//! Every way to say no, as a problem (RFC 9457). One match from the application's errors to the wire, without
//! a `_` arm: a new refusal must choose its status before it compiles.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use brevet_core::{BadParameters, Refusal, WayOut};
use brevet_wire as wire;

use crate::app::AppError;

/// What a handler answers.
pub(super) type Answer = Result<Response, Failure>;

/// A problem on its way to the caller.
#[derive(Debug)]
pub(super) struct Failure {
    problem: Box<wire::Problem>,
    retry_after_seconds: Option<i64>,
}

impl Failure {
    /// A problem with its stable reason, and a sentence that the caller can act on.
    pub(super) fn new(status: StatusCode, reason: &str, detail: impl Into<String>) -> Self {
        let problem = wire::Problem {
            kind: format!("urn:brevet:problem:{reason}"),
            title: title(reason),
            status: status.as_u16(),
            detail: detail.into(),
            reason: Some(reason.to_owned()),
            way_out: None,
            parameters: Vec::new(),
        };
        Self { problem: Box::new(problem), retry_after_seconds: None }
    }

    /// What it says, for whoever has no answer of HTTP to read.
    pub(super) fn into_sentence(self) -> String {
        self.problem.detail
    }

    /// Input that cannot be read at all.
    pub(super) fn unreadable(reason: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason, detail)
    }

    /// A field that was read, and does not make sense.
    pub(super) fn field(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", format!("{name}: {why}"))
    }

    /// There is none such, or none that the caller may see: both look the same.
    pub(super) fn no_such(what: &'static str, id: impl std::fmt::Display) -> Self {
        Refusal::NoSuch { what, id: id.to_string() }.into()
    }

    /// Something that cannot be.
    pub(super) fn bug(what: &str) -> Self {
        tracing::error!(what, "a bug in the server");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server made a mistake; its log says which",
        )
    }

    fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The same, with the exact command that asks for what was refused.
    pub(super) fn asking_with(mut self, parameters: &wire::Parameters) -> Self {
        if let Some(way_out) = &mut self.problem.way_out {
            way_out.ask = wire::ask_command(&way_out.task, parameters);
        }
        self
    }

    /// For an answer that carries it inside.
    pub(super) fn into_problem(self) -> wire::Problem {
        *self.problem
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { problem, retry_after_seconds } = self;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// `needs-approval` as `Needs approval`.
fn title(reason: &str) -> String {
    let words = reason.replace('-', " ");
    let first = words.chars().next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(words.chars().skip(1)).collect()
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let detail = error.to_string();
        let unavailable = |reason| Self::new(StatusCode::SERVICE_UNAVAILABLE, reason, detail.clone());
        match error {
            AppError::Refused(refusal) => refusal.into(),
            AppError::NotSignedIn => Self::new(StatusCode::UNAUTHORIZED, wire::reason::NOT_SIGNED_IN, detail),
            AppError::BadCredentials => Self::new(StatusCode::UNAUTHORIZED, "bad-credentials", detail),
            AppError::BadPassword { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-password", detail)
            }
            AppError::KeyReused => Self::new(StatusCode::CONFLICT, "key-reused", detail),
            AppError::ToldOnce => Self::new(StatusCode::CONFLICT, "told-once", detail),
            AppError::ClockWentBack { .. } | AppError::ClockBehind { .. } => unavailable("clock-went-back"),
            AppError::LedgerUnavailable { .. } => {
                let detail = "the ledger cannot be written, so nothing was done; the server's log says why";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "ledger-unavailable", detail)
            }
            AppError::OutcomeUnknown { .. } => {
                let detail = "the database did not say whether it kept this, so it was done, or it was not: look before \
                              you do it again, or repeat it with the same Idempotency-Key";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome-unknown", detail)
            }
            AppError::Key(_) => Self::new(StatusCode::CONFLICT, "key-not-usable", detail),
            AppError::Stopping => unavailable("stopping").retry_after(5),
            AppError::Busy => unavailable("busy").retry_after(1),
            AppError::Behind { .. } | AppError::NotYet { .. } => unavailable("behind").retry_after(1),
            AppError::Machine(_) => unavailable("machine"),
            AppError::Output(_) => {
                tracing::error!(%error, "a recording cannot be read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unreadable-output", detail)
            }
            AppError::Read(lost) if lost.is_lost() => {
                tracing::warn!(error = %lost, "the database cannot be read");
                let detail = "the database cannot be reached; try again in a moment, or ask another server";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-away", detail).retry_after(1)
            }
            AppError::Read(_) => {
                tracing::error!(%error, "stored data cannot be read");
                let detail = "what is stored cannot be read; the server's log says why";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unreadable-store", detail)
            }
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let failure = Self::new(status(&refusal), refusal.code(), refusal.to_string());
        match refusal {
            Refusal::BadParameters(problems) => failure.with_parameters(problems),
            Refusal::NeedsApproval(way_out) => failure.with_way_out(*way_out),
            Refusal::Locked { left } => failure.retry_after(left.whole_seconds() + 1),
            _ => failure,
        }
    }
}

impl Failure {
    fn with_parameters(mut self, BadParameters(problems): BadParameters) -> Self {
        let bad = |(name, why): (String, brevet_core::BadValue)| wire::BadParameter {
            name,
            problem: why.to_string(),
        };
        self.problem.parameters = problems.into_iter().map(bad).collect();
        self
    }

    fn with_way_out(mut self, way_out: WayOut) -> Self {
        let WayOut { task, policy, approver_groups, held } = way_out;
        let (task, policy) = (task.to_string(), policy.to_string());
        let ask = wire::ask_command(&task, &wire::Parameters::new());
        self.problem.way_out = Some(wire::WayOut { task, policy, approver_groups, held, ask });
        self
    }
}

const fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Inactive
        | Refusal::Forbidden { .. }
        | Refusal::Uncovered { .. }
        | Refusal::NotAssigned { .. }
        | Refusal::NeedsApproval(_)
        | Refusal::MayNotAsk { .. }
        | Refusal::SelfApproval
        | Refusal::NotAnApprover { .. } => StatusCode::FORBIDDEN,
        Refusal::NoSuch { .. } => StatusCode::NOT_FOUND,
        Refusal::Over { .. }
        | Refusal::Exists { .. }
        | Refusal::NoChange(_)
        | Refusal::Changed { .. }
        | Refusal::InUse { .. }
        | Refusal::AlreadyVoted { .. }
        | Refusal::NobodyCanApprove { .. }
        | Refusal::Drifted { .. } => StatusCode::CONFLICT,
        Refusal::Invalid(_)
        | Refusal::TooMany { .. }
        | Refusal::BadParameters(_)
        | Refusal::TooLong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Locked { .. } => StatusCode::TOO_MANY_REQUESTS,
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, title};
    use crate::app::AppError;
    use brevet_core::{PolicyId, QualifiedName, Refusal, RequestId, Span, WayOut};

    fn told(error: impl Into<Failure>) -> (u16, String, String) {
        let problem = error.into().into_problem();
        (problem.status, problem.reason.unwrap(), problem.kind)
    }

    #[test]
    fn each_refusal_has_its_status_and_its_code_as_reason() {
        let (what, id) = ("request", String::from("req-1"));
        let task = QualifiedName::parse("Linux/Echo").unwrap();
        let way_out =
            WayOut { task: task.clone(), policy: PolicyId::new(1), approver_groups: vec![], held: vec![] };
        for (refusal, status) in [
            (Refusal::Inactive, 403),
            (Refusal::Forbidden { who: "an auditor" }, 403),
            (Refusal::NoSuch { what, id: id.clone() }, 404),
            (Refusal::Over { what, id: id.clone() }, 409),
            (Refusal::Exists { what, id: id.clone() }, 409),
            (Refusal::NoChange("so already"), 409),
            (Refusal::Changed { what, id }, 409),
            (Refusal::InUse { what, by: "x".into() }, 409),
            (Refusal::Invalid("x".into()), 422),
            (Refusal::TooMany { what, max: 1 }, 422),
            (Refusal::Uncovered { access: task.clone() }, 403),
            (Refusal::NotAssigned { task: task.clone() }, 403),
            (Refusal::NeedsApproval(Box::new(way_out)), 403),
            (Refusal::SelfApproval, 403),
            (Refusal::NotAnApprover { request: RequestId::new(1), groups: String::new() }, 403),
            (Refusal::AlreadyVoted { request: RequestId::new(1) }, 409),
            (Refusal::Drifted { access: task }, 409),
            (Refusal::Locked { left: Span::minutes(30) }, 429),
        ] {
            let code = refusal.code();
            let told = told(refusal);
            assert_eq!(told, (status, code.to_owned(), format!("urn:brevet:problem:{code}")));
        }
    }

    #[test]
    fn what_cannot_be_done_now_is_503_and_a_lock_says_when_to_come_back() {
        for error in [
            AppError::ClockWentBack { behind_seconds: 5 },
            AppError::LedgerUnavailable { why: "/secret/path is full".into() },
            AppError::OutcomeUnknown { why: "/secret/path is full".into() },
            AppError::Stopping,
            AppError::Busy,
        ] {
            assert_eq!(told(error).0, 503);
        }
        let why = || String::from("/secret/path is full");
        let unavailable = Failure::from(AppError::LedgerUnavailable { why: why() }).into_problem().detail;
        let unknown = Failure::from(AppError::OutcomeUnknown { why: why() }).into_problem();
        assert!(!unavailable.contains("/secret") && !unknown.detail.contains("/secret"));
        assert!(unavailable.contains("nothing was done") && !unknown.detail.contains("nothing was done"));
        assert_eq!(unknown.reason.as_deref(), Some("outcome-unknown"));
        let locked = Failure::from(Refusal::Locked { left: Span::minutes(30) });
        assert_eq!(locked.retry_after_seconds, Some(1_801));
        assert_eq!(title("needs-approval"), "Needs approval");
    }
}
