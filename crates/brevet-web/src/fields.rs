//! The parameters of a task as fields of a form, what such a form says, and what would run with it.

use std::collections::BTreeMap;

use brevet_wire::{Parameter, ParameterType, Parameters, Problem, SecretText, Task, Value};

use crate::form::{Form, SECRET_PREFIX};

/// What the fields are for.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Values to bind in a request; `exact` where those that are not bound must not be given at all.
    Bind { exact: bool },
    /// Values to run with, some of them bound by an authorization; `exact` where it takes no others.
    Run { bound: &'a Parameters, exact: bool },
}

/// How a value is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// A line of text.
    Line,
    /// A whole number.
    Number,
    /// Several values, one on each line.
    Lines,
    /// One of a few values.
    Choice,
    /// Some of a few values.
    Choices,
    /// A value that is never shown.
    Secret,
    /// A value that an authorization binds.
    Fixed,
}

/// One parameter in a form.
pub(crate) struct Field<'a> {
    pub(crate) parameter: &'a Parameter,
    pub(crate) control: Control,
    /// What was given, in order.
    pub(crate) values: Vec<String>,
    /// Whether the form cannot be sent without it.
    pub(crate) required: bool,
    /// What its values must be like.
    pub(crate) limits: String,
    /// What becomes of it when nothing is given.
    pub(crate) left_empty: String,
    /// The same in a word or two, as what can be chosen beside the values.
    pub(crate) nothing: &'static str,
    /// What is wrong with what was given.
    pub(crate) wrong: Option<String>,
}

impl Field<'_> {
    /// The name of its input.
    pub(crate) fn key(&self) -> String {
        let prefix = if self.parameter.secret { SECRET_PREFIX } else { "p." };
        format!("{prefix}{}", self.parameter.name)
    }

    /// The single value, or the lines of several.
    pub(crate) fn value(&self) -> String {
        self.values.join("\n")
    }

    pub(crate) fn has(&self, value: &Value) -> bool {
        self.values.contains(&value.to_string())
    }

    /// What it is, and what its values must be like where they do not stand there anyway.
    pub(crate) fn hint(&self) -> String {
        let described = self.parameter.description.trim().trim_end_matches('.');
        let described = (!described.is_empty()).then(|| format!("{described}."));
        let rest = match self.control {
            Control::Fixed => Some("Bound by your authorization."),
            Control::Secret => Some("Written down nowhere, and never shown again."),
            Control::Choice | Control::Choices => None,
            Control::Line | Control::Number | Control::Lines => Some(self.limits.as_str()),
        };
        let all = [described.as_deref(), rest, Some(self.left_empty.as_str())];
        all.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// What there is to choose from.
    pub(crate) fn choices(&self) -> Vec<Value> {
        match self.parameter.kind {
            ParameterType::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
            ParameterType::String | ParameterType::Integer => self.parameter.one_of.clone(),
        }
    }
}

/// The fields for a task's parameters, filled in with what the form says.
pub(crate) fn fields<'a>(
    task: &'a Task,
    wanted: Wanted<'_>,
    form: &Form,
    told: Option<&Problem>,
) -> Vec<Field<'a>> {
    task.parameters.iter().filter_map(|parameter| field(parameter, wanted, form, told)).collect()
}

fn field<'a>(
    parameter: &'a Parameter,
    wanted: Wanted<'_>,
    form: &Form,
    told: Option<&Problem>,
) -> Option<Field<'a>> {
    let mut control = control(parameter);
    let mut values = if parameter.secret { Vec::new() } else { given(parameter, form) };
    let must = parameter.required && parameter.default.is_none();
    let (required, left_empty, nothing) = match wanted {
        // Nobody but whoever runs it knows a secret.
        Wanted::Bind { .. } if parameter.secret => return None,
        Wanted::Bind { exact: false } => (false, "Left empty, it stays free.".to_owned(), "left free"),
        Wanted::Bind { exact: true } => (must, unbound(parameter), nothing(parameter)),
        Wanted::Run { bound, exact } => match bound.get(&parameter.name) {
            Some(value) => {
                (control, values) = (Control::Fixed, texts(value));
                (false, String::new(), "")
            }
            None if exact && !parameter.secret => return None,
            None => (must, not_given(parameter), nothing(parameter)),
        },
    };
    let wrong = told.and_then(|told| told.parameters.iter().find(|bad| bad.name == parameter.name));
    Some(Field {
        parameter,
        control,
        values,
        required,
        limits: limits(parameter),
        left_empty,
        nothing,
        wrong: wrong.map(|bad| format!("{} {}", bad.name, bad.problem)),
    })
}

const fn control(parameter: &Parameter) -> Control {
    let is_choice = !parameter.one_of.is_empty() || matches!(parameter.kind, ParameterType::Boolean);
    match (parameter.secret, is_choice, parameter.list, parameter.kind) {
        (true, ..) => Control::Secret,
        (_, true, true, ParameterType::String | ParameterType::Integer) => Control::Choices,
        (_, true, false, _) => Control::Choice,
        (_, _, true, _) => Control::Lines,
        (_, _, _, ParameterType::Integer) => Control::Number,
        (_, _, _, ParameterType::String | ParameterType::Boolean) => Control::Line,
    }
}

fn unbound(parameter: &Parameter) -> String {
    match (&parameter.default, parameter.required) {
        (Some(default), _) => format!("Left empty, {default} is bound."),
        (None, true) => "The policy wants it named.".to_owned(),
        (None, false) => "Left empty, it cannot be given to a run either.".to_owned(),
    }
}

