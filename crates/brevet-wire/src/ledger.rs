//! The ledger itself: how far it is vouched for, erasure and archives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reference, Time};

/// How far the ledger is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ledger {
    /// Its name, as in its checkpoints.
    pub origin: String,
    /// The public keys that sign its checkpoints, the current one first.
    pub keys: Vec<String>,
    /// How many entries are durable.
    pub durable: u64,
    /// How many of them a published checkpoint in the anchor covers.
    pub checkpointed: u64,
    /// How many of them enough witnesses have seen.
    pub witnessed: u64,
    /// When they had.
    pub witnessed_at: Option<Time>,
    /// Whether there is a quorum of witnesses to reach. Without one, nobody outside the server would notice a
    /// rewritten ledger.
    pub has_quorum: bool,
    /// Each witness that is asked.
    pub witnesses: Vec<Witness>,
    /// Each place that gets every entry as it is written. For administrators and auditors; nothing for others.
    pub sinks: Vec<Sink>,
    /// Whether the anchor lies in the data folder, and would be restored together with it.
    pub anchor_is_beside: bool,
    /// Why the anchor does not hold the newest checkpoint.
    pub anchor_problem: Option<String>,
    /// The published checkpoint with the signatures of the witnesses that have seen it (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The newest checkpoint that enough witnesses have seen.
    pub witnessed_checkpoint: Option<String>,
}

/// How one witness stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Witness {
    /// Its name in the policy of the server.
    pub name: String,
    /// Entries of the newest checkpoint that it signed.
    pub size: u64,
    /// When it did.
    pub at: Option<Time>,
    /// Why it did not sign the newest.
    pub problem: Option<String>,
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sink {
    /// Its name in the settings of the server.
    pub name: String,
    /// `syslog` or `file`.
    pub kind: String,
    /// Entries before this index are there for all that can be known, and are not sent again.
    pub position: u64,
    /// Entries before this index were sent at least once since the server started.
    pub sent: u64,
    /// When an entry was last sent.
    pub sent_at: Option<Time>,
    /// Why nothing is sent; `null` while all is well.
    pub problem: Option<String>,
    /// Since when it stands so.
    pub since: Time,
}

/// Erases the texts of a person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// Whose: a disabled account, by name or id.
    pub user: String,
}

/// The texts of a person are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Erased {
    /// Whose.
    pub user: String,
    /// Archive files, which may hold texts of that person and must be dealt with by hand.
    pub archives: Vec<String>,
}

/// Asks that old entries move to an archive file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForArchive {
    /// All entries before this instant.
    pub before: Time,
}

/// Agrees to an archive.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgreeToArchive {
    /// The size that was asked for, as it was seen.
    pub size: u64,
}

/// What is archived, and what somebody asks to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Archives {
    /// The archive files, the oldest entries first.
    pub files: Vec<ArchiveFile>,
    /// What somebody asked for, until a second person agrees.
    pub asked: Option<ArchiveAsked>,
    /// Where the files are, on the server.
    pub folder: String,
}

/// An archive file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveFile {
    /// Its name.
    pub name: String,
    /// The index of its first entry.
    pub first: u64,
    /// The index after its last.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal, as the ledger has it.
    pub sha256: String,
}

/// An archive that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveAsked {
    /// By whom.
    pub by: Reference,
    /// When.
    pub at: Time,
    /// All entries before this instant.
    pub before: Time,
    /// Which are those before this index.
    pub size: u64,
}
