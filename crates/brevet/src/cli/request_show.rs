//! How requests look.

use brevet_wire::{Binding, Request, RequestDecision, RequestStatus, Verdict};

use super::args::shown_parameters;
use super::assignment::access;
use super::console::{Show, View};
use super::sign_in::names;
use super::table::{Row, Sheet, Shown, Tone, plain, toned};

/// What is said in place of a text that is not there any more.
const GONE: &str = "(erased or archived)";

impl Row for Request {
    const HEADS: &'static [&'static str] = &["ID", "WHO", "ACCESS", "FOR", "REASON", "ASKED", "STATUS"];

    fn row(&self, view: &View) -> Vec<Shown> {
        let mut what = access(&self.access);
        if !self.parameters.is_empty() {
            what.push_str(&format!(" ({})", shown_parameters(&self.parameters)));
        }
        if let Some(authorization) = &self.extends {
            what.push_str(&format!(", more time on {authorization}"));
        }
        vec![
            plain(&self.id),
            plain(&self.requester.name),
            plain(what),
            plain(&self.duration),
            plain(self.reason.as_deref().unwrap_or(GONE)),
            plain(view.clock.relative(self.submitted_at)),
            status(self),
        ]
    }
}

fn status(request: &Request) -> Shown {
    match request.status {
        RequestStatus::Pending => {
            let yes =
                request.decisions.iter().filter(|decision| decision.verdict == Verdict::Approve).count();
            match request.approvals_needed {
                0 | 1 => toned("pending", Tone::Waiting),
                needed => toned(format!("pending, {yes} of {needed}"), Tone::Waiting),
            }
        }
        RequestStatus::Approved => toned("approved", Tone::Good),
        RequestStatus::Denied => toned("denied", Tone::Bad),
        RequestStatus::Expired => toned("expired", Tone::Quiet),
        RequestStatus::Cancelled => toned("cancelled", Tone::Quiet),
    }
}

impl Show for Request {
    fn show(&self, view: &View) -> String {
        let clock = &view.clock;
        let free = match (self.binding, self.free_parameters.is_empty()) {
            (_, true) => None,
            (Binding::Open, false) => Some(self.free_parameters.join(", ")),
            (Binding::Exact, false) => Some(format!("{} (secret)", self.free_parameters.join(", "))),
        };
        let mut sheet = Sheet::default()
            .line("Request", &self.id)
            .shown("Status", status(self))
            .line("Requester", &self.requester.name)
            .line("Access", access(&self.access))
            .maybe("More time on", self.extends.as_deref())
            .maybe("Only with", Some(shown_parameters(&self.parameters)))
            .maybe("Free", free)
            .maybe("Runs", Some(self.command.join(" ")))
            .maybe("As", self.run_as.as_deref())
            .line("Reason", self.reason.as_deref().unwrap_or(GONE))
            .line("Duration", &self.duration)
            .maybe("Not before", self.start_at.map(|at| clock.both(at)))
            .maybe("Runs at most", self.max_uses.map(|uses| uses.to_string()))
            .line("Asked", clock.both(self.submitted_at))
            .line("Policy", &self.policy);
        for decision in &self.decisions {
            sheet = sheet.line("Decision", decided(decision, view));
        }
        sheet = sheet.maybe("Authorization", self.authorization.as_deref());
        if self.status == RequestStatus::Pending {
            sheet = sheet
                .maybe("Can approve", Some(names(&self.approver_groups)))
                .line("Expires", clock.both(self.expires_at));
        }
        let closed = match self.status {
            RequestStatus::Approved | RequestStatus::Denied => "Decided",
            RequestStatus::Pending | RequestStatus::Expired | RequestStatus::Cancelled => "Ended",
        };
        let mut text = sheet.maybe(closed, self.ended_at.map(|at| clock.both(at))).text(view);
        if self.may_decide {
            let id = &self.id;
            text.push_str(&format!(
                "\n\nDecide with:\n  brevet request approve {id}\n  brevet request deny {id}"
            ));
        }
        text
    }
}

fn decided(decision: &RequestDecision, view: &View) -> String {
    let verdict = match decision.verdict {
        Verdict::Approve => "approved",
        Verdict::Deny => "denied",
    };
    let mut text = format!("{} {verdict}", decision.by.name);
    if let Some(duration) = &decision.duration {
        text.push_str(&format!(" for {duration}"));
    }
    text.push_str(&format!(", {}", view.clock.both(decision.at)));
    if let Some(comment) = &decision.comment {
        text.push_str(&format!(": {comment}"));
    }
    text
}
