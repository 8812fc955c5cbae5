//! Short words for commands.

use brevet_core::{
    Approval, AuthorizationId, Command, NewPurpose, NewRequest, NewUser, PolicyTerms, Quorum, RequestId,
    Requesters, RunOrder, Secrets, Span, Text, UserId, UserName, Verdict,
};

use super::{task, values};

pub(crate) fn new_user(name: &str, owner: Option<UserId>) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::default(),
        email: Text::default(),
        owner,
        administrator: false,
        auditor: false,
    }
}

/// One approval of the default group, anyone may ask.
pub(crate) fn manual() -> PolicyTerms {
    PolicyTerms::new(Approval::Manual(Quorum::default_group()), Requesters::Anyone)
}

pub(crate) fn approve(request: RequestId) -> Command {
    vote(request, Verdict::Approve)
}

pub(crate) fn deny(request: RequestId) -> Command {
    vote(request, Verdict::Deny)
}

fn vote(request: RequestId, verdict: Verdict) -> Command {
    Command::Decide { request, verdict, duration: None, comment: Text::default() }
}

pub(crate) fn revoke(authorization: AuthorizationId) -> Command {
    Command::Revoke { authorization, comment: Text::default() }
}

pub(crate) fn run(name: &str, given: &str) -> Command {
    Command::Run(RunOrder { task: task(name), parameters: values(given), secrets: Secrets::new() })
}

pub(crate) fn extend(authorization: AuthorizationId, duration: Span) -> NewRequest {
    NewRequest {
        purpose: NewPurpose::Extension(authorization),
        reason: Text::default(),
        duration: Some(duration),
        not_before: None,
        max_uses: None,
    }
}
