//! Who acts.

use minicbor::{Decode, Encode};

use crate::id::{ServerId, SessionId, UserId};

/// Who caused an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Actor {
    /// Brevet itself: expiry, the catalog, a crash found at start.
    #[n(0)]
    System,
    /// A signed-in person.
    #[n(1)]
    User(#[n(0)] UserId),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::User(user) => user.fmt(f),
        }
    }
}

/// From where a command came: who, in which session, and through which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Who acts.
    pub actor: Actor,
    /// The session, for people.
    pub session: Option<SessionId>,
    /// The server that carries it out, where there may be several.
    pub server: Option<ServerId>,
}

impl Origin {
    /// Brevet itself.
    pub const SYSTEM: Self = Self { actor: Actor::System, session: None, server: None };

    /// A person in a session.
    pub const fn user(user: UserId, session: SessionId) -> Self {
        Self { actor: Actor::User(user), session: Some(session), server: None }
    }

    /// The person, when it is one.
    pub const fn user_id(self) -> Option<UserId> {
        match self.actor {
            Actor::User(user) => Some(user),
            Actor::System => None,
        }
    }
}
