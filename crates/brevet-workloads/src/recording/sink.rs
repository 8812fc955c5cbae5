//! Writing a recording while its run lasts.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use brevet_core::{Digest, ExecutionId, Output};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::blobs::Blobs;
use super::frame::{FRAME_BYTES_MAX, HEADER, Head, Stream};
use super::tail::{Live, Progress};
use crate::Clock;

/// The output of one run on its way to the disk. To drop it is to leave the recording unfinished.
#[derive(Debug)]
pub struct OutputSink {
    blobs: Blobs,
    execution: ExecutionId,
    clock: Arc<dyn Clock>,
    started: Duration,
    /// What may still be kept, in bytes.
    left: u64,
    dropped: u64,
    written: Option<Written>,
    progress: watch::Sender<Progress>,
}

/// What there is once there is a byte.
#[derive(Debug)]
struct Written {
    file: Arc<File>,
    hash: Sha256,
    bytes: u64,
    micros: u64,
}

/// Why an output is not on disk. A run whose output cannot be recorded is ended.
#[derive(Debug, thiserror::Error)]
#[error("the output could not be recorded: {0}")]
pub struct NotRecorded(#[from] io::Error);

impl OutputSink {
    pub(super) fn new(blobs: Blobs, execution: ExecutionId, clock: Arc<dyn Clock>) -> (Self, Live) {
        let (progress, live) = watch::channel(Progress::default());
        let started = clock.monotonic();
        let left = crate::definition::limit::OUTPUT_BYTES_DEFAULT;
        let sink = Self { blobs, execution, clock, started, left, dropped: 0, written: None, progress };
        (sink, Live::new(live))
    }

    /// Keeps at most this many bytes from here on; what comes after is counted and dropped.
    pub(crate) fn limit(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// The run of which this is the output.
    pub fn execution(&self) -> ExecutionId {
        self.execution
    }

    /// Begins the time of the frames anew: the run starts now.
    pub(crate) fn start(&mut self) {
        self.started = self.clock.monotonic();
    }

    /// Appends what the program wrote. It writes to the page cache: it waits when the disk is behind.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), NotRecorded> {
        let keep = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let (kept, dropped) = bytes.split_at(keep);
        self.dropped = self.dropped.saturating_add(dropped.len() as u64);
        kept.chunks(FRAME_BYTES_MAX).try_for_each(|bytes| self.append(stream, bytes))
    }

    /// Whether the limit was reached, so that what comes is only counted.
    pub(crate) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Counts what the program wrote after the limit was reached.
    pub(crate) fn drop_bytes(&mut self, count: usize) {
        self.dropped = self.dropped.saturating_add(count as u64);
    }

    /// Makes the recording durable under its digest: after this, the ledger may name it. `None` when nothing was
    /// written. It waits for the disk.
    pub fn finish(mut self) -> Result<Option<Output>, NotRecorded> {
        let output = match self.written.take() {
            None => None,
            Some(Written { file, hash, bytes, micros: _ }) => {
                let digest = Digest(hash.finalize().into());
                self.blobs.keep(self.execution, &file, digest)?;
                Some(Output { digest, bytes, dropped: self.dropped })
            }
        };
        self.progress.send_modify(|progress| progress.finished = true);
        Ok(output)
    }

    /// Whether there is anything that [`OutputSink::finish`] has to wait for.
    pub(crate) fn is_empty(&self) -> bool {
        self.written.is_none()
    }

    fn append(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), NotRecorded> {
        if self.written.is_none() {
            self.written = Some(Written::create(&self.blobs, self.execution)?);
        }
        let Some(written) = &mut self.written else { return Ok(()) };
        let elapsed = self.clock.monotonic().saturating_sub(self.started);
        written.append(stream, u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), bytes)?;
        self.left -= bytes.len() as u64;
        let (file, length) = (&written.file, written.bytes);
        self.progress.send_modify(|progress| progress.grew(file, length));
        Ok(())
    }
}

impl Written {
    fn create(blobs: &Blobs, execution: ExecutionId) -> Result<Self, NotRecorded> {
        let file = Arc::new(blobs.create(execution)?);
        (&*file).write_all(HEADER)?;
        let mut hash = Sha256::new();
        hash.update(HEADER);
        Ok(Self { file, hash, bytes: HEADER.len() as u64, micros: 0 })
    }

    fn append(&mut self, stream: Stream, micros: u64, bytes: &[u8]) -> io::Result<()> {
        // A clock that goes back is not ours to mend, and makes no recording that cannot be read.
        self.micros = self.micros.max(micros);
        let head = Head { stream, micros: self.micros, length: bytes.len() }.encode();
        write_both(&self.file, &head, bytes)?;
        self.hash.update(head);
        self.hash.update(bytes);
        self.bytes += (head.len() + bytes.len()) as u64;
        Ok(())
    }
}

fn write_both(mut file: &File, head: &[u8], bytes: &[u8]) -> io::Result<()> {
    let slices = [io::IoSlice::new(head), io::IoSlice::new(bytes)];
    let written = file.write_vectored(&slices)?;
    match written.checked_sub(head.len()) {
        Some(of_bytes) => file.write_all(&bytes[of_bytes..]),
        None => file.write_all(&head[written..]).and_then(|()| file.write_all(bytes)),
    }
}
