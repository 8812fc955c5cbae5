//! Reading a recording while it grows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use tokio::sync::watch;

use super::frame::{BadRecording, FRAME_BYTES_MAX, Frame, Parser};

/// How far a recording has come.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// There from the first byte on. Held open, so that it can be read wherever it is moved.
    file: Option<Arc<File>>,
    /// Whole frames only.
    length: u64,
    pub(super) finished: bool,
}

impl Progress {
    pub(super) fn grew(&mut self, file: &Arc<File>, length: u64) {
        self.file.get_or_insert_with(|| Arc::clone(file));
        self.length = length;
    }
}

/// The output of a run, for whoever wants to see it as it comes.
#[derive(Debug, Clone)]
pub struct Live {
    progress: watch::Receiver<Progress>,
}

impl Live {
    pub(super) fn new(progress: watch::Receiver<Progress>) -> Self {
        Self { progress }
    }

    /// A view of it, from its beginning.
    pub fn tail(&self) -> Tail {
        Tail { pieces: self.pieces(), parser: Parser::default() }
    }

    /// Its bytes as they are stored, from its beginning.
    pub fn pieces(&self) -> Pieces {
        Pieces { progress: self.progress.clone(), buffer: Vec::new(), offset: 0 }
    }

    /// Whether all of it is on disk under its digest.
    pub fn is_finished(&self) -> bool {
        self.progress.borrow().finished
    }
}

/// One view of a growing recording. It holds two or three frames, however far behind the run it is.
#[derive(Debug)]
pub struct Tail {
    pieces: Pieces,
    parser: Parser,
}

impl Tail {
    /// Waits for the next frame; `None` is the end of a finished recording. Can be cancelled: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Frame>, BadRecording> {
        loop {
            if let Some(frame) = self.parser.next()? {
                return Ok(Some(frame));
            }
            match self.pieces.read_next().await? {
                Some(piece) => self.parser.feed(piece),
                None => return Ok(None),
            }
        }
    }
}

/// The bytes of a growing recording, for whoever keeps a copy of it. It holds one piece, however far behind the run it
/// is.
#[derive(Debug)]
pub struct Pieces {
    progress: watch::Receiver<Progress>,
    buffer: Vec<u8>,
    offset: u64,
}

/// Some bytes of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where they begin, in bytes.
    pub place: u64,
    /// At most [`FRAME_BYTES_MAX`] of them, and at least one.
    pub bytes: Vec<u8>,
}

impl Pieces {
    /// Waits for more of it, and answers all that there is, or as much as a piece can have; `None` is the end of a
    /// finished recording. Can be cancelled: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Piece>, BadRecording> {
        let place = self.offset;
        Ok(self.read_next().await?.map(|bytes| Piece { place, bytes: bytes.to_vec() }))
    }

    /// Waits until nothing more will be written.
    pub async fn until_finished(&mut self) {
        // That the writer is gone is an end too.
        drop(self.progress.wait_for(|progress| progress.finished).await);
    }

    async fn read_next(&mut self) -> Result<Option<&[u8]>, BadRecording> {
        loop {
            let Progress { file, length, finished } = self.progress.borrow_and_update().clone();
            match file.filter(|_| self.offset < length) {
                Some(file) => return self.read(file, length).await.map(Some),
                None if finished => return Ok(None),
                None => self.progress.changed().await.map_err(|_| BadRecording::Unfinished)?,
            }
        }
    }

    /// Reads a piece, on a thread where waiting for the disk hurts nobody.
    async fn read(&mut self, file: Arc<File>, length: u64) -> Result<&[u8], BadRecording> {
        let (offset, left) = (self.offset, length - self.offset);
        let want = usize::try_from(left).map_or(FRAME_BYTES_MAX, |left| left.min(FRAME_BYTES_MAX));
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = move || {
            buffer.resize(want, 0);
            file.read_at(&mut buffer, offset).map(|count| (buffer, count))
        };
        let (buffer, count) = tokio::task::spawn_blocking(read).await.map_err(io::Error::from)??;
        if count == 0 {
            return Err(BadRecording::Damaged { at: offset });
        }
        self.buffer = buffer;
        self.offset += count as u64;
        Ok(&self.buffer[..count])
    }
}
