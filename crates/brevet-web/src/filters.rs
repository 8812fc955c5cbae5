//! How values are written in pages.
#![expect(unreachable_pub, reason = "askama's macro makes public types of the functions")]

use std::fmt::{self, Display};

use askama::filters::Safe;
use brevet_wire::{Time, misleads};
use jiff::Timestamp;
use jiff::fmt::strtime;

use crate::api::segment;

/// An instant: in UTC, until a script writes it in the reader's own zone and keeps UTC beside it.
#[askama::filter_fn]
pub(crate) fn time(time: &Time, _: &dyn askama::Values) -> askama::Result<Safe<String>> {
    Ok(Safe(element(time.0, "")))
}

/// A date or instant that is a countdown while it lies ahead: `1 h 58 min`.
#[askama::filter_fn]
pub(crate) fn left(time: &Time, _: &dyn askama::Values, now: Timestamp) -> askama::Result<Safe<String>> {
    let seconds = time.0.as_second() - now.as_second();
    let (exact, short) = (exact(time.0), short(time.0));
    Ok(Safe(format!(
        "<time datetime=\"{exact}\" data-left title=\"{short} UTC\">{}</time>",
        Length(seconds.max(0))
    )))
}

/// How long ago something was: `3 min ago`.
#[askama::filter_fn]
pub(crate) fn ago(time: &Time, _: &dyn askama::Values, now: Timestamp) -> askama::Result<Safe<String>> {
    let seconds = now.as_second() - time.0.as_second();
    let (exact, short) = (exact(time.0), short(time.0));
    let said = if seconds < 5 { "just now".to_owned() } else { format!("{} ago", Length(seconds)) };
    Ok(Safe(format!("<time datetime=\"{exact}\" data-ago title=\"{short} UTC\">{said}</time>")))
}

/// A number of seconds: `2 h 30 min`.
#[askama::filter_fn]
pub(crate) fn span(seconds: &i64, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(Length(*seconds).to_string())
}

/// What somebody wrote, with everything in it visible: nothing that hides, reorders or repaints what stands beside it.
#[askama::filter_fn]
pub(crate) fn plain(text: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(visible(&text.to_string()))
}

fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if misleads(c) && c != '\n' { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// One name as a segment of a path.
#[askama::filter_fn]
pub(crate) fn seg(name: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(segment(&name.to_string()))
}

/// `Scope\Name` as two segments of a path.
#[askama::filter_fn]
pub(crate) fn qualified(name: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
    Ok(crate::api::qualified(&name.to_string()))
}

fn element(at: Timestamp, attributes: &str) -> String {
    let (exact, short) = (exact(at), short(at));
    format!("<time datetime=\"{exact}\"{attributes} title=\"{short} UTC\">{short} UTC</time>")
}

fn exact(at: Timestamp) -> String {
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}

fn short(at: Timestamp) -> String {
    strtime::format("%-d %b %Y, %H:%M", &at.to_zoned(jiff::tz::TimeZone::UTC))
        .unwrap_or_else(|_| at.to_string())
}

/// A length of time in its two largest units.
struct Length(i64);

impl Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let first = units.iter().position(|(seconds, _)| self.0 >= *seconds).unwrap_or(units.len() - 1);
        let mut rest = self.0;
        for (index, (seconds, unit)) in units.iter().enumerate().skip(first).take(2) {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 || index == first {
                let space = if index == first { "" } else { " " };
                write!(f, "{space}{count} {unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Length, short, visible};

    #[test]
    fn what_would_reorder_or_hide_its_neighbours_is_seen() {
        assert_eq!(visible("x\u{202e}fr-\u{200b}\u{1b}[8m"), "x\\u{202e}fr-\\u{200b}\\u{1b}[8m");
        assert_eq!(visible("two\nlines, é, 日本"), "two\nlines, é, 日本");
    }

    #[test]
    fn a_length_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (7_200, "2 h"),
            (7_261, "2 h 1 min"),
            (86_400, "1 d"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(Length(seconds).to_string(), told);
        }
    }

    #[test]
    fn an_instant_is_short_and_in_utc() {
        assert_eq!(short("2026-11-08T09:05:59Z".parse().unwrap()), "8 Nov 2026, 09:05");
    }
}
