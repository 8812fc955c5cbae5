//! How far the ledger is vouched for beyond this machine, and the start that is refused when it cannot be.

use std::sync::Arc;

use brevet_core::{Span, State, Timestamp};
use brevet_ledger::{Note, VerifierKey};
use brevet_store::{ANCHOR_FILE, Anchor, Store};

use super::notary::{self, Messenger};
use super::sequencer::CLOCK_SLACK;
use super::settings::{Settings, Witnesses};
use super::standing::{EntryState, Standing};
use super::{App, AppError};
use super::{bell, lists};
use crate::witness::client::Client;
use crate::world::World;

/// An entry that has no checkpoint for so long is a fault.
const CHECKPOINT_LATE: Span = Span::seconds(5);
/// Witnesses that have not seen the ledger for so long are a fault.
const WITNESS_STALE: Span = Span::minutes(10);

/// Takes the anchor, and refuses to go on with a database that it speaks against.
pub(super) fn hold_anchor(store: &Store, settings: &Settings) -> Result<Anchor, AppError> {
    let beside = store.folder().path().join(ANCHOR_FILE);
    let path = settings.anchor.as_deref().unwrap_or(&beside);
    let anchor = Anchor::hold(path).map_err(brevet_store::StoreError::from)?;
    store.check_anchor(&anchor)?;
    Ok(anchor)
}

/// The newest checkpoint that was kept because enough witnesses had signed it, if it holds by the policy of today and is
/// of this very history.
pub(super) fn last_witnessed(store: &Store, settings: &Settings) -> Result<Option<(u64, String)>, AppError> {
    let Some(Witnesses { policy, .. }) = settings.witnesses.as_ref().filter(|w| w.policy.has_quorum()) else {
        return Ok(None);
    };
    let Some((size, text)) = store.cosigned()? else { return Ok(None) };
    let keys: Vec<VerifierKey> = store.verifier_keys().iter().filter_map(|key| key.parse().ok()).collect();
    let met = text.parse().ok().and_then(|note: Note| policy.check_with_logs(&note, &keys).ok());
    let Some(met) = met.filter(|met| met.checkpoint.size() == size && size <= store.size()) else {
        return Ok(None);
    };
    Ok((store.root_at(size)? == met.checkpoint.root()).then_some((size, text)))
}

/// A server whose clock is behind the ledger would date everything wrong.
pub(super) fn check_clock(world: &impl World, state: &State) -> Result<(), AppError> {
    let now = world.now();
    match state.last() {
        Some(last) if now.plus(CLOCK_SLACK) < last => {
            Err(AppError::ClockBehind { behind_seconds: (last.micros() - now.micros()) / 1_000_000 })
        }
        _ => Ok(()),
    }
}

impl<W: World> App<W> {
    /// How far the ledger is vouched for.
    pub fn standing(&self) -> Arc<Standing> {
        self.inner.standings.load()
    }

    /// What is known about an entry.
    pub fn entry_state(&self, index: u64) -> EntryState {
        self.standing().of(index)
    }

    /// What the application was told at its start.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Why nothing is written any more, when that is so.
    pub fn halted(&self) -> Option<&str> {
        self.inner.halt.why().map(String::as_str)
    }

    /// Why this server should not be relied on, in a sentence for whoever watches it.
    pub fn ledger_problem(&self) -> Option<String> {
        if let Some(why) = self.halted() {
            return Some(why.to_owned());
        }
        if let Err(behind) = self.check_fresh() {
            return Some(behind.to_string());
        }
        let (now, standing, size) = (self.now(), self.standing(), self.published().size);
        let is_old = |since: Option<Timestamp>, span| since.is_some_and(|since| since.plus(span) < now);
        if is_old(standing.behind_since, CHECKPOINT_LATE) {
            let why = standing.anchor_problem.clone().unwrap_or_default();
            return Some(format!("the newest entries have no checkpoint in the anchor. {why}"));
        }
        let seen = standing.witnessed_at.or(standing.since);
        if standing.has_quorum && standing.witnessed < size && is_old(seen, WITNESS_STALE) {
            return Some("not enough witnesses have seen the ledger for ten minutes".to_owned());
        }
        None
    }

    /// Ends when nothing may be written any more.
    pub async fn until_halted(&self) {
        self.inner.halt.wait().await;
    }

    /// Follows the ledger with the lists of the search, the anchor and the witnesses from now on.
    pub(super) fn attest(&self) {
        let app = Arc::downgrade(&self.inner);
        tokio::spawn(notary::keep_anchor(app.clone()));
        tokio::spawn(lists::keep_up(app.clone()));
        if self.is_shared() {
            tokio::spawn(bell::watch(app.clone()));
        }
        let Some(Witnesses { policy: _, timeout, authority }) = &self.inner.settings.witnesses else {
            return;
        };
        match Client::new(*timeout, authority.as_deref()) {
            Ok(client) => {
                let urgent = Arc::clone(&self.inner.urgent);
                drop(tokio::spawn(Messenger { client, urgent }.work(app)));
            }
            Err(error) => tracing::error!(%error, "no witness can be asked"),
        }
    }

    /// Ends when enough witnesses have seen the first `size` entries, or when they have not in time.
    pub(super) async fn wait_until_witnessed(&self, size: u64) -> Result<(), String> {
        let Some(witnesses) = self.inner.settings.witnesses.as_ref().filter(|w| w.policy.has_quorum()) else {
            return Err("the task demands witnesses, and this server has none; \
                        an administrator sets ledger.witness_policy"
                .to_owned());
        };
        self.inner.urgent.notify_one();
        let seen = self.inner.standings.wait_until_witnessed(size);
        tokio::time::timeout(witnesses.timeout, seen).await.map_err(|_| {
            "not enough witnesses have seen in time that it was allowed; try again, and if it stays so, \
             an administrator sees with `brevet audit status` which witness does not answer"
                .to_owned()
        })
    }
}
