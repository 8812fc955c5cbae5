//! Reading the files, which only root or the server's user may be able to change: who can write a definition decides
//! what runs as root.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

use super::limit::{FILE_BYTES_MAX, FILES_MAX};
use super::problem::Problem;
use crate::guard::{self, Stranger};

/// A file of definitions.
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Every `*.toml` of the folder, in the order of their names. What cannot be read is a problem, never left out.
pub(super) fn read(folder: &Path, problems: &mut Vec<Problem>) -> Vec<SourceFile> {
    let opened = open_folder(folder).and_then(|fd| Ok((list(&fd, folder)?, fd)));
    let (names, fd) = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            problems.push(problem);
            return Vec::new();
        }
    };
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        match read_file(&fd, &folder.join(&name), &name) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    files
}

fn open_folder(folder: &Path) -> Result<OwnedFd, Problem> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(CWD, folder, flags, Mode::empty()).map_err(|errno| cannot_open(folder, errno))?;
    let stat = fstat(&fd).map_err(|errno| cannot_open(folder, errno))?;
    only_owner_writes(folder, &stat)?;
    Ok(fd)
}

fn list(fd: &OwnedFd, folder: &Path) -> Result<Vec<String>, Problem> {
    let failed = |errno| cannot_open(folder, errno);
    let mut names = Vec::new();
    for entry in Dir::read_from(fd).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_bytes();
        // Hidden ones are what editors leave behind.
        if !name.ends_with(b".toml") || name.starts_with(b".") {
            continue;
        }
        let name = std::str::from_utf8(name).map_err(|_| {
            let shown = String::from_utf8_lossy(name).into_owned();
            Problem::of_file(&folder.join(shown), "the name of this file is not UTF-8", "rename it")
        })?;
        names.push(name.to_owned());
        if names.len() > FILES_MAX {
            let sentence = format!("there are more than {FILES_MAX} files of definitions here");
            return Err(Problem::of_file(folder, sentence, "put several tasks into one file"));
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read_file(folder: &OwnedFd, path: &Path, name: &str) -> Result<SourceFile, Problem> {
    let failed = |errno| cannot_open(path, errno);
    // NONBLOCK: should the name be a pipe, opening it must not wait.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = openat(folder, name, flags, Mode::empty()).map_err(failed)?;
    let stat = fstat(&fd).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Problem::of_file(path, "this is not a regular file", "move it out of the folder"));
    }
    only_owner_writes(path, &stat)?;
    let mut bytes = Vec::new();
    let limited = std::fs::File::from(fd).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    limited.map_err(|error| {
        Problem::of_file(path, format!("the file could not be read: {error}"), "check the disk")
    })?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let sentence = format!("the file has more than {FILE_BYTES_MAX} bytes");
        return Err(Problem::of_file(path, sentence, "split it into several files"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let sentence = format!("the file is not UTF-8 from byte {} on", error.utf8_error().valid_up_to());
        Problem::of_file(path, sentence, "save it as UTF-8")
    })?;
    Ok(SourceFile { path: path.to_owned(), text })
}

fn only_owner_writes(path: &Path, stat: &Stat) -> Result<(), Problem> {
    let shown = path.display();
    guard::only_owner_writes(stat).map_err(|stranger| match stranger {
        Stranger::Owner(owner) => {
            let sentence = format!("this belongs to user {owner}, who could define what runs");
            Problem::of_file(path, sentence, format!("chown root {shown}"))
        }
        Stranger::Others => {
            let sentence = "others than the owner can write this, and so define what runs";
            Problem::of_file(path, sentence, format!("chmod go-w {shown}"))
        }
    })
}

fn cannot_open(path: &Path, errno: Errno) -> Problem {
    let (sentence, hint) = match errno {
        Errno::LOOP => ("this is a symbolic link".to_owned(), "put the file or folder itself here"),
        Errno::NOENT => ("this does not exist".to_owned(), "create it, or correct the path"),
        // With DIRECTORY and NOFOLLOW, a link to a folder is said to be "not a directory".
        Errno::NOTDIR => {
            ("this is not a folder, or is a symbolic link to one".to_owned(), "name the folder itself")
        }
        Errno::ACCESS => {
            ("the server may not read this".to_owned(), "give it to the server's user, or to root")
        }
        other => (format!("this could not be opened: {other}"), "check the file system"),
    };
    Problem::of_file(path, sentence, hint)
}
