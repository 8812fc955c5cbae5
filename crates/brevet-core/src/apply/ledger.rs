//! What entries about the ledger itself change.

use crate::Actor;
use crate::apply::is_first;
use crate::archive::{Archive, ArchiveRequest};
use crate::event::{Entry, Event};
use crate::id::{ServerId, UserId};
use crate::server::Server;
use crate::state::{Change, State};
use crate::time::Timestamp;

impl State {
    pub(super) fn join_server(&mut self, now: Timestamp, id: ServerId) -> Vec<Change> {
        let next = self.counters.servers.get_or_insert(1);
        if !is_first(next, id.number(), id.next()) {
            return Vec::new();
        }
        self.servers.insert(id, Server { id, started: now });
        vec![Change::Server(id)]
    }

    pub(super) fn apply_to_ledger(&mut self, entry: &Entry) -> Vec<Change> {
        match (&entry.event, entry.actor) {
            (Event::TextsErased { user }, _) => return self.erase_texts(*user),
            // The entries of the ledger before are no entries of this one, and its time is not this one's.
            (Event::LedgerRecovered { .. }, _) => {
                self.archive = Archive::default();
                self.last = Some(entry.time);
            }
            (Event::ArchiveRequested { size, before }, Actor::User(by)) => {
                let (size, before, at) = (*size, *before, entry.time);
                self.archive.asked = Some(ArchiveRequest { by, size, before, at });
            }
            (Event::ArchiveCancelled {}, _) => self.archive.asked = None,
            (Event::Archived { size, .. }, _) => {
                self.archive = Archive { size: self.archive.size.max(*size), asked: None };
            }
            _ => return Vec::new(),
        }
        vec![Change::Archive]
    }

    fn erase_texts(&mut self, id: UserId) -> Vec<Change> {
        let Some(user) = self.users.get_mut(id.index()) else { return Vec::new() };
        user.display_name.erase();
        user.email.erase();
        if let Some(name) = user.name.take() {
            self.user_names.remove(&name);
        }
        vec![Change::User(id)]
    }
}
