//! Options that several commands share, and how their values are read.

use brevet_wire::{Parameters, Value};
use clap::Args;

use super::client::qualified;
use super::console::Console;
use super::exit::Failure;

/// What is meant: a task, a role or a role group.
#[derive(Debug, Clone, Args)]
#[group(id = "access", required = true, multiple = false)]
pub(crate) struct AccessArgs {
    /// A task, as Scope/Name
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// Every task of a role, as Scope/Name
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Every task of every role of a role group, as Scope/Name
    #[arg(long, value_name = "ROLE-GROUP")]
    pub(crate) role_group: Option<String>,
}

/// How much of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct LimitArgs {
    /// At most so many, the newest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

impl LimitArgs {
    /// Says that there are more, where there are.
    pub(crate) fn note(&self, console: &mut Console, more: bool) {
        if more {
            console.note(&format!("These are the newest {}; --limit 0 gives all.", self.limit));
        }
    }
}

/// How long.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(crate) struct DurationArgs {
    /// How long, for example 90m, 2h or 1h30m [default: 4h]
    #[arg(long, value_name = "SPAN", value_parser = duration)]
    pub(crate) duration: Option<String>,
    /// How long, in hours
    #[arg(long, value_name = "N", visible_alias = "hours", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) duration_hours: Option<u32>,
}

impl DurationArgs {
    /// As the API takes it.
    pub(crate) fn text(&self) -> Option<String> {
        self.duration.clone().or_else(|| self.duration_hours.map(|hours| format!("{hours}h")))
    }
}

/// Reads a duration such as `90m`, to tell a mistake at once.
pub(crate) fn duration(text: &str) -> Result<String, brevet_core::BadSpan> {
    brevet_core::Span::parse(text).map(|_| text.trim().to_owned())
}

/// Reads `name=value`.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as name=value".into()),
    }
}

/// Values by name, as strings: the server reads each as the type that the task's definition says. A name that
/// comes several times is a list.
pub(crate) fn parameters(given: &[(String, String)]) -> Parameters {
    let mut parameters = Parameters::new();
    for (name, value) in given {
        let value = Value::Text(value.clone());
        match parameters.remove(name) {
            None => parameters.insert(name.clone(), value),
            Some(Value::List(mut values)) => {
                values.push(value);
                parameters.insert(name.clone(), Value::List(values))
            }
            Some(first) => parameters.insert(name.clone(), Value::List(vec![first, value])),
        };
    }
    parameters
}

/// Checks that a name has its workload, and gives it as it was typed.
pub(crate) fn with_scope(name: &str) -> Result<String, Failure> {
    qualified(name).map(|_| name.to_owned())
}

/// `unit=nginx.service, count=3`, for people.
pub(crate) fn shown_parameters(parameters: &Parameters) -> String {
    let each = parameters.iter().map(|(name, value)| format!("{name}={value}"));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{assignment, parameters, shown_parameters};

    #[test]
    fn a_name_that_comes_several_times_is_a_list() {
        let given: Vec<_> = ["unit=a=b", "host=x", "host=y", "host=z", "empty="]
            .iter()
            .map(|text| assignment(text).unwrap())
            .collect();
        assert_eq!(shown_parameters(&parameters(&given)), "empty=, host=x,y,z, unit=a=b");
        assert!(assignment("unit").is_err());
        assert!(assignment("=x").is_err());
    }
}
