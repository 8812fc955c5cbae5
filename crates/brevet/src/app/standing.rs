//! How far the ledger is vouched for: durable, checkpointed, witnessed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use brevet_core::Timestamp;
use brevet_ledger::{Checkpoint, Note, PolicyWitness};
use tokio::sync::watch;

use super::settings::Witnesses;

/// What is known about an entry, from less to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    /// It survives a crash of this machine.
    Durable,
    /// A signed checkpoint that covers it is in the anchor and published.
    Checkpointed,
    /// Enough witnesses have seen a checkpoint that covers it.
    Witnessed,
}

/// How far the ledger is vouched for.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Since when there is something to know.
    pub since: Option<Timestamp>,
    /// Entries that the published checkpoint covers.
    pub checkpointed: u64,
    /// That checkpoint as this server signed it.
    signed: String,
    /// That checkpoint, with the signatures of the witnesses that have seen it.
    pub checkpoint: String,
    /// Entries that enough witnesses have seen.
    pub witnessed: u64,
    /// The newest checkpoint that enough witnesses have seen.
    pub witnessed_checkpoint: Option<String>,
    /// When they had.
    pub witnessed_at: Option<Timestamp>,
    /// Each witness that is asked.
    pub witnesses: Vec<WitnessStanding>,
    /// Whether there is a quorum to reach. Without one nothing is ever witnessed.
    pub has_quorum: bool,
    /// Where the anchor is.
    pub anchor: PathBuf,
    /// Whether it lies in the data folder, and would be restored together with it.
    pub anchor_is_beside: bool,
    /// Why the anchor does not hold the newest checkpoint.
    pub anchor_problem: Option<String>,
    /// Since when it does not.
    pub behind_since: Option<Timestamp>,
}

/// How one witness stands.
#[derive(Debug, Clone, Default)]
pub struct WitnessStanding {
    /// Its name in the policy.
    pub name: String,
    /// Entries of the newest checkpoint that it signed.
    pub size: u64,
    /// When it did.
    pub at: Option<Timestamp>,
    /// Why it did not sign the newest.
    pub problem: Option<String>,
}

impl Standing {
    /// What is known at a start: the checkpoint in the anchor, and the newest that was witnessed.
    pub(super) fn at_start(
        anchor: &brevet_store::Anchor,
        data: &Path,
        now: Timestamp,
        witnesses: Option<&Witnesses>,
        witnessed: Option<(u64, String)>,
    ) -> Self {
        let mut standing = Self {
            since: Some(now),
            anchor: anchor.path().to_owned(),
            anchor_is_beside: is_beside(anchor.path(), data),
            has_quorum: witnesses.is_some_and(|witnesses| witnesses.policy.has_quorum()),
            ..Self::default()
        };
        if let Some(checkpoint) = anchor.checkpoint() {
            standing.take_over(checkpoint);
        }
        if let Some((size, note)) = witnessed {
            standing.witnessed = size;
            standing.witnessed_checkpoint = Some(note);
        }
        let named = |witness: &PolicyWitness| WitnessStanding {
            name: witness.name.clone(),
            ..WitnessStanding::default()
        };
        standing.witnesses = witnesses
            .map(|witnesses| witnesses.policy.witnesses().iter().map(named).collect())
            .unwrap_or_default();
        standing
    }

    /// The checkpoint as this server signed it, without what witnesses added.
    pub(super) fn checkpoint_as_signed(&self) -> &str {
        &self.signed
    }

    /// A newer checkpoint is in the anchor.
    pub(super) fn take_over(&mut self, note: &str) {
        self.signed = note.to_owned();
        self.checkpoint = note.to_owned();
        (self.anchor_problem, self.behind_since) = (None, None);
        let size = note.parse::<Note>().ok().and_then(|note| note.text().parse::<Checkpoint>().ok());
        self.checkpointed = size.map_or(self.checkpointed, |checkpoint| checkpoint.size());
    }

    /// What a witness answered about a checkpoint of this size; `None` when it signed.
    pub(super) fn note_answer(&mut self, now: Timestamp, name: &str, size: u64, problem: Option<String>) {
        let Some(witness) = self.witnesses.iter_mut().find(|witness| witness.name == name) else { return };
        match problem {
            None => (witness.size, witness.at, witness.problem) = (size, Some(now), None),
            Some(problem) => {
                tracing::warn!(witness = name, %problem, "a witness did not sign");
                witness.problem = Some(problem);
            }
        }
    }

    /// The checkpoint that was shown to witnesses has more signatures now; it may not be the newest any more.
    pub(super) fn note_signatures(&mut self, signed: &str, merged: &str) {
        if self.signed == signed {
            self.checkpoint = merged.to_owned();
        }
    }

    /// Enough witnesses have signed a checkpoint.
    pub(super) fn note_quorum(&mut self, now: Timestamp, size: u64, merged: String) {
        self.witnessed = self.witnessed.max(size);
        self.witnessed_at = Some(now);
        self.witnessed_checkpoint = Some(merged);
    }

    /// What cannot be proved to somebody who does not trust the operator.
    pub const fn warning(&self) -> Option<&'static str> {
        match self.has_quorum {
            true => None,
            false => Some("this server has no witnesses: nobody outside it would notice a rewritten ledger"),
        }
    }

    /// What is known about the entry at this index.
    pub const fn of(&self, index: u64) -> EntryState {
        if index < self.witnessed {
            EntryState::Witnessed
        } else if index < self.checkpointed {
            EntryState::Checkpointed
        } else {
            EntryState::Durable
        }
    }
}

/// Whether a file lies in the data folder, however its path is written.
fn is_beside(path: &Path, data: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    path.parent().is_none_or(|folder| real(folder).starts_with(real(data)))
}

/// The standing as readers see it.
#[derive(Debug)]
pub(super) struct Standings {
    current: ArcSwap<Standing>,
    updating: Mutex<()>,
    checkpointed: watch::Sender<u64>,
    witnessed: watch::Sender<u64>,
}

impl Standings {
    pub(super) fn new(standing: Standing) -> Self {
        let checkpointed = watch::Sender::new(standing.checkpointed);
        let witnessed = watch::Sender::new(standing.witnessed);
        Self { current: ArcSwap::from_pointee(standing), updating: Mutex::default(), checkpointed, witnessed }
    }

    pub(super) fn load(&self) -> Arc<Standing> {
        self.current.load_full()
    }

    /// Lets readers see a changed standing.
    pub(super) fn update(&self, change: impl FnOnce(&mut Standing)) {
        let _one_at_a_time = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let mut standing = Standing::clone(&self.current.load());
        change(&mut standing);
        let (checkpointed, witnessed) = (standing.checkpointed, standing.witnessed);
        self.current.store(Arc::new(standing));
        self.checkpointed.send_if_modified(|known| std::mem::replace(known, checkpointed) != checkpointed);
        self.witnessed.send_replace(witnessed);
    }

    /// Tells of every checkpoint that is published from now on, by its size.
    pub(super) fn checkpointed(&self) -> watch::Receiver<u64> {
        self.checkpointed.subscribe()
    }

    /// Ends when enough witnesses have seen so many entries.
    pub(super) async fn wait_until_witnessed(&self, size: u64) {
        let mut witnessed = self.witnessed.subscribe();
        // The sender is ours; it cannot go away before us.
        drop(witnessed.wait_for(|witnessed| *witnessed >= size).await);
    }
}
