//! Going on under a new name: a copy of the database in which the ledger is empty and everything else is as it was.

use std::path::Path;

use crate::engine::Connection;
use brevet_ledger::{Checkpoint, Hash, Note, VerifierKey, root_at};

use crate::append::Store;
use crate::error::{StoreError, writing};
use crate::folder::DataFolder;
use crate::proof::Hashes;

/// What belongs to the ledger alone, and begins anew with it. Requests point at entries for their reasons; those are
/// in the archive then. Sign-outs may be among what was lost, so everybody signs in again.
const BEGIN_ANEW: &str = "
    DELETE FROM head;
    DELETE FROM entry;
    DELETE FROM entry_text;
    DELETE FROM node;
    DELETE FROM cosigned;
    DELETE FROM archive_file;
    DELETE FROM erasure;
    DELETE FROM entry_term;
    DELETE FROM term;
    UPDATE term_head SET size = 0;
    DELETE FROM ledger_key;
    UPDATE sink SET position = 0;
    UPDATE request SET first_seq = -1;
    DELETE FROM session;
    DELETE FROM idempotency;
";

impl Store {
    /// The root of the tree over all entries.
    ///
    /// # Errors
    /// When the stored hashes cannot be read.
    pub fn root(&self) -> Result<Hash, StoreError> {
        root_at(&Hashes { connection: self.connection() }, self.size())
    }

    /// Opens a checkpoint of this ledger that was kept elsewhere: signed by a key that the database knows, or by one
    /// of those beside it in `ledger.vkey`, which knows newer ones than a database that was restored.
    ///
    /// # Errors
    /// When it is no checkpoint of this ledger, or nobody known signed it.
    pub fn kept_checkpoint(&self, note: &str) -> Result<Checkpoint, StoreError> {
        let note: Note = note.parse().map_err(StoreError::damaged)?;
        Checkpoint::open(&note, self.ledger_name(), &self.keys_ever()?).map_err(StoreError::damaged)
    }

    /// Whether this ledger has, or ever had, a key with the public half of one of the other ledger's keys: a label on
    /// a token can name one key under two names. Who verifies could not tell by the key which of the two signed, and
    /// the policy of a witness has no public key twice.
    ///
    /// # Errors
    /// When `ledger.vkey` cannot be read.
    pub fn had_key_of(&self, other: &Self) -> Result<bool, StoreError> {
        let had = self.keys_ever()?;
        let is_had = |key: &VerifierKey| had.iter().any(|known| known.public() == key.public());
        Ok(other.keys_ever()?.iter().any(is_had))
    }

    /// Every key that the database knows, or `ledger.vkey` beside it.
    fn keys_ever(&self) -> Result<Vec<VerifierKey>, StoreError> {
        let mut keys: Vec<VerifierKey> =
            self.known_keys().iter().filter_map(|key| key.parse().ok()).collect();
        for key in self.folder().verifier_keys()? {
            if key.name().as_str() == self.origin() && !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Copies the database to a folder that has none, with an empty ledger in it.
    ///
    /// # Errors
    /// When the folder has a database already, or cannot be written.
    pub fn copy_with_empty_ledger(&self, folder: &DataFolder) -> Result<(), StoreError> {
        let path = folder.database();
        copy_database(self.connection(), &path)?;
        let copy = crate::sqlite::open_writer(&path)?;
        copy.execute_batch(&format!("BEGIN IMMEDIATE; {BEGIN_ANEW} COMMIT;")).map_err(writing)?;
        copy.close().map_err(|(_, error)| writing(error))
    }
}

/// Copies a database to a file that does not exist, for its owner alone.
pub(crate) fn copy_database(from: &Connection, path: &Path) -> Result<(), StoreError> {
    from.execute("VACUUM INTO ?1", [path_text(path)?]).map_err(writing)?;
    restrict(path)
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
