//! Values of parameters. Strings are read as the type that the task's definition says; what does not fit stays
//! as it is, and the core says what is wrong with it.

use std::collections::BTreeMap;

use brevet_core::{
    BadParameters, BadValue, PARAMETERS_MAX, ParameterKind, ParameterName, ParameterSpec, Parameters,
    QualifiedName, Refusal, Secrets, State, Value,
};
use brevet_wire as wire;

use super::super::problem::Failure;

/// Values for a task.
pub(in crate::http) fn bound(
    state: &State,
    task: &QualifiedName,
    given: &wire::Parameters,
) -> Result<Parameters, Failure> {
    let specs = state.catalog().task_named(task).map_or(&[][..], |task| task.spec.parameters.as_slice());
    convert(given, |name| specs.iter().find(|spec| spec.name == *name))
}

/// Values where there is no definition to read them by.
pub(in crate::http) fn plain_parameters(given: &wire::Parameters) -> Result<Parameters, Failure> {
    convert(given, |_| None)
}

/// Values of secret parameters.
pub(in crate::http) fn secrets(given: &BTreeMap<String, wire::SecretText>) -> Result<Secrets, Failure> {
    check_count(given.len())?;
    given.iter().map(|(name, secret)| Ok((self::name(name)?, super::secret(secret)))).collect()
}

fn convert<'a>(
    given: &wire::Parameters,
    spec: impl Fn(&ParameterName) -> Option<&'a ParameterSpec>,
) -> Result<Parameters, Failure> {
    check_count(given.len())?;
    let mut parameters = Parameters::new();
    for (text, given) in given {
        let name = name(text)?;
        let value = match spec(&name) {
            Some(spec) => read(spec, given),
            None => plain(given),
        };
        let value = value.ok_or_else(|| bad(text, BadValue::Type { expected: "a list of single values" }))?;
        parameters.insert(name, value);
    }
    Ok(parameters)
}

/// What no task can have is not gone through: the answer would name every one of it.
fn check_count(count: usize) -> Result<(), Failure> {
    match count > PARAMETERS_MAX {
        true => {
            Err(Refusal::TooMany { what: "values for the parameters of a task", max: PARAMETERS_MAX }.into())
        }
        false => Ok(()),
    }
}

fn name(text: &str) -> Result<ParameterName, Failure> {
    ParameterName::parse(text).map_err(|_| bad(&super::shortened(text), BadValue::Unknown))
}

fn bad(name: &str, why: BadValue) -> Failure {
    Refusal::BadParameters(BadParameters(vec![(name.to_owned(), why)])).into()
}

/// `None` when a list holds a list.
fn read(spec: &ParameterSpec, given: &wire::Value) -> Option<Value> {
    match (spec.list, given) {
        (true, wire::Value::List(values)) => {
            values.iter().map(|value| one(spec.kind, value)).collect::<Option<_>>().map(Value::List)
        }
        (true, value) => one(spec.kind, value).map(|value| Value::List(vec![value])),
        (false, wire::Value::List(_)) => plain(given),
        (false, value) => one(spec.kind, value),
    }
}

fn one(kind: ParameterKind, given: &wire::Value) -> Option<Value> {
    let read = match (kind, given) {
        (ParameterKind::Integer, wire::Value::Text(text)) => text.trim().parse().ok().map(Value::Integer),
        (ParameterKind::Boolean, wire::Value::Text(text)) => text.trim().parse().ok().map(Value::Boolean),
        _ => None,
    };
    read.or_else(|| scalar(given))
}

fn plain(given: &wire::Value) -> Option<Value> {
    match given {
        wire::Value::List(values) => values.iter().map(scalar).collect::<Option<_>>().map(Value::List),
        value => scalar(value),
    }
}

fn scalar(given: &wire::Value) -> Option<Value> {
    match given {
        wire::Value::Boolean(yes) => Some(Value::Boolean(*yes)),
        wire::Value::Integer(number) => Some(Value::Integer(*number)),
        wire::Value::Text(text) => Some(Value::Text(text.clone())),
        wire::Value::List(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{convert, read};
    use brevet_core::{Limits, ParameterKind, ParameterName, ParameterSpec, Value};
    use brevet_wire as wire;

    fn spec(kind: ParameterKind, list: bool) -> ParameterSpec {
        ParameterSpec {
            name: ParameterName::parse("x").unwrap(),
            kind,
            list,
            required: true,
            default: None,
            secret: false,
            description: String::new(),
            limits: Limits::default(),
        }
    }

    #[test]
    fn a_string_is_read_as_the_type_that_the_definition_says() {
        let given = |json: &str| serde_json::from_str::<wire::Value>(json).unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        for (kind, list, json, value) in [
            (ParameterKind::Integer, false, r#""5""#, Value::Integer(5)),
            (ParameterKind::Integer, false, "5", Value::Integer(5)),
            (ParameterKind::Integer, false, r#""five""#, text("five")),
            (ParameterKind::Boolean, false, r#""true""#, Value::Boolean(true)),
            (ParameterKind::Text, false, r#""5""#, text("5")),
            (ParameterKind::Text, false, "5", Value::Integer(5)),
            (ParameterKind::Text, true, r#""a""#, Value::List(vec![text("a")])),
            (
                ParameterKind::Integer,
                true,
                r#"["1", 2]"#,
                Value::List(vec![Value::Integer(1), Value::Integer(2)]),
            ),
        ] {
            assert_eq!(read(&spec(kind, list), &given(json)), Some(value), "{json}");
        }
        assert_eq!(read(&spec(ParameterKind::Text, true), &given(r#"[["a"]]"#)), None);
    }

    #[test]
    fn a_name_that_no_parameter_can_have_is_named() {
        let given = wire::Parameters::from([("a b".to_owned(), wire::Value::Boolean(true))]);
        let problem = convert(&given, |_| None).unwrap_err().into_problem();
        assert_eq!((problem.status, problem.parameters[0].name.as_str()), (422, "a b"));
    }
}
