//! Typed, constrained inputs of a task. Every problem of a set of values is reported at once.

use std::collections::BTreeMap;

use minicbor::{Decode, Decoder, Encode, Encoder};
use zeroize::Zeroizing;

use crate::limit::{
    LIST_VALUES_MAX, PATTERN_BYTES_MAX, PATTERN_COMPILED_BYTES_MAX, VALUE_BYTES_MAX, VALUES_BYTES_MAX,
};
use crate::name::ParameterName;

mod check;

pub(crate) use check::{check_bound, check_open, check_run};

/// One value. A list holds no lists: neither a definition nor [`Decode`] lets one in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
pub enum Value {
    /// A string.
    #[n(0)]
    Text(#[n(0)] String),
    /// A whole number.
    #[n(1)]
    Integer(#[n(0)] i64),
    /// Yes or no.
    #[n(2)]
    Boolean(#[n(0)] bool),
    /// Several, in order.
    #[n(3)]
    List(#[n(0)] Vec<Value>),
}

impl<'b, C> Decode<'b, C> for Value {
    /// The form that the derived [`Encode`] writes, `[number, [field]]`, without recursion: nested
    /// lists in hostile bytes must not exhaust the stack.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match variant(d)? {
            LIST => {
                let count = d.array()?.ok_or_else(malformed)?;
                (0..count)
                    .map(|_| variant(d).and_then(|number| scalar(d, number)))
                    .collect::<Result<_, _>>()
                    .map(Self::List)
            }
            number => scalar(d, number),
        }
    }
}

/// The number of [`Value::List`].
const LIST: u32 = 3;

fn malformed() -> minicbor::decode::Error {
    minicbor::decode::Error::message("not a parameter value")
}

fn variant(d: &mut Decoder<'_>) -> Result<u32, minicbor::decode::Error> {
    let (outer, number, fields) = (d.array()?, d.u32()?, d.array()?);
    if outer == Some(2) && fields == Some(1) { Ok(number) } else { Err(malformed()) }
}

fn scalar(d: &mut Decoder<'_>, number: u32) -> Result<Value, minicbor::decode::Error> {
    match number {
        0 => Ok(Value::Text(d.str()?.to_owned())),
        1 => d.i64().map(Value::Integer),
        2 => d.bool().map(Value::Boolean),
        _ => Err(malformed()),
    }
}

impl std::fmt::Display for Value {
    /// The value as text, lists joined by commas: as it is put into an argument.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
            Self::List(values) => values.iter().enumerate().try_for_each(|(i, value)| {
                f.write_str(if i == 0 { "" } else { "," })?;
                value.fmt(f)
            }),
        }
    }
}

/// Named values, in the order of their names. Never holds a secret.
pub type Parameters = BTreeMap<ParameterName, Value>;

/// A value that lends itself and forgets: no `Clone`, no comparison, no printing.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret in.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Lends the secret to `use_it`, for as long as that takes.
    pub fn reveal<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        use_it(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Secret values by name; they travel beside the parameters, never in an entry.
pub type Secrets = BTreeMap<ParameterName, Secret>;

/// A type, as a definition names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ParameterKind {
    /// `string`
    #[n(0)]
    Text,
    /// `integer`
    #[n(1)]
    Integer,
    /// `boolean`
    #[n(2)]
    Boolean,
}

/// A pattern that a whole value must match; linear in time, anchored at both ends.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    compiled: regex::Regex,
}

impl Pattern {
    /// Compiles a pattern; the error is the regex engine's own sentence.
    pub fn parse(source: &str) -> Result<Self, String> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(format!("a pattern is at most {PATTERN_BYTES_MAX} bytes long"));
        }
        let compiled = regex::RegexBuilder::new(&format!(r"\A(?:{source})\z"))
            .size_limit(PATTERN_COMPILED_BYTES_MAX)
            .build()
            .map_err(|error| error.to_string())?;
        // A source like `a)|(b` is balanced only together with our own brackets, and not anchored.
        regex::Regex::new(source).map_err(|error| error.to_string())?;
        Ok(Self { source: source.to_owned(), compiled })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    fn matches(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl<C> Encode<C> for Pattern {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.source)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Pattern {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::parse(d.str()?).map_err(minicbor::decode::Error::message)
    }
}

