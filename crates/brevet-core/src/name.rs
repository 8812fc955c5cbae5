//! Names in one canonical form. Text from outside becomes one of these types or goes no further.
//!
//! Names are ASCII: a look-alike from another script cannot be typed at all. What is left of
//! look-alikes (`r00t`, `sys_tem`) is refused for the names in [`RESERVED`].

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::id::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, RequestId, RoleGroupId, RoleId, SessionId,
    TaskId, UserId,
};
use crate::limit::{
    GROUP_NAME_BYTES_MAX, PARAMETER_NAME_BYTES_MAX, TASK_NAME_BYTES_MAX, USER_NAME_BYTES_MAX,
};

/// Names that nobody may have, nor anything that reads like them.
const RESERVED: [&str; 10] =
    ["root", "system", "brevet", "nobody", "anonymous", "unknown", "everyone", "anyone", "all", "none"];

/// Why a name was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing there.
    #[error("a name is needed here")]
    Empty,
    /// Longer than the limit, in bytes.
    #[error("a name here is at most {max} bytes long, this one has {len}")]
    Long {
        /// What was given.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A character that names do not have.
    #[error("{found:?} cannot be part of a name here; allowed are {allowed}")]
    Character {
        /// The first that is not allowed.
        found: char,
        /// What is.
        allowed: &'static str,
    },
    /// A name must begin with a letter or digit.
    #[error("a name begins and ends with a letter or a digit")]
    Edge,
    /// Reads like a reserved name.
    #[error("this name is reserved, or reads like the reserved name '{like}'; choose another")]
    Reserved {
        /// The reserved name.
        like: &'static str,
    },
    /// Would be taken for an id.
    #[error("this name would be taken for an id, such as usr-42; choose another")]
    LooksLikeAnId,
    /// No scope.
    #[error("write it with its workload, as Scope\\Name or Scope/Name")]
    Unqualified,
}

fn check(text: &str, max: usize, allowed: &'static str, may: impl Fn(char) -> bool) -> Result<(), BadName> {
    if text.is_empty() {
        return Err(BadName::Empty);
    }
    if text.len() > max {
        return Err(BadName::Long { len: text.len(), max });
    }
    if let Some(found) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !may(*c)) {
        return Err(BadName::Character { found, allowed });
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !edge(text.chars().next()) || !edge(text.chars().next_back()) {
        return Err(BadName::Edge);
    }
    Ok(())
}

/// What a reader sees at a glance: case, separators and digits that pass for letters folded away.
fn skeleton(text: &str) -> String {
    let fold = |c: char| match c.to_ascii_lowercase() {
        '0' => Some('o'),
        '1' | 'l' | 'i' => Some('l'),
        '3' => Some('e'),
        '5' => Some('s'),
        '7' => Some('t'),
        '-' | '_' | '.' | ' ' => None,
        other => Some(other),
    };
    text.chars().filter_map(fold).collect::<String>().replace("rn", "m").replace("vv", "w")
}

fn refuse_reserved(text: &str) -> Result<(), BadName> {
    let seen = skeleton(text);
    match RESERVED.iter().find(|reserved| skeleton(reserved) == seen) {
        Some(like) => Err(BadName::Reserved { like }),
        None => Ok(()),
    }
}

const ID_PREFIXES: [&str; 11] = [
    UserId::PREFIX,
    GroupId::PREFIX,
    TaskId::PREFIX,
    RoleId::PREFIX,
    RoleGroupId::PREFIX,
    AssignmentId::PREFIX,
    PolicyId::PREFIX,
    RequestId::PREFIX,
    AuthorizationId::PREFIX,
    ExecutionId::PREFIX,
    SessionId::PREFIX,
];

/// Wherever a name can be given an id can be given too: `usr-42`, or its bare number.
fn refuse_ids(text: &str) -> Result<(), BadName> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = match text.split_once('-') {
        Some((prefix, rest)) => ID_PREFIXES.iter().any(|id| id.eq_ignore_ascii_case(prefix)) && number(rest),
        None => number(text),
    };
    if is_id { Err(BadName::LooksLikeAnId) } else { Ok(()) }
}

