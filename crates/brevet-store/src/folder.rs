//! The data folder: private, on a local disk, and held by one server at a time.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use brevet_ledger::VerifierKey;

use crate::error::StoreError;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// What must be private where it exists: of a server, and of a witness.
const PRIVATE: [&str; 10] = [
    "brevet.db",
    "brevet.db-wal",
    "brevet.db-shm",
    "ledger.key",
    "brevet.lock",
    "blobs",
    "witness.db",
    "witness.db-wal",
    "witness.db-shm",
    "witness.key",
];

/// A data folder that was found to be private. Holds its lock until dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder if there is none, checks that it is nobody else's, and takes its lock.
    pub fn claim(path: &Path) -> Result<Self, StoreError> {
        let folder = |source| StoreError::Folder { path: path.to_owned(), source };
        if !path.exists() {
            fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(folder)?;
        }
        check_private(path)?;
        check_local(path)?;
        let claimed = Self { path: path.to_owned(), _lock: None };
        let lock = claimed.open_private("brevet.lock")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StoreError::Busy { path: path.to_owned() }),
            Err(fs::TryLockError::Error(source)) => return Err(folder(source)),
        }
        claimed.check_files()?;
        Ok(Self { _lock: Some(lock), ..claimed })
    }

    /// The same folder for reading beside a server: checked, not locked.
    pub fn visit(path: &Path) -> Result<Self, StoreError> {
        check_private(path)?;
        let visited = Self { path: path.to_owned(), _lock: None };
        visited.check_files()?;
        Ok(visited)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database in it.
    pub fn database(&self) -> PathBuf {
        self.path.join("brevet.db")
    }

    /// Where outputs are kept by digest.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    /// A small private file, when there is one.
    pub fn read(&self, name: &str) -> Result<Option<String>, StoreError> {
        match fs::read_to_string(self.path.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::Folder { path: self.path.join(name), source }),
        }
    }

    /// Writes a small private file, durably, as a whole.
    pub fn write(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let part = format!("{name}.new");
        let failed = |source| StoreError::Folder { path: self.path.join(name), source };
        let mut file = self.open_private(&part)?;
        file.set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        fs::rename(self.path.join(&part), self.path.join(name)).map_err(failed)?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// The verifier keys as they were last written beside the database, the current one first.
    pub(crate) fn verifier_keys(&self) -> Result<Vec<VerifierKey>, StoreError> {
        let text = self.read("ledger.vkey")?.unwrap_or_default();
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    /// Makes a private folder in it.
    pub fn make_folder(&self, name: &str) -> Result<PathBuf, StoreError> {
        let path = self.path.join(name);
        match fs::DirBuilder::new().mode(FOLDER_MODE).create(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(StoreError::Folder { path, source: error })
            }
            _ => Ok(path),
        }
    }

    pub(crate) fn open_private(&self, name: &str) -> Result<File, StoreError> {
        let path = self.path.join(name);
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&path);
        options.map_err(|source| StoreError::Folder { path, source })
    }

    fn check_files(&self) -> Result<(), StoreError> {
        for name in PRIVATE {
            let path = self.path.join(name);
            if path.exists() {
                check_private(&path)?;
            }
        }
        Ok(())
    }
}

pub(crate) fn check_private(path: &Path) -> Result<(), StoreError> {
    let metadata =
        fs::symlink_metadata(path).map_err(|source| StoreError::Folder { path: path.to_owned(), source })?;
    let mode = metadata.mode() & 0o7777;
    let wanted = if metadata.is_dir() { FOLDER_MODE } else { FILE_MODE };
    if mode & 0o077 != 0 {
        return Err(StoreError::TooOpen { path: path.to_owned(), mode, wanted });
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::ForeignOwner { path: path.to_owned(), owner: metadata.uid() });
    }
    Ok(())
}

fn check_local(path: &Path) -> Result<(), StoreError> {
    const NFS: i64 = 0x6969;
    const SMB: i64 = 0x517b;
    const SMB2: i64 = 0xfe53_4d42;
    const CIFS: i64 = 0xff53_4d42;
    const FUSE: i64 = 0x6573_5546;
    const AFS: i64 = 0x5346_414f;
    const NINE_P: i64 = 0x0102_1997;
    let stat = rustix::fs::statfs(path)
        .map_err(|error| StoreError::Folder { path: path.to_owned(), source: error.into() })?;
    match [NFS, SMB, SMB2, CIFS, FUSE, AFS, NINE_P].contains(&(stat.f_type & 0xffff_ffff)) {
        true => Err(StoreError::NetworkFileSystem { path: path.to_owned() }),
        false => Ok(()),
    }
}
