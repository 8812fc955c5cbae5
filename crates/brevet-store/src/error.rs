//! What can go wrong with the store, in sentences for the person who runs the server.

use std::path::PathBuf;

use crate::engine::Error as DatabaseFault;

/// What a failed write leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing was written, because the batch itself could not be; others can.
    OnlyThisBatch,
    /// Nothing was written, because the disk was full; later there may be room.
    NoRoom,
    /// Nothing was written, because there was no key to sign it with; later there may be.
    NoKey,
    /// Nobody knows what is on the disk before a restart has looked.
    Uncertain,
    /// Nothing was written, because the database is away; later it may be back.
    Away,
    /// Nobody knows before the database was asked: [`Store::look_up`](crate::Store::look_up).
    Unanswered,
}

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be used at all.
    #[error("the data folder {path} cannot be used: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file with the password of the database cannot be used.
    #[error("{path} cannot be used as database.password_file: {why}")]
    PasswordFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Others may read or write it.
    #[error("{path} is open to others (mode {mode:03o}); make it private with: chmod {wanted:o} {path}")]
    TooOpen {
        /// Which.
        path: PathBuf,
        /// As it is.
        mode: u32,
        /// As it should be.
        wanted: u32,
    },
    /// It belongs to somebody else.
    #[error("{path} belongs to another user (uid {owner}); run the server as its owner")]
    ForeignOwner {
        /// Which.
        path: PathBuf,
        /// Whose.
        owner: u32,
    },
    /// Another server has it.
    #[error("another server is running on the data folder {path}; stop it first, or choose another folder")]
    Busy {
        /// Which.
        path: PathBuf,
    },
    /// There is one in the folder, and another was named.
    #[error(
        "{path} is there, and the settings name a database elsewhere; take database.url out of the settings, or \
         choose another data folder"
    )]
    TwoDatabases {
        /// The one in the folder.
        path: PathBuf,
    },
    /// Locks and syncs are not reliable there.
    #[error(
        "{path} is on a network or user-space file system, where a lock or a sync may not hold; use a local disk"
    )]
    NetworkFileSystem {
        /// Which.
        path: PathBuf,
    },
    /// A newer Brevet wrote it.
    #[error(
        "the data folder was written by a newer Brevet (format {found}, this one knows {known}); \
         run that version or a later one"
    )]
    Newer {
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
    /// It was moved to a data folder.
    #[error(
        "the ledger was moved from this database to a data folder with brevet migrate-store; take database.url out of the \
         settings, and start the server on that folder"
    )]
    MovedAway,
    /// SQLite is too old.
    #[error(
        "SQLite {found} is too old: 3.51.3 or later is needed (earlier ones can corrupt a write-ahead log)"
    )]
    SqliteVersion {
        /// Linked.
        found: String,
    },
    /// A setting did not take.
    #[error("SQLite did not take the setting {name}: it is {found}, and must be {wanted}")]
    Setting {
        /// Which.
        name: &'static str,
        /// As it is.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
    /// Somebody else wrote to this ledger.
    #[error("the ledger was written by somebody else meanwhile; this server must not go on")]
    Moved,
    /// Others wrote so much meanwhile that it is quicker to start again.
    #[error(
        "other servers wrote {entries} entries while this one did not listen; it starts again from what is there"
    )]
    TooFarBehind {
        /// How many.
        entries: u64,
    },
    /// Another server knows more kinds of entries than this one.
    #[error(
        "a server of a newer version wrote an entry of a kind that this one does not know ({kind}): it ends, because \
         nobody knows what that changes; upgrade this server too"
    )]
    NewerEntry {
        /// The kind.
        kind: String,
    },
    /// Another server signs with a key that this one does not have.
    #[error(
        "the newest checkpoint is signed with a key that this server does not have: another server changed it; copy \
         ledger.key and ledger.vkey from its data folder into this one, and start this server again"
    )]
    OtherKey,
    /// The database went away after it was told to keep a batch, and before it said that it did.
    #[error(
        "the database went away while it was told to keep what was done, and did not say whether it did: {source}"
    )]
    Unanswered {
        /// What became of the connection.
        source: DatabaseFault,
        /// Whether the database can tell what became of the batch.
        can_ask: bool,
    },
    /// It was looked up: the batch whose commit was not answered did not happen.
    #[error("the database went away before it kept what was done; nothing happened; try again")]
    NotKept,
    /// Nobody can tell what became of a batch.
    #[error(
        "the other servers took this one for gone while a commit was not answered, and nobody knows whether that happened; \
         start this server again"
    )]
    Unknowable,
    /// A batch could not be encoded; a bug, or an entry over its limit.
    #[error("an entry cannot be written: {0}")]
    Entry(String),
    /// A piece of a recording is none that can be kept; a bug, or a database from elsewhere.
    #[error(
        "a recording cannot be kept for the other servers: {0}; it is in the data folder of the one that ran it"
    )]
    Piece(String),
    /// What is stored does not make sense.
    #[error("the data folder is damaged: {what}; run: brevet audit verify --data <folder>")]
    Damaged {
        /// Where, and what.
        what: String,
    },
    /// The anchor forbids to go on.
    #[error(transparent)]
    Anchor(crate::AnchorFault),
    /// There is nothing to sign with, or not the right key.
    #[error(transparent)]
    Key(#[from] crate::KeyFault),
    /// The database, or the disk or the network behind it.
    #[error("the database cannot be {doing}: {source}")]
    Database {
        /// `read` or `written`.
        doing: &'static str,
        /// What it says.
        source: DatabaseFault,
    },
}

