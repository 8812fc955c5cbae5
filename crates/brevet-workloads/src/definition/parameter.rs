//! `[task.parameters.NAME]`.

use brevet_core::{Limits, PARAMETERS_MAX, ParameterKind, ParameterName, ParameterSpec, Pattern, Value};
use toml::de::DeValue;

use super::limit::CHOICES_MAX;
use super::problem::Report;
use super::section::{Located, Section, integer, named, suggestion};
use super::text::description;

const KEYS: [&str; 12] = [
    "allow_leading_dash",
    "default",
    "description",
    "max",
    "max_length",
    "min",
    "min_length",
    "one_of",
    "pattern",
    "required",
    "secret",
    "type",
];

const TYPES: [(&str, ParameterKind, bool); 6] = [
    ("string", ParameterKind::Text, false),
    ("integer", ParameterKind::Integer, false),
    ("boolean", ParameterKind::Boolean, false),
    ("list of string", ParameterKind::Text, true),
    ("list of integer", ParameterKind::Integer, true),
    ("list of boolean", ParameterKind::Boolean, true),
];

/// Reads all parameters of a task, in the order of their names.
pub(super) fn read_all(task: &Section<'_>, report: &mut Report) -> Vec<Located<ParameterSpec>> {
    let Some(table) = task.table("parameters", "the table of parameters", report) else { return Vec::new() };
    let mut specs = Vec::new();
    for (name, value) in table.entries() {
        let at = name.at;
        let parsed = ParameterName::parse(name.value);
        if let Err(error) = &parsed {
            report.add(at, format!("the parameter name '{}' cannot be: {error}", name.value), "rename it");
        }
        match value.get_ref() {
            DeValue::Table(fields) => {
                let what = format!("the parameter '{}'", name.value);
                let section = Section::new(&what, at, fields);
                specs.extend(parsed.ok().map(|name| Located { value: read(name, &section, report), at }));
            }
            other => {
                let sentence =
                    format!("the parameter '{}' must be a table, not {}", name.value, named(other));
                report.add(
                    at,
                    sentence,
                    format!("write [task.parameters.{}] and type = \"string\"", name.value),
                );
            }
        }
    }
    if specs.len() > PARAMETERS_MAX {
        let sentence =
            format!("a task has at most {PARAMETERS_MAX} parameters, this one has {}", specs.len());
        report.add(table.at, sentence, "split the task");
    }
    specs.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    specs
}

fn read(name: ParameterName, section: &Section<'_>, report: &mut Report) -> ParameterSpec {
    section.only(&KEYS, report);
    let (kind, list) = kind(section, report);
    let choices = choices(kind, section, report);
    let limits = limits(kind, &choices, section, report);
    let mut spec = ParameterSpec {
        name,
        kind,
        list,
        required: false,
        default: None,
        secret: section.boolean("secret", report).unwrap_or(false),
        description: description(section, report),
        limits,
    };
    check_choices(&spec, &choices, report);
    spec.default = default(&spec, section, report);
    spec.required = required(section, report);
    if spec.secret {
        check_secret(&spec, section, report);
    }
    spec
}

fn kind(section: &Section<'_>, report: &mut Report) -> (ParameterKind, bool) {
    let fallback = (ParameterKind::Text, false);
    let Some(text) = section.needed_text("type", report) else { return fallback };
    match TYPES.iter().find(|(name, ..)| *name == text.value) {
        Some((_, kind, list)) => (*kind, *list),
        None => {
            let names = TYPES.map(|(name, ..)| name);
            report.add(text.at, format!("there is no type '{}'", text.value), suggestion(text.value, &names));
            fallback
        }
    }
}

fn limits(
    kind: ParameterKind,
    choices: &[Located<Value>],
    section: &Section<'_>,
    report: &mut Report,
) -> Limits {
    only_for(kind, section, report);
    let limits = Limits {
        one_of: choices.iter().map(|choice| choice.value.clone()).collect(),
        pattern: pattern(section, report),
        min: section.integer("min", report).map(|min| min.value),
        max: section.integer("max", report).map(|max| max.value),
        min_length: length("min_length", section, report),
        max_length: length("max_length", section, report),
        allow_leading_dash: section.boolean("allow_leading_dash", report).unwrap_or(false),
    };
    let crossed = |min: Option<i64>, max: Option<i64>| min.zip(max).is_some_and(|(min, max)| min > max);
    if crossed(limits.min, limits.max) {
        report.add(section.at, format!("{}: 'min' is above 'max'", section.what), "swap them");
    }
    if crossed(limits.min_length.map(i64::from), limits.max_length.map(i64::from)) {
        report.add(section.at, format!("{}: 'min_length' is above 'max_length'", section.what), "swap them");
    }
    limits
}

