//! One run of a program, described whole before anything starts.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};

use super::instructions::{Instructions, Limits};
use super::{Executable, Identity};

/// Everything that a run depends on. What is not said here, a task does not get.
#[derive(Debug)]
pub struct Launch {
    pub(super) executable: Executable,
    pub(super) instructions: Instructions,
    pub(super) streams: Streams,
    /// `None` is the root directory.
    pub(super) directory: Option<OwnedFd>,
}

/// Standard input, output and error of a run.
#[derive(Debug)]
pub struct Streams {
    /// Read by the task.
    pub stdin: OwnedFd,
    /// Written by the task.
    pub stdout: OwnedFd,
    /// Written by the task.
    pub stderr: OwnedFd,
}

/// Our ends of [`Streams::captured`]: closed on exec, not blocking. Each is at its end once nothing of the run lives.
#[derive(Debug)]
pub struct Captured {
    /// What the task writes to its standard output.
    pub stdout: OwnedFd,
    /// What the task writes to its standard error.
    pub stderr: OwnedFd,
}

/// Why a run cannot be described so.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the sentences say")]
pub enum BadLaunch {
    #[error("argument {index} holds a NUL byte, which no argument of a program can; remove it")]
    NulInArgument { index: usize },
    #[error("the environment variable {name:?} holds a NUL byte, which none can; remove it")]
    NulInVariable { name: String },
    #[error("{name:?} cannot be the name of an environment variable: a name is not empty and has no `=`")]
    VariableName { name: String },
    #[error("the environment variable {name:?} is given twice")]
    VariableTwice { name: String },
    #[error("{count} arguments are more than the {max} that a run may have")]
    TooManyArguments { count: usize, max: usize },
    #[error(
        "the arguments have {bytes} bytes together; a run may have {max}: pass large values in a file or by standard input"
    )]
    ArgumentsTooLong { bytes: usize, max: usize },
    #[error("{count} environment variables are more than the {max} that a run may have")]
    TooManyVariables { count: usize, max: usize },
    #[error("the environment has {bytes} bytes; a run may have {max}")]
    EnvironmentTooLong { bytes: usize, max: usize },
}

impl Launch {
    /// The program's path counts as the first argument.
    pub const ARGUMENTS_MAX: usize = 1024;
    /// Of all arguments, each with its NUL. The kernel has the same limit for a single one.
    pub const ARGUMENTS_BYTES_MAX: usize = 128 * 1024;
    /// Environment variables.
    pub const VARIABLES_MAX: usize = 256;
    /// Of all variables, each as `name=value` with its NUL.
    pub const VARIABLES_BYTES_MAX: usize = 32 * 1024;
    /// Nothing that a task makes is for others, unless it says so itself.
    pub const UMASK: u32 = 0o077;

    /// A run of `executable` with its path and `arguments` as argument vector: in `/`, with an empty environment, as
    /// the user of the server.
    pub fn new<A: AsRef<[u8]>>(
        executable: Executable,
        arguments: impl IntoIterator<Item = A>,
        streams: Streams,
    ) -> Result<Self, BadLaunch> {
        let path = executable.path().as_os_str().as_bytes().to_vec();
        let rest = arguments.into_iter().map(|argument| argument.as_ref().to_vec());
        let arguments = argument_vector(std::iter::once(path).chain(rest))?;
        let instructions = Instructions {
            is_script: executable.is_script(),
            umask: Self::UMASK,
            limits: Limits::default(),
            identity: None,
            arguments,
            environment: Vec::new(),
        };
        Ok(Self { executable, instructions, streams, directory: None })
    }

    /// Gives the task exactly these variables, in this order.
    pub fn environment<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, BadLaunch> {
        self.instructions.environment = environment(variables)?;
        Ok(self)
    }

    /// Starts the task in this open directory.
    pub fn directory(mut self, directory: OwnedFd) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Sets the permissions that files made by the task do not get; only the nine lowest bits count.
    pub fn umask(mut self, umask: u32) -> Self {
        self.instructions.umask = umask & 0o777;
        self
    }

    /// Runs the task as someone else.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.instructions.identity = Some(identity);
        self
    }

    /// Limits what the task may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.instructions.limits = limits;
        self
    }
}

impl Streams {
    /// No input; output and error into a pipe each.
    pub fn captured() -> io::Result<(Self, Captured)> {
        let (stdout, stdout_write) = output_pipe()?;
        let (stderr, stderr_write) = output_pipe()?;
        let streams = Self { stdin: no_input()?, stdout: stdout_write, stderr: stderr_write };
        Ok((streams, Captured { stdout, stderr }))
    }
}

/// A standard input that is at its end.
pub fn no_input() -> io::Result<OwnedFd> {
    Ok(rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    // Not by a flag of the pipe: the task's end must wait for us, as programs expect of their output.
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

fn argument_vector(arguments: impl Iterator<Item = Vec<u8>>) -> Result<Vec<CString>, BadLaunch> {
    let nul = |index| BadLaunch::NulInArgument { index };
    let vector = arguments
        .enumerate()
        .map(|(index, argument)| CString::new(argument).map_err(|_nul| nul(index)))
        .collect::<Result<Vec<_>, _>>()?;
    let (count, bytes) = (vector.len(), bytes_with_nul(&vector));
    if count > Launch::ARGUMENTS_MAX {
        return Err(BadLaunch::TooManyArguments { count, max: Launch::ARGUMENTS_MAX });
    }
    if bytes > Launch::ARGUMENTS_BYTES_MAX {
        return Err(BadLaunch::ArgumentsTooLong { bytes, max: Launch::ARGUMENTS_BYTES_MAX });
    }
    Ok(vector)
}

fn environment<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    variables: impl IntoIterator<Item = (N, V)>,
) -> Result<Vec<CString>, BadLaunch> {
    let mut names = BTreeSet::new();
    let mut list = Vec::new();
    for (name, value) in variables {
        list.push(variable(name.as_ref(), value.as_ref())?);
        if !names.insert(name.as_ref().to_vec()) {
            return Err(BadLaunch::VariableTwice { name: shown(name.as_ref()) });
        }
    }
    let (count, bytes) = (list.len(), bytes_with_nul(&list));
    if count > Launch::VARIABLES_MAX {
        return Err(BadLaunch::TooManyVariables { count, max: Launch::VARIABLES_MAX });
    }
    if bytes > Launch::VARIABLES_BYTES_MAX {
        return Err(BadLaunch::EnvironmentTooLong { bytes, max: Launch::VARIABLES_BYTES_MAX });
    }
    Ok(list)
}

fn variable(name: &[u8], value: &[u8]) -> Result<CString, BadLaunch> {
    if name.is_empty() || name.contains(&b'=') {
        return Err(BadLaunch::VariableName { name: shown(name) });
    }
    CString::new([name, b"=", value].concat()).map_err(|_nul| BadLaunch::NulInVariable { name: shown(name) })
}

fn bytes_with_nul(strings: &[CString]) -> usize {
    strings.iter().map(|string| string.as_bytes_with_nul().len()).sum()
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests;
