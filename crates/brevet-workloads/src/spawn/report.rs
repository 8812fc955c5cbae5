//! What the server and the supervisor of one run tell each other, one message each.

use std::fmt;
use std::time::Duration;

use super::codec::{BadMessage, Reader, Writer};

/// Larger than any report.
pub(super) const REPORT_BYTES_MAX: usize = 64;

/// What the server asks of a supervisor. To end the connection is to ask for [`Order::Kill`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Ask every process of the run to end (`SIGTERM`).
    Terminate,
    /// End every process of the run (`SIGKILL`).
    Kill,
}

impl Order {
    pub(super) fn encode(self) -> [u8; 1] {
        match self {
            Self::Terminate => *b"T",
            Self::Kill => *b"K",
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        match bytes {
            b"T" => Ok(Self::Terminate),
            b"K" => Ok(Self::Kill),
            _ => Err(BadMessage),
        }
    }
}

/// What a supervisor tells the server: one `Started` or `NotStarted`, and after `Started` one `Ended`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    Started { pid: u32 },
    NotStarted(Failure),
    Ended(Exit),
}

/// How a task ended, told once nothing of it runs any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// How the task's own process ended.
    pub status: ExitStatus,
    /// Processor time spent in the task and all its descendants, in user mode.
    pub user_time: Duration,
    /// The same in kernel mode.
    pub system_time: Duration,
    /// The largest resident set of any one process of the run, in bytes. Never below the spawner's own few MiB,
    /// which every process of a run begins with.
    pub resident_bytes_max: u64,
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// The step of starting a task that failed, and the system's reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) step: Step,
    /// The error number, as in `errno(3)`.
    pub(super) errno: i32,
}

impl Failure {
    pub(super) fn new(step: Step, error: &std::io::Error) -> Self {
        Self { step, errno: error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error()) }
    }

    pub(super) fn encode(self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        let mut reader = Reader::new(bytes);
        let failure = Self::read(&mut reader)?;
        reader.finish().map(|()| failure)
    }

    fn write(self, writer: &mut Writer) {
        writer.byte(self.step as u8);
        writer.int(self.errno);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let number = reader.byte()?;
        let step = Step::ALL.into_iter().find(|step| *step as u8 == number).ok_or(BadMessage)?;
        Ok(Self { step, errno: reader.int()? })
    }
}

/// The steps of starting a task, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained by the phrase that it prints")]
pub enum Step {
    Understand,
    Supervise,
    Wanted,
    Fork,
    Session,
    Signals,
    Limits,
    Streams,
    Descriptors,
    Identity,
    IdentityVerified,
    Capabilities,
    Directory,
    DeathSignal,
    NoNewPrivileges,
    SameFile,
    Execute,
}

impl Step {
    const ALL: [Self; 17] = [
        Self::Understand,
        Self::Supervise,
        Self::Wanted,
        Self::Fork,
        Self::Session,
        Self::Signals,
        Self::Limits,
        Self::Streams,
        Self::Descriptors,
        Self::Identity,
        Self::IdentityVerified,
        Self::Capabilities,
        Self::Directory,
        Self::DeathSignal,
        Self::NoNewPrivileges,
        Self::SameFile,
        Self::Execute,
    ];
}

impl fmt::Display for Step {
    /// Reads after "could not".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Understand => "understand the order (was the program replaced? restart the server)",
            Self::Supervise => "set up the supervisor of the run",
            Self::Wanted => "begin before it was stopped",
            Self::Fork => "make a process for the task",
            Self::Session => "give the task a session of its own",
            Self::Signals => "reset the signals",
            Self::Limits => "set the resource limits",
            Self::Streams => "place input and output",
            Self::Descriptors => "close the other files",
            Self::Identity => "become the user of the task",
            Self::IdentityVerified => "verify that it became the user of the task",
            Self::Capabilities => "drop the capabilities",
            Self::Directory => "enter the working directory",
            Self::DeathSignal => "tie the task to its supervisor",
            Self::NoNewPrivileges => "forbid the task new privileges",
            Self::SameFile => "find at its path the same script that was checked",
            Self::Execute => "execute the program",
        })
    }
}

impl Report {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut writer = Writer::default();
        match self {
            Self::Started { pid } => {
                writer.byte(b'S');
                writer.word(pid);
            }
            Self::NotStarted(failure) => {
                writer.byte(b'N');
                failure.write(&mut writer);
            }
            Self::Ended(exit) => {
                writer.byte(b'E');
                exit.write(&mut writer);
            }
        }
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        let mut reader = Reader::new(bytes);
        let report = match reader.byte()? {
            b'S' => Self::Started { pid: reader.word()? },
            b'N' => Self::NotStarted(Failure::read(&mut reader)?),
            b'E' => Self::Ended(Exit::read(&mut reader)?),
            _ => return Err(BadMessage),
        };
        reader.finish().map(|()| report)
    }
}

impl Exit {
    fn write(self, writer: &mut Writer) {
        let Self { status, user_time, system_time, resident_bytes_max } = self;
        let (kind, number) = match status {
            ExitStatus::Code(code) => (b'C', code),
            ExitStatus::Signal(signal) => (b'S', signal),
        };
        writer.byte(kind);
        writer.int(number);
        writer.long(micros(user_time));
        writer.long(micros(system_time));
        writer.long(resident_bytes_max);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let status = match (reader.byte()?, reader.int()?) {
            (b'C', code) => ExitStatus::Code(code),
            (b'S', signal) => ExitStatus::Signal(signal),
            _ => return Err(BadMessage),
        };
        Ok(Self {
            status,
            user_time: Duration::from_micros(reader.long()?),
            system_time: Duration::from_micros(reader.long()?),
            resident_bytes_max: reader.long()?,
        })
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
