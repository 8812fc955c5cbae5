//! Reading a finished recording.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use brevet_core::Output;
use sha2::{Digest as _, Sha256};

use super::frame::{BadRecording, FRAME_BYTES_MAX, Frame, Parser};

/// A finished recording, verified; iterates over its frames. It holds one frame at a time, whatever the length.
#[derive(Debug)]
pub struct Recording {
    file: File,
    parser: Parser,
    buffer: Vec<u8>,
    /// What must still come.
    left: u64,
    is_over: bool,
}

impl Recording {
    /// Opens the file, and verifies all of it against digest and length.
    pub fn open(path: &Path, output: &Output) -> Result<Self, BadRecording> {
        let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        let opened = OpenOptions::new().read(true).custom_flags(no_follow).open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BadRecording::Missing,
            _ => BadRecording::Io(error),
        })?;
        let mut buffer = vec![0; FRAME_BYTES_MAX];
        verify(&mut file, &mut buffer, output)?;
        file.rewind()?;
        Ok(Self { file, parser: Parser::default(), buffer, left: output.bytes, is_over: false })
    }

    fn read_next(&mut self) -> Result<Option<Frame>, BadRecording> {
        loop {
            if let Some(frame) = self.parser.next()? {
                return Ok(Some(frame));
            }
            let want = usize::try_from(self.left).map_or(FRAME_BYTES_MAX, |left| left.min(FRAME_BYTES_MAX));
            if want == 0 {
                return self.parser.finish().map(|()| None);
            }
            match self.file.read(&mut self.buffer[..want])? {
                0 => return Err(BadRecording::Digest),
                count => {
                    self.parser.feed(&self.buffer[..count]);
                    self.left -= count as u64;
                }
            }
        }
    }
}

impl Iterator for Recording {
    type Item = Result<Frame, BadRecording>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.read_next();
        self.is_over = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

fn verify(file: &mut File, buffer: &mut [u8], output: &Output) -> Result<(), BadRecording> {
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    loop {
        let count = file.read(buffer)?;
        bytes += count as u64;
        // A file that is too long is not read to an end that may never come.
        if bytes > output.bytes {
            return Err(BadRecording::Digest);
        }
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let found: [u8; 32] = hash.finalize().into();
    match bytes == output.bytes && found == output.digest.0 {
        true => Ok(()),
        false => Err(BadRecording::Digest),
    }
}
