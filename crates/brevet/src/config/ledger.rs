//! Settings of the ledger: `[ledger]` in the settings file.

use std::path::PathBuf;

use brevet_core::Span;
use serde::Deserialize;

use super::BadConfig;
use brevet_store::{KeyPlace, TokenSettings};

/// How far apart two entries are at most while a server runs, unless set.
const HEARTBEAT_DEFAULT: Span = Span::seconds(60);
/// The shortest heartbeat: each is an entry for ever.
const HEARTBEAT_MIN: Span = Span::seconds(1);
/// The longest heartbeat: a lost end of the ledger is seen by the gap.
const HEARTBEAT_MAX: Span = Span::hours(1);
/// How long one witness has to answer, unless set.
const WITNESS_TIMEOUT_DEFAULT: Span = Span::seconds(10);

/// What is set of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerConfig {
    /// How far apart two entries are at most.
    pub heartbeat: Span,
    /// Where the anchor is; beside the ledger when not set.
    pub anchor: Option<PathBuf>,
    /// Where the private key is.
    pub key: KeyPlace,
    /// The witnesses to ask and how many of them count (C2SP tlog-policy).
    pub witness_policy: Option<PathBuf>,
    /// How long one witness has to answer.
    pub witness_timeout: Span,
    /// A certificate authority for witnesses that no public one vouches for.
    pub witness_ca: Option<PathBuf>,
    /// Whether anybody may read the entries, not only auditors. They hold no personal text.
    pub public_entries: bool,
    /// How old an entry is at least before it may be archived.
    pub retention: Span,
}

/// The same as the file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    heartbeat: Option<String>,
    anchor: Option<PathBuf>,
    pkcs11: Option<Pkcs11>,
    witness_policy: Option<PathBuf>,
    witness_timeout: Option<String>,
    witness_ca: Option<PathBuf>,
    #[serde(default)]
    public_entries: bool,
    retention: Option<String>,
}

/// A key in a PKCS#11 token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pkcs11 {
    module: PathBuf,
    token: String,
    key: String,
    pin_file: PathBuf,
    name: Option<String>,
}

impl From<Pkcs11> for TokenSettings {
    fn from(settings: Pkcs11) -> Self {
        let Pkcs11 { module, token, key, pin_file, name } = settings;
        Self { module, token, key, pin_file, name }
    }
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self {
            heartbeat: HEARTBEAT_DEFAULT,
            anchor: None,
            key: KeyPlace::File,
            witness_policy: None,
            witness_timeout: WITNESS_TIMEOUT_DEFAULT,
            witness_ca: None,
            public_entries: false,
            retention: brevet_core::ARCHIVE_RETENTION_DEFAULT,
        }
    }
}

impl File {
    pub(super) fn check(self) -> Result<LedgerConfig, BadConfig> {
        let Self {
            heartbeat,
            anchor,
            pkcs11,
            witness_policy,
            witness_timeout,
            witness_ca,
            public_entries,
            retention,
        } = self;
        let within = |name, text: Option<String>, default, min, max| match text {
            None => Ok(default),
            Some(text) => span(name, &text, min, max),
        };
        let heartbeat =
            within("ledger.heartbeat", heartbeat, HEARTBEAT_DEFAULT, HEARTBEAT_MIN, HEARTBEAT_MAX)?;
        let (shortest, longest) = (Span::seconds(1), Span::minutes(5));
        let witness_timeout =
            within("ledger.witness_timeout", witness_timeout, WITNESS_TIMEOUT_DEFAULT, shortest, longest)?;
        let (shortest, longest) = (brevet_core::ARCHIVE_RETENTION_MIN, brevet_core::DURATION_MAX);
        let retention =
            within("ledger.retention", retention, brevet_core::ARCHIVE_RETENTION_DEFAULT, shortest, longest)?;
        let config = LedgerConfig {
            heartbeat,
            anchor,
            key: pkcs11.map_or(KeyPlace::File, |token| KeyPlace::Token(token.into())),
            witness_policy,
            witness_timeout,
            witness_ca,
            public_entries,
            retention,
        };
        Ok(config)
    }
}

fn span(name: &'static str, text: &str, min: Span, max: Span) -> Result<Span, BadConfig> {
    let bad = |why: String| BadConfig::Value { name, value: text.to_owned(), why };
    let span = Span::parse(text).map_err(|error| bad(error.to_string()))?;
    match (min..=max).contains(&span) {
        true => Ok(span),
        false => Err(bad(format!("it is from {min} to {max}"))),
    }
}
