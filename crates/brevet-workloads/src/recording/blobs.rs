//! Where recordings are kept: files by their SHA-256, and what is being written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use brevet_core::{Digest, ExecutionId, Output};

use super::sink::OutputSink;
use super::tail::Live;
use super::{BadRecording, Recording};
use crate::Clock;

/// The folder `<data>/blobs`, which only the server's user can enter.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: Arc<Path>,
}

impl Blobs {
    /// Opens the folder, and makes it where there is none.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("blobs");
        make_folder(&folder)?;
        make_folder(&folder.join("partial"))?;
        sync_folder(&folder)?;
        sync_folder(data)?;
        Ok(Self { folder: folder.into() })
    }

    /// The folder as somebody sees it who only reads.
    pub fn visit(data: &Path) -> Self {
        Self { folder: data.join("blobs").into() }
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
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.partial(execution))
    }

    /// Makes the file durable under the name of its digest.
    pub(super) fn keep(&self, execution: ExecutionId, file: &File, digest: Digest) -> io::Result<()> {
        file.sync_data()?;
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.folder);
        if make_folder(folder)? {
            sync_folder(&self.folder)?;
        }
        std::fs::rename(self.partial(execution), &path)?;
        sync_folder(folder)
    }
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
