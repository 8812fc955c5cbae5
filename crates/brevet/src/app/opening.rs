//! Opening: what a start reads, what it puts together of that, and its first entries.

use std::sync::Arc;

use brevet_core::{Command, Event, Origin, ServerStart, State};
use brevet_store::{DataFolder, SessionRow, Store};
use tokio::sync::Semaphore;

use super::freshness::Freshness;
use super::halt::Halt;
use super::published::Readers as PublishedReaders;
use super::reaction::Reaction;
use super::refusals::Refusals;
use super::runs::Runs;
use super::sequencer::{Sequencer, Surroundings};
use super::session::Sessions;
use super::sign_in::SetUpCode;
use super::standing::Standings;
use super::{
    App, AppError, HASHES_AT_ONCE, HASHES_WAITING_MAX, Inner, Published, Settings, Standing, Workloads,
};
use super::{attest, bell, evidence, keys, read, recordings, sinks};
use crate::world::World;

/// What a start finds in the database.
struct Opened {
    store: Store,
    readers: read::Readers,
    state: State,
    anchor: brevet_store::Anchor,
    witnessed: Option<(u64, String)>,
    sessions: Vec<SessionRow>,
    settings: Settings,
}

impl Opened {
    fn of(folder: DataFolder, seed: [u8; 32], settings: Settings) -> Result<Self, AppError> {
        let mut store =
            Store::open_at(&settings.database, folder, seed, &settings.key).map_err(keys::about_keys)?;
        let readers = read::Readers::open(&settings.database, store.folder())?;
        let state = store.load()?;
        let anchor = attest::hold_anchor(&store, &settings)?;
        let witnessed = attest::last_witnessed(&store, &settings)?;
        let sessions = store.sessions()?;
        Ok(Self { store, readers, state, anchor, witnessed, sessions, settings })
    }
}

/// The same without what the sequencer works on.
struct Found {
    readers: read::Readers,
    anchor: brevet_store::Anchor,
    witnessed: Option<(u64, String)>,
    sessions: Vec<SessionRow>,
    settings: Settings,
}

/// What reacts to entries in this process.
struct Reactions {
    sessions: Arc<Sessions>,
    runs: Arc<Runs>,
}

impl Reaction for Reactions {
    fn recorded(&self, entries: &[brevet_core::Entry]) {
        for entry in entries {
            self.sessions.react(&entry.event);
            self.runs.react(&entry.event);
        }
    }

    fn heard(&self, entries: &[brevet_core::Entry]) {
        for entry in entries {
            self.sessions.react(&entry.event);
            // A run that another server starts is none of this one.
            if !matches!(entry.event, Event::ExecutionStarted { .. }) {
                self.runs.react(&entry.event);
            }
        }
    }

    fn has_session(&self, session: brevet_core::SessionId) -> bool {
        self.sessions.has(session)
    }

    fn ledger_failed(&self) {
        self.runs.stop_all(brevet_core::StopCause::LedgerUnavailable);
    }

    fn clock_went_back(&self) {
        self.runs.stop_all(brevet_core::StopCause::Expired);
    }
}

impl<W: World> App<W> {
    /// Opens the ledger in a folder and begins to serve it: marks what was running when the last server went
    /// down, and acts on what is due.
    pub async fn open(folder: DataFolder, world: W, workloads: Arc<Workloads>) -> Result<Self, AppError> {
        Self::open_with(folder, world, workloads, Settings::default()).await
    }

    /// The same, as it is set.
    pub async fn open_with(
        folder: DataFolder,
        world: W,
        workloads: Arc<Workloads>,
        settings: Settings,
    ) -> Result<Self, AppError> {
        let mut seed = [0; 32];
        world.fill(&mut seed)?;
        // A database elsewhere is waited for, and this thread may not wait.
        let opened = tokio::task::spawn_blocking(move || Opened::of(folder, seed, settings));
        let Opened { store, readers, state, anchor, witnessed, sessions, settings } =
            opened.await.map_err(|_| AppError::Stopping)??;
        attest::check_clock(&world, &state)?;
        let (is_new, accepted_loss) = (store.size() == 0, store.accepted_loss());
        let found = Found { readers, anchor, witnessed, sessions, settings };
        let app = Self::serve(store, state, found, world, workloads)?;
        if is_new {
            let origin = app.inner.origin.clone();
            app.command(Origin::SYSTEM, Command::OpenLedger { origin }, None).await?;
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let witnesses = u32::try_from(app.standing().witnesses.len()).unwrap_or(u32::MAX);
        let shared = app.inner.fresh.is_shared();
        let start = ServerStart { version, witnesses, shared, accepted_loss };
        app.command(Origin::SYSTEM, Command::StartServer(start), None).await?;
        app.attest();
        Ok(app)
    }

    /// Starts the sequencer, and what listens beside it.
    fn serve(
        store: Store,
        state: State,
        found: Found,
        world: W,
        workloads: Arc<Workloads>,
    ) -> Result<Self, AppError> {
        let Found { readers, anchor, witnessed, sessions, settings } = found;
        let (halt, data) = (Arc::<Halt>::default(), store.folder().path().to_owned());
        let witnesses = settings.witnesses.as_ref();
        let standing = Standing::at_start(&anchor, &data, world.now(), witnesses, witnessed);
        let (size, checkpoint) = (store.size(), store.checkpoint().to_owned());
        let published = Published { state: state.clone(), size, checkpoint, server: None };
        let published = Arc::new(PublishedReaders::new(published));
        let sessions = Arc::new(Sessions::restore(sessions));
        let runs = Arc::new(Runs::new(workloads));
        let reactions = Reactions { sessions: Arc::clone(&sessions), runs: Arc::clone(&runs) };
        let world = Arc::new(world);
        let (origin, keys) = (store.origin().to_owned(), keys::Keys::new(store.key_maker()));
        let reaction: Arc<dyn Reaction> = Arc::new(reactions);
        let fresh = Arc::new(Freshness::new(store.is_shared()));
        let surroundings = Surroundings {
            readers: Arc::clone(&published),
            reaction,
            world: Arc::clone(&world),
            heartbeat: settings.heartbeat,
            halt: Arc::clone(&halt),
            fresh: Arc::clone(&fresh),
        };
        let shared = store.is_shared();
        let (entrance, _thread) = Sequencer::start(store, state, surroundings)?;
        if shared {
            bell::listen(settings.database.clone(), entrance.doorbell())?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                world,
                entrance,
                published,
                stored: readers,
                sessions,
                runs,
                shared: recordings::Shared::of(&settings.database),
                refusals: Refusals::default(),
                set_up_code: SetUpCode::default(),
                hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
                hash_queue: Arc::new(Semaphore::new(HASHES_AT_ONCE + HASHES_WAITING_MAX)),
                previewing: Arc::new(Semaphore::new(super::preview::PREVIEWS_AT_ONCE)),
                evidence: evidence::Evidence::default(),
                archiving: tokio::sync::Mutex::default(),
                origin,
                keys,
                standings: Standings::new(standing),
                anchor: Arc::new(std::sync::Mutex::new(anchor)),
                settings,
                sinks: sinks::SinkBoard::default(),
                data,
                urgent: Arc::default(),
                halt,
                fresh,
            }),
        })
    }
}
