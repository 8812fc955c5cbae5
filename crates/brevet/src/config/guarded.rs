//! Reading the settings file, which says where keys, passwords and records are: by the rule of task definitions, only
//! root and the server's user may be able to change it.

use std::io::{Error, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use brevet_workloads::guard::{Stranger, only_owner_writes};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use super::BadConfig;

/// The longest settings file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The text of the file. What is checked is what is read: nothing is opened twice.
pub(super) fn read(path: &Path) -> Result<String, BadConfig> {
    let unreadable = |source| BadConfig::Unreadable { path: path.to_owned(), source };
    let name = path.file_name().ok_or_else(|| unreadable(Error::other("it is not the name of a file")))?;
    let folder_path = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = open(CWD, folder_path, OFlags::PATH | OFlags::DIRECTORY).map_err(unreadable)?;
    check(folder_path, &folder)?;
    // NONBLOCK and NOCTTY: should the name be a pipe or a terminal, opening it must neither wait nor take it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = open(folder, Path::new(name), flags).map_err(unreadable)?;
    check(path, &file)?;
    let mut text = String::new();
    std::fs::File::from(file).take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    match text.len() as u64 {
        ..=FILE_BYTES_MAX => Ok(text),
        _ => Err(unreadable(Error::other("it is larger than a megabyte"))),
    }
}

fn open(folder: impl AsFd, name: &Path, flags: OFlags) -> Result<OwnedFd, Error> {
    openat(folder, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| {
        match errno {
            Errno::LOOP => Error::other("it is a symbolic link; name the file itself"),
            // With DIRECTORY and NOFOLLOW, a link to a folder is said to be "not a directory".
            Errno::NOTDIR => Error::other("its folder is a symbolic link, or none; name the folder itself"),
            other => other.into(),
        }
    })
}

fn check(part: &Path, opened: &OwnedFd) -> Result<(), BadConfig> {
    let unreadable = |source| BadConfig::Unreadable { path: part.to_owned(), source };
    let stat = fstat(opened).map_err(|errno| unreadable(errno.into()))?;
    if !matches!(FileType::from_raw_mode(stat.st_mode), FileType::RegularFile | FileType::Directory) {
        return Err(unreadable(Error::other("it is not a regular file")));
    }
    only_owner_writes(&stat).map_err(|stranger| match stranger {
        Stranger::Owner(owner) => BadConfig::Owner { part: part.to_owned(), owner },
        Stranger::Others => BadConfig::Writable { part: part.to_owned() },
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::read;
    use crate::config::tests::written;

    fn set(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn settings_that_others_can_change_are_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = written(&folder, "data = '/d'");
        for mode in [0o600, 0o640, 0o644, 0o400] {
            set(&path, mode);
            assert_eq!(read(&path).unwrap(), "data = '/d'", "{mode:o}");
        }
        for mode in [0o660, 0o602, 0o666] {
            set(&path, mode);
            let sentence = read(&path).unwrap_err().to_string();
            assert!(sentence.ends_with(&format!("chmod go-w {}", path.display())), "{mode:o}: {sentence}");
        }
        set(&path, 0o600);
        for mode in [0o770, 0o707, 0o1777] {
            set(folder.path(), mode);
            let sentence = read(&path).unwrap_err().to_string();
            let wanted = format!("chmod go-w {}", folder.path().display());
            assert!(sentence.ends_with(&wanted), "{mode:o}: {sentence}");
        }
        set(folder.path(), 0o755);
        assert!(read(&path).is_ok());
    }

    #[test]
    fn settings_are_a_file_of_its_own_in_a_folder_of_its_own() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = written(&folder, "data = '/d'");
        let link = folder.path().join("link.toml");
        symlink(&path, &link).unwrap();
        let there = folder.path().join("there");
        symlink(folder.path(), &there).unwrap();
        for bad in [&link, &there.join("brevet.toml")] {
            let sentence = read(bad).unwrap_err().to_string();
            assert!(sentence.contains("symbolic link"), "{sentence}");
        }
        for bad in [folder.path().to_owned(), folder.path().join(".."), folder.path().join("none.toml")] {
            assert!(read(&bad).is_err(), "{}", bad.display());
        }
    }
}
