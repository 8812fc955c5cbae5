//! The ledger itself: how far it is vouched for, erasure and archives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reference, Time};

/// How far the ledger is vouched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Ledger {
    /// Its name, as in its checkpoints.
    pub(crate) origin: String,
    /// The public keys that sign its checkpoints, the current one first.
    pub(crate) keys: Vec<String>,
    /// How many entries are durable.
    pub(crate) durable: u64,
    /// How many of them a published checkpoint in the anchor covers.
    pub(crate) checkpointed: u64,
    /// How many of them enough witnesses have seen.
    pub(crate) witnessed: u64,
    /// When they had.
    pub(crate) witnessed_at: Option<Time>,
    /// Whether there is a quorum of witnesses to reach. Without one, nobody outside the server would notice a
    /// rewritten ledger.
    pub(crate) has_quorum: bool,
    /// Each witness that is asked.
    pub(crate) witnesses: Vec<Witness>,
    /// Each place that gets every entry as it is written. For administrators and auditors; nothing for others.
    pub(crate) sinks: Vec<Sink>,
    /// Whether the anchor lies in the data folder, and would be restored together with it.
    pub(crate) anchor_is_beside: bool,
    /// Why the anchor does not hold the newest checkpoint.
    pub(crate) anchor_problem: Option<String>,
    /// The published checkpoint with the signatures of the witnesses that have seen it (C2SP tlog-checkpoint).
    pub(crate) checkpoint: String,
    /// The newest checkpoint that enough witnesses have seen.
    pub(crate) witnessed_checkpoint: Option<String>,
}

/// How one witness stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Witness {
    /// Its name in the policy of the server.
    pub(crate) name: String,
    /// Entries of the newest checkpoint that it signed.
    pub(crate) size: u64,
    /// When it did.
    pub(crate) at: Option<Time>,
    /// Why it did not sign the newest.
    pub(crate) problem: Option<String>,
}

/// How a sink stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Sink {
    /// Its name in the settings of the server.
    pub(crate) name: String,
    /// `syslog` or `file`.
    pub(crate) kind: String,
    /// Entries before this index are there for all that can be known, and are not sent again.
    pub(crate) position: u64,
    /// Entries before this index were sent at least once since the server started.
    pub(crate) sent: u64,
    /// When an entry was last sent.
    pub(crate) sent_at: Option<Time>,
    /// Why nothing is sent; `null` while all is well.
    pub(crate) problem: Option<String>,
    /// Since when it stands so.
    pub(crate) since: Time,
}

/// Erases the texts of a person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Erase {
    /// Whose: a disabled account, by name or id.
    pub(crate) user: String,
}

/// The texts of a person are erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Erased {
    /// Whose.
    pub(crate) user: String,
    /// Archive files, which may hold texts of that person and must be dealt with by hand.
    pub(crate) archives: Vec<String>,
}

/// Asks that old entries move to an archive file.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskForArchive {
    /// All entries before this instant.
    pub(crate) before: Time,
}

/// Agrees to an archive.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreeToArchive {
    /// The size that was asked for, as it was seen.
    pub(crate) size: u64,
}

/// What is archived, and what somebody asks to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Archives {
    /// The archive files, the oldest entries first.
    pub(crate) files: Vec<ArchiveFile>,
    /// What somebody asked for, until a second person agrees.
    pub(crate) asked: Option<ArchiveAsked>,
    /// Where the files are, on the server.
    pub(crate) folder: String,
}

/// An archive file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ArchiveFile {
    /// Its name.
    pub(crate) name: String,
    /// The index of its first entry.
    pub(crate) first: u64,
    /// The index after its last.
    pub(crate) size: u64,
    /// SHA-256 of the file, in hexadecimal, as the ledger has it.
    pub(crate) sha256: String,
}

/// An archive that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ArchiveAsked {
    /// By whom.
    pub(crate) by: Reference,
    /// When.
    pub(crate) at: Time,
    /// All entries before this instant.
    pub(crate) before: Time,
    /// Which are those before this index.
    pub(crate) size: u64,
}
