//! Small values written as text: descriptions, lengths of time, sizes, permissions, paths.

use std::path::{Component, Path, PathBuf};

use brevet_core::{DESCRIPTION_BYTES_MAX, OnExpiry, Span};

use super::limit::{
    OUTPUT_BYTES_DEFAULT, OUTPUT_BYTES_MAX, OUTPUT_BYTES_MIN, TIMEOUT_DEFAULT, TIMEOUT_MAX, UMASK_DEFAULT,
};
use super::problem::Report;
use super::section::{Section, suggestion};

pub(super) fn description(section: &Section<'_>, report: &mut Report) -> String {
    let Some(text) = section.text("description", report) else { return String::new() };
    let value = text.value.trim();
    if value.len() > DESCRIPTION_BYTES_MAX {
        let sentence = format!("the description has {} bytes", value.len());
        report.add(text.at, sentence, format!("at most {DESCRIPTION_BYTES_MAX}: shorten it"));
    }
    if value.contains('\0') {
        report.add(text.at, "the description holds the character NUL", "remove it");
    }
    value.to_owned()
}

pub(super) fn timeout(section: &Section<'_>, report: &mut Report) -> Span {
    let Some(text) = section.text("timeout", report) else { return TIMEOUT_DEFAULT };
    match Span::parse(text.value) {
        Ok(span) if span > TIMEOUT_MAX => {
            let sentence = format!("the timeout '{}' is too long", text.value);
            report.add(text.at, sentence, format!("at most {TIMEOUT_MAX}"));
            TIMEOUT_MAX
        }
        Ok(span) => span,
        Err(error) => {
            report.add(text.at, format!("the timeout '{}' cannot be: {error}", text.value), "write \"10m\"");
            TIMEOUT_DEFAULT
        }
    }
}

pub(super) fn on_expiry(section: &Section<'_>, report: &mut Report) -> OnExpiry {
    let text = section.text("on_expiry", report);
    match text.map(|text| text.value) {
        None | Some("stop") => OnExpiry::Stop,
        Some("finish") => OnExpiry::Finish,
        Some(other) => {
            let sentence = format!("'on_expiry' cannot be '{other}'");
            let at = text.map_or(section.at, |text| text.at);
            report.add(at, sentence, suggestion(other, &["stop", "finish"]));
            OnExpiry::Stop
        }
    }
}

/// Whether a run waits for witnesses. No, and not said, are the same definition.
pub(super) fn witnessed(section: &Section<'_>, report: &mut Report) -> Option<bool> {
    section.boolean("witnessed", report).filter(|witnessed| *witnessed)
}

pub(super) fn umask(section: &Section<'_>, report: &mut Report) -> u32 {
    let Some(text) = section.text("umask", report) else { return UMASK_DEFAULT };
    let octal = text.value.bytes().all(|digit| matches!(digit, b'0'..=b'7'));
    match u32::from_str_radix(text.value, 8) {
        Ok(umask) if octal && umask <= 0o777 => umask,
        _ => {
            let sentence = format!("'{}' is not a umask", text.value);
            report.add(text.at, sentence, "write three octal digits, as in umask = \"077\"");
            UMASK_DEFAULT
        }
    }
}

pub(super) fn output_limit(section: &Section<'_>, report: &mut Report) -> u64 {
    let Some(text) = section.text("output_limit", report) else { return OUTPUT_BYTES_DEFAULT };
    match size(text.value) {
        Some(bytes) if (OUTPUT_BYTES_MIN..=OUTPUT_BYTES_MAX).contains(&bytes) => bytes,
        Some(_) => {
            report.add(
                text.at,
                format!("the output limit '{}' is out of range", text.value),
                "from 1KiB to 4GiB",
            );
            OUTPUT_BYTES_DEFAULT
        }
        None => {
            let hint = "write a whole number and KiB, MiB or GiB, as in \"64MiB\"";
            report.add(text.at, format!("'{}' is not a size", text.value), hint);
            OUTPUT_BYTES_DEFAULT
        }
    }
}

fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let each: u64 = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(each)
}

pub(super) fn directory(section: &Section<'_>, report: &mut Report) -> PathBuf {
    let Some(text) = section.text("directory", report) else { return PathBuf::from("/") };
    if let Err(sentence) = plain_path(text.value) {
        report.add(text.at, format!("the directory {sentence}"), "write the whole path from /");
        return PathBuf::from("/");
    }
    PathBuf::from(text.value)
}

/// An absolute path that means what it says.
pub(super) fn plain_path(text: &str) -> Result<(), String> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(format!("'{text}' does not begin with /"));
    }
    if path.components().any(|part| matches!(part, Component::ParentDir)) {
        return Err(format!("'{text}' goes through '..'"));
    }
    match text.contains('\0') {
        true => Err("holds the character NUL".to_owned()),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{plain_path, size};

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        for (text, bytes) in [
            ("64MiB", Some(64 << 20)),
            ("1 KiB", Some(1024)),
            ("4GiB", Some(4 << 30)),
            ("7B", Some(7)),
            ("64", None),
            ("64MB", None),
            ("MiB", None),
            ("-1MiB", None),
            ("1.5MiB", None),
            ("99999999999999999GiB", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_path_is_absolute_and_straight() {
        assert!(plain_path("/").is_ok() && plain_path("/srv/x").is_ok());
        for path in ["", "srv", "./x", "/srv/../etc", "~/x", "/a\0b"] {
            assert!(plain_path(path).is_err(), "{path:?}");
        }
    }
}
