//! Evidence for auditors: who could run what at an instant, and one request's whole story.
//!
//! Both are made from stored entries on a thread of their own, a few at once, and never in the way of a decision.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brevet_core::{Past, RequestId, TaskId, Timestamp, UserId, Way};
use brevet_store::{ReadUpTo, Reader, StoreError};
use brevet_workloads::recording::BadRecording;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{App, AppError};
use crate::bundle::{self, Bundle, BundleFault, Collected, Wrote};
use crate::world::World;

/// Folds of the ledger and bundles in the making at once: half of the readers, so that lists go on.
const EVIDENCE_AT_ONCE: usize = 2;
/// How long one waits for the others; then it is told to come back.
const EVIDENCE_WAIT_MAX: Duration = Duration::from_secs(10);

/// Room for evidence in the making, and the last fold, for the next page of its answer.
pub(super) struct Evidence {
    places: Arc<Semaphore>,
    last: Arc<Mutex<Option<Fold>>>,
}

/// The state of an instant that no entry can change any more.
#[derive(Clone)]
struct Fold {
    time: Timestamp,
    past: Arc<Past>,
}

impl Evidence {
    /// A place, to be held by the work itself: it goes on when the one who asked is gone.
    async fn place(&self) -> Result<OwnedSemaphorePermit, AppError> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(EVIDENCE_WAIT_MAX, place).await;
        place.map_err(|_| AppError::Busy)?.map_err(|_| AppError::Stopping)
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(EVIDENCE_AT_ONCE)), last: Arc::default() }
    }
}

/// Who could run what at an instant; everybody and everything where nothing is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf {
    pub(crate) time: Timestamp,
    pub(crate) user: Option<UserId>,
    pub(crate) task: Option<TaskId>,
}

/// One page of the answer.
#[derive(Debug)]
pub(crate) enum AsOfAnswer {
    /// The state, and some ways in it.
    Page {
        /// The state at that instant.
        past: Arc<Past>,
        /// In the order of people, tasks and authorizations.
        ways: Vec<Way>,
        /// Where the next page begins.
        next: Option<u64>,
    },
    /// The beginning of the ledger is in an archive file.
    Archived {
        /// The first entry that is here.
        before: u64,
    },
    /// This ledger goes on from another one, whose entries come first.
    Recovered {
        /// The name of the other one.
        previous: String,
    },
}

/// A bundle, or why there is none.
#[derive(Debug)]
pub(crate) enum Bundled {
    File(Box<Bundle>),
    NoSuch,
    Archived,
    Recovered { previous: String },
    TooLong,
    TooMuchOutput,
    Faulty(BundleFault),
}

impl<W: World> App<W> {
    /// Who could run what at an instant: every entry up to it is applied again, and the gate is asked.
    ///
    /// # Errors
    /// [`AppError::Busy`] where too many others ask for too long; [`AppError::Read`].
    pub(crate) async fn as_of(
        &self,
        question: AsOf,
        cursor: u64,
        limit: usize,
    ) -> Result<AsOfAnswer, AppError> {
        let place = self.inner.evidence.place().await?;
        let last = Arc::clone(&self.inner.evidence.last);
        self.stored(move |reader| {
            let _place = place;
            let known = lock(&last).clone().filter(|fold| fold.time == question.time);
            let past = match known {
                Some(fold) => fold.past,
                None => match fold(reader, question.time)? {
                    Ok(fold) => {
                        lock(&last).clone_from(&fold.kept);
                        fold.past
                    }
                    Err(unknown) => return Ok(unknown),
                },
            };
            let (ways, next) = page(&past, question, cursor, limit);
            Ok(AsOfAnswer::Page { past, ways, next })
        })
        .await
    }

