//! The state as it was at an instant, made again from the entries up to it.

use std::collections::HashMap;

use crate::authorization::Authorization;
use crate::decide::{Allowed, ways_to_run};
use crate::event::Entry;
use crate::execution::Basis;
use crate::id::{AuthorizationId, TaskId, UserId};
use crate::request::{RequestState, Vote};
use crate::state::{Change, State};
use crate::time::Timestamp;

/// A fold of entries that stops at an instant. What ended is forgotten on the way, as a server does; who approved
/// what is still in force is kept.
#[derive(Debug, Clone, Default)]
pub struct Past {
    state: State,
    approvers: HashMap<AuthorizationId, Vec<UserId>>,
    entries: u64,
}

/// One way in which somebody may run a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Who.
    pub user: UserId,
    /// Of what, why, until when and under which policy: the gate's own answer.
    pub allowed: Allowed,
}

impl Past {
    /// Takes over the next entry.
    pub fn take(&mut self, entry: &Entry) {
        let changes = self.state.apply(entry);
        for change in &changes {
            self.note_approvers(*change);
        }
        self.state.forget(&changes);
        self.entries += 1;
    }

    fn note_approvers(&mut self, change: Change) {
        match change {
            Change::Request(id) => {
                if let Some(RequestState::Approved { authorization, votes, .. }) =
                    self.state.request(id).map(|request| &request.state)
                {
                    let voters = self.approvers.entry(*authorization).or_default();
                    voters.extend(votes.iter().map(|Vote { by, .. }| *by));
                    voters.sort_unstable();
                    voters.dedup();
                }
            }
            Change::Authorization(id)
                if self.state.authorization(id).is_some_and(Authorization::has_ended) =>
            {
                self.approvers.remove(&id);
            }
            _ => {}
        }
    }

    /// The state after these entries.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// How many entries it is made of.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Who approved an authorization that had not ended, or more time on it, by id. Nobody where the policy needs no
    /// one.
    pub fn approvers(&self, authorization: AuthorizationId) -> &[UserId] {
        self.approvers.get(&authorization).map_or(&[], Vec::as_slice)
    }

    /// Who may run what at `now` and why, by person, task and authorization, from a person on; of everybody and
    /// everything where `user` or `task` is not given. `now` is not before the last of the entries.
    pub fn ways(
        &self,
        now: Timestamp,
        from: UserId,
        user: Option<UserId>,
        task: Option<TaskId>,
    ) -> impl Iterator<Item = Way> {
        let users = self.state.users().iter().map(|user| user.id).filter(move |id| *id >= from);
        let users = users.filter(move |id| user.is_none_or(|wanted| wanted == *id));
        let users = users.filter(|id| self.state.is_active(*id));
        users.flat_map(move |user| {
            let tasks = self.state.catalog().tasks().iter().filter(|task| task.enabled).map(|task| task.id);
            let tasks = tasks.filter(move |id| task.is_none_or(|wanted| wanted == *id));
            tasks.flat_map(move |task| {
                let ways = ways_to_run(&self.state, now, user, task);
                ways.into_iter().map(move |allowed| Way { user, allowed })
            })
        })
    }

    /// The authorization behind a way, where it is one.
    pub fn authorization(&self, way: &Way) -> Option<&Authorization> {
        match way.allowed.basis {
            Basis::Authorization(id) => self.state.authorization(id),
            Basis::SystemAccount | Basis::AccessControlOff | Basis::Uncovered => None,
        }
    }
}