macro_rules! encoded_as_text {
    ($name:ident) => {
        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.as_str())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::parse(d.str()?).map_err(|bad| minicbor::decode::Error::message(bad.to_string()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $name {
            /// As it is shown.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

/// The name of a user account: lower case, so that there is one spelling only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Box<str>);
encoded_as_text!(UserName);

impl UserName {
    /// Reads a name; surrounding spaces and case do not matter.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        check(text, USER_NAME_BYTES_MAX, "letters, digits, and . _ - @", |c| {
            matches!(c, '.' | '_' | '-' | '@')
        })?;
        refuse_reserved(text)?;
        refuse_ids(text)?;
        Ok(Self(text.to_ascii_lowercase().into()))
    }
}

/// The name of a group: shown as written, matched without regard to case.
#[derive(Debug, Clone)]
pub struct GroupName(Box<str>);
encoded_as_text!(GroupName);

impl GroupName {
    /// Reads a name; surrounding spaces do not matter.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let text = text.trim();
        let may = |c| matches!(c, '.' | '_' | '-' | '@' | ' ');
        check(text, GROUP_NAME_BYTES_MAX, "letters, digits, spaces, and . _ - @", may)?;
        refuse_reserved(text)?;
        refuse_ids(text)?;
        Ok(Self(text.into()))
    }
}

/// The name of a parameter: shown and matched as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(Box<str>);
encoded_as_text!(ParameterName);

impl ParameterName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        check(text, PARAMETER_NAME_BYTES_MAX, "letters, digits, - and _", |c| matches!(c, '-' | '_'))?;
        Ok(Self(text.into()))
    }
}

/// `Scope\Name`: a task, role or role group with its workload. Shown as written, matched without
/// regard to case; `Scope/Name` is accepted.
#[derive(Debug, Clone)]
pub struct QualifiedName(Box<str>);
encoded_as_text!(QualifiedName);

impl QualifiedName {
    /// Reads `Scope\Name` or `Scope/Name`.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let (scope, name) = text.trim().split_once(['\\', '/']).ok_or(BadName::Unqualified)?;
        Self::new(scope, name)
    }

    /// Puts the two halves together.
    pub fn new(scope: &str, name: &str) -> Result<Self, BadName> {
        for half in [scope, name] {
            check(half, TASK_NAME_BYTES_MAX, "letters, digits, - and _", |c| matches!(c, '-' | '_'))?;
        }
        Ok(Self(format!("{scope}\\{name}").into()))
    }

    /// Stands where a name should be known and is not; no definition can have it.
    pub(crate) fn unknown() -> Self {
        Self("?\\?".into())
    }

    /// The workload.
    pub fn scope(&self) -> &str {
        self.0.split_once('\\').map_or("", |(scope, _)| scope)
    }

    /// The name within the workload.
    pub fn name(&self) -> &str {
        self.0.split_once('\\').map_or(&self.0, |(_, name)| name)
    }
}

/// How much of a name is hashed at a time.
const KEY_PART_BYTES: usize = 32;

macro_rules! matched_without_case {
    ($name:ident) => {
        impl $name {
            /// The form that maps and comparisons use.
            pub fn key(&self) -> Box<str> {
                self.0.to_ascii_lowercase().into()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl Eq for $name {}

        /// As they compare: without regard to case, and without making the other form.
        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                for part in self.0.as_bytes().chunks(KEY_PART_BYTES) {
                    let mut key = [0; KEY_PART_BYTES];
                    key[..part.len()].copy_from_slice(part);
                    key.make_ascii_lowercase();
                    state.write(&key);
                }
            }
        }
    };
}
matched_without_case!(GroupName);
matched_without_case!(QualifiedName);

#[cfg(test)]
mod tests;
