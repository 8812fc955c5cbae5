//! The part of a launch that travels as bytes; the open files travel beside it.

use std::ffi::CString;

use super::codec::{BadMessage, Reader, Writer};
use super::{Identity, Launch};

/// What a run may use at most. `None` leaves the server's own limit. Core files are never written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Open files of one process.
    pub open_files: Option<u64>,
    /// Processes of the user, counted over all that this user runs.
    pub processes: Option<u64>,
    /// Bytes of a file that one process writes.
    pub file_bytes: Option<u64>,
    /// Bytes of address space of one process.
    pub address_space_bytes: Option<u64>,
    /// Seconds of processor time of one process.
    pub processor_seconds: Option<u64>,
}

/// What the spawner is told of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instructions {
    pub(super) is_script: bool,
    pub(super) umask: u32,
    pub(super) limits: Limits,
    pub(super) identity: Option<Identity>,
    /// The path of the program comes first. Never empty.
    pub(super) arguments: Vec<CString>,
    pub(super) environment: Vec<CString>,
}

/// Changes with the encoding, so that a spawner of another version refuses instead of misreading.
const VERSION: u8 = 1;

impl Instructions {
    /// Larger than any encoding: the strings, a length for each, the groups and the rest. It must stay below what a
    /// socket takes as one message, which is 208 KiB on a system where nobody changed that.
    pub(super) const BYTES_MAX: usize = Launch::ARGUMENTS_BYTES_MAX
        + Launch::VARIABLES_BYTES_MAX
        + 8 * (Launch::ARGUMENTS_MAX + Launch::VARIABLES_MAX)
        + 4 * Identity::GROUPS_MAX
        + 256;

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { is_script, umask, limits, identity, arguments, environment } = self;
        let mut writer = Writer::default();
        writer.byte(VERSION);
        writer.byte(u8::from(*is_script));
        writer.word(*umask);
        limits.write(&mut writer);
        writer.byte(u8::from(identity.is_some()));
        if let Some(identity) = identity {
            write_identity(identity, &mut writer);
        }
        writer.list(arguments, Writer::string);
        writer.list(environment, Writer::string);
        writer.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadMessage> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return Err(BadMessage);
        }
        let instructions = Self {
            is_script: reader.flag()?,
            umask: reader.word()?,
            limits: Limits::read(&mut reader)?,
            identity: if reader.flag()? { Some(read_identity(&mut reader)?) } else { None },
            arguments: reader.list(Launch::ARGUMENTS_MAX, |r| r.string(Launch::ARGUMENTS_BYTES_MAX))?,
            environment: reader.list(Launch::VARIABLES_MAX, |r| r.string(Launch::VARIABLES_BYTES_MAX))?,
        };
        reader.finish()?;
        // A program without a name for itself reads its environment as its arguments (CVE-2021-4034).
        if instructions.arguments.is_empty() { Err(BadMessage) } else { Ok(instructions) }
    }
}

impl Limits {
    fn write(&self, writer: &mut Writer) {
        let Self { open_files, processes, file_bytes, address_space_bytes, processor_seconds } = *self;
        for limit in [open_files, processes, file_bytes, address_space_bytes, processor_seconds] {
            writer.optional(limit);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, BadMessage> {
        Ok(Self {
            open_files: reader.optional()?,
            processes: reader.optional()?,
            file_bytes: reader.optional()?,
            address_space_bytes: reader.optional()?,
            processor_seconds: reader.optional()?,
        })
    }
}

fn write_identity(identity: &Identity, writer: &mut Writer) {
    writer.word(identity.uid());
    writer.word(identity.gid());
    writer.list(identity.groups(), |writer, group| writer.word(*group));
}

fn read_identity(reader: &mut Reader<'_>) -> Result<Identity, BadMessage> {
    let (uid, gid) = (reader.word()?, reader.word()?);
    let groups = reader.list(Identity::GROUPS_MAX, Reader::word)?;
    Ok(Identity::new(uid, gid, groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions() -> Instructions {
        Instructions {
            is_script: true,
            umask: 0o027,
            limits: Limits { open_files: Some(0), processor_seconds: Some(u64::MAX), ..Limits::default() },
            identity: Some(Identity::new(7, 8, vec![9, 10])),
            arguments: vec![c"/usr/bin/env".to_owned(), c"".to_owned(), c"\xff -x".to_owned()],
            environment: vec![c"A=b".to_owned()],
        }
    }

    #[test]
    fn instructions_read_as_they_were_written_and_no_prefix_or_extension_does() {
        for identity in [None, instructions().identity] {
            let instructions = Instructions { identity, ..instructions() };
            let bytes = instructions.encode();
            assert_eq!(Instructions::decode(&bytes), Ok(instructions));
            for end in 0..bytes.len() {
                assert_eq!(Instructions::decode(&bytes[..end]), Err(BadMessage), "{end} bytes");
            }
            assert_eq!(Instructions::decode(&[&bytes[..], &[0]].concat()), Err(BadMessage));
        }
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = instructions().encode();
        bytes[0] += 1;
        assert_eq!(Instructions::decode(&bytes), Err(BadMessage));
    }

    #[test]
    fn no_arguments_at_all_are_refused() {
        let empty = Instructions { arguments: Vec::new(), ..instructions() };
        assert_eq!(Instructions::decode(&empty.encode()), Err(BadMessage));
    }

    #[test]
    fn a_length_beyond_the_message_is_refused_without_reserving_it() {
        let mut bytes = Instructions { environment: Vec::new(), ..instructions() }.encode();
        let count_at = bytes.len() - 8;
        bytes[count_at..].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(Instructions::decode(&bytes), Err(BadMessage));
    }
}
