//! The use cases of the product, behind the faces and in front of the store: the only code that changes
//! anything, and it does so through the sequencer.

mod archive;
mod attest;
mod bell;
mod error;
mod evidence;
mod follow;
mod freshness;
mod halt;
mod idempotency;
mod keys;
mod lists;
mod notary;
mod opening;
mod password;
mod preview;
mod published;
mod reaction;
mod read;
mod recordings;
mod refusals;
mod runs;
mod sequencer;
mod session;
mod settings;
mod sign_in;
mod sinks;
mod standing;
mod workloads;

use std::sync::Arc;

use arc_swap::Guard;
use brevet_core::{Command, Origin, Reply, Span, State, Timestamp};
use brevet_store::{Reader, SideWrite, StoreError};
use tokio::sync::{Semaphore, oneshot, watch};

pub use archive::{ArchiveHeading, Archives, archive_file_name, write_archive_file};
pub use error::AppError;
pub(crate) use evidence::{AsOf, AsOfAnswer, Bundled};
pub use follow::{Follow, Frame, Stream};
pub use idempotency::IdempotencyKey;
pub use keys::{OVERLAP_DEFAULT, OVERLAP_MAX};
pub use password::{PASSWORD_BYTES_MAX, PASSWORD_LENGTH_MIN};
pub use published::Published;
pub use runs::Started;
pub use sequencer::Done;
pub use session::{SESSION_IDLE, SESSION_LIFETIME, Session};
pub use settings::{Settings, Witnesses};
pub use sign_in::{CODE_LIFETIME, OneTimeCode, SETUP_CODE_LIFETIME, SignedIn};
pub use sinks::SinkStatus;
pub use standing::{EntryState, Standing, WitnessStanding};
pub use workloads::{NotTakenOver, Workloads};

use crate::world::{Machine, World};
use freshness::Freshness;
use halt::Halt;
use published::Readers as PublishedReaders;
use refusals::Refusals;
use runs::Runs;
use sequencer::{Condition, Entrance, Item};
use session::Sessions;
use sign_in::SetUpCode;
use standing::Standings;

/// Passwords hashed at once: each takes 19 MiB.
const HASHES_AT_ONCE: usize = 2;
/// Passwords that wait to be hashed: so few that whoever comes last is answered within a second or two.
const HASHES_WAITING_MAX: usize = 64;
/// How long an answer is kept for a caller that asks again with the same key.
const IDEMPOTENCY_LIFETIME: Span = Span::hours(24);

/// The product, ready to serve. Cheap to clone.
pub struct App<W: World = Machine> {
    inner: Arc<Inner<W>>,
}

impl<W: World> Clone for App<W> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

struct Inner<W: World> {
    world: Arc<W>,
    entrance: Entrance,
    published: Arc<PublishedReaders>,
    stored: read::Readers,
    sessions: Arc<Sessions>,
    runs: Arc<Runs>,
    /// Where several servers share the database.
    shared: Option<recordings::Shared>,
    refusals: Refusals,
    set_up_code: SetUpCode,
    hashing: Arc<Semaphore>,
    /// Places of those that are hashed or wait for it.
    hash_queue: Arc<Semaphore>,
    previewing: Arc<Semaphore>,
    evidence: evidence::Evidence,
    /// Held while an archive is written, or texts are erased.
    archiving: tokio::sync::Mutex<()>,
    origin: String,
    keys: keys::Keys,
    standings: Standings,
    anchor: Arc<std::sync::Mutex<brevet_store::Anchor>>,
    settings: Settings,
    sinks: sinks::SinkBoard,
    data: std::path::PathBuf,
    /// Rung when a run waits for witnesses.
    urgent: Arc<tokio::sync::Notify>,
    /// Set when nothing may be written any more.
    halt: Arc<Halt>,
    /// How long ago all that others wrote was known.
    fresh: Arc<Freshness>,
}

impl<W: World> App<W> {
    /// The last durable state. To be held for a moment only: never over an `await`.
    pub fn published(&self) -> Guard<Arc<Published>> {
        self.inner.published.load()
    }

