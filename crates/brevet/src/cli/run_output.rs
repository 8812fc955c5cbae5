//! Follows a run: its output byte for byte, its end, and Ctrl-C.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_wire::{Execution, ExecutionState, OutputChunk, Problem, Stream};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::client::Client;
use super::console::{Console, Format};
use super::context::Context;
use super::events::{Event, Events};
use super::execution::{cause, path};
use super::exit::{self, Done, Failure};
use super::neutral::Neutralizer;

/// How long a stream may take to end after it said that the run is over.
const END_OF_STREAM_MAX: Duration = Duration::from_millis(20);
/// How often a stream that broke is taken up again before it is given up.
const RESUMES_MAX: u32 = 5;

/// Where what a task writes goes.
pub(super) struct Writing {
    stdout: Sink,
    stderr: Sink,
}

/// One of the two.
struct Sink {
    how: How,
    /// Bytes that were written, to be skipped when a stream begins anew.
    written: u64,
    /// Bytes still to be skipped.
    skip: u64,
}

enum How {
    /// As they are.
    Bytes,
    /// To a terminal, harmless.
    Neutral(Neutralizer),
    /// Into one JSON object at the end.
    Kept(Vec<u8>),
}

impl Writing {
    /// Bytes to files and pipes, harmless text to terminals, and for scripts everything in one object.
    pub(super) fn new(console: &Console, raw: bool) -> Self {
        let sink = |terminal: bool| {
            let how = match (console.format, terminal && !raw) {
                (Format::Json | Format::Yaml, _) => How::Kept(Vec::new()),
                (Format::Table, true) => How::Neutral(Neutralizer::default()),
                (Format::Table, false) => How::Bytes,
            };
            Sink { how, written: 0, skip: 0 }
        };
        Self { stdout: sink(console.terminal.output), stderr: sink(console.terminal.error) }
    }

    fn begin_anew(&mut self) {
        for sink in [&mut self.stdout, &mut self.stderr] {
            sink.skip = sink.written;
        }
    }

    fn write(&mut self, console: &mut Console, chunk: &OutputChunk) -> Result<(), Failure> {
        let bytes =
            STANDARD.decode(&chunk.data).map_err(|error| lost(&format!("its output is damaged: {error}")))?;
        let sink = match chunk.stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let skipped = usize::try_from(sink.skip).unwrap_or(usize::MAX).min(bytes.len());
        let new = &bytes[skipped..];
        sink.skip -= skipped as u64;
        sink.written += new.len() as u64;
        match &mut sink.how {
            How::Kept(kept) => kept.extend_from_slice(new),
            How::Bytes => put(console, chunk.stream, new),
            How::Neutral(neutralizer) => put(console, chunk.stream, neutralizer.feed(new).as_bytes()),
        }
        Ok(())
    }

    fn finish(&mut self, console: &mut Console) {
        for (sink, stream) in [(&mut self.stdout, Stream::Stdout), (&mut self.stderr, Stream::Stderr)] {
            if let How::Neutral(neutralizer) = &mut sink.how {
                put(console, stream, neutralizer.finish().as_bytes());
            }
        }
    }

    /// The execution with what it wrote, as one object.
    fn object(self, execution: &Execution) -> Option<Value> {
        let (How::Kept(stdout), How::Kept(stderr)) = (self.stdout.how, self.stderr.how) else { return None };
        let mut object = serde_json::to_value(execution).ok()?;
        let fields = object.as_object_mut()?;
        fields.insert("stdout".into(), STANDARD.encode(stdout).into());
        fields.insert("stderr".into(), STANDARD.encode(stderr).into());
        Some(object)
    }
}

/// Whoever closed the pipe does not want to know more; the task goes on, and its exit code still counts.
fn put(console: &mut Console, stream: Stream, bytes: &[u8]) {
    match stream {
        Stream::Stdout => {
            let _ = console.bytes(bytes);
        }
        Stream::Stderr => console.error_bytes(bytes),
    }
}