/// What values of a parameter must satisfy; for a list, each of its values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Limits {
    /// The only values there are, when not empty.
    #[n(0)]
    pub one_of: Vec<Value>,
    /// A pattern for strings.
    #[n(1)]
    pub pattern: Option<Pattern>,
    /// The least integer.
    #[n(2)]
    pub min: Option<i64>,
    /// The greatest integer.
    #[n(3)]
    pub max: Option<i64>,
    /// The shortest string, in characters.
    #[n(4)]
    pub min_length: Option<u32>,
    /// The longest string, in characters.
    #[n(5)]
    pub max_length: Option<u32>,
    /// Whether a string may begin with `-`, and so be read as an option by the program.
    #[n(6)]
    pub allow_leading_dash: bool,
}

/// One parameter of a task.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ParameterSpec {
    /// Its name.
    #[n(0)]
    pub name: ParameterName,
    /// Its type, or the type of each value of the list.
    #[n(1)]
    pub kind: ParameterKind,
    /// Whether it is a list.
    #[n(2)]
    pub list: bool,
    /// Whether a run without it is refused.
    #[n(3)]
    pub required: bool,
    /// The value when none is given.
    #[n(4)]
    pub default: Option<Value>,
    /// Whether its value must not be written down anywhere.
    #[n(5)]
    pub secret: bool,
    /// What it is, for people.
    #[n(6)]
    pub description: String,
    /// What its values must satisfy.
    #[n(7)]
    pub limits: Limits,
}

/// Why one value was not taken. Never quotes the value: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// The task has no such parameter.
    #[error("the task has no such parameter")]
    Unknown,
    /// It is needed.
    #[error("is needed and was not given")]
    Missing,
    /// Another type.
    #[error("must be {expected}")]
    Type {
        /// What the definition says.
        expected: &'static str,
    },
    /// Not one of the allowed values.
    #[error("must be one of: {choices}")]
    NotOneOf {
        /// The allowed ones.
        choices: String,
    },
    /// The pattern does not match the whole value.
    #[error("must match the pattern {pattern} from its first to its last character")]
    Pattern {
        /// The pattern's source.
        pattern: String,
    },
    /// Out of range.
    #[error("must be {range}")]
    Range {
        /// In words.
        range: String,
    },
    /// Too short or too long, in characters or list values.
    #[error("must be {range} long")]
    Length {
        /// In words.
        range: String,
    },
    /// Would be read as an option.
    #[error("must not begin with '-', which the program would read as an option")]
    LeadingDash,
    /// NUL ends an argument, and cannot be part of one.
    #[error("must not hold the character NUL")]
    Nul,
    /// A comma would split a list value in two.
    #[error("must not hold a comma: list values are joined by commas")]
    Comma,
    /// A secret is given to the run, and never written down with a request.
    #[error("is a secret: give it when you run the task, not with the request")]
    SecretInRequest,
    /// All values together are too many bytes.
    #[error("all values together are at most {VALUES_BYTES_MAX} bytes")]
    TooMuch,
}

/// Every problem of a set of values, with the parameter it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct BadParameters(pub Vec<(String, BadValue)>);

impl BadParameters {
    fn sentence(&self) -> String {
        self.0.iter().map(|(name, why)| format!("parameter '{name}' {why}")).collect::<Vec<_>>().join("; ")
    }
}

impl ParameterSpec {
    /// Checks one value against type and limits.
    pub fn check(&self, value: &Value) -> Result<(), BadValue> {
        match (self.list, value) {
            (true, Value::List(values)) if values.len() > LIST_VALUES_MAX => {
                Err(BadValue::Length { range: format!("at most {LIST_VALUES_MAX} values") })
            }
            (true, Value::List(values)) => values.iter().try_for_each(|value| self.check_in_list(value)),
            (true, _) => Err(BadValue::Type { expected: "a list" }),
            (false, value) => self.check_one(value),
        }
    }