const fn nothing(parameter: &Parameter) -> &'static str {
    match (&parameter.default, parameter.required) {
        (Some(_), _) => "the default",
        (None, true) => "choose one",
        (None, false) => "nothing",
    }
}

fn not_given(parameter: &Parameter) -> String {
    match (&parameter.default, parameter.required) {
        (Some(default), _) => format!("Left empty, it is {default}."),
        (None, true) => String::new(),
        (None, false) => "It can be left empty.".to_owned(),
    }
}

/// What the values of a parameter must be like, in a sentence.
pub(crate) fn limits(parameter: &Parameter) -> String {
    let mut told = vec![match (parameter.list, parameter.kind) {
        (false, ParameterType::String) => "Text".to_owned(),
        (true, ParameterType::String) => "Texts, one on each line".to_owned(),
        (false, ParameterType::Integer) => "A whole number".to_owned(),
        (true, ParameterType::Integer) => "Whole numbers, one on each line".to_owned(),
        (_, ParameterType::Boolean) => "True or false".to_owned(),
    }];
    if !parameter.one_of.is_empty() {
        let all: Vec<_> = parameter.one_of.iter().map(ToString::to_string).collect();
        told = vec![format!("{} {}", if parameter.list { "Some of" } else { "One of" }, all.join(", "))];
    }
    told.extend(range("from", parameter.min, parameter.max, ""));
    let lengths = (parameter.min_length.map(i64::from), parameter.max_length.map(i64::from));
    told.extend(range("of", lengths.0, lengths.1, " characters"));
    if let Some(pattern) = &parameter.pattern {
        told.push(format!("matching {pattern}"));
    }
    format!("{}.", told.join(", "))
}

fn range(from: &str, least: Option<i64>, most: Option<i64>, unit: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{from} {least} to {most}{unit}")),
        (Some(least), None) => Some(format!("at least {least}{unit}")),
        (None, Some(most)) => Some(format!("at most {most}{unit}")),
        (None, None) => None,
    }
}

/// The values as texts, one for each value of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::List(values) => values.iter().map(ToString::to_string).collect(),
        one => vec![one.to_string()],
    }
}

/// Values as the fields of an address or a form.
pub(crate) fn written(parameters: &Parameters) -> Vec<(String, String)> {
    let each = |(name, value): (&String, &Value)| {
        texts(value).into_iter().map(move |text| (format!("p.{name}"), text)).collect::<Vec<_>>()
    };
    parameters.iter().flat_map(each).collect()
}

/// What a form says of one parameter, character by character; blanks alone are nothing.
fn given(parameter: &Parameter, form: &Form) -> Vec<String> {
    let key = format!("p.{}", parameter.name);
    let said = form.fields().filter(|(name, _)| *name == key).map(|(_, value)| value);
    let is_said = |value: &&str| !value.trim().is_empty();
    match parameter.list {
        true => said.flat_map(str::lines).filter(is_said).map(str::to_owned).collect(),
        false => said.filter(is_said).take(1).map(str::to_owned).collect(),
    }
}

/// The values that a form names for a task. Never a secret.
pub(crate) fn parameters(task: &Task, form: &Form) -> Parameters {
    let open = task.parameters.iter().filter(|parameter| !parameter.secret);
    let named = open.filter_map(|parameter| {
        let mut values = given(parameter, form).into_iter().map(Value::Text);
        let value = match parameter.list {
            true => Some(Value::List(values.collect())).filter(|value| *value != Value::List(Vec::new())),
            false => values.next(),
        };
        Some((parameter.name.clone(), value?))
    });
    named.collect()
}

/// The secrets that a form names for a task.
pub(crate) fn secrets(task: &Task, form: &Form) -> BTreeMap<String, SecretText> {
    let secret = task.parameters.iter().filter(|parameter| parameter.secret);
    let named = secret.filter_map(|parameter| {
        let value =
            form.exact(&format!("{SECRET_PREFIX}{}", parameter.name)).filter(|value| !value.is_empty())?;
        Some((parameter.name.clone(), SecretText::new(value.to_owned())))
    });
    named.collect()
}

/// A part of an argument of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// It is always so.
    Plain(String),
    /// The value of a parameter, where one is given.
    Of { parameter: String, value: Option<String> },
}

/// The arguments of a task's command, values apart from what is always so.
pub(crate) fn command(task: &Task, values: &Parameters) -> Vec<Vec<Piece>> {
    task.command.iter().map(|argument| pieces(argument, task, values)).collect()
}

fn pieces(argument: &str, task: &Task, values: &Parameters) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let parameter = rest.strip_prefix('{').and_then(|after| after.split_once('}')).map(|(name, _)| name);
        let parameter =
            parameter.and_then(|name| task.parameters.iter().find(|parameter| parameter.name == name));
        let doubled = rest.starts_with("{{") || rest.starts_with("}}");
        let length = match parameter {
            Some(parameter) if !doubled => {
                pieces.extend((!plain.is_empty()).then(|| Piece::Plain(std::mem::take(&mut plain))));
                let value = values.get(&parameter.name).map(ToString::to_string);
                pieces.push(Piece::Of { parameter: parameter.name.clone(), value });
                parameter.name.len() + 2
            }
            // Two braces stand for one, and stay two in what is shown, as in a request.
            _ => {
                let length = if doubled { 2 } else { 1 };
                plain.push_str(&rest[..length]);
                length
            }
        };
        rest = &rest[length..];
    }
    plain.push_str(rest);
    pieces.extend((!plain.is_empty()).then_some(Piece::Plain(plain)));
    pieces
}

#[cfg(test)]
mod tests;
