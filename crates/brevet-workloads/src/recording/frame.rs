//! The format of a frame, read strictly.

use std::io;

/// The first line of a recording; it names the version of the format.
pub const HEADER: &[u8] = b"brevet-recording/v1\n";
/// The bytes of one frame. What was read at once is one frame.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;
/// What stands before the bytes of a frame.
pub(super) const HEAD_BYTES: usize = 1 + 8 + 4;

/// Where a program wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// What a program wrote to one stream and Brevet read at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where to.
    pub stream: Stream,
    /// When it was read, in microseconds since the start of the run.
    pub micros: u64,
    /// What.
    pub bytes: Vec<u8>,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadRecording {
    /// Another file, or a newer version.
    #[error("this is not a recording that this version of Brevet can read; a newer one may")]
    Header,
    /// No frame, or less than one.
    #[error("the recording is damaged at byte {at}; take it from a backup")]
    Damaged {
        /// Where in the file.
        at: u64,
    },
    /// Another file than the one that the ledger names.
    #[error(
        "the recording is not the one in the ledger: its digest or length differs; take it from a backup"
    )]
    Digest,
    /// It is not where it should be.
    #[error(
        "the recording is missing; take it from a backup, or from the data folder of the server that ran the task"
    )]
    Missing,
    /// The run ended without all of its output on disk.
    #[error("the recording was not finished: writing it failed, or the server stopped")]
    Unfinished,
    /// Reading failed.
    #[error("the recording could not be read: {0}")]
    Io(#[from] io::Error),
}

/// What stands before the bytes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) stream: Stream,
    pub(super) micros: u64,
    pub(super) length: usize,
}

impl Head {
    pub(super) fn encode(self) -> [u8; HEAD_BYTES] {
        let Self { stream, micros, length } = self;
        let mut bytes = [0; HEAD_BYTES];
        bytes[0] = match stream {
            Stream::Output => 1,
            Stream::Error => 2,
        };
        bytes[1..9].copy_from_slice(&micros.to_be_bytes());
        // INVARIANT: a frame has at most FRAME_BYTES_MAX bytes, which fits.
        bytes[9..].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        bytes
    }

    /// `None` when no writer writes such a head.
    pub(super) fn decode(bytes: [u8; HEAD_BYTES]) -> Option<Self> {
        let [stream, m0, m1, m2, m3, m4, m5, m6, m7, l0, l1, l2, l3] = bytes;
        let stream = match stream {
            1 => Stream::Output,
            2 => Stream::Error,
            _ => return None,
        };
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok()?;
        let micros = u64::from_be_bytes([m0, m1, m2, m3, m4, m5, m6, m7]);
        (1..=FRAME_BYTES_MAX).contains(&length).then_some(Self { stream, micros, length })
    }
}

/// Takes frames out of a recording that comes in pieces, and holds at most one frame and one piece.
#[derive(Debug, Default)]
pub(super) struct Parser {
    pending: Vec<u8>,
    /// How much of `pending` was taken already.
    taken: usize,
    /// Where in the file `pending[taken]` is.
    at: u64,
    has_header: bool,
    micros: u64,
}

impl Parser {
    /// Adds the next piece of the file.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.pending.drain(..self.taken);
        self.taken = 0;
        self.pending.extend_from_slice(piece);
    }

    /// The next frame, or `None` until more of the file is fed.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, BadRecording> {
        if !self.has_header {
            let Some(header) = self.take(HEADER.len()) else { return Ok(None) };
            if header != HEADER {
                return Err(BadRecording::Header);
            }
            self.has_header = true;
        }
        let Some(head) = self.pending[self.taken..].first_chunk() else { return Ok(None) };
        let damaged = BadRecording::Damaged { at: self.at };
        let Some(Head { stream, micros, length }) =
            Head::decode(*head).filter(|head| head.micros >= self.micros)
        else {
            return Err(damaged);
        };
        let Some(bytes) = self.take(HEAD_BYTES + length) else { return Ok(None) };
        let bytes = bytes[HEAD_BYTES..].to_vec();
        self.micros = micros;
        Ok(Some(Frame { stream, micros, bytes }))
    }

    /// Says whether the file may end here.
    pub(super) fn finish(&self) -> Result<(), BadRecording> {
        match (self.has_header, self.taken == self.pending.len()) {
            (true, true) => Ok(()),
            (false, _) => Err(BadRecording::Header),
            (true, false) => Err(BadRecording::Damaged { at: self.at }),
        }
    }

    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.taken + count;
        let bytes = self.pending.get(self.taken..end)?;
        self.taken = end;
        self.at += count as u64;
        Some(bytes)
    }
}
