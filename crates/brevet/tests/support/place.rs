//! A temporary folder with all that one server needs.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Folders, removed with this value.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("brevet-test-").tempdir().unwrap();
        for name in ["tasks", "site", "people"] {
            fs::DirBuilder::new().mode(0o700).create(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn tasks(&self) -> PathBuf {
        self.folder.path().join("tasks")
    }

    /// The settings of the server, when there are any.
    pub(crate) fn settings_file(&self) -> PathBuf {
        self.folder.path().join("brevet.toml")
    }

    /// Sets the server.
    pub(crate) fn settings(&self, text: &str) {
        write_private(&self.settings_file(), text.as_bytes());
    }

    /// Where tasks leave their traces.
    pub(crate) fn site(&self, name: &str) -> PathBuf {
        self.folder.path().join("site").join(name)
    }

    /// Writes a definition; `SITE` in it is the folder of traces, `SH`, `SLEEP`, `CAT` are programs.
    pub(crate) fn define(&self, name: &str, text: &str) {
        let site = self.folder.path().join("site").display().to_string();
        let text = text.replace("SITE", &site);
        let text = ["SH", "SLEEP", "CAT", "ENV", "PRINTF"].iter().fold(text, |text, program| {
            let path = program_path(&program.to_lowercase());
            text.replace(&format!("\"{program}\""), &format!("\"{}\"", path.display()))
        });
        write_private(&self.tasks().join(name), text.as_bytes());
    }
}

/// Where a program really is: definitions name no symbolic links.
fn program_path(name: &str) -> PathBuf {
    let places = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
    places
        .iter()
        .find_map(|path| path.canonicalize().ok())
        .unwrap_or_else(|| panic!("this machine has no {name}"))
}

/// Writes a file that nobody else can read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(bytes).unwrap();
}
