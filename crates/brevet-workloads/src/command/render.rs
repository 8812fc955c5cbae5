//! Putting values into the argument vector. A value becomes exactly one argument, or a part of exactly one.

use brevet_core::{ParameterName, ParameterSpec, Parameters, Permit, TaskSpec, Value};

use crate::definition::CommandTask;
use crate::definition::template::{Part, Template};

/// The arguments after the program.
///
/// The values were checked when the run was decided. They are checked again: what is about to run is not the place
/// to trust a promise.
pub(super) fn arguments(task: &CommandTask, permit: &Permit) -> Result<Vec<String>, String> {
    check(&task.spec, permit)?;
    let values = permit.parameters();
    Ok(task.arguments.iter().filter_map(|argument| argument_of(argument, values)).collect())
}

/// `None` for an argument that is nothing but a value that was not given.
fn argument_of(template: &Template, values: &Parameters) -> Option<String> {
    if template.as_parameter().is_some_and(|name| !values.contains_key(name)) {
        return None;
    }
    let mut argument = String::new();
    for part in &template.0 {
        match part {
            Part::Literal(text) => argument.push_str(text),
            Part::Parameter(name) => {
                argument.push_str(&values.get(name).map(Value::to_string).unwrap_or_default());
            }
        }
    }
    Some(argument)
}

fn check(spec: &TaskSpec, permit: &Permit) -> Result<(), String> {
    let find = |name: &ParameterName| spec.parameters.iter().find(|spec| spec.name == *name);
    for (name, value) in permit.parameters() {
        let refused = |why: &dyn std::fmt::Display| format!("the parameter '{name}' {why}");
        let spec = find(name).ok_or_else(|| refused(&"is not one of the task"))?;
        if spec.secret {
            return Err(refused(&"is a secret and came as an open value"));
        }
        spec.check(value).map_err(|why| refused(&why))?;
    }
    for (name, secret) in permit.secrets() {
        let refused = |why: &dyn std::fmt::Display| format!("the secret '{name}' {why}");
        let spec = find(name).filter(|spec| spec.secret).ok_or_else(|| refused(&"is not one of the task"))?;
        secret.reveal(|text| spec.check_text(text)).map_err(|why| refused(&why))?;
    }
    let given = |spec: &ParameterSpec| {
        permit.parameters().contains_key(&spec.name) || permit.secrets().contains_key(&spec.name)
    };
    match spec.parameters.iter().find(|spec| spec.required && !given(spec)) {
        Some(spec) => Err(format!("the parameter '{}' is needed and was not given", spec.name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ParameterName {
        ParameterName::parse(text).unwrap()
    }

    #[test]
    fn a_value_is_one_argument_or_a_part_of_one() {
        let text = |text: &str| Value::Text(text.to_owned());
        let values = Parameters::from([
            (name("x"), text("a b; $(c) `d` \"e\" 'f' * ? {y}")),
            (name("empty"), text("")),
            (name("n"), Value::Integer(-3)),
            (name("yes"), Value::Boolean(true)),
            (name("list"), Value::List(vec![text("a"), text("b c"), text("")])),
            (name("none"), Value::List(Vec::new())),
        ]);
        for (template, argument) in [
            ("{x}", Some("a b; $(c) `d` \"e\" 'f' * ? {y}")),
            ("--x={x}", Some("--x=a b; $(c) `d` \"e\" 'f' * ? {y}")),
            ("{empty}", Some("")),
            ("{n}{yes}", Some("-3true")),
            ("{list}", Some("a,b c,")),
            ("{none}", Some("")),
            ("{missing}", None),
            ("a{missing}b", Some("ab")),
            ("{missing}{missing}", Some("")),
            ("{{x}}", Some("{x}")),
            ("", Some("")),
        ] {
            let parsed = Template::parse(template).unwrap();
            assert_eq!(argument_of(&parsed, &values).as_deref(), argument, "{template}");
        }
    }
}