/// What a person did while a run was followed.
enum Heard {
    Bytes(Option<Vec<u8>>),
    Interrupt,
}

/// Follows a run that was started here: Ctrl-C stops it. Gives its exit code.
pub(super) async fn follow(
    context: &mut Context,
    client: &Client,
    body: Incoming,
    writing: Writing,
) -> Result<Done, Failure> {
    let mut following = Following { writing, execution: None, stops: true, interrupted: false };
    let execution = following.follow_to_the_end(context, client, body).await?;
    let code = explain(&mut context.console, &execution);
    if let Some(object) = following.writing.object(&execution) {
        context.console.data(&object)?;
    }
    Ok(Done::Code(code))
}

/// Follows a run that may be anybody's: Ctrl-C only leaves.
pub(super) async fn show(
    context: &mut Context,
    client: &Client,
    body: Incoming,
    writing: Writing,
) -> Result<Done, Failure> {
    let mut following = Following { writing, execution: None, stops: false, interrupted: false };
    let execution = following.follow_to_the_end(context, client, body).await?;
    if let Some(object) = following.writing.object(&execution) {
        context.console.data(&object)?;
    }
    Ok(Done::Well)
}

struct Following {
    writing: Writing,
    execution: Option<Execution>,
    /// Whether Ctrl-C stops the run.
    stops: bool,
    /// Whether it was pressed.
    interrupted: bool,
}

impl Following {
    /// Until the run is over; a stream that breaks is taken up again where it broke.
    async fn follow_to_the_end(
        &mut self,
        context: &mut Context,
        client: &Client,
        mut body: Incoming,
    ) -> Result<Execution, Failure> {
        let mut resumes = 0;
        loop {
            if let Some(execution) = self.one_stream(context, client, body).await? {
                self.writing.finish(&mut context.console);
                return Ok(execution);
            }
            let Some(id) = self.execution.as_ref().map(|execution| execution.id.clone()) else {
                return Err(lost("the connection broke before the server said that the task started"));
            };
            resumes += 1;
            body = resumed(context, client, &id, resumes).await?;
            self.writing.begin_anew();
        }
    }

