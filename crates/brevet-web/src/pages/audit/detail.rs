//! What an entry says, as a tree of names and values.

use askama::Template;
use serde_json::Value;

/// Texts that stand beside an entry, and can be erased.
const TEXTS: &[&str] =
    &["name", "display_name", "email", "description", "reason", "comment", "source", "query"];
/// Those of them that are never left out: where one is not there any more, it was erased.
const TEXTS_ALWAYS: &[(&str, &str)] = &[
    ("user.added", "name"),
    ("session.opened", "source"),
    ("session.refused", "source"),
    ("request.submitted", "reason"),
    ("ledger.read", "query"),
];
/// Where things of an id are shown.
const PLACES: &[(&str, &str)] = &[
    ("req-", "/requests/"),
    ("aut-", "/authorizations/"),
    ("exe-", "/executions/"),
    ("pol-", "/policies/"),
    ("usr-", "/people/"),
    ("grp-", "/groups/"),
];

/// A value, and what is in it.
#[derive(Debug, PartialEq, Eq, Template)]
#[template(path = "audit/detail.html")]
pub(super) enum DetailTree {
    /// As it is written.
    Text(String),
    /// Something that has a page.
    Link(String, String),
    /// A text that was there.
    Erased,
    /// A text that was there or was never given: an entry does not tell the two apart.
    ErasedOrNone,
    /// Nothing.
    None,
    /// Several, in order.
    List(Vec<DetailTree>),
    /// By name.
    Facts(Vec<(String, DetailTree)>),
}

impl DetailTree {
    /// All that an entry of this kind says.
    pub(super) fn of(kind: &str, details: &Value) -> Self {
        match details {
            Value::Object(fields) => {
                let facts = fields.iter().map(|(name, value)| (label(name), Self::field(kind, name, value)));
                Self::Facts(facts.collect())
            }
            value => Self::value(value),
        }
    }

    fn field(kind: &str, name: &str, value: &Value) -> Self {
        match value {
            Value::Null if TEXTS_ALWAYS.contains(&(kind, name)) => Self::Erased,
            Value::Null if TEXTS.contains(&name) => Self::ErasedOrNone,
            value => Self::value(value),
        }
    }

    fn value(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(true) => Self::Text("yes".to_owned()),
            Value::Bool(false) => Self::Text("no".to_owned()),
            Value::Number(number) => Self::Text(number.to_string()),
            Value::String(text) => link(text).unwrap_or_else(|| Self::Text(text.clone())),
            Value::Array(values) if values.is_empty() => Self::None,
            Value::Array(values) => Self::List(values.iter().map(Self::value).collect()),
            Value::Object(fields) if fields.is_empty() => Self::None,
            // Names within are people's own: of parameters, not of fields.
            Value::Object(fields) => {
                Self::Facts(fields.iter().map(|(name, value)| (name.clone(), Self::value(value))).collect())
            }
        }
    }
}

/// Where the thing of this id is shown, when it is one.
fn link(text: &str) -> Option<DetailTree> {
    let (start, place) = PLACES.iter().find(|(start, _)| text.starts_with(start))?;
    let number = text.strip_prefix(start)?;
    let is_id = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
    is_id.then(|| DetailTree::Link(text.to_owned(), format!("{place}{text}")))
}

/// `policy_revision` as people read it.
fn label(name: &str) -> String {
    let name = name.replace('_', " ");
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::DetailTree;
    use serde_json::json;

    fn written(kind: &str, details: serde_json::Value) -> String {
        DetailTree::of(kind, &details).to_string().replace('\n', "")
    }

    #[test]
    fn what_an_entry_says_is_told_by_name_and_never_taken_for_html() {
        let html = written(
            "request.decided",
            json!({"request": "req-1", "comment": "<b>", "parameters": {"a": ["x", true]}}),
        );
        assert!(html.contains("<a href=\"/requests/req-1\">req-1</a>"), "{html}");
        assert!(!html.contains("<b>"), "{html}");
        assert!(html.contains("<li>x</li><li>yes</li>"), "{html}");
    }

    #[test]
    fn an_erased_text_is_said_to_be() {
        assert!(written("request.submitted", json!({"reason": null})).contains("erased"));
        assert!(written("request.decided", json!({"comment": null})).contains("none, or erased"));
        assert!(written("request.decided", json!({"duration": null})).contains("none"));
    }

    #[test]
    fn what_only_looks_like_an_id_is_no_link() {
        assert!(!written("x", json!({"a": "req-1/../x", "b": "usr-"})).contains("href"));
    }
}
