//! Tasks, roles and role groups of the sample organization.

use brevet_core::{
    CatalogDefinition, Digest, Limits, OnExpiry, ParameterKind, ParameterName, ParameterSpec, Parameters,
    QualifiedName, RoleDefinition, RoleGroupDefinition, Secret, Secrets, Span, TaskSpec, Value,
};

pub(crate) fn task(name: &str) -> QualifiedName {
    QualifiedName::new("Linux", name).unwrap()
}

/// `a=x b=2`: texts, or integers where it is one.
pub(crate) fn values(text: &str) -> Parameters {
    let value = |value: &str| match value.parse() {
        Ok(number) => Value::Integer(number),
        Err(_) => Value::Text(value.to_owned()),
    };
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, text)| (ParameterName::parse(name).unwrap(), value(text))).collect()
}

pub(crate) fn secrets(text: &str) -> Secrets {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, text)| (ParameterName::parse(name).unwrap(), Secret::new(text.to_owned()))).collect()
}

pub(crate) fn parameter(name: &str, kind: ParameterKind) -> ParameterSpec {
    ParameterSpec {
        name: ParameterName::parse(name).unwrap(),
        kind,
        list: false,
        required: true,
        default: None,
        secret: false,
        description: String::new(),
        limits: Limits::default(),
    }
}

pub(crate) fn spec(name: &str, version: u8, parameters: Vec<ParameterSpec>) -> TaskSpec {
    TaskSpec {
        name: task(name),
        description: String::new(),
        parameters,
        command: vec!["/bin/true".into()],
        run_as: None,
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: digest(name, version),
        witnessed: None,
    }
}

/// Not SHA-256, but another one for another name or version.
pub(crate) fn digest(name: &str, version: u8) -> Digest {
    let mut bytes = [version; 32];
    bytes.iter_mut().zip(name.bytes()).for_each(|(byte, letter)| *byte ^= letter);
    Digest(bytes)
}

/// `Restart` (unit, level), `Reload`, `Backup` (may finish), `Rotate` (a secret); `Web` has the first
/// two, `Ops` the others, `All` both.
pub(crate) fn definitions(version: u8) -> CatalogDefinition {
    let unit = ParameterSpec {
        limits: Limits {
            one_of: ["nginx", "redis"].map(|unit| Value::Text(unit.into())).to_vec(),
            ..Limits::default()
        },
        ..parameter("unit", ParameterKind::Text)
    };
    let level = ParameterSpec {
        required: false,
        default: Some(Value::Integer(1)),
        ..parameter("level", ParameterKind::Integer)
    };
    let secret = ParameterSpec { secret: true, ..parameter("password", ParameterKind::Text) };
    let role = |name: &str, tasks: &[&str]| RoleDefinition {
        name: task(name),
        description: String::new(),
        tasks: tasks.iter().map(|name| task(name)).collect(),
        digest: digest(name, version),
    };
    CatalogDefinition {
        tasks: vec![
            spec("Restart", version, vec![level, unit]),
            spec("Reload", 1, vec![]),
            TaskSpec { on_expiry: OnExpiry::Finish, ..spec("Backup", 1, vec![]) },
            spec("Rotate", 1, vec![secret]),
        ],
        roles: vec![role("Web", &["Restart", "Reload"]), role("Ops", &["Backup", "Rotate"])],
        role_groups: vec![RoleGroupDefinition {
            name: task("All"),
            description: String::new(),
            roles: vec![task("Web"), task("Ops")],
            digest: digest("All", version),
        }],
    }
}
