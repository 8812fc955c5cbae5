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
        Tail { progress: self.progress.clone(), parser: Parser::default(), buffer: Vec::new(), offset: 0 }
    }

    /// Whether all of it is on disk under its digest.
    pub fn is_finished(&self) -> bool {
        self.progress.borrow().finished
    }
}

/// One view of a growing recording. It holds two or three frames, however far behind the run it is.
#[derive(Debug)]
pub struct Tail {
    progress: watch::Receiver<Progress>,
    parser: Parser,
    buffer: Vec<u8>,
    offset: u64,
}

impl Tail {
    /// Waits for the next frame; `None` is the end of a finished recording. Can be cancelled: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Frame>, BadRecording> {
        loop {
            if let Some(frame) = self.parser.next()? {
                return Ok(Some(frame));
            }
            let Progress { file, length, finished } = self.progress.borrow_and_update().clone();
            match file.filter(|_| self.offset < length) {
                Some(file) => self.read(file, length).await?,
                None if finished => return Ok(None),
                None => self.progress.changed().await.map_err(|_| BadRecording::Unfinished)?,
            }
        }
    }

    /// Reads a piece, on a thread where waiting for the disk hurts nobody.
    async fn read(&mut self, file: Arc<File>, length: u64) -> Result<(), BadRecording> {
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
        self.parser.feed(&buffer[..count]);
        self.buffer = buffer;
        self.offset += count as u64;
        Ok(())
    }
}
