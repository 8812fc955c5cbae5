//! Where the database of a ledger is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::postgres::{Account, Purpose, Session, Standby};
use crate::engine::{Connection, Error};
use crate::error::StoreError;
use crate::folder::{DataFolder, check_private};
use crate::sqlite;

/// The longest password file.
const PASSWORD_BYTES_MAX: u64 = 4096;

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
        /// A PEM file of the one authority that is trusted to sign the server's certificate, in place of the system's.
        authority: Option<PathBuf>,
        /// Whether what is acknowledged must be on a second machine.
        standby: Standby,
    },
}

impl DatabasePlace {
    /// A PostgreSQL server that needs no more than an address.
    pub const fn postgres(address: String) -> Self {
        Self::Postgres { address, password: None, authority: None, standby: Standby::Unasked }
    }

    /// Whether servers with other data folders reach it too.
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Folder => false,
            Self::Postgres { .. } => true,
        }
    }

    /// The same, where what is acknowledged may be lost with the database's machine as long as there is no standby.
    #[must_use]
    pub fn accepting_loss(mut self) -> Self {
        if let Self::Postgres { standby, .. } = &mut self
            && *standby == Standby::Needed
        {
            *standby = Standby::Missed;
        }
        self
    }

    /// The same, where nothing was missing when a server started: what goes missing later nobody has accepted on record.
    #[must_use]
    pub(crate) fn accepting_nothing(mut self) -> Self {
        if let Self::Postgres { standby, .. } = &mut self
            && *standby == Standby::Missed
        {
            *standby = Standby::Needed;
        }
        self
    }

    /// The connection of a server that writes.
    pub(crate) fn open_writer(&self, folder: &DataFolder) -> Result<Connection, StoreError> {
        match self.account()? {
            None => {
                drop(folder.open_private("brevet.db")?);
                Ok(sqlite::open_writer(&folder.database())?.into())
            }
            Some(account) => {
                if folder.database().exists() {
                    return Err(StoreError::TwoDatabases { path: folder.database() });
                }
                let session = Session::connect(&account, Purpose::Write).map_err(Error::from)?;
                session.claim().map_err(Error::from)?;
                Ok(Connection::Postgres(session))
            }
        }
    }

    /// A connection that writes what no decision depends on, beside the one of the server; `None` where nobody else would
    /// read it.
    pub(crate) fn open_beside(&self) -> Result<Option<Connection>, StoreError> {
        let Some(account) = self.account()? else { return Ok(None) };
        let session = Session::connect(&account, Purpose::Write).map_err(Error::from)?;
        Ok(Some(Connection::Postgres(session)))
    }

    /// A connection that writes while nobody else does.
    pub(crate) fn open_alone(&self) -> Result<Connection, StoreError> {
        let Some(account) = self.account()? else {
            return Err(StoreError::damaged("a file is alone already when its folder is claimed"));
        };
        let session = Session::connect(&account, Purpose::Alone).map_err(Error::from)?;
        session.claim_alone().map_err(Error::from)?;
        Ok(Connection::Postgres(session))
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
        match self.account()? {
            None => Err(StoreError::damaged("a file has no connection that could be made again")),
            Some(account) => {
                let session = Session::connect(&account, Purpose::Read).map_err(Error::from)?;
                Ok(Connection::Postgres(session))
            }
        }
    }

    /// How it is reached, where it is elsewhere. The password is read each time, because it may have been changed.
    pub(crate) fn account(&self) -> Result<Option<Account>, StoreError> {
        let Self::Postgres { address, password, authority, standby } = self else { return Ok(None) };
        let mut account = Account::parse(address, authority.as_deref()).map_err(Error::from)?;
        account.set_standby(*standby);
        if let Some(path) = password {
            account.set_password(password_in(path)?.trim_end_matches(['\r', '\n']));
        }
        Ok(Some(account))
    }
}

/// The text of a password file, which must be a file that nobody but its owner can read.
fn password_in(path: &Path) -> Result<String, StoreError> {
    let bad = |why: String| StoreError::PasswordFile { path: path.to_owned(), why };
    let metadata = fs::symlink_metadata(path).map_err(|error| bad(error.to_string()))?;
    if !metadata.is_file() || metadata.len() > PASSWORD_BYTES_MAX {
        return Err(bad(format!("it must be a file of at most {PASSWORD_BYTES_MAX} bytes")));
    }
    check_private(path)?;
    let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(bad("it is empty".into())),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{DatabasePlace, PASSWORD_BYTES_MAX, Standby, password_in};

    /// What is said of a place with this password file.
    fn said(path: &Path) -> String {
        let place = DatabasePlace::Postgres {
            address: "postgresql://brevet@localhost/brevet".into(),
            password: Some(path.to_owned()),
            authority: None,
            standby: Standby::Unasked,
        };
        place.account().map_or_else(|error| error.to_string(), |_| "good".to_owned())
    }

    #[test]
    fn a_password_that_others_can_read_or_change_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "secret\r\n").unwrap();
        for (mode, is_good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)]
        {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let said = said(&path);
            let wanted = if is_good { "good".into() } else { format!("chmod 600 {}", path.display()) };
            assert!(said.ends_with(&wanted) && !said.contains("secret"), "{mode:o}: {said}");
        }
    }

    #[test]
    fn a_password_file_is_one_and_holds_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        let long = "a".repeat(usize::try_from(PASSWORD_BYTES_MAX).unwrap() + 1);
        assert!(said(&path).contains("database.password_file"));
        for (text, wanted) in [("\r\n", "it is empty"), (&long, "at most 4096 bytes"), (&long[1..], "good")] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(said(&path).ends_with(wanted), "{}", said(&path));
        }
        assert!(password_in(&path).is_ok() && password_in(&link).is_err());
        assert!(password_in(folder.path()).is_err());
    }
}
