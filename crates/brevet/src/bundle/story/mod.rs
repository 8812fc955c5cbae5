//! The story that proven entries tell, and whether Brevet allows it: who asked, who said yes and was it enough, what
//! that gave, and what ran under it.
//!
//! The rules are those of the core, told once more over the few entries of a bundle, because the core's own state is
//! made of all entries. What an entry needs and the bundle does not have is missing; what an entry denies contradicts.

mod asking;
mod running;
mod scene;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use brevet_core::{
    Access, AuthorizationId, Binding, Digest, Entry, Event, ExecutionId, Output, Parameters, PolicyId,
    Purpose, RequestId, Span, Timestamp, UserId,
};

use super::fault::BundleFault;
use super::report::instant;
use scene::Scene;

/// A proven entry.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) index: u64,
    pub(super) entry: Entry,
    pub(super) texts_present: usize,
    pub(super) texts_erased: usize,
}

/// What happened, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) index: u64,
    pub(super) time: Timestamp,
    pub(super) text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  entry {}: {}", instant(self.time), self.index, self.text)
    }
}

/// A story without a contradiction.
#[derive(Debug, Default)]
pub(super) struct Story {
    scene: Scene,
    requests: BTreeMap<RequestId, Asked>,
    /// The one authorization that it is about, once it was given.
    given: Option<Given>,
    runs: BTreeMap<ExecutionId, Ran>,
    lines: Vec<Line>,
}

/// A request, as far as it was told.
#[derive(Debug)]
struct Asked {
    requester: UserId,
    purpose: Purpose,
    access: Access,
    digest: Digest,
    bound: Parameters,
    policy: PolicyId,
    revision: u32,
    duration: Span,
    max_uses: Option<u32>,
    expires: Timestamp,
    votes: Vec<UserId>,
    /// The last instant and place of a yes that was enough, while nothing was given for it.
    due: Option<u64>,
    closed: bool,
}

/// The authorization.
#[derive(Debug)]
struct Given {
    id: AuthorizationId,
    holder: UserId,
    access: Access,
    digest: Digest,
    bound: Parameters,
    binding: Binding,
    policy: PolicyId,
    max_uses: Option<u32>,
    duration: Span,
    /// When it was given, and from when and until when it may start.
    given: Timestamp,
    may_start: (Timestamp, Timestamp),
    window: Option<(Timestamp, Timestamp)>,
    uses: u32,
    ended: bool,
}

/// A run.
#[derive(Debug, Default)]
struct Ran {
    finished: bool,
    output: Option<Output>,
}

type Checked = Result<String, BundleFault>;

impl Story {
    /// The story of a request, out of proven entries in the order of the ledger.
    ///
    /// # Errors
    /// [`BundleFault::Missing`], [`BundleFault::Contradicts`].
    pub(super) fn of(asked: RequestId, told: &[Told]) -> Result<Self, BundleFault> {
        let mut story = Self::default();
        for told in told {
            story.take(told)?;
        }
        match story.requests.get(&asked) {
            None => Err(BundleFault::missing(format!("the entry that submitted {asked}"))),
            Some(_) => story.complete(),
        }
    }

    /// What the runs wrote.
    pub(super) fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.runs.values().filter_map(|run| run.output.as_ref())
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    fn take(&mut self, told: &Told) -> Result<(), BundleFault> {
        // A yes that is enough gives something in the same breath: the very next entry.
        if let Some((id, _)) = self.due().filter(|(_, place)| told.index > place + 1) {
            return Err(gave_nothing(id));
        }
        if self.scene.take(told.index, &told.entry)? {
            return Ok(());
        }
        let text = match &told.entry.event {
            Event::RequestSubmitted { .. } => self.submitted(told)?,
            Event::RequestDecided { .. } => self.decided(told)?,
            Event::RequestExpired { request } => {
                self.closed(told, *request, "expired: nobody decided in time")?
            }
            Event::RequestCancelled { request } => self.closed(told, *request, "was withdrawn")?,
            Event::AuthorizationGranted { .. } => self.granted(told)?,
            Event::AuthorizationExtended { .. } => self.extended(told)?,
            Event::AuthorizationStarted { .. } => self.started(told)?,
            Event::AuthorizationEnded { .. } => self.ended(told)?,
            Event::ExecutionStarted { .. } => self.ran(told)?,
            Event::ExecutionStopRequested { .. } => self.stopped(told)?,
            Event::ExecutionFinished { .. } => self.finished(told)?,
            event => {
                let kind = event.kind().name;
                return Err(BundleFault::contradicts(
                    told.index,
                    format!("{kind} is no part of any request's story"),
                ));
            }
        };
        self.lines.push(Line { index: told.index, time: told.entry.time, text });
        Ok(())
    }

    fn due(&self) -> Option<(RequestId, u64)> {
        self.requests.iter().find_map(|(id, asked)| asked.due.map(|place| (*id, place)))
    }

    fn complete(self) -> Result<Self, BundleFault> {
        match self.due() {
            Some((id, _)) => Err(gave_nothing(id)),
            None => Ok(self),
        }
    }
}

fn gave_nothing(id: RequestId) -> BundleFault {
    BundleFault::missing(format!("the entry of what {id} gave: enough people had approved it"))
}
