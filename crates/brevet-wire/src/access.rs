//! What can be asked for, and parameter values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The kinds of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessType {
    /// One task.
    Task,
    /// Every task of a role.
    Role,
    /// Every task of every role of a role group.
    RoleGroup,
}

/// A task, a role or a role group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Access {
    /// Which of them.
    #[serde(rename = "type")]
    pub kind: AccessType,
    /// `Scope\Name`.
    #[schema(example = "Linux\\Restart-Service")]
    pub name: String,
}

impl Access {
    /// Makes one of the three fields `task`, `role`, `role_group` of an input: exactly one of them is named.
    pub fn exactly_one(
        task: Option<&str>,
        role: Option<&str>,
        role_group: Option<&str>,
    ) -> Result<Self, NotOneAccess> {
        let access = |kind, name: &str| Ok(Self { kind, name: name.to_owned() });
        match (task, role, role_group) {
            (Some(name), None, None) => access(AccessType::Task, name),
            (None, Some(name), None) => access(AccessType::Role, name),
            (None, None, Some(name)) => access(AccessType::RoleGroup, name),
            _ => Err(NotOneAccess),
        }
    }
}

/// None, or several, of the three fields that say what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name exactly one of task, role and role_group, for example \"task\": \"Linux/Restart-Service\"")]
pub struct NotOneAccess;

/// The value of a parameter.
///
/// In inputs a string will do for every type: the server reads it as the type that the task's definition
/// says, and takes a single value where a list is meant as a list of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A string.
    Text(String),
    /// Several, in order.
    #[schema(no_recursion)]
    List(Vec<Value>),
}

/// Parameter values by name. Never a secret.
pub type Parameters = BTreeMap<String, Value>;

impl std::fmt::Display for Value {
    /// As text, lists joined by commas: as it is put into an argument.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Boolean(yes) => yes.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::List(values) => values.iter().enumerate().try_for_each(|(i, value)| {
                f.write_str(if i == 0 { "" } else { "," })?;
                value.fmt(f)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, AccessType, NotOneAccess, Value};

    #[test]
    fn exactly_one_access_is_named() {
        let task = Access::exactly_one(Some("A/b"), None, None).unwrap();
        assert_eq!((task.kind, task.name.as_str()), (AccessType::Task, "A/b"));
        assert_eq!(Access::exactly_one(None, None, None), Err(NotOneAccess));
        assert_eq!(Access::exactly_one(Some("A/b"), None, Some("A/c")), Err(NotOneAccess));
    }

    #[test]
    fn values_are_plain_json() {
        let values: Vec<Value> = serde_json::from_str(r#"["5", 5, true, ["a", 1]]"#).unwrap();
        assert_eq!(values[0], Value::Text("5".into()));
        assert_eq!(values[1], Value::Integer(5));
        assert_eq!(values[2], Value::Boolean(true));
        assert_eq!(values[3].to_string(), "a,1");
        assert!(serde_json::from_str::<Value>("null").is_err());
        assert!(serde_json::from_str::<Value>("1.5").is_err());
    }
}
