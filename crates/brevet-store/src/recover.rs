//! Going on under a new name: a copy of the database in which the ledger is empty and everything else is as it was.

use std::path::Path;

use brevet_ledger::{Hash, root_at};

use crate::append::Store;
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::proof::Hashes;

/// What belongs to the ledger alone, and begins anew with it. Requests point at entries for their reasons; those are
/// in the archive then.
const BEGIN_ANEW: &str = "
    DELETE FROM head;
    DELETE FROM entry;
    DELETE FROM entry_text;
    DELETE FROM node;
    DELETE FROM cosigned;
    DELETE FROM archive_file;
    DELETE FROM entry_term;
    DELETE FROM term;
    UPDATE term_head SET size = 0;
    DELETE FROM ledger_key;
    UPDATE sink SET position = 0;
    UPDATE request SET first_seq = -1;
";

impl Store {
    /// The root of the tree over all entries.
    ///
    /// # Errors
    /// When the stored hashes cannot be read.
    pub fn root(&self) -> Result<Hash, StoreError> {
        root_at(&Hashes { connection: self.connection() }, self.size())
    }

    /// Copies the database to a folder that has none, with an empty ledger in it.
    ///
    /// # Errors
    /// When the folder has a database already, or cannot be written.
    pub fn copy_with_empty_ledger(&self, folder: &DataFolder) -> Result<(), StoreError> {
        let path = folder.database();
        self.connection().execute("VACUUM INTO ?1", [path_text(&path)?]).map_err(writing)?;
        restrict(&path)?;
        let copy = crate::sqlite::open_writer(&path)?;
        copy.execute_batch(&format!("BEGIN IMMEDIATE; {BEGIN_ANEW} COMMIT;")).map_err(writing)?;
        copy.close().map_err(|(_, error)| writing(error))
    }
}

fn path_text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::Folder {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidFilename, "its name is not UTF-8"),
    })
}

fn restrict(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, private)
        .map_err(|source| StoreError::Folder { path: path.to_owned(), source })
}
