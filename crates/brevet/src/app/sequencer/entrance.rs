//! The way into the sequencer, and what goes through it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Weak};

use brevet_core::{Command, Origin, Permit, Reply};
use brevet_store::{SideWrite, Store};
use tokio::sync::oneshot;

use crate::app::error::AppError;
use crate::app::idempotency::IdempotencyKey;

/// Makes what is written beside the entries out of what the command answered.
type Beside = Box<dyn FnOnce(Reply) -> Vec<SideWrite> + Send>;

/// What must be so in the store when the command is decided, beyond what the state knows.
pub(in crate::app) type Condition = Box<dyn FnOnce(&Store) -> Result<(), AppError> + Send>;

/// What reaches the sequencer.
pub(in crate::app) enum Call {
    /// Something to decide.
    Item(Box<Item>),
    /// Another server appended something.
    Look,
}

impl Call {
    /// What is to be decided, if that is it.
    pub(super) fn item(self) -> Option<Item> {
        match self {
            Self::Item(item) => Some(*item),
            Self::Look => None,
        }
    }
}

/// A command on its way to be decided.
pub(in crate::app) struct Item {
    pub(in crate::app) origin: Origin,
    pub(in crate::app) command: Option<Command>,
    pub(in crate::app) key: Option<IdempotencyKey>,
    pub(in crate::app) condition: Option<Condition>,
    pub(in crate::app) beside: Option<Beside>,
    pub(in crate::app) answer: oneshot::Sender<Result<Done, AppError>>,
}

/// A command that is durable.
#[derive(Debug)]
pub struct Done {
    /// What it answers.
    pub reply: Reply,
    /// How many entries the ledger has with it.
    pub position: u64,
    /// The index of the entry that says who did what; `None` where nothing new was written.
    pub entry: Option<u64>,
    /// Whether it had been done before, under the same key.
    pub replayed: bool,
    /// For a run: proof that it may start.
    pub permit: Option<Permit>,
}

/// The way in.
#[derive(Clone)]
pub(in crate::app) struct Entrance {
    queue: Arc<SyncSender<Call>>,
    is_rung: Arc<AtomicBool>,
}

impl Entrance {
    pub(super) fn new(queue: SyncSender<Call>, is_rung: Arc<AtomicBool>) -> Self {
        Self { queue: Arc::new(queue), is_rung }
    }

    /// Sends an item on its way; its answer comes through its own channel.
    pub(in crate::app) fn send(&self, item: Item) -> Result<(), AppError> {
        self.queue.try_send(Call::Item(Box::new(item))).map_err(|error| match error {
            TrySendError::Full(_) => AppError::Busy,
            TrySendError::Disconnected(_) => AppError::Stopping,
        })
    }

    /// For whoever says that others have news, and keeps nobody from going.
    pub(in crate::app) fn doorbell(&self) -> Doorbell {
        Doorbell { queue: Arc::downgrade(&self.queue), is_rung: Arc::clone(&self.is_rung) }
    }
}

/// A way to say that others have news.
pub(in crate::app) struct Doorbell {
    queue: Weak<SyncSender<Call>>,
    /// Set until the sequencer looks: however often it rings, that is one call.
    is_rung: Arc<AtomicBool>,
}

impl Doorbell {
    /// Says it. A queue that is full is worked off anyway.
    pub(in crate::app) fn ring(&self) {
        if let Some(queue) = self.queue.upgrade()
            && !self.is_rung.swap(true, Ordering::AcqRel)
        {
            drop(queue.try_send(Call::Look));
        }
    }

    /// Whether anybody is there still.
    pub(in crate::app) fn is_heard(&self) -> bool {
        self.queue.strong_count() > 0
    }
}
