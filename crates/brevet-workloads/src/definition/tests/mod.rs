//! Whole folders of definitions, as an administrator writes them.

mod digests;
mod folder;
mod good;
mod injective;
mod problems;

use std::path::Path;

use super::{Loaded, Problems, load};

/// A folder with these files, which is gone when this is dropped.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Result<Loaded, Problems> {
        load(self.path())
    }

    /// The problems, with paths relative to the folder.
    fn problems(&self) -> Vec<String> {
        let all = self.load().expect_err("a problem").to_string();
        let folder = format!("{}/", self.path().display());
        all.lines().map(|line| line.replace(&folder, "")).collect()
    }
}

fn workload(rest: &str) -> String {
    format!("[workload]\nname = \"Linux\"\nkind = \"command\"\n{rest}")
}