    /// The evidence bundle of a request, with what its runs wrote where that is wanted.
    ///
    /// # Errors
    /// [`AppError::Busy`], [`AppError::Read`]; [`AppError::Machine`] where an output cannot be read, [`AppError::Output`]
    /// where another server's is not what the ledger says.
    pub(crate) async fn bundle(&self, request: RequestId, outputs: bool) -> Result<Bundled, AppError> {
        let place = self.inner.evidence.place().await?;
        let (origin, keys) = (self.ledger_origin().to_owned(), self.verifier_keys());
        let collected = self.stored(move |reader| {
            let collected =
                bundle::collect(reader, &bundle::Wanted { request, origin: &origin, keys: &keys })?;
            Ok((collected, place))
        });
        let (collected, place) = collected.await?;
        let (mut bundle, wrote) = match collected {
            Collected::Bundle(bundle, wrote) => (bundle, wrote),
            Collected::NoSuch => return Ok(Bundled::NoSuch),
            Collected::Archived => return Ok(Bundled::Archived),
            Collected::Recovered { previous } => return Ok(Bundled::Recovered { previous }),
            Collected::TooLong => return Ok(Bundled::TooLong),
            Collected::Faulty(fault) => return Ok(Bundled::Faulty(fault)),
        };
        if !outputs {
            return Ok(Bundled::File(bundle));
        }
        if !bundle::fits(&wrote) {
            return Ok(Bundled::TooMuchOutput);
        }
        self.take_over_all(&wrote).await?;
        let blobs = self.inner.runs.workloads().blobs().clone();
        let embed = move || {
            let _place = place;
            bundle::with_outputs(&mut bundle, &wrote, |output| blobs.bytes(output))?;
            Ok::<_, std::io::Error>(Bundled::File(bundle))
        };
        Ok(tokio::task::spawn_blocking(embed).await.map_err(|_| AppError::Stopping)??)
    }

    /// Gets here what other servers recorded. What is nowhere is left out.
    async fn take_over_all(&self, wrote: &[Wrote]) -> Result<(), AppError> {
        for Wrote { execution, output } in wrote {
            match self.take_over(*execution, *output).await {
                Ok(()) | Err(AppError::Output(BadRecording::Missing)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A fold, and what of it may be kept.
struct Folded {
    past: Arc<Past>,
    kept: Option<Fold>,
}

/// The state at an instant; where the beginning is elsewhere, the answer that says so.
fn fold(reader: &Reader, time: Timestamp) -> Result<Result<Folded, AsOfAnswer>, StoreError> {
    let mut past = Past::default();
    let read = reader.entries_up_to(time, |entry| past.take(entry))?;
    let past = Arc::new(past);
    Ok(match read {
        ReadUpTo::Archived { before } => Err(AsOfAnswer::Archived { before }),
        ReadUpTo::Recovered { previous } => Err(AsOfAnswer::Recovered { previous }),
        ReadUpTo::End => Ok(Folded { past, kept: None }),
        ReadUpTo::Later => Ok(Folded { past: Arc::clone(&past), kept: Some(Fold { time, past }) }),
    })
}

/// A page, and where the next one begins: the person, and how many of their ways were shown.
fn page(past: &Past, question: AsOf, cursor: u64, limit: usize) -> (Vec<Way>, Option<u64>) {
    let AsOf { time, user, task } = question;
    let from = UserId::new(u32::try_from(cursor >> 32).unwrap_or(u32::MAX));
    let shown = usize::try_from(cursor & u64::from(u32::MAX)).unwrap_or(usize::MAX);
    let mut ways = past.ways(time, from, user, task).skip_while({
        let mut left = shown;
        move |way| {
            let skip = way.user == from && left > 0;
            left = left.saturating_sub(1);
            skip
        }
    });
    let page: Vec<Way> = ways.by_ref().take(limit).collect();
    let next = ways.next().and(page.last()).map(|last| {
        let of_last = page.iter().filter(|way| way.user == last.user).count();
        let before = if last.user == from { shown } else { 0 };
        u64::from(last.user.number()) << 32 | (before + of_last) as u64
    });
    (page, next)
}

fn lock(last: &Mutex<Option<Fold>>) -> std::sync::MutexGuard<'_, Option<Fold>> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}
