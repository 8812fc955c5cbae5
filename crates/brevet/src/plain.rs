//! Data as text in which no character can mislead who reads it, and which every parser reads as the same data.
//!
//! RFC 8259 lets a string hold everything from U+0020 on as it is, and YAML all that is printable. Control characters
//! of the second block, line separators, and what is not seen or turns the direction of a line are written as escapes
//! here: nothing is left that a terminal, a pager or a log viewer acts upon.

use std::fmt::Write as _;

use brevet_wire::misleads;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_saphyr::DoubleQuoted;

/// JSON on one line, without a line feed at the end.
pub(crate) fn json_line(value: &Value) -> String {
    escaped(value.to_string(), escape_in_json)
}

/// JSON on several lines, the last of them ended.
pub(crate) fn json_lines(value: &Value) -> String {
    escaped(format!("{value:#}\n"), escape_in_json)
}

/// YAML, its last line ended.
pub(crate) fn yaml(value: &Value) -> String {
    // A key cannot be told how to be quoted; JSON, which YAML includes, quotes them all.
    let text = match has_misleading_key(value) {
        true => None,
        false => serde_saphyr::to_string(&Quoted(value)).ok(),
    };
    escaped(text.unwrap_or_else(|| format!("{value:#}\n")), escape_in_yaml)
}

/// INVARIANT: of what misleads, `text` has only line feeds outside of double quotes.
fn escaped(text: String, escape: fn(char, &mut String) -> std::fmt::Result) -> String {
    if !has_misleading(&text) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_misleading(c) {
            escape(c, &mut out).expect("memory takes every text");
        } else {
            out.push(c);
        }
    }
    out
}

/// As UTF-16, which is all that JSON knows.
fn escape_in_json(c: char, out: &mut String) -> std::fmt::Result {
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

/// As one code point: YAML knows no surrogates.
fn escape_in_yaml(c: char, out: &mut String) -> std::fmt::Result {
    match u32::from(c) {
        point @ ..=0xffff => write!(out, "\\u{point:04x}"),
        point => write!(out, "\\U{point:08x}"),
    }
}

/// Both formats have line feeds between their lines, and none of a string stands there as it is.
fn is_misleading(c: char) -> bool {
    misleads(c) && c != '\n'
}

fn has_misleading(text: &str) -> bool {
    text.chars().any(is_misleading)
}

fn has_misleading_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_misleading_key),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| has_misleading(name) || has_misleading_key(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The same value, in which texts that need escapes ask for the one style of YAML that has some.
struct Quoted<'a>(&'a Value);

impl Serialize for Quoted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if has_misleading(text) => DoubleQuoted(text).serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Quoted)),
            Value::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, Quoted(value))))
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{is_misleading, json_line, json_lines, yaml};

    /// Of every kind: C0, DEL, C1, separators, bidirectional, invisible, and beyond the first plane.
    const MISLEADING: &str = "a\r\nb\u{1b}[2J\u{7f}\u{85}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{200b}\u{feff}\u{e0041}Grüße \"日本\" \\ 🙂";

    /// Each character alone, so that none is quoted because of another one.
    fn each() -> Vec<Value> {
        ('\0'..=char::MAX)
            .filter(|c| *c == '\n' || is_misleading(*c))
            .map(|c| format!("a{c}b").into())
            .collect()
    }

    fn cases() -> Vec<Value> {
        let long = "a long line that a writer may want to fold \u{202e} ".repeat(5);
        vec![
            json!(MISLEADING),
            json!({"text": MISLEADING, "list": [MISLEADING, {"deep": [[MISLEADING, 1, null, true, 0.5]]}], "last": {}}),
            json!({"a\u{202e}b": 1, "c\u{9b}": [{"\u{e0041}": MISLEADING, "\n": "plain"}]}),
            json!({"\u{2066}": "'", "lines": "one\ntwo\u{200b}\n\n", "mark": "# \u{202e}: -", "back": "\\\u{202e}"}),
            json!({"long": long, "log": "first line\n  second line\n\tthird\n", "no": "no", "empty": ""}),
            Value::Array(each()),
        ]
    }

    fn is_harmless(written: &str) -> bool {
        !written.chars().any(is_misleading)
    }

    #[test]
    fn json_has_nothing_that_misleads_and_reads_back_the_same() {
        for value in cases() {
            for written in [json_line(&value), json_lines(&value)] {
                assert!(is_harmless(&written), "{written:?}");
                assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value, "{written}");
            }
            assert!(!json_line(&value).contains('\n'));
        }
    }

    #[test]
    fn yaml_has_nothing_that_misleads_and_reads_back_the_same() {
        for value in cases() {
            let written = yaml(&value);
            assert!(is_harmless(&written), "{written:?}");
            assert_eq!(serde_saphyr::from_str::<Value>(&written).unwrap(), value, "{written}");
        }
    }

    #[test]
    fn what_harms_nobody_is_written_as_it_is() {
        let value = json!({"name": "Grüße 日本 🙂", "list": [1, "two"], "text": "one\ntwo\n"});
        assert_eq!(json_line(&value), value.to_string());
        assert_eq!(json_lines(&value), serde_json::to_string_pretty(&value).unwrap() + "\n");
        assert_eq!(yaml(&value), serde_saphyr::to_string(&value).unwrap());
        assert!(json_line(&json!(MISLEADING)).contains("\\udb40\\udc41Grüße \\\"日本\\\" \\\\ 🙂"));
        assert!(yaml(&json!(MISLEADING)).contains("\\U000e0041Grüße \\\"日本\\\" \\\\ 🙂"));
    }
}
