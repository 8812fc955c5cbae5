//! Ids that know what they identify. They are counted by the state, so they are short enough to say
//! aloud (`req-42`), and one kind cannot be given where another is meant.

use minicbor::{Decode, Encode};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an id here; it looks like {prefix}-42")]
pub struct BadId {
    /// What was given, shortened.
    pub text: String,
    /// The prefix that was expected.
    pub prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty), $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[n(0)] $number);

        impl $name {
            /// What stands before the number.
            pub const PREFIX: &'static str = $prefix;

            /// The id with this number.
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The number behind the prefix.
            pub const fn number(self) -> $number {
                self.0
            }

            /// Reads `prefix-42`, or the bare number where the kind is clear from the place.
            pub fn parse(text: &str) -> Result<Self, BadId> {
                let bad = || BadId { text: text.chars().take(40).collect(), prefix: $prefix };
                let digits = match text.split_once('-') {
                    Some((prefix, digits)) if prefix.eq_ignore_ascii_case($prefix) => digits,
                    Some(_) => return Err(bad()),
                    None => text,
                };
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                if !plain || (digits.len() > 1 && digits.starts_with('0')) {
                    return Err(bad());
                }
                digits.parse().map(Self).map_err(|_| bad())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }
    };
}

/// Ids of what is never forgotten: they count from one and are places in a list.
macro_rules! dense {
    ($($name:ident),*) => {$(
        impl $name {
            pub(crate) const fn index(self) -> usize {
                (self.0 as usize).wrapping_sub(1)
            }
        }
    )*};
}
dense!(UserId, TaskId, RoleId, RoleGroupId);

/// Ids that [`crate::Counters`] gives out.
macro_rules! counted {
    ($($name:ident($number:ty)),* $(,)?) => {$(
        impl $name {
            /// The number after this one.
            pub(crate) const fn next(self) -> $number {
                self.0.saturating_add(1)
            }
        }
    )*};
}
counted!(
    UserId(u32),
    GroupId(u32),
    AssignmentId(u32),
    PolicyId(u32),
    RequestId(u64),
    AuthorizationId(u64),
    ExecutionId(u64),
    SessionId(u64),
    ServerId(u32),
);

id!(
    /// A user account.
    UserId(u32), "usr"
);
id!(
    /// A group.
    GroupId(u32), "grp"
);
id!(
    /// A task of the catalog; kept when the task is removed and defined again.
    TaskId(u32), "tsk"
);
id!(
    /// A role.
    RoleId(u32), "rol"
);
id!(
    /// A role group.
    RoleGroupId(u32), "rgr"
);
id!(
    /// An assignment.
    AssignmentId(u32), "asg"
);
id!(
    /// An approval policy.
    PolicyId(u32), "pol"
);
id!(
    /// An access request.
    RequestId(u64), "req"
);
id!(
    /// An authorization.
    AuthorizationId(u64), "aut"
);
id!(
    /// An execution.
    ExecutionId(u64), "exe"
);
id!(
    /// A signed-in session. Zero is "no session" in the ledger's envelope.
    SessionId(u64), "ses"
);
id!(
    /// One of several servers on one ledger, from its start to its end.
    ServerId(u32), "srv"
);

#[cfg(test)]
mod tests {
    use super::{RequestId, UserId};

    #[test]
    fn an_id_reads_with_its_prefix_or_bare_and_never_with_another() {
        for text in ["req-42", "REQ-42", "42"] {
            assert_eq!(RequestId::parse(text), Ok(RequestId::new(42)), "{text}");
        }
        for text in
            ["usr-42", "req-", "req-042", "req-+4", "-42", "", "req-42 ", "99999999999999999999", "req--1"]
        {
            assert!(RequestId::parse(text).is_err(), "{text}");
        }
        assert!(UserId::parse("4294967296").is_err());
        assert_eq!(RequestId::new(42).to_string(), "req-42");
    }
}
