//! Arguments with placeholders. A value is put into the place of its placeholder and nowhere else: it is never split,
//! joined with another argument or read again.

use brevet_core::ParameterName;

/// One argument: literal text and placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) Vec<Part>);

/// A piece of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// As it is. Never empty.
    Literal(String),
    /// The value of this parameter.
    Parameter(ParameterName),
}

/// Why a text is not an argument: what is wrong, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadTemplate {
    pub(crate) sentence: String,
    pub(crate) hint: &'static str,
}

impl Template {
    /// Reads `text {parameter} text`; `{{` and `}}` are the braces themselves.
    pub(crate) fn parse(text: &str) -> Result<Self, BadTemplate> {
        let bad = |sentence: &str, hint| BadTemplate { sentence: sentence.to_owned(), hint };
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(bad("a '}' has no '{' before it", "write }} for the brace itself"));
            }
            let Some((name, after)) = after.split_once('}') else {
                return Err(bad("a '{' has no '}' after it", "write {{ for the brace itself"));
            };
            let name = ParameterName::parse(name).map_err(|error| BadTemplate {
                sentence: format!("'{{{name}}}' does not name a parameter: {error}"),
                hint: "write {name}, or {{ and }} for the braces themselves",
            })?;
            push_literal(&mut parts, &mut literal);
            parts.push(Part::Parameter(name));
            rest = after;
        }
        literal.push_str(rest);
        push_literal(&mut parts, &mut literal);
        match text.contains('\0') {
            true => Err(bad("an argument cannot hold the character NUL", "remove it")),
            false => Ok(Self(parts)),
        }
    }

    /// The text, when there is no placeholder in it.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The parameter, when the whole argument is its placeholder.
    pub(crate) fn as_parameter(&self) -> Option<&ParameterName> {
        match self.0.as_slice() {
            [Part::Parameter(name)] => Some(name),
            _ => None,
        }
    }

    /// The parameters it names.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &ParameterName> {
        self.0.iter().filter_map(|part| match part {
            Part::Parameter(name) => Some(name),
            Part::Literal(_) => None,
        })
    }
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

#[cfg(test)]
mod tests {
    use super::{ParameterName, Part, Template};

    fn literal(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    fn parameter(name: &str) -> Part {
        Part::Parameter(ParameterName::parse(name).unwrap())
    }

    #[test]
    fn placeholders_are_whole_arguments_or_parts() {
        for (text, parts) in [
            ("", vec![]),
            ("plain", vec![literal("plain")]),
            ("{unit}", vec![parameter("unit")]),
            ("--unit={unit}.service", vec![literal("--unit="), parameter("unit"), literal(".service")]),
            ("{a}{b}", vec![parameter("a"), parameter("b")]),
            ("{{unit}}", vec![literal("{unit}")]),
            ("{{{unit}}}", vec![literal("{"), parameter("unit"), literal("}")]),
            ("$(x) `y` ; é", vec![literal("$(x) `y` ; é")]),
        ] {
            assert_eq!(Template::parse(text).unwrap(), Template(parts), "{text}");
        }
    }

    #[test]
    fn what_is_neither_text_nor_placeholder_is_refused() {
        for text in ["{", "}", "{unit", "unit}", "{}", "{ unit }", "{a b}", "{{unit}", "{a\0}", "a\0b", "{é}"]
        {
            assert!(Template::parse(text).is_err(), "{text:?}");
        }
    }
}
