//! A program that only its owner can change, opened once.
//!
//! What is checked is what runs: the file stays open from the check to the exec, and the exec is of the open file,
//! not of its name. Every directory above it was looked at through its own open descriptor on the way down, so no
//! rename in between can mix two trees.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2};
use rustix::io::{Errno, pread};
use sha2::{Digest, Sha256};

use crate::guard::{self, Stranger};

/// A program file, open, that passed every check of [`Executable::open`].
#[derive(Debug)]
pub struct Executable {
    file: OwnedFd,
    path: PathBuf,
    is_script: bool,
}

/// Why a program is not run. Each sentence says what to do.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the sentences say")]
pub enum BadExecutable {
    #[error("{path:?} is not an absolute path; write the whole path from /")]
    Relative { path: PathBuf },
    #[error("{path:?} goes through `..`; write the path without it")]
    ParentDirectory { path: PathBuf },
    #[error("{path:?} holds a NUL byte, which no path can")]
    Nul { path: PathBuf },
    #[error("{} passes through the symbolic link {}; write {}", path.display(), link.display(), resolved(path))]
    Symlink { path: PathBuf, link: PathBuf },
    #[error("{} does not exist; correct the path, or install the program", part.display())]
    Missing { part: PathBuf },
    #[error("{} is not a regular file; name a program", path.display())]
    NotAFile { path: PathBuf },
    #[error("{path} is not executable; if it should be: chmod +x {path}", path = path.display())]
    NotExecutable { path: PathBuf },
    #[error("{} has the set-user-id or set-group-id bit; tasks get their user from `run_as`: name a program without it", path.display())]
    SetId { path: PathBuf },
    #[error("{} belongs to user {owner}, who could change what runs; it must belong to root or to user {us} of the server: chown root {}", part.display(), part.display())]
    Owner { part: PathBuf, owner: u32, us: u32 },
    #[error("{} can be written to by others than its owner, who could change what runs: chmod go-w {}", part.display(), part.display())]
    Writable { part: PathBuf },
    #[error("{} could not be examined", part.display())]
    Io { part: PathBuf, source: io::Error },
}

impl Executable {
    /// Opens the program at `path`, which must be absolute and free of symbolic links. The file must be regular,
    /// executable, readable, without set-id bits; it and every directory above it must belong to root or to this
    /// process's user and be writable by nobody else.
    pub fn open(path: &Path) -> Result<Self, BadExecutable> {
        let names = names(path)?;
        let mut part = PathBuf::from("/");
        let mut here = open_directory(CWD, OsStr::new("/"), &part)?;
        let Some((file_name, directories)) = names.split_last() else {
            return Err(BadExecutable::NotAFile { path: part });
        };
        for name in directories {
            part.push(name);
            here = open_directory(here.as_fd(), name, &part).map_err(|refusal| refusal.within(path))?;
        }
        part.push(file_name);
        let file = open_program(here.as_fd(), file_name, &part)?;
        let is_script = begins_as_script(&file).map_err(|error| io_error(&part, error))?;
        Ok(Self { file, path: part, is_script })
    }

    /// The path that was opened, normalized.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it begins with `#!`, so that what runs is its interpreter.
    pub fn is_script(&self) -> bool {
        self.is_script
    }

    /// The SHA-256 of its content. It reads the whole file.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut digest = Sha256::new();
        let mut chunk = vec![0; READ_BYTES];
        let mut offset = 0;
        loop {
            let count = pread(&self.file, &mut chunk, offset)?;
            if count == 0 {
                return Ok(digest.finalize().into());
            }
            digest.update(&chunk[..count]);
            offset += count as u64;
        }
    }
}

impl BadExecutable {
    /// A link was found as a part of `whole`: what to write instead is a matter of the whole path.
    fn within(self, whole: &Path) -> Self {
        match self {
            Self::Symlink { link, path: _ } => Self::Symlink { path: whole.to_owned(), link },
            other => other,
        }
    }
}

impl AsFd for Executable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Whether the file at `path` is, at this instant, the one that is open as `file`.
pub(super) fn is_still(path: &std::ffi::CStr, file: BorrowedFd<'_>) -> Result<bool, Errno> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let now = fstat(openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)?;
    let then = fstat(file)?;
    Ok((now.st_dev, now.st_ino) == (then.st_dev, then.st_ino))
}

const READ_BYTES: usize = 64 * 1024;

fn names(path: &Path) -> Result<Vec<&OsStr>, BadExecutable> {
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(BadExecutable::Nul { path: path.to_owned() });
    }
    if !path.is_absolute() {
        return Err(BadExecutable::Relative { path: path.to_owned() });
    }
    let named = path.components().filter(|component| !matches!(component, Component::RootDir));
    named
        .map(|component| match component {
            Component::Normal(name) => Ok(name),
            _ => Err(BadExecutable::ParentDirectory { path: path.to_owned() }),
        })
        .collect()
}

fn open_directory(parent: BorrowedFd<'_>, name: &OsStr, part: &Path) -> Result<OwnedFd, BadExecutable> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let (directory, stat) = open_part(parent, name, flags, part)?;
    only_owner_writes(&stat, part)?;
    Ok(directory)
}

fn open_program(parent: BorrowedFd<'_>, name: &OsStr, part: &Path) -> Result<OwnedFd, BadExecutable> {
    // NONBLOCK and NOCTTY: should the name be a pipe or a terminal, opening it must neither wait nor take it.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let (file, stat) = open_part(parent, name, flags, part)?;
    let path = || part.to_owned();
    let mode = Mode::from_raw_mode(stat.st_mode);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(BadExecutable::NotAFile { path: path() });
    }
    if mode.intersects(Mode::SUID | Mode::SGID) {
        return Err(BadExecutable::SetId { path: path() });
    }
    if !mode.intersects(Mode::XUSR | Mode::XGRP | Mode::XOTH) {
        return Err(BadExecutable::NotExecutable { path: path() });
    }
    only_owner_writes(&stat, part)?;
    Ok(file)
}

fn open_part(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    flags: OFlags,
    part: &Path,
) -> Result<(OwnedFd, Stat), BadExecutable> {
    let opened = openat2(parent, name, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    let fd = opened.map_err(|error| match error {
        Errno::LOOP => BadExecutable::Symlink { path: part.to_owned(), link: part.to_owned() },
        Errno::NOENT | Errno::NOTDIR => BadExecutable::Missing { part: part.to_owned() },
        other => io_error(part, other),
    })?;
    let stat = fstat(&fd).map_err(|error| io_error(part, error))?;
    Ok((fd, stat))
}

fn only_owner_writes(stat: &Stat, part: &Path) -> Result<(), BadExecutable> {
    let part = || part.to_owned();
    guard::only_owner_writes(stat).map_err(|stranger| match stranger {
        Stranger::Owner(owner) => {
            BadExecutable::Owner { part: part(), owner, us: rustix::process::geteuid().as_raw() }
        }
        Stranger::Others => BadExecutable::Writable { part: part() },
    })
}

fn begins_as_script(file: &OwnedFd) -> Result<bool, Errno> {
    let mut head = [0; 2];
    let count = pread(file, &mut head, 0)?;
    Ok(head[..count] == *b"#!")
}

fn io_error(part: &Path, error: Errno) -> BadExecutable {
    BadExecutable::Io { part: part.to_owned(), source: error.into() }
}

/// The path to write instead of one with a link in it, as far as it can be told.
fn resolved(path: &Path) -> String {
    match path.canonicalize() {
        Ok(target) => target.display().to_string(),
        Err(_) => "the path that it should lead to".to_owned(),
    }
}

#[cfg(test)]
mod tests;