    /// Tells of every state that is published from now on, by the size of its ledger.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.inner.published.changed()
    }

    /// Reads the last durable state.
    pub fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.published().state)
    }

    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        self.inner.world.now()
    }

    /// The clock and randomness.
    pub fn world(&self) -> &W {
        &self.inner.world
    }

    /// The name of this ledger.
    pub fn ledger_origin(&self) -> &str {
        &self.inner.origin
    }

    fn data_folder(&self) -> &std::path::Path {
        &self.inner.data
    }

    /// Carries out a command; when it answers, what happened is durable.
    pub async fn command(
        &self,
        origin: Origin,
        command: Command,
        key: Option<IdempotencyKey>,
    ) -> Result<Done, AppError> {
        self.command_with(origin, Some(command), key, |_| Vec::new()).await
    }

    /// The same, with something written beside the entries in the same transaction.
    async fn command_with(
        &self,
        origin: Origin,
        command: Option<Command>,
        key: Option<IdempotencyKey>,
        beside: impl FnOnce(Reply) -> Vec<SideWrite> + Send + 'static,
    ) -> Result<Done, AppError> {
        self.command_if(None, origin, command, key, beside).await
    }

    /// The same, if something is so in the store at the moment of the decision.
    async fn command_if(
        &self,
        condition: Option<Condition>,
        origin: Origin,
        command: Option<Command>,
        key: Option<IdempotencyKey>,
        beside: impl FnOnce(Reply) -> Vec<SideWrite> + Send + 'static,
    ) -> Result<Done, AppError> {
        let (answer, answered) = oneshot::channel();
        let beside = Some(Box::new(beside) as _);
        self.inner.entrance.send(Item { origin, command, key, condition, beside, answer })?;
        answered.await.map_err(|_| AppError::Stopping)?
    }

    /// Whether the same thing was done before under the same key: for what would be refused when it is done already.
    async fn was_answered(&self, origin: Origin, key: Option<&IdempotencyKey>) -> Result<bool, AppError> {
        let (Some(key), Some(user)) = (key.cloned(), origin.user_id()) else { return Ok(false) };
        let IdempotencyKey { key, fingerprint } = key;
        match self.stored(move |reader| reader.idempotent(user, &key)).await? {
            None => Ok(false),
            Some(kept) if kept.fingerprint == fingerprint => Ok(true),
            Some(_) => Err(AppError::KeyReused),
        }
    }

    /// Reads what is stored, off the async threads.
    pub async fn stored<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, AppError> {
        self.inner.stored.with(read).await
    }

    /// The session of a token, unless it is over or its account is not active any more. One that another server opened, or
    /// kept alive, is looked up.
    pub async fn session(&self, token: &str) -> Result<Arc<Session>, AppError> {
        self.find_session(token, |sessions, now| sessions.find(token, now)).await
    }

    /// The same for what nobody sits in front of: the session does not last longer by it.
    pub async fn session_unattended(&self, token: &str) -> Result<Arc<Session>, AppError> {
        self.find_session(token, |sessions, now| sessions.peek(token, now)).await
    }

    /// Refuses whoever is still being answered in a session that ended meanwhile, or whose account is not active any more.
    /// That counts as no use of it. Unused for long, it is over only where nobody sits in front of it.
    pub fn check_open(&self, session: &Session, is_attended: bool) -> Result<(), AppError> {
        self.check_fresh()?;
        let is_open = self.inner.sessions.is_open(session, is_attended, self.now());
        match is_open && self.read(|state| state.is_active(session.user)) {
            true => Ok(()),
            false => Err(AppError::NotSignedIn),
        }
    }

    async fn find_session(
        &self,
        token: &str,
        find: impl Fn(&session::Sessions, Timestamp) -> Option<Arc<Session>>,
    ) -> Result<Arc<Session>, AppError> {
        self.check_fresh()?;
        let mut found = find(&self.inner.sessions, self.now());
        if found.is_none() && self.is_shared() {
            let Some(hash) = session::hash_of(token) else { return Err(AppError::NotSignedIn) };
            self.take_session(hash).await?;
            found = find(&self.inner.sessions, self.now());
        }
        let session = found.ok_or(AppError::NotSignedIn)?;
        match self.published().state.is_active(session.user) {
            true => Ok(session),
            false => Err(AppError::NotSignedIn),
        }
    }

    /// Lets a stored session be found here, if it is there: whoever ends it from now on ends it here too.
    async fn take_session(&self, hash: [u8; 32]) -> Result<Option<Arc<Session>>, AppError> {
        loop {
            let moment = self.inner.sessions.moment();
            let Some(row) = self.stored(move |reader| reader.session(&hash)).await? else { return Ok(None) };
            if let Some(session) = self.inner.sessions.open_unless_ended(&row, moment) {
                return Ok(Some(session));
            }
        }
    }

    /// Whether several servers may write to this ledger.
    fn is_shared(&self) -> bool {
        self.inner.fresh.is_shared()
    }

    /// Refuses to answer from what others may have changed.
    fn check_fresh(&self) -> Result<(), AppError> {
        let behind = self.inner.fresh.behind();
        match behind > freshness::STALE_AFTER {
            true => Err(AppError::Behind { seconds: behind.as_secs() }),
            false => Ok(()),
        }
    }

    /// Waits until this server knows so many entries, for a caller that has seen them elsewhere.
    pub async fn reach(&self, position: u64) -> Result<(), AppError> {
        let mut size = self.changed();
        let reached = size.wait_for(|size| *size >= position);
        match tokio::time::timeout(freshness::REACH_MAX, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(AppError::Stopping),
            Err(_) => Err(AppError::NotYet { has: self.published().size, wanted: position }),
        }
    }

    /// Asks the database once more what others decided, unless that was just done: between a permit and the start of its
    /// run the process may have been paused.
    async fn be_sure(&self) -> Result<(), AppError> {
        match self.inner.fresh.behind() > freshness::SURE_FOR {
            true => self.command_with(Origin::SYSTEM, None, None, |_| Vec::new()).await.map(drop),
            false => Ok(()),
        }
    }

    /// Regular housekeeping: sessions that are over, refusals to be counted, old keys. To be called every few
    /// seconds.
    pub async fn tend(&self) -> Result<(), AppError> {
        let now = self.now();
        let mut due = self.inner.refusals.due(now, false).into_iter();
        while let Some(repeated) = due.next() {
            if let Err(error) = self.command(Origin::SYSTEM, repeated.clone().into(), None).await {
                // Not twice what may be on record.
                let failed = (!matches!(error, AppError::OutcomeUnknown { .. })).then_some(repeated);
                self.inner.refusals.keep(now, failed.into_iter().chain(due));
                return Err(error);
            }
        }
        let mut writes = self.inner.sessions.tend(now, self.is_shared());
        if !writes.is_empty() {
            writes.push(SideWrite::ForgetIdempotent(now.minus(IDEMPOTENCY_LIFETIME)));
            self.command_with(Origin::SYSTEM, None, None, |_| writes).await?;
        }
        match self.leads() {
            true => {
                self.close_what_nobody_tends(now).await?;
                self.erase_what_is_left().await?;
                self.prune().await
            }
            false => Ok(()),
        }
    }

    /// Of several servers each tends the sessions that it has seen: one that stopped leaves its own to the others.
    async fn close_what_nobody_tends(&self, now: Timestamp) -> Result<(), AppError> {
        let unused = session::unused_since(now, true);
        if !self.is_shared() || !self.stored(move |reader| reader.has_unused_sessions(unused)).await? {
            return Ok(());
        }
        let close = move |_| vec![SideWrite::CloseAllUnused(unused)];
        self.command_with(Origin::SYSTEM, None, None, close).await.map(drop)
    }

    /// Whether this server does what is done once for all of several.
    fn leads(&self) -> bool {
        self.published().leads()
    }

    /// Ends when this server does what is done once for all of several; it goes on with that to its end.
    pub(crate) async fn until_it_leads(&self) {
        let mut changed = self.changed();
        while !self.leads() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Tells every run to end, because the process is about to go.
    pub fn stop_runs(&self) {
        self.inner.runs.close();
    }

    /// Ends every run and puts on record what there is to put, before the process goes. What cannot be recorded
    /// `within` that time (the ledger may be what failed) the next server finds unknown.
    pub async fn shut_down(&self, within: std::time::Duration) {
        self.inner.runs.close();
        if tokio::time::timeout(within, self.inner.runs.wait_until_idle()).await.is_err() {
            tracing::error!(
                "the end of some runs could not be put on record; the next start finds them unknown"
            );
        }
        let refusals = self.inner.refusals.due(self.now(), true);
        for command in refusals.into_iter().map(Command::from).chain([Command::StopServer]) {
            if let Err(error) = self.command(Origin::SYSTEM, command, None).await {
                tracing::warn!(%error, "the end of the server could not be put on record");
            }
        }
        let note = self.published().checkpoint.clone();
        if tokio::time::timeout(within, notary::attest(&self.inner, &note)).await.is_err() {
            tracing::error!("the last checkpoint is not in the anchor: its storage does not answer");
        }
    }
}
