//! The one way through: commands are decided in a batch, made durable in one transaction, published, and
//! only then answered.
//!
//! A reply means durable. If the batch cannot be written nothing of it is published, and everybody in it gets
//! an error. There is no other place where the state changes.

mod answered;
mod clock;
mod entrance;
mod failing;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use brevet_core::{
    Change, Command, Draft, Entry, Event, Origin, Reply, SessionId, Span, State, Timestamp, UserId, transact,
};
use brevet_ledger::Salt;
use brevet_store::{Aftermath, Appended, Batch, Idempotent, SideWrite, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use answered::Answered;
pub(super) use clock::CLOCK_SLACK;
pub use entrance::Done;
pub(super) use entrance::{Call, Condition, Doorbell, Entrance, Item};
use failing::Failing;
use shared::Cluster;

use super::error::AppError;
use super::freshness::Freshness;
use super::halt::Halt;
use super::idempotency::{IdempotencyKey, print_reply};
use super::published::{Published, Readers};
use super::reaction::Reaction;
use crate::world::World;

/// Commands decided in one transaction at most.
const BATCH_COMMANDS_MAX: usize = 1_024;
/// Commands that wait for the next batch at most; more are told to come back.
const QUEUE_COMMANDS_MAX: usize = 8_192;
/// How long the sequencer sleeps at most: what is due is acted on within a second.
const IDLE_MAX: Duration = Duration::from_millis(500);

pub(super) struct Sequencer<W: World> {
    store: Store,
    working: State,
    readers: Arc<Readers>,
    reaction: Arc<dyn Reaction>,
    world: Arc<W>,
    /// Why nothing is written any more. A write that may or may not have reached the disk is never retried:
    /// only a restart knows what is there.
    broken: Option<String>,
    /// Set where somebody outside the sequencer found that nothing may be written any more.
    halt: Arc<Halt>,
    /// How far apart two entries are at most.
    heartbeat: Option<Span>,
    /// The wall clock and the one that nobody sets, at one moment.
    compared: Option<(Timestamp, Duration)>,
    /// The same after a step that is on its way to the ledger.
    stepped: Option<(Timestamp, Duration)>,
    /// Whether the last batch was not written: what is due is tried again at leisure, not in a circle.
    failed: bool,
    /// Whether the start of this server is on record: before that, what is due waits.
    has_started: bool,
    /// Whether batches are not written.
    unwritten: Failing,
    cluster: Cluster,
    is_rung: Arc<AtomicBool>,
    /// Where those are who wait for answers.
    callers: Option<Handle>,
}

/// What the sequencer works with besides the store.
pub(super) struct Surroundings<W: World> {
    pub(super) readers: Arc<Readers>,
    pub(super) reaction: Arc<dyn Reaction>,
    pub(super) world: Arc<W>,
    pub(super) heartbeat: Option<Span>,
    pub(super) halt: Arc<Halt>,
    pub(super) fresh: Arc<Freshness>,
}

/// What a batch is made of before it is durable.
#[derive(Default)]
struct Pending {
    entries: Vec<Entry>,
    changes: Vec<Change>,
    side: Vec<SideWrite>,
    waiting: Vec<Waiting>,
    answered: Answered,
}

impl Pending {
    /// Whether there is something to write.
    fn writes(&self) -> bool {
        !self.entries.is_empty() || !self.side.is_empty()
    }

    /// Whether something in this batch ends a session.
    fn ends(&self, session: SessionId, of: Option<UserId>) -> bool {
        self.entries.iter().any(|entry| match &entry.event {
            Event::SignedOut { session: ended, .. } => *ended == session,
            Event::UserDisabled { user } | Event::PasswordSet { user } => Some(*user) == of,
            _ => false,
        })
    }
}

struct Waiting {
    answer: oneshot::Sender<Result<Done, AppError>>,
    reply: Reply,
    replayed: bool,
    /// The place in its batch of the entry that says who did what.
    entry: Option<usize>,
    draft: Option<Draft>,
}

impl<W: World> Sequencer<W> {
    /// Starts the sequencer's thread on a store; answers the way in and the handle to wait for its end. It
    /// ends when the last way in is gone.
    pub(super) fn start(
        store: Store,
        working: State,
        surroundings: Surroundings<W>,
    ) -> std::io::Result<(Entrance, std::thread::JoinHandle<()>)> {
        let (queue, calls) = sync_channel(QUEUE_COMMANDS_MAX);
        let mut sequencer = Self::new(store, working, surroundings);
        let is_rung = Arc::clone(&sequencer.is_rung);
        let thread =
            std::thread::Builder::new().name("sequencer".into()).spawn(move || sequencer.work(&calls))?;
        Ok((Entrance::new(queue, is_rung), thread))
    }

    fn new(store: Store, working: State, surroundings: Surroundings<W>) -> Self {
        let Surroundings { readers, reaction, world, heartbeat, halt, fresh } = surroundings;
        Self {
            store,
            working,
            readers,
            reaction,
            world,
            broken: None,
            halt,
            heartbeat,
            compared: None,
            stepped: None,
            failed: false,
            has_started: false,
            unwritten: Failing::default(),
            cluster: Cluster::new(fresh),
            is_rung: Arc::default(),
            callers: Handle::try_current().ok(),
        }
    }

    fn work(&mut self, calls: &Receiver<Call>) {
        loop {
            let first = match calls.recv_timeout(self.until_due()) {
                Ok(call) => Some(call),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Whoever rings from now on is looked for again.
            self.is_rung.store(false, Ordering::Release);
            let mut batch: Vec<Item> = first.into_iter().filter_map(Call::item).collect();
            fill(&mut batch, calls);
            self.carry_out(batch, calls);
        }
    }

    fn until_due(&self) -> Duration {
        let idle = if self.store.is_shared() { shared::LOOK_EVERY } else { IDLE_MAX };
        let left = self.working.next_due().and_then(|due| self.world.now().until(due));
        let due_now = self.has_started && self.working.next_due().is_some() && left.is_none();
        match left {
            _ if due_now && !self.failed => Duration::ZERO,
            Some(left) => Duration::from_micros(left.micros().unsigned_abs()).min(idle),
            None => idle,
        }
    }

    fn carry_out(&mut self, mut batch: Vec<Item>, calls: &Receiver<Call>) {
        if self.broken.is_none() {
            self.broken = self.halt.why().cloned();
        }
        if self.has_ended() {
            // What is due stays so.
            self.failed = true;
            return batch.into_iter().for_each(|item| answer(item.answer, Err(AppError::Stopping)));
        }
        let mut pending = Pending::default();
        let away = match self.enter(!batch.is_empty(), &mut pending) {
            Ok(true) => None,
            Ok(false) => return,
            Err(why) => Some(why),
        };
        if let Some(why) = self.broken.clone().or(away) {
            // Others do not wait for a server that is done.
            self.store.end_turn();
            if pending.writes() {
                self.working = self.readers.load().state.clone();
            }
            self.failed = true;
            return refuse(batch, &why);
        }
        // The turn may have been waited for: who came meanwhile need not wait for the next one.
        fill(&mut batch, calls);
        pending.answered = Answered::of(&self.store, batch.iter());
        let clock = self.read_clock();
        self.note_clock_step(&mut pending);
        match clock {
            Ok(now) if self.has_started => {
                self.act_on_due(now, &mut pending);
                self.beat(now, &mut pending);
            }
            Ok(_) => {}
            // Nobody knows when the windows of what runs are over.
            Err(_) => self.reaction.clock_went_back(),
        }
        let mut batch = batch.into_iter();
        while let Some(item) = batch.next() {
            // A condition is about what is stored, and knows nothing of what this batch is about to store.
            if item.condition.is_some() && pending.writes() {
                self.finish(std::mem::take(&mut pending));
                let entered = self.enter(true, &mut pending);
                if let Some(why) = self.broken.clone().or(entered.err()) {
                    // Without a turn nothing more of the batch is decided.
                    self.store.end_turn();
                    return refuse(std::iter::once(item).chain(batch), &why);
                }
                let left = std::iter::once(&item).chain(batch.as_slice());
                pending.answered = Answered::of(&self.store, left);
            }
            match self.instant_for(&item, &clock) {
                Ok(now) => self.take(now, item, &mut pending),
                Err(error) => answer(item.answer, Err(error)),
            }
        }
        self.finish(pending);
    }

    /// After its own end one of several servers writes nothing more, whoever asks, and whatever is due.
    fn has_ended(&self) -> bool {
        self.store.server().is_some_and(|own| !self.working.has_server(own))
    }

    fn note(&mut self, now: Timestamp, command: Command, pending: &mut Pending) {
        let origin = self.through_here(Origin::SYSTEM);
        if let Ok(outcome) = transact(&mut self.working, now, origin, command) {
            pending.side.extend(outcome.entries.iter().filter_map(beside_entry));
            pending.entries.extend(outcome.entries);
            pending.changes.extend(outcome.changes);
        }
    }

    /// Says which of several servers carries it out.
    const fn through_here(&self, origin: Origin) -> Origin {
        Origin { server: self.store.server(), ..origin }
    }

    fn take(&mut self, now: Timestamp, item: Item, pending: &mut Pending) {
        let Item { origin, command, key, condition, beside, answer: to } = item;
        // It may have been ended while its command was on the way, by another server, or by this very batch.
        let is_over =
            |session| pending.ends(session, origin.user_id()) || !self.reaction.has_session(session);
        if origin.session.is_some_and(is_over) {
            return answer(to, Err(AppError::NotSignedIn));
        }
        let keyed = origin.user_id().zip(key);
        let before = match &keyed {
            Some((user, key)) => pending.answered.replay(&self.store, *user, key),
            None => Ok(None),
        };
        match before {
            Ok(None) => {}
            Ok(Some(reply)) => {
                pending.waiting.push(Waiting { answer: to, reply, replayed: true, entry: None, draft: None });
                return;
            }
            Err(error) => return answer(to, Err(error)),
        }
        if self.has_ended() {
            return answer(to, Err(AppError::Stopping));
        }
        if let Some(Err(error)) = condition.map(|condition| condition(&self.store)) {
            return answer(to, Err(error));
        }
        let origin = self.through_here(origin);
        let (reply, entry, draft) = match command {
            None => (Reply::Done, None, None),
            Some(command) => match transact(&mut self.working, now, origin, command) {
                Err(refusal) => return answer(to, Err(refusal.into())),
                Ok(outcome) => {
                    let entry = own_entry(&outcome.entries).map(|place| pending.entries.len() + place);
                    pending.side.extend(outcome.entries.iter().filter_map(beside_entry));
                    pending.entries.extend(outcome.entries);
                    pending.changes.extend(outcome.changes);
                    (outcome.reply, entry, outcome.draft)
                }
            },
        };
        pending.side.extend(beside.into_iter().flat_map(|beside| beside(reply)));
        if let Some((user, key)) = keyed {
            pending.answered.note(user, &key, reply);
            let IdempotencyKey { key, fingerprint } = key;
            let reply = print_reply(reply);
            pending.side.push(SideWrite::Idempotent(Idempotent { user, key, fingerprint, reply, at: now }));
        }
        pending.waiting.push(Waiting { answer: to, reply, replayed: false, entry, draft });
    }

    fn finish(&mut self, pending: Pending) {
        let Pending { entries, changes, side, waiting, answered: _ } = pending;
        if entries.is_empty() && side.is_empty() {
            self.store.end_turn();
            let position = self.store.size();
            waiting.into_iter().for_each(|waiting| waiting.done(position, position));
            return;
        }
        let world = Arc::clone(&self.world);
        let mut salt = move || fresh_salt(world.as_ref());
        let batch = Batch { entries: &entries, changes: &changes, state: &self.working, side: &side };
        let appended = match self.store.append(&batch, &mut salt) {
            Err(error) if error.aftermath() == Aftermath::Unanswered => match self.look_up() {
                Ok(found) => found.ok_or(StoreError::NotKept),
                Err(why) => return self.leave_open(&why, waiting),
            },
            appended => appended,
        };
        match appended {
            Ok(appended) => {
                self.failed = false;
                self.has_started |= entries.iter().any(starts_server);
                if !entries.is_empty() {
                    self.unwritten.is_over();
                }
                self.compared = self.stepped.take().or(self.compared);
                if let Some(notice) = &appended.notice {
                    tracing::warn!(%notice, "the key files are not in order yet; it is tried again");
                }
                self.working.forget(&changes);
                let state = std::mem::take(&mut self.working);
                let Appended { size, checkpoint, .. } = appended;
                let next = Published { state, size, checkpoint, server: self.store.server() };
                let outdated = self.readers.publish(next);
                self.reaction.recorded(&entries);
                self.tell(waiting, appended.first, size);
                // Nobody waits for this but the next batch.
                self.working = outdated.catch_up(&entries, &changes);
            }
            Err(error) => self.give_up(&error, waiting),
        }
    }

    /// Tells all who wait that it is done. One task wakes many from among their own: waking each from this thread would cost
    /// it, and whoever else needs the processor, two switches for each.
    fn tell(&self, waiting: Vec<Waiting>, first: u64, size: u64) {
        let is_many = waiting.len() > 1;
        let tell = move || waiting.into_iter().for_each(|waiting| waiting.done(first, size));
        match &self.callers {
            Some(callers) if is_many => drop(callers.spawn(async move { tell() })),
            _ => tell(),
        }
    }

    /// The batch was not written, as far as anybody knows. A full disk may have room again later; an uncertain write ends
    /// all writing until a restart has looked at what is on the disk.
    fn give_up(&mut self, error: &StoreError, waiting: Vec<Waiting>) {
        let why = error.to_string();
        let noted = self.unwritten.note(&why, self.cluster.fresh.moment());
        if noted.is_new {
            tracing::error!(%why, "a batch could not be written");
        }
        self.take_back();
        match error.aftermath() {
            Aftermath::OnlyThisBatch => {}
            Aftermath::NoRoom | Aftermath::NoKey => self.reaction.ledger_failed(),
            Aftermath::Away => self.note_away(&why),
            Aftermath::Unanswered | Aftermath::Uncertain => {
                self.end(format!("{why}; restart the server after the cause is mended"));
            }
        }
        if noted.lasts {
            self.stop_what_runs();
        }
        if error.may_have_happened() {
            return leave_unknown(waiting, &why);
        }
        for waiting in waiting {
            answer(waiting.answer, Err(AppError::LedgerUnavailable { why: why.clone() }));
        }
    }

    /// Whether the batch happened is for the next start to find out.
    fn leave_open(&mut self, why: &str, waiting: Vec<Waiting>) {
        self.take_back();
        leave_unknown(waiting, why);
    }

    /// Nothing of the last batch is decided.
    fn take_back(&mut self) {
        self.working = self.readers.load().state.clone();
        self.failed = true;
        self.stepped = None;
    }
}

/// Tells all who wait that what they asked for may be done, or not.
fn leave_unknown(waiting: Vec<Waiting>, why: &str) {
    for waiting in waiting {
        answer(waiting.answer, Err(AppError::OutcomeUnknown { why: why.to_owned() }));
    }
}

/// Tells all who wait that nothing can be decided.
fn refuse(items: impl IntoIterator<Item = Item>, why: &str) {
    for item in items {
        answer(item.answer, Err(AppError::LedgerUnavailable { why: why.to_owned() }));
    }
}

/// Takes all who wait into a batch, as far as there is room.
fn fill(batch: &mut Vec<Item>, calls: &Receiver<Call>) {
    let room = BATCH_COMMANDS_MAX.saturating_sub(batch.len());
    batch.extend(calls.try_iter().take(room).filter_map(Call::item));
}

impl Waiting {
    fn done(self, first: u64, position: u64) {
        let Self { answer: to, reply, replayed, entry, draft } = self;
        let entry = entry.map(|place| first + place as u64);
        let permit = draft.zip(entry).map(|(draft, entry)| draft.recorded(entry));
        answer(to, Ok(Done { reply, position, entry, replayed, permit }));
    }
}

/// The place of the entry that says what a command was about: the start of a run, and otherwise the first.
fn own_entry(entries: &[Entry]) -> Option<usize> {
    let starts = |entry: &Entry| matches!(entry.event, Event::ExecutionStarted { .. });
    entries.iter().position(starts).or((!entries.is_empty()).then_some(0))
}

const fn starts_server(entry: &Entry) -> bool {
    matches!(entry.event, Event::ServerStarted { .. })
}

/// What follows from an entry beside the ledger: a disabled account's sessions are over in the store too, so that a restart
/// does not bring them back, and servers that come and go are known by their signs of life.
fn beside_entry(entry: &Entry) -> Option<SideWrite> {
    match &entry.event {
        Event::UserDisabled { user } => Some(SideWrite::CloseSessionsOf(*user)),
        Event::ServerStarted { server: Some(server), .. } => Some(SideWrite::JoinServer(*server)),
        Event::ServerStopped { server: Some(server) } | Event::ServerLost { server } => {
            Some(SideWrite::LeaveServer(*server))
        }
        _ => None,
    }
}

/// Somebody who does not wait any more has lost the answer, not the deed.
fn answer(to: oneshot::Sender<Result<Done, AppError>>, answer: Result<Done, AppError>) {
    drop(to.send(answer));
}

/// A machine without randomness gets no entry written: the salt is what makes an erased text unguessable.
fn fresh_salt(world: &impl World) -> Salt {
    let mut bytes = [0; Salt::BYTES];
    world.fill(&mut bytes).expect("the kernel's random source, once seeded, does not fail");
    Salt::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
