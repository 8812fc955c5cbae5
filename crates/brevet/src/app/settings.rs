//! What the application is told about its ledger, besides where the data is.

use std::path::PathBuf;

use brevet_core::Span;
use brevet_ledger::Policy;
use brevet_store::{DatabasePlace, KeyPlace};

/// Settings of the application.
#[derive(Debug)]
pub struct Settings {
    /// How far apart two entries are at most; `None` writes no heartbeats.
    pub heartbeat: Option<Span>,
    /// Where the anchor is; `None` puts it beside the ledger.
    pub anchor: Option<PathBuf>,
    /// Where the database is.
    pub database: DatabasePlace,
    /// Where the private key is.
    pub key: KeyPlace,
    /// Who is asked to witness checkpoints.
    pub witnesses: Option<Witnesses>,
    /// Whether anybody may read the entries, not only auditors.
    pub public_entries: bool,
    /// How old an entry is at least before it may be archived.
    pub retention: Span,
}

/// Who is asked to witness checkpoints.
#[derive(Debug)]
pub struct Witnesses {
    /// The witnesses, and how many of them count.
    pub policy: Policy,
    /// How long one has to answer.
    pub timeout: std::time::Duration,
    /// A certificate authority for those that no public one vouches for, as PEM.
    pub authority: Option<Vec<u8>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            heartbeat: None,
            anchor: None,
            database: DatabasePlace::Folder,
            key: KeyPlace::File,
            witnesses: None,
            public_entries: false,
            retention: brevet_core::ARCHIVE_RETENTION_DEFAULT,
        }
    }
}
