//! Where recordings are kept: files by their SHA-256, and what is being written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use brevet_core::{Digest, ExecutionId, Output};

use super::arriving::Arriving;
use super::sink::OutputSink;
use super::tail::Live;
use super::{BadRecording, Recording};
use crate::Clock;

/// The folder `<data>/blobs`, which only the server's user can enter.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: Arc<Path>,
    /// How many recordings have arrived from elsewhere, so that each has a name of its own until it is whole.
    arrived: Arc<AtomicU64>,
}

/// How the names of those begin that are on their way here.
const ARRIVING: &str = "arriving-";

impl Blobs {
    /// Opens the folder, and makes it where there is none.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("blobs");
        make_folder(&folder)?;
        make_folder(&folder.join("partial"))?;
        remove_arriving(&folder.join("partial"))?;
        sync_folder(&folder)?;
        sync_folder(data)?;
        Ok(Self { folder: folder.into(), arrived: Arc::default() })
    }

    /// The folder as somebody sees it who only reads.
    pub fn visit(data: &Path) -> Self {
        Self { folder: data.join("blobs").into(), arrived: Arc::default() }
    }

    /// Where the output of a run goes, and from where it can be read as it comes. Nothing is made before the first
    /// byte.
    pub fn record(&self, execution: ExecutionId, clock: Arc<dyn Clock>) -> (OutputSink, Live) {
        OutputSink::new(self.clone(), execution, clock)
    }

    /// Opens a finished recording, once all of it was verified against the ledger's word for it. It reads the whole
    /// file: do not call it where waiting hurts.
    pub fn read(&self, output: &Output) -> Result<Recording, BadRecording> {
        Recording::open(&self.path(output.digest), output)
    }

    /// Whether a file is there under the digest. Whoever reads it finds out whether it is the right one.
    pub fn has(&self, output: &Output) -> bool {
        self.path(output.digest).exists()
    }

    /// Begins to take over a finished recording from elsewhere.
    ///
    /// # Errors
    /// When no file can be made.
    pub fn receive(&self, output: &Output) -> io::Result<Arriving> {
        let number = self.arrived.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join("partial").join(format!("{ARRIVING}{number}"));
        let file = make_file(&path)?;
        Ok(Arriving::new(self.clone(), *output, file, path))
    }

    /// The bytes of a finished recording as they are stored, for whoever checks their digest; `None` when it is not
    /// there any more. No more is read than the ledger says there is.
    pub fn bytes(&self, output: &Output) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.path(output.digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(output.bytes).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Where the recording of this digest is, when it is finished.
    pub fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.folder.join(&name[..2]).join(name)
    }

    fn partial(&self, execution: ExecutionId) -> PathBuf {
        self.folder.join("partial").join(execution.to_string())
    }

    /// A new file for this run. That one is there already is an error: nothing is ever written over.
    pub(super) fn create(&self, execution: ExecutionId) -> io::Result<File> {
        make_file(&self.partial(execution))
    }

    /// Makes the file of a run durable under the name of its digest.
    pub(super) fn keep(&self, execution: ExecutionId, file: &File, digest: Digest) -> io::Result<()> {
        self.settle(&self.partial(execution), file, digest)
    }

    /// Makes a file durable under the name of its digest.
    pub(super) fn settle(&self, from: &Path, file: &File, digest: Digest) -> io::Result<()> {
        file.sync_data()?;
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        if make_folder(folder)? {
            sync_folder(&self.folder)?;
        }
        std::fs::rename(from, &path)?;
        sync_folder(folder)
    }
}

/// What arrived halfway before a crash is no evidence: it is still where it came from.
fn remove_arriving(partial: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(partial)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(ARRIVING) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn make_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Says whether it was not there before.
fn make_folder(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