impl StoreError {
    /// What a failed write leaves behind.
    pub fn aftermath(&self) -> Aftermath {
        let full = Some(rusqlite::ErrorCode::DiskFull);
        match self {
            Self::Entry(_) => Aftermath::OnlyThisBatch,
            Self::NotKept => Aftermath::Away,
            Self::Key(_) => Aftermath::NoKey,
            Self::Database { source: DatabaseFault::Sqlite(source), .. }
                if source.sqlite_error_code() == full =>
            {
                Aftermath::NoRoom
            }
            Self::Unanswered { can_ask: true, .. } => Aftermath::Unanswered,
            Self::Database { source: DatabaseFault::Postgres(fault), .. } if fault.is_lost() => {
                Aftermath::Away
            }
            Self::Database { source: DatabaseFault::Postgres(fault), .. } if fault.has_no_room() => {
                Aftermath::NoRoom
            }
            Self::Database { source: DatabaseFault::Postgres(_), .. } => Aftermath::OnlyThisBatch,
            _ => Aftermath::Uncertain,
        }
    }

    /// Whether what was to be written may be there all the same: nobody knows before a restart has looked.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Unanswered { .. } | Self::Unknowable => true,
            Self::Database { doing: "written", .. } => {
                self.aftermath() == Aftermath::Uncertain && !self.is_busy()
            }
            _ => false,
        }
    }

    /// Whether the connection to a database elsewhere is lost, so that another one is needed.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Unanswered { .. } => true,
            Self::Database { source, .. } => source.is_lost(),
            _ => false,
        }
    }

    /// Whether another process held the database for longer than one waits: nothing was written.
    pub(crate) fn is_busy(&self) -> bool {
        let busy = Some(rusqlite::ErrorCode::DatabaseBusy);
        matches!(self, Self::Database { source: DatabaseFault::Sqlite(source), .. } if source.sqlite_error_code() == busy)
    }

    pub(crate) fn damaged(what: impl ToString) -> Self {
        Self::Damaged { what: what.to_string() }
    }
}

/// Most uses of a database read.
impl From<DatabaseFault> for StoreError {
    fn from(source: DatabaseFault) -> Self {
        Self::Database { doing: "read", source }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        DatabaseFault::from(source).into()
    }
}

pub(crate) fn writing(source: impl Into<DatabaseFault>) -> StoreError {
    StoreError::Database { doing: "written", source: source.into() }
}
