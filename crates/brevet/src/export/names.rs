//! Who is meant by an id, as far as the reader of an export is to know.

use brevet_core::{Access, Actor, GroupId, PolicyId, State, UserId};
use brevet_wire as wire;

/// What ids stand for now, and what of it may be told.
pub(crate) struct Names<'a> {
    /// The last durable state.
    pub(crate) state: &'a State,
    /// The name of the ledger.
    pub(crate) origin: &'a str,
    /// Whether names of people are told, beside their ids.
    pub(crate) texts: bool,
}

/// Somebody, or Brevet itself.
pub(super) struct Who {
    /// For example `usr-7`, or `system`.
    pub(super) id: String,
    /// Their name, unless erased or not to be told.
    pub(super) name: Option<String>,
    pub(super) administrator: bool,
    pub(super) is_system: bool,
}

impl Who {
    /// The name, or the id where there is none.
    pub(super) fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.clone())
    }
}

impl Names<'_> {
    pub(super) fn actor(&self, actor: Actor) -> Who {
        match actor {
            Actor::User(user) => self.user(user),
            Actor::System => {
                let name = "system".to_owned();
                Who { id: name.clone(), name: Some(name), administrator: false, is_system: true }
            }
        }
    }

    pub(super) fn user(&self, id: UserId) -> Who {
        let user = self.state.user(id);
        let name = user.and_then(|user| user.name.as_ref()).filter(|_| self.texts);
        Who {
            id: id.to_string(),
            name: name.map(ToString::to_string),
            administrator: user.is_some_and(|user| user.administrator),
            is_system: false,
        }
    }

    pub(super) fn group(&self, id: GroupId) -> String {
        self.state.group(id).map_or_else(|| id.to_string(), |group| group.name.to_string())
    }

    pub(super) fn access(&self, access: Access) -> String {
        let name = self.state.catalog().name(access).map(ToString::to_string);
        name.unwrap_or_else(|| access_id(access))
    }

    /// The revision of a policy, as long as it exists.
    pub(super) fn policy_revision(&self, id: PolicyId) -> Option<u32> {
        self.state.policy(id).map(|policy| policy.revision)
    }

    /// The entry as the API shows it, without the names where they are not to be told.
    pub(super) fn shorten(&self, entry: wire::AuditEntry) -> wire::AuditEntry {
        if self.texts {
            return entry;
        }
        let name = entry.actor.id.clone().unwrap_or(entry.actor.name);
        let actor = wire::AuditActor { id: entry.actor.id, name };
        wire::AuditEntry { actor, summary: entry.kind.clone(), ..entry }
    }
}

pub(super) fn access_id(access: Access) -> String {
    match access {
        Access::Task(id) => id.to_string(),
        Access::Role(id) => id.to_string(),
        Access::RoleGroup(id) => id.to_string(),
    }
}
