//! Where the database of a ledger is.

use std::path::PathBuf;

use crate::engine::Connection;
use crate::engine::postgres::{Account, Purpose, Session};
use crate::error::StoreError;
use crate::folder::{DataFolder, check_private};
use crate::sqlite;

/// Where the database of a ledger is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DatabasePlace {
    /// In the data folder.
    #[default]
    Folder,
    /// On a PostgreSQL server, version 15 or later.
    Postgres {
        /// As PostgreSQL's own programs take it, without a password: `postgresql://user@host:port/database`.
        address: String,
        /// A private file that holds the password, where there is one.
        password: Option<PathBuf>,
    },
}

impl DatabasePlace {
    /// The connection of the one server that writes.
    pub(crate) fn open_writer(&self, folder: &DataFolder) -> Result<Connection, StoreError> {
        match self {
            Self::Folder => {
                drop(folder.open_private("brevet.db")?);
                Ok(sqlite::open_writer(&folder.database())?.into())
            }
            Self::Postgres { address, password } => {
                if folder.database().exists() {
                    return Err(StoreError::TwoDatabases { path: folder.database() });
                }
                let session = connect(address, password.as_ref(), Purpose::Write)?;
                session.claim().map_err(crate::engine::Error::from)?;
                Ok(Connection::Postgres(session))
            }
        }
    }

    /// A connection for reading.
    pub(crate) fn open_reader(&self, folder: &DataFolder) -> Result<Connection, StoreError> {
        match self {
            Self::Folder => Ok(sqlite::open_reader(&folder.database())?.into()),
            Self::Postgres { .. } => self.open_reader_elsewhere(),
        }
    }

    /// The same where no folder is needed for it.
    pub(crate) fn open_reader_elsewhere(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Folder => Err(StoreError::damaged("a file has no connection that could be made again")),
            Self::Postgres { address, password } => {
                Ok(Connection::Postgres(connect(address, password.as_ref(), Purpose::Read)?))
            }
        }
    }
}

fn connect(address: &str, password: Option<&PathBuf>, purpose: Purpose) -> Result<Session, StoreError> {
    Ok(Session::connect(&account(address, password)?, purpose).map_err(crate::engine::Error::from)?)
}

pub(crate) fn account(address: &str, password: Option<&PathBuf>) -> Result<Account, StoreError> {
    let mut account = Account::parse(address).map_err(crate::engine::Error::from)?;
    if let Some(path) = password {
        check_private(path)?;
        let failed = |source| StoreError::Folder { path: path.clone(), source };
        account.set_password(std::fs::read_to_string(path).map_err(failed)?.trim_end_matches('\n'));
    }
    Ok(account)
}