    fn check_in_list(&self, value: &Value) -> Result<(), BadValue> {
        match value {
            Value::Text(text) if text.contains(',') => Err(BadValue::Comma),
            value => self.check_one(value),
        }
    }

    fn check_one(&self, value: &Value) -> Result<(), BadValue> {
        match (self.kind, value) {
            (ParameterKind::Text, Value::Text(text)) => self.check_text(text)?,
            (ParameterKind::Integer, Value::Integer(number)) => self.check_integer(*number)?,
            (ParameterKind::Boolean, Value::Boolean(_)) => {}
            (ParameterKind::Text, _) => return Err(BadValue::Type { expected: "a string" }),
            (ParameterKind::Integer, _) => return Err(BadValue::Type { expected: "a whole number" }),
            (ParameterKind::Boolean, _) => return Err(BadValue::Type { expected: "true or false" }),
        }
        let choices = &self.limits.one_of;
        match choices.is_empty() || choices.contains(value) {
            true => Ok(()),
            false => Err(self.not_one_of()),
        }
    }

    /// Checks a secret: its text, read as the type says. No copy of it is kept.
    pub fn check_secret(&self, text: &str) -> Result<(), BadValue> {
        self.check_text(text)?;
        let is_text = |choice: &Value| matches!(choice, Value::Text(choice) if choice == text);
        match self.kind {
            _ if self.list => Err(BadValue::Type { expected: "one value: a secret is never a list" }),
            ParameterKind::Text if self.limits.one_of.is_empty() => Ok(()),
            ParameterKind::Text if self.limits.one_of.iter().any(is_text) => Ok(()),
            ParameterKind::Text => Err(self.not_one_of()),
            ParameterKind::Integer => match text.parse() {
                Ok(number) => self.check_one(&Value::Integer(number)),
                Err(_) => Err(BadValue::Type { expected: "a whole number" }),
            },
            ParameterKind::Boolean => match text.parse() {
                Ok(yes) => self.check_one(&Value::Boolean(yes)),
                Err(_) => Err(BadValue::Type { expected: "true or false" }),
            },
        }
    }

    fn not_one_of(&self) -> BadValue {
        let choices: Vec<String> = self.limits.one_of.iter().map(Value::to_string).collect();
        BadValue::NotOneOf { choices: choices.join(", ") }
    }

    /// Checks a string: also a secret one.
    pub fn check_text(&self, text: &str) -> Result<(), BadValue> {
        let Limits { pattern, min_length, max_length, allow_leading_dash, one_of: _, min: _, max: _ } =
            &self.limits;
        if text.contains('\0') {
            return Err(BadValue::Nul);
        }
        if text.starts_with('-') && !allow_leading_dash {
            return Err(BadValue::LeadingDash);
        }
        if text.len() > VALUE_BYTES_MAX {
            return Err(BadValue::Length { range: format!("at most {VALUE_BYTES_MAX} bytes") });
        }
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        if min_length.is_some_and(|min| length < min) || max_length.is_some_and(|max| length > max) {
            return Err(BadValue::Length { range: range_in_words(*min_length, *max_length, " characters") });
        }
        match pattern {
            Some(pattern) if !pattern.matches(text) => {
                Err(BadValue::Pattern { pattern: pattern.source().to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn check_integer(&self, number: i64) -> Result<(), BadValue> {
        let Limits { min, max, allow_leading_dash, .. } = &self.limits;
        if min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max) {
            return Err(BadValue::Range { range: range_in_words(*min, *max, "") });
        }
        match number < 0 && min.is_none() && !allow_leading_dash {
            true => Err(BadValue::LeadingDash),
            false => Ok(()),
        }
    }
}

fn range_in_words<N: std::fmt::Display>(min: Option<N>, max: Option<N>, unit: &str) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("from {min} to {max}{unit}"),
        (Some(min), None) => format!("at least {min}{unit}"),
        (None, Some(max)) => format!("at most {max}{unit}"),
        (None, None) => String::from("in range"),
    }
}

#[cfg(test)]
mod tests;
