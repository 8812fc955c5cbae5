//! Instants and lengths of time, as whole microseconds. Reading a clock is somebody else's work.

use minicbor::{Decode, Decoder, Encode};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] i64);

impl Timestamp {
    /// Before every real instant.
    pub const MIN: Self = Self(i64::MIN);
    /// After every real instant.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant that many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The instant `span` later; at most [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The instant `span` earlier; at least [`Timestamp::MIN`].
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// What is left until `later`, at most [`crate::DURATION_MAX`], or `None` when nothing is: zero and
    /// less are not a length of time.
    pub const fn until(self, later: Self) -> Option<Span> {
        match later.0.saturating_sub(self.0) {
            ..=0 => None,
            left if left > crate::DURATION_MAX.0 => Some(crate::DURATION_MAX),
            left => Some(Span(left)),
        }
    }
}

/// A length of time: microseconds, more than none and at most [`crate::DURATION_MAX`].
///
/// Zero or less is never "no limit" (that mistake gave other products grants without an end).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode)]
#[cbor(transparent)]
pub struct Span(#[n(0)] i64);

impl<'b, C> Decode<'b, C> for Span {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Self::from_micros(d.i64()?).map_err(|bad| minicbor::decode::Error::message(bad.to_string()))
    }
}

/// Why a length of time was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSpan {
    /// Zero or negative.
    #[error("a duration is more than zero; give for example 30m, 2h or 1d")]
    NotPositive,
    /// More than [`crate::DURATION_MAX`].
    #[error("a duration is at most ten years; give for example 30m, 2h or 1d")]
    TooLong,
    /// No number and unit.
    #[error("a duration is a whole number and a unit (s, m, h, d), for example 90m, 2h or 1h30m")]
    Unreadable,
}

const SECOND: i64 = 1_000_000;

impl Span {
    /// That many whole hours. For constants.
    pub const fn hours(hours: i64) -> Self {
        Self(hours * 3_600 * SECOND)
    }

    /// That many whole minutes. For constants.
    pub const fn minutes(minutes: i64) -> Self {
        Self(minutes * 60 * SECOND)
    }

    /// That many whole seconds. For constants.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * SECOND)
    }

    /// A checked length in microseconds.
    pub const fn from_micros(micros: i64) -> Result<Self, BadSpan> {
        match micros {
            ..=0 => Err(BadSpan::NotPositive),
            _ if micros > crate::DURATION_MAX.0 => Err(BadSpan::TooLong),
            _ => Ok(Self(micros)),
        }
    }

    /// A checked length in seconds.
    pub const fn from_seconds(seconds: i64) -> Result<Self, BadSpan> {
        match seconds.checked_mul(SECOND) {
            Some(micros) => Self::from_micros(micros),
            None if seconds > 0 => Err(BadSpan::TooLong),
            None => Err(BadSpan::NotPositive),
        }
    }

    /// Reads `90m`, `2h`, `1h30m`, `1d`, `45s`.
    pub fn parse(text: &str) -> Result<Self, BadSpan> {
        let mut seconds: i64 = 0;
        let mut rest = text.trim();
        if rest.starts_with('-') {
            return Err(BadSpan::NotPositive);
        }
        if rest.is_empty() {
            return Err(BadSpan::Unreadable);
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(BadSpan::Unreadable)?;
            let (number, tail) = rest.split_at(digits);
            if number.is_empty() {
                return Err(BadSpan::Unreadable);
            }
            let unit = tail.chars().next().ok_or(BadSpan::Unreadable)?;
            let each = seconds_in(unit).ok_or(BadSpan::Unreadable)?;
            let number: i64 = number.parse().map_err(|_| BadSpan::TooLong)?;
            let part = number.checked_mul(each).ok_or(BadSpan::TooLong)?;
            seconds = seconds.checked_add(part).ok_or(BadSpan::TooLong)?;
            rest = &tail[unit.len_utf8()..];
        }
        Self::from_seconds(seconds)
    }

    /// Microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded down.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / SECOND
    }
}

fn seconds_in(unit: char) -> Option<i64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    }
}

impl std::fmt::Display for Span {
    /// The same form that [`Span::parse`] reads; parts of a second are rounded up to one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut left = (self.0 + SECOND - 1) / SECOND;
        for (unit, each) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
            if left >= each {
                write!(f, "{}{unit}", left / each)?;
                left %= each;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
