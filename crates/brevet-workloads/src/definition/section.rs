//! One table of a file, read by hand: every wrong type, missing and unknown key is noted with its place, and reading
//! goes on.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Report;

/// A value with the byte of the file where it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

impl<T> Located<T> {
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: with(self.value), at: self.at }
    }
}

/// A table, and what it is called when something in it is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section<'t> {
    pub(super) what: &'t str,
    pub(super) at: usize,
    table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    pub(super) fn new(what: &'t str, at: usize, table: &'t DeTable<'t>) -> Self {
        Self { what, at, table }
    }

    /// Notes every key that is not one of these.
    pub(super) fn only(&self, known: &[&str], report: &mut Report) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let sentence = format!("{} has no key '{name}'", self.what);
                report.add(key.span().start, sentence, suggestion(name, known));
            }
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Where a key stands, or else the table.
    pub(super) fn place(&self, key: &str) -> usize {
        self.value(key).map_or(self.at, |found| found.at)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (Located<&'t str>, &'t Spanned<DeValue<'t>>)> {
        self.table.iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            (Located { value: name, at: key.span().start }, value)
        })
    }

    pub(super) fn text(&self, key: &str, report: &mut Report) -> Option<Located<&'t str>> {
        let found = self.value(key)?;
        match found.value {
            DeValue::String(text) => Some(Located { value: text, at: found.at }),
            other => mistyped(report, found.at, key, other, "a string", &format!("{key} = \"…\"")),
        }
    }

    /// A text that must be there.
    pub(super) fn needed_text(&self, key: &str, report: &mut Report) -> Option<Located<&'t str>> {
        if !self.has(key) {
            report.missing(self.at, format!("{} needs '{key}'", self.what), format!("add {key} = \"…\""));
        }
        self.text(key, report)
    }

    pub(super) fn boolean(&self, key: &str, report: &mut Report) -> Option<bool> {
        let found = self.value(key)?;
        match found.value {
            DeValue::Boolean(yes) => Some(*yes),
            other => mistyped(report, found.at, key, other, "true or false", &format!("{key} = true")),
        }
    }

    pub(super) fn integer(&self, key: &str, report: &mut Report) -> Option<Located<i64>> {
        let found = self.value(key)?;
        match integer(found.value) {
            Some(value) => Some(Located { value, at: found.at }),
            None => mistyped(report, found.at, key, found.value, "a whole number", &format!("{key} = 10")),
        }
    }

    /// The elements of an array, whatever they are.
    pub(super) fn list(
        &self,
        key: &str,
        report: &mut Report,
    ) -> Option<Located<Vec<Located<&'t DeValue<'t>>>>> {
        let found = self.value(key)?;
        match found.value {
            DeValue::Array(elements) => {
                let located = |element: &'t Spanned<DeValue<'t>>| Located {
                    value: element.get_ref(),
                    at: element.span().start,
                };
                Some(Located { value: elements.iter().map(located).collect(), at: found.at })
            }
            other => mistyped(report, found.at, key, other, "a list", &format!("{key} = [\"…\", \"…\"]")),
        }
    }

    /// A list of texts; elements that are none are noted and left out.
    pub(super) fn texts(&self, key: &str, report: &mut Report) -> Option<Located<Vec<Located<&'t str>>>> {
        let list = self.list(key, report)?;
        let mut texts = Vec::with_capacity(list.value.len());
        for element in list.value {
            match element.value {
                DeValue::String(text) => texts.push(Located { value: text.as_ref(), at: element.at }),
                other => {
                    let sentence = format!("each element of '{key}' must be a string, not {}", named(other));
                    report.add(element.at, sentence, "write it in quotation marks");
                }
            }
        }
        Some(Located { value: texts, at: list.at })
    }

    pub(super) fn table(&self, key: &str, what: &'t str, report: &mut Report) -> Option<Section<'t>> {
        let found = self.value(key)?;
        match found.value {
            DeValue::Table(table) => Some(Section::new(what, found.at, table)),
            other => mistyped(report, found.at, key, other, "a table", &format!("{key} = {{ … }}")),
        }
    }

    /// The tables of `[[key]]`; none when there is no such key.
    pub(super) fn tables(&self, key: &str, what: &'t str, report: &mut Report) -> Vec<Section<'t>> {
        let Some(found) = self.value(key) else { return Vec::new() };
        let DeValue::Array(elements) = found.value else {
            let hint = format!("write [[{key}]] with two brackets, once for each");
            report.add(found.at, format!("'{key}' must be a list of tables"), hint);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(elements.len());
        for element in elements {
            match element.get_ref() {
                DeValue::Table(table) => tables.push(Section::new(what, element.span().start, table)),
                other => {
                    let sentence = format!("'{key}' must be a list of tables, this is {}", named(other));
                    report.add(element.span().start, sentence, format!("write [[{key}]]"));
                }
            }
        }
        tables
    }

    fn value(&self, key: &str) -> Option<Located<&'t DeValue<'t>>> {
        let (key, value) = self.table.get_key_value(key)?;
        Some(Located { value: value.get_ref(), at: key.span().start })
    }
}

fn mistyped<T>(
    report: &mut Report,
    at: usize,
    key: &str,
    found: &DeValue<'_>,
    expected: &str,
    example: &str,
) -> Option<T> {
    let sentence = format!("'{key}' must be {expected}, not {}", named(found));
    report.add(at, sentence, format!("write {example}"));
    None
}

/// A whole number that fits.
pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What a value is, for a sentence.
pub(super) fn named(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) if integer(value).is_none() => "a number that large",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What people write who know other programs.
const OTHER_WORDS: [(&str, &str); 14] = [
    ("argv", "run"),
    ("choices", "one_of"),
    ("cmd", "run"),
    ("command", "run"),
    ("cwd", "directory"),
    ("enum", "one_of"),
    ("env", "environment"),
    ("exec", "run"),
    ("input", "stdin"),
    ("params", "parameters"),
    ("regex", "pattern"),
    ("time_limit", "timeout"),
    ("user", "run_as"),
    ("working_directory", "directory"),
];

/// "did you mean", or all that there is.
pub(super) fn suggestion(written: &str, known: &[&str]) -> String {
    let lower = written.to_ascii_lowercase().replace('-', "_");
    let other = OTHER_WORDS.iter().find(|(word, _)| *word == lower).map(|(_, key)| *key);
    let near = known
        .iter()
        .map(|key| (distance(&lower, &key.to_ascii_lowercase()), *key))
        .filter(|(distance, key)| *distance <= key.len().div_ceil(3))
        .min();
    match other.filter(|key| known.contains(key)).or(near.map(|(_, key)| key)) {
        Some(key) => format!("did you mean '{key}'?"),
        None if known.is_empty() => "remove it".to_owned(),
        None if known.len() > 24 => "correct it, or remove it".to_owned(),
        None => format!("there are: {}", known.join(", ")),
    }
}

/// Levenshtein's: letters to insert, remove or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, suggestion};

    #[test]
    fn a_slip_is_recognized_and_a_stranger_is_not() {
        let known = ["run", "run_as", "timeout", "one_of", "directory"];
        for (written, meant) in [
            ("tiemout", "timeout"),
            ("time-out", "timeout"),
            ("runas", "run_as"),
            ("Run", "run"),
            ("oneof", "one_of"),
            ("cwd", "directory"),
            ("command", "run"),
            ("user", "run_as"),
        ] {
            assert_eq!(suggestion(written, &known), format!("did you mean '{meant}'?"), "{written}");
        }
        assert!(suggestion("colour", &known).starts_with("there are: run, "));
    }

    #[test]
    fn distance_counts_single_changes() {
        for (a, b, changes) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(distance(a, b), changes, "{a} {b}");
        }
    }
}
