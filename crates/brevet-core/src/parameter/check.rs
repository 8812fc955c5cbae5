//! Whole sets of values: of a request, of a run.

use super::{BadParameters, BadValue, ParameterSpec, Parameters, Secrets, Value};
use crate::limit::VALUES_BYTES_MAX;
use crate::name::ParameterName;

/// Checks the values that a request binds: each one there is, none secret. Returns nothing new:
/// what is not named stays free within the task's own constraints.
pub(crate) fn check_bound(specs: &[ParameterSpec], given: &Parameters) -> Result<(), BadParameters> {
    let mut problems = Vec::new();
    for (name, value) in given {
        let problem = match specs.iter().find(|spec| spec.name == *name) {
            None => Some(BadValue::Unknown),
            Some(spec) if spec.secret => Some(BadValue::SecretInRequest),
            Some(spec) => spec.check(value).err(),
        };
        problems.extend(problem.map(|why| (name.to_string(), why)));
    }
    finish(problems, given)
}

/// Checks the values of a run, secret ones beside them, and adds the defaults of those not given.
pub(crate) fn check_run(
    specs: &[ParameterSpec],
    given: &Parameters,
    secrets: &Secrets,
) -> Result<Parameters, BadParameters> {
    let mut full = Parameters::new();
    let mut problems: Vec<(String, BadValue)> = Vec::new();
    let known = |name: &ParameterName| specs.iter().any(|spec| spec.name == *name);
    let strangers = given.keys().chain(secrets.keys()).filter(|name| !known(name));
    problems.extend(strangers.map(|name| (name.to_string(), BadValue::Unknown)));
    for spec in specs {
        match value_of(spec, given, secrets) {
            Ok(Some(value)) => drop(full.insert(spec.name.clone(), value)),
            Ok(None) => {}
            Err(why) => problems.push((spec.name.to_string(), why)),
        }
    }
    finish(problems, &full).map(|()| full)
}

/// The same as [`check_run`] where the secrets are not at hand: they are taken as given.
pub(crate) fn check_open(specs: &[ParameterSpec], given: &Parameters) -> Result<Parameters, BadParameters> {
    if specs.iter().all(|spec| !spec.secret) {
        return check_run(specs, given, &Secrets::new());
    }
    let open: Vec<ParameterSpec> = specs.iter().filter(|spec| !spec.secret).cloned().collect();
    check_run(&open, given, &Secrets::new())
}

fn value_of(spec: &ParameterSpec, given: &Parameters, secrets: &Secrets) -> Result<Option<Value>, BadValue> {
    match (given.get(&spec.name), secrets.get(&spec.name), &spec.default) {
        (None, Some(secret), _) if spec.secret => {
            secret.reveal(|text| spec.check_secret(text)).map(|()| None)
        }
        (Some(_), _, _) if spec.secret => Err(BadValue::Type { expected: "given as a secret" }),
        (_, Some(_), _) => Err(BadValue::Type { expected: "given openly: it is not a secret" }),
        (Some(value), None, _) => spec.check(value).map(|()| Some(value.clone())),
        // A default of a secret would be a secret written down.
        (None, None, Some(default)) if !spec.secret => spec.check(default).map(|()| Some(default.clone())),
        (None, None, _) if spec.required => Err(BadValue::Missing),
        (None, None, _) => Ok(None),
    }
}

fn finish(mut problems: Vec<(String, BadValue)>, values: &Parameters) -> Result<(), BadParameters> {
    let bytes: usize = values.iter().map(|(name, value)| name.as_str().len() + bytes_of(value)).sum();
    if bytes > VALUES_BYTES_MAX {
        problems.push((String::from("all"), BadValue::TooMuch));
    }
    if problems.is_empty() { Ok(()) } else { Err(BadParameters(problems)) }
}

fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Integer(_) | Value::Boolean(_) => 8,
        Value::List(values) => values.iter().map(bytes_of).sum(),
    }
}
