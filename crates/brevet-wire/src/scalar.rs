//! The small types that the others are made of.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// What is on this page.
    pub items: Vec<T>,
    /// Give it as `cursor` to have the next page; `null` on the last one.
    pub next: Option<String>,
}

/// A person or a group: the id that lasts, and the name that people know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reference {
    /// For example `usr-7` or `grp-2`.
    #[schema(example = "usr-7")]
    pub id: String,
    /// Its name; the id again once the name was erased.
    #[schema(example = "maria")]
    pub name: String,
}

/// An instant: RFC 3339, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-23T16:10:36Z")]
pub struct Time(pub jiff::Timestamp);

impl Time {
    /// The instant that many microseconds after the epoch, or the nearest one that a calendar can show.
    pub fn from_micros(micros: i64) -> Self {
        let nearest = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Self(jiff::Timestamp::from_microsecond(micros).unwrap_or(nearest))
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }
}

/// A password, a code, a token or the value of a secret parameter. It is on the wire and nowhere else: it
/// cannot be printed or compared, and is wiped when it is dropped.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct SecretText(
    #[serde(serialize_with = "serialize_secret", deserialize_with = "deserialize_secret")] Zeroizing<String>,
);

impl SecretText {
    /// Takes a secret in.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Lends the secret to `use_it`, for as long as that takes.
    pub fn reveal<R>(&self, use_it: impl FnOnce(&str) -> R) -> R {
        use_it(&self.0)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(…)")
    }
}

fn serialize_secret<S: serde::Serializer>(secret: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret)
}

fn deserialize_secret<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

/// Reads a field that can be left out (`None`), be `null` (`Some(None)`) or have a value, as in a JSON merge
/// patch (RFC 7396).
pub(crate) fn named<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::{SecretText, Time};

    #[test]
    fn an_instant_is_rfc_3339_in_utc_and_keeps_its_microseconds() {
        let time = Time::from_micros(1_795_450_236_000_000);
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-11-23T16:10:36Z\"");
        let time = Time::from_micros(1_795_450_236_000_001);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "\"2026-11-23T16:10:36.000001Z\"");
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap().micros(), 1_795_450_236_000_001);
        assert_eq!(Time::from_micros(i64::MAX).0, jiff::Timestamp::MAX);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret: SecretText = serde_json::from_str("\"hunter2\"").unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"hunter2\"");
    }
}
