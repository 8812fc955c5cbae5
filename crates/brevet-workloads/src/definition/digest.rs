//! The digest of a definition: SHA-256 over all that has influence on what runs, in bytes that only one definition has.
//!
//! Every field is written, in this order, each text and list with its length before it, each choice with a number:
//! reading the bytes back gives the definition, so no two definitions have the same bytes. The first line names the
//! version; another encoding gets another line.

use std::os::unix::ffi::OsStrExt as _;

use brevet_core::{
    Digest, Limits, OnExpiry, ParameterKind, ParameterSpec, QualifiedName, Span, TaskSpec, Value,
};
use sha2::{Digest as _, Sha256};

use super::task::CommandTask;
use super::template::{Part, Template};

pub(super) const TASK_V1: &str = "brevet/task/v1\n";
const ROLE_V1: &str = "brevet/role/v1\n";
const ROLE_GROUP_V1: &str = "brevet/role-group/v1\n";

/// The task with the digest of all its other fields.
pub(super) fn sealed(mut task: CommandTask) -> CommandTask {
    task.spec.digest = hash(&encode(&task));
    task
}

/// The digest of a role over those of its tasks.
pub(super) fn role(name: &QualifiedName, description: &str, tasks: &[(QualifiedName, Digest)]) -> Digest {
    hash(&encode_set(ROLE_V1, name, description, tasks))
}

/// The digest of a role group over those of its roles.
pub(super) fn role_group(
    name: &QualifiedName,
    description: &str,
    roles: &[(QualifiedName, Digest)],
) -> Digest {
    hash(&encode_set(ROLE_GROUP_V1, name, description, roles))
}

fn hash(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

fn encode_set(
    version: &str,
    name: &QualifiedName,
    description: &str,
    of: &[(QualifiedName, Digest)],
) -> Vec<u8> {
    let mut bytes = Bytes::begin(version);
    bytes.text(name.as_str());
    bytes.text(description);
    bytes.list(of, |bytes, (name, digest)| {
        bytes.text(name.as_str());
        bytes.raw(&digest.0);
    });
    bytes.0
}

pub(super) fn encode(task: &CommandTask) -> Vec<u8> {
    let CommandTask { spec, program, sha256, arguments, stdin, environment, directory, umask, output_limit } =
        task;
    let mut bytes = Bytes::begin(TASK_V1);
    bytes.text("command");
    encode_spec(&mut bytes, spec);
    bytes.blob(program.as_os_str().as_bytes());
    bytes.option(sha256.as_ref(), |bytes, digest| bytes.raw(&digest.0));
    bytes.list(arguments, encode_template);
    bytes.option(stdin.as_ref(), |bytes, name| bytes.text(name.as_str()));
    let variables: Vec<_> = environment.iter().collect();
    bytes.list(&variables, |bytes, (name, value)| {
        bytes.text(name);
        bytes.text(value);
    });
    bytes.blob(directory.as_os_str().as_bytes());
    bytes.number(u64::from(*umask));
    bytes.number(*output_limit);
    bytes.0
}

fn encode_spec(bytes: &mut Bytes, spec: &TaskSpec) {
    let TaskSpec { name, description, parameters, command, run_as, timeout, on_expiry, digest: _, witnessed } =
        spec;
    bytes.text(name.as_str());
    bytes.text(description);
    bytes.list(parameters, encode_parameter);
    bytes.list(command, |bytes, argument| bytes.text(argument));
    bytes.option(run_as.as_deref(), Bytes::text);
    bytes.number(micros(*timeout));
    bytes.choice(match on_expiry {
        OnExpiry::Stop => 0,
        OnExpiry::Finish => 1,
    });
    bytes.flag(*witnessed == Some(true));
}

fn encode_template(bytes: &mut Bytes, Template(parts): &Template) {
    bytes.list(parts, |bytes, part| match part {
        Part::Literal(text) => {
            bytes.choice(0);
            bytes.text(text);
        }
        Part::Parameter(name) => {
            bytes.choice(1);
            bytes.text(name.as_str());
        }
    });
}

fn encode_parameter(bytes: &mut Bytes, spec: &ParameterSpec) {
    let ParameterSpec { name, kind, list, required, default, secret, description, limits } = spec;
    bytes.text(name.as_str());
    bytes.choice(match kind {
        ParameterKind::Text => 0,
        ParameterKind::Integer => 1,
        ParameterKind::Boolean => 2,
    });
    bytes.flag(*list);
    bytes.flag(*required);
    bytes.option(default.as_ref(), encode_value);
    bytes.flag(*secret);
    bytes.text(description);
    let Limits { one_of, pattern, min, max, min_length, max_length, allow_leading_dash } = limits;
    bytes.list(one_of, encode_value);
    bytes.option(pattern.as_ref(), |bytes, pattern| bytes.text(pattern.source()));
    bytes.option(*min, |bytes, min| bytes.raw(&min.to_be_bytes()));
    bytes.option(*max, |bytes, max| bytes.raw(&max.to_be_bytes()));
    bytes.option(*min_length, |bytes, length| bytes.number(u64::from(length)));
    bytes.option(*max_length, |bytes, length| bytes.number(u64::from(length)));
    bytes.flag(*allow_leading_dash);
}

fn encode_value(bytes: &mut Bytes, value: &Value) {
    match value {
        Value::Text(text) => {
            bytes.choice(0);
            bytes.text(text);
        }
        Value::Integer(number) => {
            bytes.choice(1);
            bytes.raw(&number.to_be_bytes());
        }
        Value::Boolean(yes) => {
            bytes.choice(2);
            bytes.flag(*yes);
        }
        Value::List(values) => {
            bytes.choice(3);
            bytes.list(values, encode_value);
        }
    }
}

/// A [`Span`] is never negative.
fn micros(span: Span) -> u64 {
    span.micros().unsigned_abs()
}

/// The parts of the encoding. Numbers are big-endian.
struct Bytes(Vec<u8>);

impl Bytes {
    fn begin(version: &str) -> Self {
        Self(version.as_bytes().to_vec())
    }

    /// Bytes whose number is always the same.
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        self.raw(&number.to_be_bytes());
    }

    fn choice(&mut self, number: u8) {
        self.0.push(number);
    }

    fn flag(&mut self, yes: bool) {
        self.choice(u8::from(yes));
    }

    fn blob(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn list<T>(&mut self, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.number(values.len() as u64);
        values.iter().for_each(|value| write(self, value));
    }
}
