//! The state that readers see: always the last durable one, as a whole, without a lock.
//!
//! There are two copies of the state. Readers have one, the sequencer works on the other; when a batch is
//! durable they change places, and the sequencer takes the same entries over into the copy that came back.
//! So publishing costs as much as the batch, never as much as the state.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use brevet_core::{Change, Entry, ServerId, State};
use tokio::sync::watch;

/// How often the sequencer looks whether the last reader has let go of the old copy, before it gives up and
/// copies the whole state instead.
const PATIENCE: u32 = 10_000;

/// A durable state and where the ledger ends with it.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The state.
    pub state: State,
    /// How many entries the ledger has.
    pub size: u64,
    /// The signed checkpoint over them.
    pub checkpoint: String,
    /// Which of several servers this is.
    pub server: Option<ServerId>,
}

impl Published {
    /// Whether this server does what is done once for all of them. Of several that is the one that has been there longest,
    /// until the ledger says that it is gone; from then on the others let nothing more of it in.
    pub fn leads(&self) -> bool {
        let first = self.state.servers().next();
        self.server.is_none_or(|own| first.is_some_and(|first| first.id == own))
    }
}

/// What the readers' side holds.
#[derive(Debug)]
pub(super) struct Readers {
    current: ArcSwap<Published>,
    /// How many entries the ledger has with it, for those who wait for something to change.
    size: watch::Sender<u64>,
}

impl Readers {
    /// Begins with what was loaded.
    pub(super) fn new(published: Published) -> Self {
        let size = watch::Sender::new(published.size);
        Self { current: ArcSwap::from_pointee(published), size }
    }

    /// Tells of every state that is published from now on, by the size of its ledger.
    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.size.subscribe()
    }

    /// The last durable state. To be held for a moment only: never over an `await`.
    pub(super) fn load(&self) -> Guard<Arc<Published>> {
        self.current.load()
    }

    /// Lets readers see `next`; what they saw before is to be brought up to it.
    pub(super) fn publish(&self, next: Published) -> Outdated {
        let next = Arc::new(next);
        let old = self.current.swap(Arc::clone(&next));
        self.size.send_replace(next.size);
        Outdated { old, next }
    }
}

/// The copy that readers had until now.
#[must_use = "the next batch is decided on it"]
pub(super) struct Outdated {
    old: Arc<Published>,
    next: Arc<Published>,
}

impl Outdated {
    /// Takes over what was just published, once the last reader has let go.
    pub(super) fn catch_up(self, entries: &[Entry], changes: &[Change]) -> State {
        let Self { mut old, next } = self;
        for _ in 0..PATIENCE {
            match Arc::try_unwrap(old) {
                Ok(mut published) => {
                    for entry in entries {
                        published.state.apply(entry);
                    }
                    published.state.forget(changes);
                    return published.state;
                }
                Err(held) => old = held,
            }
            std::thread::yield_now();
        }
        next.state.clone()
    }
}
