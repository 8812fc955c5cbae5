//! The anchor: the last signed checkpoint, in a small file that should lie on other storage than the ledger.
//!
//! A backup that is restored, or a copy of the database that goes on elsewhere, is consistent in itself; only
//! something that was not restored with it can tell. So the anchor is never part of a backup, is replaced only
//! when it still holds what this server wrote last, and a start compares it with the database.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::engine::{NONE, OptionalExtension as _, Row};
use brevet_ledger::{Checkpoint, Hash, Note, VerifierKey, root_at};

use crate::append::Store;
use crate::error::StoreError;
use crate::proof::Hashes;

/// The anchor's name where it lies beside the ledger.
pub const ANCHOR_FILE: &str = "anchor";
const FILE_MODE: u32 = 0o600;
/// The longest anchor that is read, in bytes: a checkpoint with all the signatures that a note may have.
const ANCHOR_BYTES_MAX: u64 = 1 << 20;

/// Why the ledger may not be written with this anchor.
#[derive(Debug, thiserror::Error)]
pub enum AnchorFault {
    /// There is a ledger, and no anchor.
    #[error(
        "the anchor {path} is missing, although the ledger has {size} entries: nobody can tell whether this database \
         is the newest. If its place was only just chosen, write it with: brevet audit anchor --anchor {path}\n\
         If a backup was restored, go on under a new name with: brevet audit recover"
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// Entries in the database.
        size: u64,
    },
    /// The database was restored, or lost its end.
    #[error(
        "the database is older than the anchor {path}: the ledger had {anchored} entries when it was written, the \
         database has {size}. A backup was restored, or entries were deleted. Put the newer database back; if it is \
         lost, go on under a new name with: brevet audit recover"
    )]
    Older {
        /// Where the anchor is.
        path: PathBuf,
        /// Entries by the anchor.
        anchored: u64,
        /// Entries in the database.
        size: u64,
    },
    /// Two histories.
    #[error(
        "the database and the anchor {path} hold different histories: the first {anchored} entries are not those \
         that the anchor was signed for. Find out with: brevet audit verify --anchor {path}\n\
         To go on under a new name: brevet audit recover"
    )]
    Differs {
        /// Where the anchor is.
        path: PathBuf,
        /// Entries by the anchor.
        anchored: u64,
    },
    /// Not a checkpoint of this ledger.
    #[error("the anchor {path} is not a checkpoint of this ledger: {why}")]
    Foreign {
        /// Where the anchor is.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another server writes too.
    #[error(
        "another server wrote the anchor {path}: two servers go on with one ledger. This one stops; \
         find the other one, and which of both histories the witnesses have seen"
    )]
    Moved {
        /// Where the anchor is.
        path: PathBuf,
    },
    /// Another server has it now.
    #[error("another server holds the anchor {path}; stop it first")]
    Busy {
        /// Where the anchor is.
        path: PathBuf,
    },
    /// The storage is away.
    #[error("the anchor {path} cannot be used: {source}")]
    Unusable {
        /// Where the anchor is.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// An anchor that this process holds.
#[derive(Debug)]
pub struct Anchor {
    path: PathBuf,
    /// What it held when it was last read or written here.
    known: Option<String>,
    /// What was on its way there when the storage failed: it may have arrived.
    attempted: Option<String>,
    _lock: File,
}

impl Anchor {
    /// Takes the anchor at this path for this process alone, and reads it. It need not exist yet.
    ///
    /// # Errors
    /// [`AnchorFault::Busy`], [`AnchorFault::Unusable`].
    pub fn hold(path: &Path) -> Result<Self, AnchorFault> {
        let unusable = |source| AnchorFault::Unusable { path: path.to_owned(), source };
        let lock = open_private(&with_suffix(path, ".lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(AnchorFault::Busy { path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let known = read(path).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), known, attempted: None, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint it holds, a signed note.
    pub fn checkpoint(&self) -> Option<&str> {
        self.known.as_deref()
    }

    /// Puts a newer checkpoint in place of the known one, durably, if that is still there.
    ///
    /// # Errors
    /// [`AnchorFault::Moved`] when it holds something else: somebody goes on with the same ledger.
    /// [`AnchorFault::Unusable`].
    pub fn replace(&mut self, checkpoint: &str) -> Result<(), AnchorFault> {
        let unusable = |source| AnchorFault::Unusable { path: self.path.clone(), source };
        let found = read(&self.path).map_err(unusable)?;
        let is_ours = found == self.known || (found.is_some() && found == self.attempted);
        if !is_ours {
            return Err(AnchorFault::Moved { path: self.path.clone() });
        }
        self.attempted = Some(checkpoint.to_owned());
        self.write(checkpoint).map_err(unusable)?;
        self.known = self.attempted.take();
        Ok(())
    }

    /// Puts a checkpoint there whatever it holds: for a ledger that goes on under a new name.
    ///
    /// # Errors
    /// [`AnchorFault::Unusable`].
    pub fn replace_any(&mut self, checkpoint: &str) -> Result<(), AnchorFault> {
        self.write(checkpoint).map_err(|source| AnchorFault::Unusable { path: self.path.clone(), source })?;
        self.known = Some(checkpoint.to_owned());
        Ok(())
    }

    fn write(&self, checkpoint: &str) -> std::io::Result<()> {
        let part = with_suffix(&self.path, ".new");
        let mut file = open_private(&part)?;
        file.set_len(0)?;
        file.write_all(checkpoint.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &self.path)?;
        match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

impl Store {
    /// Holds the database against the anchor before anything is written.
    ///
    /// # Errors
    /// [`StoreError::Anchor`] when the database is not what the anchor was signed for, or goes less far.
    pub fn check_anchor(&self, anchor: &Anchor) -> Result<(), StoreError> {
        let (size, path) = (self.size(), anchor.path.clone());
        let Some(note) = anchor.checkpoint() else {
            return match size {
                0 => Ok(()),
                _ => Err(AnchorFault::Missing { path, size }.into()),
            };
        };
        let anchored = match self.open_checkpoint(note) {
            Ok(anchored) => anchored,
            Err(error) => return Err(AnchorFault::Foreign { path, why: error.to_string() }.into()),
        };
        if anchored.size() > size {
            return Err(AnchorFault::Older { path, anchored: anchored.size(), size }.into());
        }
        let root = root_at(&Hashes { connection: self.connection() }, anchored.size())?;
        match root == anchored.root() {
            true => Ok(()),
            false => Err(AnchorFault::Differs { path, anchored: anchored.size() }.into()),
        }
    }

    /// The root of the tree over the first `size` entries.
    ///
    /// # Errors
    /// When there are not so many, or their hashes cannot be read.
    pub fn root_at(&self, size: u64) -> Result<Hash, StoreError> {
        root_at(&Hashes { connection: self.connection() }, size)
    }

    /// The newest checkpoint that enough witnesses signed and that was kept, with its size.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn cosigned(&self) -> Result<Option<(u64, String)>, StoreError> {
        let sql = "SELECT size, note FROM cosigned ORDER BY size DESC LIMIT 1";
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?));
        Ok(self.connection().query_row(sql, NONE, row).optional()?)
    }

    /// A checkpoint of this ledger, signed by a key that it has or had.
    fn open_checkpoint(&self, note: &str) -> Result<Checkpoint, brevet_ledger::Error> {
        let note: Note = note.parse()?;
        let keys: Vec<VerifierKey> =
            self.known_keys().iter().map(|key| key.parse()).collect::<Result<_, _>>()?;
        Checkpoint::open(&note, self.ledger_name(), &keys)
    }
}

impl From<AnchorFault> for StoreError {
    fn from(fault: AnchorFault) -> Self {
        Self::Anchor(fault)
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(FILE_MODE).open(path)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn read(path: &Path) -> std::io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(ANCHOR_BYTES_MAX).read_to_string(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::{Anchor, AnchorFault};

    #[test]
    fn it_is_replaced_only_while_it_holds_what_was_last_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let mut anchor = Anchor::hold(&path).unwrap();
        assert_eq!(anchor.checkpoint(), None);
        anchor.replace("one\n").unwrap();
        anchor.replace("two\n").unwrap();
        std::fs::write(&path, "somebody else's\n").unwrap();
        assert!(matches!(anchor.replace("three\n"), Err(AnchorFault::Moved { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody else's\n");
        assert!(matches!(Anchor::hold(&path), Err(AnchorFault::Busy { .. })));
        drop(anchor);
        assert_eq!(Anchor::hold(&path).unwrap().checkpoint(), Some("somebody else's\n"));
    }

    #[test]
    fn one_that_was_removed_meanwhile_is_somebody_elses_doing_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("anchor");
        let mut anchor = Anchor::hold(&path).unwrap();
        anchor.replace("one\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(anchor.replace("two\n"), Err(AnchorFault::Moved { .. })));
    }
}
