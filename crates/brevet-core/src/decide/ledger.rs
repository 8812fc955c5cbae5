//! Decisions about the ledger itself: heartbeats, keys, erasure, archives.

use super::{Decision, Reply, reconcile};
use crate::actor::Origin;
use crate::command::Recovery;
use crate::event::Event;
use crate::id::UserId;
use crate::limit::{ARCHIVE_MULTIPLE, ARCHIVE_RETENTION_MIN};
use crate::refusal::Refusal;
use crate::state::State;
use crate::time::{Span, Timestamp};
use crate::{ArchiveRequest, Digest};

pub(super) fn open(state: &State, origin: String) -> Result<Decision, Refusal> {
    match state.last {
        None => Decision::done(Event::LedgerOpened { origin }),
        Some(_) => Err(Refusal::Exists { what: "ledger", id: "here".into() }),
    }
}

/// Nobody knows what the lost entries took away: so nothing that was asked for or given goes on. It can be asked for
/// again.
pub(super) fn recover(state: &State, now: Timestamp, recovery: Recovery) -> Result<Decision, Refusal> {
    if state.last.is_some() {
        return Err(Refusal::Exists { what: "ledger", id: "here".into() });
    }
    let Recovery { origin, previous, size, root, note } = recovery;
    if origin == previous {
        return Err(Refusal::Invalid("a ledger that goes on elsewhere needs a name of its own".into()));
    }
    let mut events = vec![Event::LedgerRecovered { origin, previous, size, root, note }];
    reconcile::end_all(state, now, &mut events);
    Decision::new(Reply::Done, events)
}

pub(super) fn rotate_key(
    now: Timestamp,
    old: String,
    new: String,
    overlap_until: Timestamp,
) -> Result<Decision, Refusal> {
    if old == new {
        return Err(Refusal::NoChange("this key signs already"));
    }
    Decision::done(Event::KeyRotated { old, new, overlap_until: overlap_until.max(now) })
}

/// Only a disabled account: its texts are what people find and notify it by.
pub(super) fn erase_texts(state: &State, origin: Origin, id: UserId) -> Result<Decision, Refusal> {
    let user = state.user(id).ok_or_else(|| Refusal::no_such("user", id))?;
    if user.name.is_none() {
        return Err(Refusal::NoChange("the texts of this account are erased already"));
    }
    if user.active {
        let by = "it is active; disable it first with: brevet user disable".into();
        return Err(Refusal::InUse { what: "the name of this account", by });
    }
    let own = origin.user_id().is_some_and(|actor| state.person(actor) == state.person(id));
    if own {
        return Err(Refusal::Forbidden { who: "an administrator other than this person" });
    }
    Decision::new(Reply::User(id), vec![Event::TextsErased { user: id }])
}

pub(super) fn request_archive(
    state: &State,
    now: Timestamp,
    size: u64,
    before: Timestamp,
    retention: Span,
) -> Result<Decision, Refusal> {
    let retention = retention.max(ARCHIVE_RETENTION_MIN);
    if before > now.minus(retention) {
        return Err(Refusal::Invalid(format!("entries stay here for {retention}; name an earlier time")));
    }
    let size = size - size % ARCHIVE_MULTIPLE;
    if size <= state.archive.size {
        return Err(Refusal::NoChange(
            "fewer than 256 entries here are older than that; they are archived by 256",
        ));
    }
    if state.archive.asked.is_some() {
        return Err(Refusal::Exists {
            what: "archive",
            id: "asked for; agree to it or cancel it first".into(),
        });
    }
    Decision::done(Event::ArchiveRequested { size, before })
}

/// Two accounts of one person are one person.
pub(super) fn confirm_archive(
    state: &State,
    origin: Origin,
    size: u64,
    file: Digest,
) -> Result<Decision, Refusal> {
    let asked = asked(state)?;
    if asked.size != size || !size.is_multiple_of(ARCHIVE_MULTIPLE) {
        return Err(Refusal::Changed { what: "the archive", id: "that was asked for".into() });
    }
    let actor = super::require_user(origin)?;
    if state.person(actor) == state.person(asked.by) {
        return Err(Refusal::Forbidden { who: "a second administrator" });
    }
    Decision::done(Event::Archived { size, before: asked.before, file })
}

pub(super) fn cancel_archive(state: &State) -> Result<Decision, Refusal> {
    asked(state)?;
    Decision::done(Event::ArchiveCancelled {})
}

fn asked(state: &State) -> Result<&ArchiveRequest, Refusal> {
    state.archive.asked.as_ref().ok_or(Refusal::NoChange("no archive was asked for"))
}
