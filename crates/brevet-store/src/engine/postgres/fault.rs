//! What can go wrong with PostgreSQL, and what of it leaves which doubt.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use super::{ANSWER_TIMEOUT, listed};

/// Why PostgreSQL did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The address is none.
    #[error("database.url cannot be used: {0}; it looks like postgresql://user@host:5432/name")]
    Address(String),
    /// Nobody can be trusted.
    #[error(
        "database.authority cannot be used: {0}; it is a PEM file of the authority that signs PostgreSQL's certificate"
    )]
    Authority(String),
    /// Somebody needs this ledger alone.
    #[error(
        "the ledger in this database is being moved, or a server is running on it; wait until that is over, or stop it first"
    )]
    Busy,
    /// No host of the address could be used.
    #[error("PostgreSQL cannot be reached: {}", listed(.0))]
    Unreachable(Vec<String>),
    /// It said no, or the connection ended.
    #[error("PostgreSQL: {}", whole(.0))]
    Client(#[from] tokio_postgres::Error),
    /// It does not say anything.
    #[error("PostgreSQL did not answer for {} seconds", ANSWER_TIMEOUT.as_secs())]
    Silent,
    /// It was lost before.
    #[error("the connection to PostgreSQL is lost")]
    Gone,
    /// Something in the transaction failed, and nobody asked.
    #[error("PostgreSQL: a statement of the transaction had failed, so that nothing of it was done")]
    Aborted,
    /// Whether the transaction is done is not known.
    #[error("PostgreSQL was asked to commit, and nobody knows whether it did: {0}")]
    Uncertain(String),
    /// It is too old.
    #[error("PostgreSQL {found} is too old: version 15 or later is needed")]
    Version {
        /// Of the server.
        found: String,
    },
    /// A commit would be answered before it is on the disk.
    #[error(
        "PostgreSQL's setting {name} is {found}; it must be {wanted}, or a commit could be lost after it was answered"
    )]
    Setting {
        /// Which.
        name: &'static str,
        /// As it is.
        found: String,
        /// As it must be.
        wanted: &'static str,
    },
    /// A commit would be on one machine alone.
    #[error(
        "database.ha asks for a standby, and {missing}: what is acknowledged could be lost with PostgreSQL's machine. Attach \
         one, or go on without one for now with: brevet serve --accept-loss"
    )]
    Standby {
        /// What there should be.
        missing: String,
    },
    /// Nothing would ever be answered.
    #[error(
        "PostgreSQL waits with each commit for a standby, and there is none that can be seen; to go on without one, tell it \
         so too: ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()"
    )]
    WaitsForStandby,
    /// This process cannot wait for it.
    #[error("the connection to PostgreSQL cannot be driven: {0}")]
    Runtime(#[from] std::io::Error),
    /// A column or a value of a kind that no table of Brevet has.
    #[error("PostgreSQL has {found} where Brevet has integers, texts and bytes")]
    Type {
        /// As PostgreSQL calls it.
        found: String,
    },
}

impl Fault {
    /// Whether the connection is lost, so that another one is needed: PostgreSQL did not refuse what it was asked.
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Silent | Self::Gone | Self::Uncertain(_) | Self::Runtime(_) => true,
            Self::Client(error) => is_lost(error),
            Self::Address(_)
            | Self::Authority(_)
            | Self::Busy
            | Self::Aborted
            | Self::Version { .. }
            | Self::Setting { .. }
            | Self::Standby { .. }
            | Self::WaitsForStandby
            | Self::Type { .. } => false,
        }
    }

    /// Whether there is no room on a disk of PostgreSQL.
    pub fn has_no_room(&self) -> bool {
        matches!(self, Self::Client(error) if error.code() == Some(&SqlState::DISK_FULL))
    }

    /// Whether a transaction may have happened or not. After every other fault it has not.
    pub const fn is_uncertain(&self) -> bool {
        matches!(self, Self::Uncertain(_))
    }
}

/// Whether PostgreSQL ended the connection, or the network did.
pub(super) fn is_lost(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => is_farewell(code),
        None => error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>()),
    }
}

/// What PostgreSQL says last: it is shut down, or starting, or waited too long for the next statement of a transaction.
/// Class 08 is about connections.
fn is_farewell(code: &SqlState) -> bool {
    const FAREWELLS: [SqlState; 5] = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::IDLE_SESSION_TIMEOUT,
    ];
    FAREWELLS.contains(code) || code.code().starts_with("08")
}

/// What PostgreSQL or the system says is in the cause of the error, not in itself.
pub(super) fn whole(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}
