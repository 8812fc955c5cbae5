//! The output of a run, from two pipes into its recording.
//!
//! One buffer, one write at a time: when the disk is behind, the pipe fills, and the program waits. Small pieces are
//! written where they are read; large ones on a thread where waiting hurts nobody.

use std::io;
use std::os::fd::AsFd as _;

use rustix::io::Errno;
use rustix::pipe::fcntl_setpipe_size;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;

use crate::recording::{FRAME_BYTES_MAX, NotRecorded, OutputSink, Stream};
use crate::spawn::{Captured, StopHandle};

/// The first buffer: most outputs are small.
const FIRST_BYTES: usize = 16 * 1024;
/// What a program can write before it waits for us, once it writes much.
const PIPE_BYTES: usize = 1 << 20;
/// Pieces up to this size are written at once: hashing and copying them takes less than a change of threads.
const INLINE_BYTES: usize = 16 * 1024;

/// Moves all output into the recording, and gives it back at the end: when both pipes are at theirs, or when the run
/// is `over` and what it left in them is read. (A process outside of the run can hold a pipe open: one that was sent
/// it. Nothing of the run waits for that.)
///
/// When the output cannot be recorded the run is killed: work that leaves no trace does not go on.
pub(super) async fn pump(
    captured: Captured,
    output: OutputSink,
    over: oneshot::Receiver<()>,
    handle: &StopHandle,
) -> Result<OutputSink, NotRecorded> {
    let mut pump = Pump { output: Ok(output), buffer: Vec::new() };
    let pumped = match Pipes::new(captured) {
        Ok(pipes) => pump.run(pipes, over, handle).await,
        Err(error) => Err(error),
    };
    if let Err(error) = pumped {
        pump.fail(error.into(), handle);
    }
    pump.output
}

struct Pump {
    /// Where to; or why not any more. Away while it is written to on another thread.
    output: Result<OutputSink, NotRecorded>,
    buffer: Vec<u8>,
}

impl Pump {
    async fn run(
        &mut self,
        mut pipes: Pipes,
        mut over: oneshot::Receiver<()>,
        handle: &StopHandle,
    ) -> io::Result<()> {
        self.buffer.resize(FIRST_BYTES, 0);
        while pipes.are_open() {
            let stream = tokio::select! {
                stream = pipes.readable() => stream?,
                _ = &mut over => break,
            };
            if let Read::Bytes(count) = pipes.read(stream, &mut self.buffer)? {
                self.take(stream, count, &pipes, handle).await;
            }
        }
        self.drain(pipes, handle).await
    }

    /// Takes what is left in the pipes, and does not wait for more.
    async fn drain(&mut self, mut pipes: Pipes, handle: &StopHandle) -> io::Result<()> {
        for stream in [Stream::Output, Stream::Error] {
            while let Read::Bytes(count) = pipes.read_left(stream, &mut self.buffer)? {
                self.take(stream, count, &pipes, handle).await;
            }
        }
        Ok(())
    }

    async fn take(&mut self, stream: Stream, count: usize, pipes: &Pipes, handle: &StopHandle) {
        if let Err(error) = self.write(stream, count).await {
            self.fail(error, handle);
        }
        if count == self.buffer.len() && count < FRAME_BYTES_MAX {
            self.buffer.resize(FRAME_BYTES_MAX, 0);
            pipes.enlarge();
        }
    }

    async fn write(&mut self, stream: Stream, count: usize) -> Result<(), NotRecorded> {
        let Ok(output) = &mut self.output else { return Ok(()) };
        if output.is_full() {
            output.drop_bytes(count);
            return Ok(());
        }
        if count <= INLINE_BYTES {
            return output.write(stream, &self.buffer[..count]);
        }
        let away = Err(io::Error::other("the thread that writes it ended").into());
        let Ok(mut output) = std::mem::replace(&mut self.output, away) else { return Ok(()) };
        let buffer = std::mem::take(&mut self.buffer);
        let write = move || {
            let written = output.write(stream, &buffer[..count]);
            (output, buffer, written)
        };
        let (output, buffer, written) = tokio::task::spawn_blocking(write).await.map_err(io::Error::from)?;
        self.output = Ok(output);
        self.buffer = buffer;
        written
    }

    fn fail(&mut self, error: NotRecorded, handle: &StopHandle) {
        // A run that cannot be told to end is ended by its supervisor when its `Child` is dropped.
        let _told = handle.kill();
        self.output = Err(error);
        self.buffer.resize(FIRST_BYTES, 0);
    }
}

/// What one look into a pipe gave.
enum Read {
    Bytes(usize),
    Nothing,
}

/// Our ends of the output; those that are not at their end.
struct Pipes {
    output: Option<Receiver>,
    error: Option<Receiver>,
}

impl Pipes {
    fn new(Captured { stdout, stderr }: Captured) -> io::Result<Self> {
        // Unchecked: that they are pipes, and do not block, is what `Captured` says.
        let watched = Receiver::from_owned_fd_unchecked;
        Ok(Self { output: Some(watched(stdout)?), error: Some(watched(stderr)?) })
    }

    const fn are_open(&self) -> bool {
        self.output.is_some() || self.error.is_some()
    }

    /// Waits until there is something to read, in turns where there is in both.
    async fn readable(&self) -> io::Result<Stream> {
        tokio::select! {
            ready = readable(self.output.as_ref()) => ready.map(|()| Stream::Output),
            ready = readable(self.error.as_ref()) => ready.map(|()| Stream::Error),
        }
    }

    /// Reads what is there, after [`Pipes::readable`].
    fn read(&mut self, stream: Stream, buffer: &mut [u8]) -> io::Result<Read> {
        self.read_by(stream, |pipe| pipe.try_read(buffer))
    }

    /// Reads what is there, whether or not the runtime knows of it yet.
    fn read_left(&mut self, stream: Stream, buffer: &mut [u8]) -> io::Result<Read> {
        self.read_by(stream, |pipe| {
            Ok(rustix::io::retry_on_intr(|| rustix::io::read(pipe.as_fd(), &mut *buffer))?)
        })
    }

    fn read_by(
        &mut self,
        stream: Stream,
        read: impl FnOnce(&Receiver) -> io::Result<usize>,
    ) -> io::Result<Read> {
        let slot = match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        };
        match slot.as_ref().map(read) {
            None => Ok(Read::Nothing),
            Some(Ok(0)) => {
                *slot = None;
                Ok(Read::Nothing)
            }
            Some(Ok(count)) => Ok(Read::Bytes(count)),
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
            Some(Err(error)) => Err(error),
        }
    }

    /// Gives a program that writes much more room. The system may refuse it; then it is a little slower.
    fn enlarge(&self) {
        for pipe in [&self.output, &self.error].into_iter().flatten() {
            let _refused: Result<usize, Errno> = fcntl_setpipe_size(pipe, PIPE_BYTES);
        }
    }
}

async fn readable(pipe: Option<&Receiver>) -> io::Result<()> {
    match pipe {
        Some(pipe) => pipe.readable().await,
        None => std::future::pending().await,
    }
}
