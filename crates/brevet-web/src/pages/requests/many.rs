//! Several decisions at once: each is one of its own, and fails alone.

use askama::Template;
use axum::response::IntoResponse as _;
use brevet_wire::{Approve, Deny, Problem, Request, RequestStatus, reason};

use super::list::{Wanted, list_page};
use crate::api::{Done, segment};
use crate::cookie;
use crate::failure::{Answer, Failure};
use crate::form::Form;
use crate::gate::Visit;
use crate::page::{Here, Page, show, show_again};

/// Requests that are decided at once: what one page of the list holds.
const CHOSEN_MAX: usize = 50;

/// What became of one of them.
struct Outcome {
    id: String,
    /// The request as it is now, or why it is not decided.
    told: Result<Request, Left>,
}

/// Why a request is not decided, as far as that is known.
struct Left {
    why: String,
    /// Whether nobody knows if it was done.
    is_unknown: bool,
}

impl Left {
    fn of(problem: Problem) -> Self {
        Self { is_unknown: problem.reason.as_deref() == Some(reason::OUTCOME_UNKNOWN), why: problem.detail }
    }
}

#[derive(Template)]
#[template(path = "requests/many.html")]
struct ManyPage {
    page: Page,
    outcomes: Vec<Outcome>,
    back: String,
}

pub(super) async fn decide(visit: Visit, form: Form) -> Answer {
    let mut chosen: Vec<&str> = Vec::new();
    for id in form.all("request") {
        if !chosen.contains(&id) {
            chosen.push(id);
        }
    }
    let is_approval = form.text("verdict") == Some("approve");
    if let Some(wrong) = wrong(chosen.len(), form.text("verdict")) {
        let problem = *Failure::unreadable(wrong).0;
        let again = list_page(&visit, Wanted::of(&form), Some(problem.clone()), &form).await?;
        return show_again(&problem, &again);
    }
    let (mut outcomes, mut position) = (Vec::new(), None);
    for id in chosen {
        let told = match decide_one(&visit, &form, id, is_approval).await {
            Ok(done) => {
                position = done.position.or(position);
                Ok(done.value)
            }
            // Whoever is signed out meanwhile signs in again and sees in the list what was done.
            Err(failure) if failure.is_signed_out() => return Err(failure),
            Err(failure) => Err(Left::of(*failure.0)),
        };
        let is_over = matches!(&told, Err(left) if left.is_unknown);
        outcomes.push(Outcome { id: id.to_owned(), told });
        // Nothing else is decided before somebody has looked.
        if is_over {
            break;
        }
    }
    let back = crate::api::query("/requests", [("show", form.text("show"))]);
    let page = visit.page(summary(&outcomes), Here::Requests);
    let mut response = show(&ManyPage { page, outcomes, back })?.into_response();
    if let Some(position) = position {
        cookie::keep_position(response.headers_mut(), &position);
    }
    Ok(response)
}

fn wrong(count: usize, verdict: Option<&str>) -> Option<String> {
    match (count, verdict) {
        (0, _) => Some("choose at least one request; nothing was decided".to_owned()),
        (count, _) if count > CHOSEN_MAX => {
            Some(format!("at most {CHOSEN_MAX} requests are decided at once; nothing was decided"))
        }
        (_, Some("approve" | "deny")) => None,
        _ => Some("say whether to approve or to deny; nothing was decided".to_owned()),
    }
}

async fn decide_one(
    visit: &Visit,
    form: &Form,
    id: &str,
    is_approval: bool,
) -> Result<Done<Request>, Failure> {
    let comment = form.owned("comment");
    // The form has one key, each decision of it its own: sent again, it says again what was done.
    let key = form.key().map(|key| format!("{key}.{id}"));
    let path = format!("/requests/{}", segment(id));
    if is_approval {
        let body = Approve { comment, duration: None };
        visit.api.post(&format!("{path}/approve"), &body, key.as_deref()).await
    } else {
        visit.api.post(&format!("{path}/deny"), &Deny { comment }, key.as_deref()).await
    }
}

/// `3 approved, 1 not decided, or not known to be`
fn summary(outcomes: &[Outcome]) -> String {
    const WORDS: &[(Option<RequestStatus>, &str)] = &[
        (Some(RequestStatus::Approved), "approved"),
        (Some(RequestStatus::Denied), "denied"),
        (Some(RequestStatus::Pending), "approved by you, with others to follow"),
        (None, "not decided, or not known to be"),
    ];
    let status = |outcome: &Outcome| outcome.told.as_ref().ok().map(|request| request.status);
    let count = |wanted| outcomes.iter().filter(|outcome| status(outcome) == wanted).count();
    let counted = WORDS.iter().map(|(wanted, word)| (count(*wanted), word)).filter(|(count, _)| *count > 0);
    counted.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Left, Outcome, summary};

    #[test]
    fn what_failed_is_counted_apart() {
        let failed = |id: &str| Outcome {
            id: id.to_owned(),
            told: Err(Left { why: "it expired".to_owned(), is_unknown: false }),
        };
        assert_eq!(summary(&[failed("req-1"), failed("req-2")]), "2 not decided, or not known to be");
    }
}
