//! What a run wrote, as it comes.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use brevet_core::ExecutionId;
use brevet_wire as wire;
use tokio::time::{Interval, MissedTickBehavior};

use super::executions::{Run, accepts, execution, found};
use crate::app::{AppError, Follow, Frame, Stream};
use crate::http::extract::{Segments, id};
use crate::http::limit::{FINISH_ON_RECORD_MAX, STREAM_PULSE};
use crate::http::problem::{Answer, Failure};
use crate::http::route::{Caller, Visitor};
use crate::http::stream::{Gone, Pipe};
use crate::http::wait::{Wait, until};

/// Why a stream ended before the run did.
enum Broken {
    /// Nobody reads any more.
    Gone,
    /// It cannot go on.
    Failed(Failure),
}

impl From<Gone> for Broken {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<AppError> for Broken {
    fn from(error: AppError) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) async fn show(
    caller: Caller,
    visitor: Visitor,
    Segments(given): Segments<String>,
    headers: HeaderMap,
) -> Answer {
    let id = id(ExecutionId::parse(&given))?;
    let run = readable(&caller, id).await?;
    let wait = match run.execution.user == caller.user() {
        true => visitor.server.waits.for_own_run(&caller.session)?,
        false => visitor.server.waits.for_anything(&caller.session)?,
    };
    match accepts(&headers, "application/octet-stream") {
        true => bytes(caller, id, wait).await,
        false => stream(caller, id, wait).await,
    }
}

/// The run, if the caller may see what it wrote.
async fn readable(caller: &Caller, id: ExecutionId) -> Result<Run, Failure> {
    let run = found(caller, id).await?;
    match caller.view(|view| view.sees_output(&run.execution, run.under.as_ref())) {
        true => Ok(run),
        false => Err(Failure::no_such("execution", format!("{id} whose output you may see"))),
    }
}

/// The stream of a run: `started`, `output`…, `finished`. Its reader has the place of one who waits.
pub(super) async fn stream(caller: Caller, id: ExecutionId, wait: Wait) -> Answer {
    let follow = caller.app.follow(id).await?;
    let (pipe, response) = Pipe::new("text/event-stream", wait);
    tokio::spawn(async move {
        if let Err(Broken::Failed(failure)) = events(&caller, id, follow, &pipe).await {
            drop(pipe.event("problem", &failure.into_problem()).await);
        }
    });
    Ok(response)
}

async fn events(caller: &Caller, id: ExecutionId, mut follow: Follow, pipe: &Pipe) -> Result<(), Broken> {
    pipe.event("started", &execution(caller, id).await?).await?;
    let mut pulse = pulse().await;
    while let Some(frame) = next(caller, id, &mut follow, &mut pulse, Some(pipe)).await? {
        let Frame { stream, micros: after_micros, bytes } = frame;
        let stream = match stream {
            Stream::Output => wire::Stream::Stdout,
            Stream::Error => wire::Stream::Stderr,
        };
        let data = STANDARD.encode(bytes);
        pipe.event("output", &wire::OutputChunk { stream, after_micros, data }).await?;
    }
    let over =
        |state: &brevet_core::State| state.execution(id).is_none_or(brevet_core::Execution::has_finished);
    if !until(&caller.app, FINISH_ON_RECORD_MAX, over).await {
        let why = format!("{id} is over, and its end is not on record yet; look again");
        return Err(
            Failure::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "ledger-unavailable", why).into()
        );
    }
    is_known_open(caller)?;
    Ok(pipe.event("finished", &execution(caller, id).await?).await?)
}

/// Refuses whoever's session ended. A server that is behind does not know, for a moment: what runs is stopped when that lasts.
fn is_known_open(caller: &Caller) -> Result<bool, AppError> {
    match caller.check_open() {
        Err(AppError::Behind { .. }) => Ok(false),
        open => open.map(|()| true),
    }
}

/// The bytes of standard output alone.
async fn bytes(caller: Caller, id: ExecutionId, wait: Wait) -> Answer {
    let mut follow = caller.app.follow(id).await?;
    let (pipe, response) = Pipe::new("application/octet-stream", wait);
    tokio::spawn(async move {
        let mut pulse = pulse().await;
        loop {
            match next(&caller, id, &mut follow, &mut pulse, None).await {
                Ok(Some(Frame { stream: Stream::Error, .. })) => {}
                Ok(Some(Frame { stream: Stream::Output, micros: _, bytes })) => {
                    if pipe.send(bytes).await.is_err() {
                        return;
                    }
                }
                Ok(None) | Err(Broken::Gone) => return,
                Err(Broken::Failed(failure)) => return pipe.break_off(&failure.into_problem().detail).await,
            }
        }
    });
    Ok(response)
}

/// Beats from one [`STREAM_PULSE`] after now.
async fn pulse() -> Interval {
    let mut pulse = tokio::time::interval(STREAM_PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pulse.tick().await;
    pulse
}

/// The next piece. At each beat, however much is written, it is looked at whether the reader may still read it, and
/// they are told that the stream is still there.
async fn next(
    caller: &Caller,
    id: ExecutionId,
    follow: &mut Follow,
    pulse: &mut Interval,
    pipe: Option<&Pipe>,
) -> Result<Option<Frame>, Broken> {
    let next = follow.next();
    tokio::pin!(next);
    loop {
        tokio::select! {
            biased;
            _ = pulse.tick() => {}
            frame = &mut next => return Ok(frame?),
        }
        if is_known_open(caller)? {
            drop(readable(caller, id).await?);
        }
        if let Some(pipe) = pipe {
            pipe.send(": still there\n\n").await?;
        }
    }
}
