//! What a task names and this system must have: its program, its user, its directory. Looked at when definitions are
//! loaded, so that a mistake shows then and not in the night when the task is needed; and again at each run.

use std::error::Error;
use std::os::fd::OwnedFd;
use std::path::Path;

use brevet_core::Digest;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

use super::problem::Report;
use super::task::ReadTask;
use crate::spawn::{Account, AccountError, Executable};

/// Notes what of the task cannot be found or used here.
pub(super) fn check(read: &ReadTask, report: &mut Report) {
    let ReadTask { task, at: _, run_at, run_as_at, directory_at } = read;
    // A path that could not be read was noted then.
    if task.program != Path::new("/")
        && let Err(sentence) = open_program(&task.program, task.sha256)
    {
        report.add(*run_at, sentence, "the program is opened at each run, and must pass each time");
    }
    if let Err(sentence) = find_account(task.spec.run_as.as_deref()) {
        report.add(*run_as_at, sentence, "the task could not start");
    }
    if let Err(sentence) = open_directory(&task.directory) {
        report.add(*directory_at, sentence, "correct 'directory', or leave it out for /");
    }
}

/// Opens the program and, where the definition has its digest, compares the content.
pub(crate) fn open_program(path: &Path, expected: Option<Digest>) -> Result<Executable, String> {
    let executable = Executable::open(path).map_err(|bad| in_full(&bad))?;
    let Some(Digest(expected)) = expected else { return Ok(executable) };
    match executable.sha256() {
        Ok(found) if found == expected => Ok(executable),
        Ok(found) => Err(format!(
            "{} is not the program of the definition: its SHA-256 is {}",
            path.display(),
            Digest(found)
        )),
        Err(error) => Err(format!("{} could not be read: {error}", path.display())),
    }
}

/// The account to change to; `None` when the task runs as the server's own user.
pub(crate) fn find_account(run_as: Option<&str>) -> Result<Option<Account>, String> {
    let Some(name) = run_as else { return Ok(None) };
    let account = Account::find(name).map_err(|error: AccountError| in_full(&error))?;
    let us = rustix::process::geteuid().as_raw();
    if us == 0 || us == account.identity().uid() {
        return Ok(Some(account));
    }
    Err(format!(
        "the task runs as '{name}', and the server runs as user {us}, who cannot become anybody else: \
         start it as root, or remove 'run_as'"
    ))
}

/// Opens the working directory: not through links, and no place where others can put files for the task to find.
pub(crate) fn open_directory(path: &Path) -> Result<OwnedFd, String> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let shown = path.display();
    let failed = |errno: Errno| match errno {
        Errno::LOOP => format!("the directory {shown} is reached through a symbolic link"),
        Errno::NOENT => format!("the directory {shown} does not exist"),
        Errno::NOTDIR => format!("{shown} is not a directory"),
        other => format!("the directory {shown} could not be opened: {other}"),
    };
    let fd = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).map_err(failed)?;
    let stat = fstat(&fd).map_err(failed)?;
    match Mode::from_raw_mode(stat.st_mode).intersects(Mode::WOTH) {
        true => Err(format!("everybody can write to the directory {shown}")),
        false => Ok(fd),
    }
}

/// An error with its causes, as one sentence.
pub(crate) fn in_full(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence
}
