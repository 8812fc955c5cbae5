//! What must happen in this process as soon as an entry is durable.

use brevet_core::{Entry, SessionId};

/// Told of every batch by the sequencer, in order, before its callers get their answers. Must be quick.
pub(super) trait Reaction: Send + Sync {
    /// These entries are durable and published.
    fn recorded(&self, entries: &[Entry]);
    /// So are these, which another server appended.
    fn heard(&self, entries: &[Entry]);
    /// Whether a session is known here, and nothing that was recorded or heard has ended it.
    fn has_session(&self, session: SessionId) -> bool;
    /// A batch could not be written: whatever runs can no longer be put on record, and must stop.
    fn ledger_failed(&self);
    /// The clock is behind the ledger: no window can be told to be open, and what runs in one must stop.
    fn clock_went_back(&self);
}
