//! Keys by which a caller can send the same thing twice and have it done once.

use brevet_core::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, Reply, RequestId, SessionId, UserId,
};

/// A caller's key, and a fingerprint of what was asked with it.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    pub(super) key: String,
    pub(super) fingerprint: [u8; 32],
}

impl IdempotencyKey {
    /// The longest key, in bytes.
    pub const BYTES_MAX: usize = 128;

    /// Takes a key of visible ASCII characters; `fingerprint` is SHA-256 of method, path and body.
    pub fn new(key: &str, fingerprint: [u8; 32]) -> Option<Self> {
        let fits = !key.is_empty()
            && key.len() <= Self::BYTES_MAX
            && key.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self { key: key.to_owned(), fingerprint })
    }
}

/// A reply as it is kept.
pub(super) fn print_reply(reply: Reply) -> String {
    match reply {
        Reply::Done => "done".to_owned(),
        Reply::User(id) => id.to_string(),
        Reply::Session(id) => id.to_string(),
        Reply::Group(id) => id.to_string(),
        Reply::Assignment(id) => id.to_string(),
        Reply::Policy(id) => id.to_string(),
        Reply::Request(id) => id.to_string(),
        Reply::Authorization(id) => id.to_string(),
        Reply::Execution(id) => id.to_string(),
    }
}

/// A reply as it was kept.
pub(super) fn parse_reply(text: &str) -> Option<Reply> {
    let (prefix, _) = text.split_once('-').unwrap_or((text, ""));
    match prefix {
        "done" => Some(Reply::Done),
        UserId::PREFIX => UserId::parse(text).map(Reply::User).ok(),
        SessionId::PREFIX => SessionId::parse(text).map(Reply::Session).ok(),
        GroupId::PREFIX => GroupId::parse(text).map(Reply::Group).ok(),
        AssignmentId::PREFIX => AssignmentId::parse(text).map(Reply::Assignment).ok(),
        PolicyId::PREFIX => PolicyId::parse(text).map(Reply::Policy).ok(),
        RequestId::PREFIX => RequestId::parse(text).map(Reply::Request).ok(),
        AuthorizationId::PREFIX => AuthorizationId::parse(text).map(Reply::Authorization).ok(),
        ExecutionId::PREFIX => ExecutionId::parse(text).map(Reply::Execution).ok(),
        _ => None,
    }
}