    /// Until the run is over (`Some`), or the stream is (`None`).
    async fn one_stream(
        &mut self,
        context: &mut Context,
        client: &Client,
        mut body: Incoming,
    ) -> Result<Option<Execution>, Failure> {
        let mut events = Events::default();
        loop {
            let heard = tokio::select! {
                bytes = next(&mut body) => Heard::Bytes(bytes),
                () = context.interrupts.next() => Heard::Interrupt,
            };
            match heard {
                Heard::Interrupt => self.interrupt(context, client).await?,
                Heard::Bytes(None) => return Ok(None),
                Heard::Bytes(Some(bytes)) => {
                    for event in events.feed(&bytes) {
                        if let Some(execution) = self.take(&mut context.console, &event)? {
                            // Heard out, the connection serves for the receipt too.
                            let _ = tokio::time::timeout(END_OF_STREAM_MAX, next(&mut body)).await;
                            return Ok(Some(execution));
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, console: &mut Console, event: &Event) -> Result<Option<Execution>, Failure> {
        let damaged = |error: serde_json::Error| lost(&format!("the answer is damaged: {error}"));
        match event.name.as_str() {
            "started" => self.execution = Some(serde_json::from_str(&event.data).map_err(damaged)?),
            "output" => {
                let chunk: OutputChunk = serde_json::from_str(&event.data).map_err(damaged)?;
                self.writing.write(console, &chunk)?;
            }
            "finished" => return serde_json::from_str(&event.data).map(Some).map_err(damaged),
            "problem" => {
                let problem: Problem = serde_json::from_str(&event.data).map_err(damaged)?;
                return Err(lost(&problem.detail));
            }
            _ => {}
        }
        Ok(None)
    }

    /// The first Ctrl-C asks the server to stop the run, the second one leaves.
    async fn interrupt(&mut self, context: &mut Context, client: &Client) -> Result<(), Failure> {
        let id = self.execution.as_ref().map(|execution| execution.id.clone());
        let Some(id) = id.filter(|_| self.stops && !self.interrupted) else {
            return Err(match &self.execution {
                Some(execution) => left(&execution.id),
                None => Failure::Interrupted("Left.".into()),
            });
        };
        self.interrupted = true;
        context.console.note("\nStopping the run. Press Ctrl-C again to leave without waiting for it.");
        let (path, nothing) = (format!("{}/stop", path(&id)), serde_json::json!({}));
        tokio::select! {
            stopped = client.post(&path, &nothing) => {
                if let Err(failure) = stopped {
                    context.console.note(&format!("It could not be stopped: {failure}"));
                }
                Ok(())
            }
            () = context.interrupts.next() => Err(left(&id)),
        }
    }
}

/// Takes a stream up again, after a pause that grows.
async fn resumed(
    context: &mut Context,
    client: &Client,
    id: &str,
    attempt: u32,
) -> Result<Incoming, Failure> {
    let url = format!("{}/output", path(id));
    let taking_up = async {
        let mut attempt = attempt;
        loop {
            tokio::time::sleep(Duration::from_millis(200 << attempt.min(RESUMES_MAX))).await;
            match client.follow(&url).await {
                Err(Failure::Unreachable { .. }) if attempt < RESUMES_MAX => attempt += 1,
                Ok(_) if attempt > RESUMES_MAX => return Err(lost("its output broke off again and again")),
                Err(failure) => return Err(lost(&failure.to_string())),
                Ok(body) => return Ok(body),
            }
        }
    };
    tokio::select! {
        body = taking_up => body,
        () = context.interrupts.next() => Err(left(id)),
    }
}

fn left(id: &str) -> Failure {
    Failure::Interrupted(format!("Left. See what becomes of it with: brevet execution show {id}"))
}

/// The next bytes; `None` at the end, also where the connection broke.
async fn next(body: &mut Incoming) -> Option<Vec<u8>> {
    loop {
        let frame = body.frame().await?.ok()?;
        if let Ok(data) = frame.into_data() {
            return Some(data.to_vec());
        }
    }
}

/// The exit code of a run, with a sentence where the code alone does not say it.
fn explain(console: &mut Console, execution: &Execution) -> u8 {
    let id = &execution.id;
    if let Some(output) = execution.output.as_ref().filter(|output| output.dropped > 0) {
        console.note(&format!("brevet: {} bytes of the output of {id} were not kept.", output.dropped));
    }
    match (execution.state, execution.exit_code, execution.signal) {
        (ExecutionState::Succeeded, ..) => 0,
        (ExecutionState::Failed, Some(code), _) => task_code(code),
        (ExecutionState::Failed, None, Some(signal)) => {
            console.note(&format!("brevet: {id} was killed by signal {signal}."));
            u8::try_from(128 + signal).unwrap_or(exit::LOST)
        }
        (ExecutionState::Failed, None, None) => {
            let why = execution.problem.as_deref().unwrap_or("the server does not say why");
            console.note(&format!("brevet: {id} could not be started: {}", super::console::safe(why)));
            exit::LOST
        }
        (ExecutionState::Stopped, ..) => {
            let why = execution.stop_cause.map_or("the server does not say why", cause);
            console.note(&format!("brevet: {id} was stopped: {why}."));
            exit::STOPPED
        }
        (ExecutionState::Unknown | ExecutionState::Running, ..) => {
            console.note(&format!(
                "brevet: what became of {id} is not known: the server went down while it ran."
            ));
            exit::LOST
        }
    }
}

/// A code other than 0 stays one, also where this system has no room for it.
fn task_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(exit::FAILED)
}

fn lost(why: &str) -> Failure {
    Failure::Lost(format!(
        "The run could not be followed: {why}. See what became of it with: brevet execution list --mine"
    ))
}
