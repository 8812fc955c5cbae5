//! Private keys in files of the data folder.
//!
//! `ledger.key` is the key that signs. Every other key has its id behind that name: one that is prepared and may or
//! may not have its entry yet, and those whose overlap is not over. Which is which, the database says: the files
//! are only where the keys are found.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use brevet_ledger::{SigningKey, VerifierKey};

use crate::error::StoreError;
use crate::folder::{DataFolder, check_private};

const KEY_FILE: &str = "ledger.key";
const VERIFIER_FILE: &str = "ledger.vkey";
/// What ends the name of a file that is not whole yet, and of one that is being destroyed.
const UNFINISHED: [&str; 2] = [".new", GONE];
const GONE: &str = ".gone";

/// The key files of a data folder.
#[derive(Debug)]
pub(crate) struct Cabinet {
    folder: DataFolder,
}

/// A key and the file it was found in.
#[derive(Debug)]
pub(crate) struct Filed {
    name: String,
    pub(crate) key: SigningKey,
}

impl Filed {
    pub(crate) fn is_active_file(&self) -> bool {
        self.name == KEY_FILE
    }

    fn is(&self, key: &VerifierKey) -> bool {
        self.key.verifier() == key
    }
}

impl Cabinet {
    pub(crate) fn of(folder: &DataFolder) -> Result<Self, StoreError> {
        Ok(Self { folder: DataFolder::visit(folder.path())? })
    }

    /// All keys that are there, `ledger.key` first. What a crash left half written is destroyed.
    pub(crate) fn keys(&self) -> Result<Vec<Filed>, StoreError> {
        let mut found = Vec::new();
        let path = self.folder.path();
        let unreadable = |source| StoreError::Folder { path: path.to_owned(), source };
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let Ok(name) = entry.map_err(unreadable)?.file_name().into_string() else { continue };
            if name.starts_with(KEY_FILE) && UNFINISHED.iter().any(|end| name.ends_with(end)) {
                self.overwrite(&name)?;
            } else if is_key_file(&name) {
                check_private(&self.path(&name))?;
                let text = self.folder.read(&name)?.unwrap_or_default();
                let key = SigningKey::parse(&text)
                    .map_err(|error| StoreError::damaged(format!("{name}: {error}")))?;
                found.push(Filed { name, key });
            }
        }
        found.sort_by_key(|filed| (!filed.is_active_file(), filed.name.clone()));
        Ok(found)
    }

    /// Keeps the first key of a ledger.
    pub(crate) fn found(&self, key: &SigningKey) -> Result<(), StoreError> {
        self.write(KEY_FILE, key)
    }

    /// Keeps a key that may sign later, durably.
    pub(crate) fn prepare(&self, key: &SigningKey) -> Result<(), StoreError> {
        self.write(&numbered(key.verifier()), key)
    }

    /// Makes sure that the key that signs now has a file of its own, before another takes its place.
    pub(crate) fn set_aside(&self, key: &VerifierKey) -> Result<(), StoreError> {
        let kept = self.path(&numbered(key));
        match fs::hard_link(self.path(KEY_FILE), &kept) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(source) => Err(StoreError::Folder { path: kept, source }),
            Ok(()) => self.sync(),
        }
    }

    /// Puts the files in order: the active key is `ledger.key`, those in `kept` have files of their own, and all
    /// others are destroyed. Can be repeated after a crash at any place in it.
    pub(crate) fn tidy(&self, active: &VerifierKey, kept: &[VerifierKey]) -> Result<(), StoreError> {
        let filed = self.keys()?;
        let first = filed.first().filter(|filed| filed.is_active_file());
        if let Some(first) = first.filter(|first| !first.is(active)) {
            self.set_aside(first.key.verifier())?;
            match filed.iter().find(|filed| filed.is(active)) {
                Some(next) => self.rename(&next.name, KEY_FILE)?,
                // The active key is on a token.
                None => self.destroy(KEY_FILE)?,
            }
        } else if let (None, Some(next)) = (first, filed.iter().find(|filed| filed.is(active))) {
            self.rename(&next.name, KEY_FILE)?;
        }
        for filed in self.keys()?.iter().filter(|filed| !filed.is_active_file()) {
            if filed.is(active) || !kept.contains(filed.key.verifier()) {
                self.destroy(&filed.name)?;
            }
        }
        Ok(())
    }

    /// Writes the verifier keys that sign now, the current one first.
    pub(crate) fn publish(&self, keys: &[VerifierKey]) -> Result<(), StoreError> {
        let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
        match self.folder.read(VERIFIER_FILE)?.as_ref() == Some(&text) {
            true => Ok(()),
            false => self.folder.write(VERIFIER_FILE, &text),
        }
    }

    /// Every verifier key that was last written.
    pub(crate) fn all_published(&self) -> Result<Vec<VerifierKey>, StoreError> {
        self.folder.verifier_keys()
    }

    /// The current one of them.
    pub(crate) fn published(&self) -> Result<Option<VerifierKey>, StoreError> {
        Ok(self.all_published()?.into_iter().next())
    }

    fn write(&self, name: &str, key: &SigningKey) -> Result<(), StoreError> {
        key.reveal_text(|text| self.folder.write(name, &format!("{text}\n")))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        fs::rename(self.path(from), self.path(to))
            .map_err(|source| StoreError::Folder { path: self.path(from), source })?;
        self.sync()
    }

    /// Destroys a key. It gives up its name first, so that nobody takes what is half overwritten for a key.
    fn destroy(&self, name: &str) -> Result<(), StoreError> {
        let gone = format!("{name}{GONE}");
        self.rename(name, &gone)?;
        self.overwrite(&gone)
    }

    /// Overwrites a file and removes it. A file that has another name too only loses this one: the key is in use
    /// under the other.
    fn overwrite(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        let overwrite = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            let metadata = file.metadata()?;
            if metadata.nlink() == 1 {
                file.write_all(&vec![0; usize::try_from(metadata.len()).unwrap_or(0)])?;
                file.sync_all()?;
            }
            fs::remove_file(&path)
        };
        overwrite().map_err(|source| StoreError::Folder { path: path.clone(), source })?;
        self.sync()
    }

    /// Destroys the file of a key that was prepared and not used.
    pub(crate) fn discard(&self, key: &VerifierKey) -> Result<(), StoreError> {
        self.destroy(&numbered(key))
    }

    fn sync(&self) -> Result<(), StoreError> {
        let path = self.folder.path();
        let synced = File::open(path).and_then(|folder| folder.sync_all());
        synced.map_err(|source| StoreError::Folder { path: path.to_owned(), source })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn numbered(key: &VerifierKey) -> String {
    format!("{KEY_FILE}.{:08x}", key.id())
}

fn is_key_file(name: &str) -> bool {
    let is_id = |id: &str| id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit());
    name == KEY_FILE || name.strip_prefix("ledger.key.").is_some_and(is_id)
}