/// A limit that another type has would be read and never used.
fn only_for(kind: ParameterKind, section: &Section<'_>, report: &mut Report) {
    let (kinds, others): (&str, &[&str]) = match kind {
        ParameterKind::Text => ("a string", &["min", "max"]),
        ParameterKind::Integer => ("a whole number", &["pattern", "min_length", "max_length"]),
        ParameterKind::Boolean => {
            let all = &["one_of", "pattern", "min", "max", "min_length", "max_length", "allow_leading_dash"];
            ("a boolean", all)
        }
    };
    for (key, _) in section.entries().filter(|(key, _)| others.contains(&key.value)) {
        let hint = match (kind, key.value) {
            (ParameterKind::Text, "min") => "did you mean 'min_length'?",
            (ParameterKind::Text, "max") => "did you mean 'max_length'?",
            (ParameterKind::Integer, "min_length") => "did you mean 'min'?",
            (ParameterKind::Integer, "max_length") => "did you mean 'max'?",
            _ => "remove it",
        };
        report.add(key.at, format!("'{}' has no meaning for {kinds}", key.value), hint);
    }
}

fn choices(kind: ParameterKind, section: &Section<'_>, report: &mut Report) -> Vec<Located<Value>> {
    let Some(list) = section.list("one_of", report) else { return Vec::new() };
    if list.value.is_empty() {
        report.add(list.at, "'one_of' is empty, so that no value is right", "name the values, or remove it");
    }
    if list.value.len() > CHOICES_MAX {
        report.add(list.at, format!("'one_of' has more than {CHOICES_MAX} values"), "use 'pattern'");
    }
    let mut choices: Vec<Located<Value>> = Vec::with_capacity(list.value.len());
    for element in list.value {
        match value(kind, element.value) {
            Some(value) if choices.iter().any(|choice| choice.value == value) => {
                report.add(element.at, format!("'one_of' has '{value}' twice"), "remove one");
            }
            Some(value) => choices.push(Located { value, at: element.at }),
            None => {
                let sentence =
                    format!("'one_of' has {} where the type is {}", named(element.value), word(kind));
                report.add(element.at, sentence, "write values of the type");
            }
        }
    }
    choices
}

fn pattern(section: &Section<'_>, report: &mut Report) -> Option<Pattern> {
    let text = section.text("pattern", report)?;
    match Pattern::parse(text.value) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            // The engine draws a picture of several lines; the last says what is wrong.
            let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let hint = "see https://docs.rs/regex/#syntax; the pattern matches the whole value";
            report.add(text.at, format!("the pattern cannot be used: {reason}"), hint);
            None
        }
    }
}

fn length(key: &str, section: &Section<'_>, report: &mut Report) -> Option<u32> {
    let number = section.integer(key, report)?;
    u32::try_from(number.value)
        .inspect_err(|_| {
            report.add(number.at, format!("'{key}' must be from 0 to {}", u32::MAX), "correct the number");
        })
        .ok()
}

/// Every choice must satisfy the other limits, or nobody could choose it.
fn check_choices(spec: &ParameterSpec, choices: &[Located<Value>], report: &mut Report) {
    for Located { value: choice, at } in choices {
        let value = if spec.list { Value::List(vec![choice.clone()]) } else { choice.clone() };
        if let Err(why) = spec.check(&value) {
            report.add(*at, format!("'{choice}' could never be chosen: it {why}"), "correct or remove it");
        }
    }
}

fn default(spec: &ParameterSpec, section: &Section<'_>, report: &mut Report) -> Option<Value> {
    let (key, found) = section.entries().find(|(key, _)| key.value == "default")?;
    let default = match (spec.list, found.get_ref()) {
        (true, DeValue::Array(elements)) => {
            let values: Option<_> =
                elements.iter().map(|element| value(spec.kind, element.get_ref())).collect();
            values.map(Value::List)
        }
        (true, _) => None,
        (false, found) => value(spec.kind, found),
    };
    let Some(default) = default else {
        let list = if spec.list { "a list of " } else { "" };
        let sentence = format!("the default is {}, which is not of the type", named(found.get_ref()));
        report.add(key.at, sentence, format!("write {list}{}", word(spec.kind)));
        return None;
    };
    if let Err(why) = spec.check(&default) {
        report.add(key.at, format!("the default {why}"), "correct it, or the limits");
    }
    Some(default)
}

fn required(section: &Section<'_>, report: &mut Report) -> bool {
    let has_default = section.has("default");
    let required = section.boolean("required", report).unwrap_or(!has_default);
    if required && has_default {
        report.add(
            section.at,
            format!("{} is required and has a default", section.what),
            "remove one of the two",
        );
    }
    required
}

/// What a definition says is in the ledger; a secret never is.
fn check_secret(spec: &ParameterSpec, section: &Section<'_>, report: &mut Report) {
    if spec.kind != ParameterKind::Text || spec.list {
        report.add(
            section.at,
            format!("{} is secret and not a string", section.what),
            "write type = \"string\"",
        );
    }
    for (key, _) in section.entries().filter(|(key, _)| matches!(key.value, "default" | "one_of")) {
        let sentence = format!("a secret has no '{}': definitions are written to the ledger", key.value);
        report.add(key.at, sentence, "remove it");
    }
}

fn value(kind: ParameterKind, found: &DeValue<'_>) -> Option<Value> {
    match (kind, found) {
        (ParameterKind::Text, DeValue::String(text)) => Some(Value::Text(text.clone().into_owned())),
        (ParameterKind::Integer, number) => integer(number).map(Value::Integer),
        (ParameterKind::Boolean, DeValue::Boolean(yes)) => Some(Value::Boolean(*yes)),
        _ => None,
    }
}

const fn word(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Text => "string",
        ParameterKind::Integer => "integer",
        ParameterKind::Boolean => "boolean",
    }
}
