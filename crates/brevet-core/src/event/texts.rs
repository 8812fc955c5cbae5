//! The personal and free texts of an entry, and whose they are.

use super::{Entry, Event};
use crate::actor::Actor;
use crate::id::UserId;
use crate::text::Text;

impl Entry {
    /// Whose texts the texts of this entry are: the account that they describe, otherwise whoever wrote them.
    /// What one person wrote *about* another belongs to who wrote it; what a group is for, to nobody.
    pub const fn text_owner(&self) -> Option<UserId> {
        match (&self.event, self.actor) {
            (Event::UserAdded { user, .. }, _)
            | (Event::SignedIn { user, .. } | Event::SignInFailed { user, .. }, _) => Some(*user),
            (Event::GroupCreated { .. }, _) | (_, Actor::System) => None,
            (_, Actor::User(user)) => Some(user),
        }
    }
}

impl Event {
    /// The personal and free texts in it, in the order of their fields. The entry commits to each that
    /// was given.
    pub fn texts(&self) -> Vec<&Text> {
        match self {
            Self::UserAdded { name, display_name, email, .. } => vec![name, display_name, email],
            Self::SignedIn { source, .. } | Self::SignInFailed { source, .. } => vec![source],
            Self::GroupCreated { email, description, .. } => vec![email, description],
            Self::RequestSubmitted { reason, .. } => vec![reason],
            Self::RequestDecided { comment, .. } | Self::AuthorizationEnded { comment, .. } => vec![comment],
            Self::LedgerRead { query } => vec![query],
            _ => Vec::new(),
        }
    }

    /// The same texts, to be filled in after decoding.
    pub fn texts_mut(&mut self) -> Vec<&mut Text> {
        match self {
            Self::UserAdded { name, display_name, email, .. } => vec![name, display_name, email],
            Self::SignedIn { source, .. } | Self::SignInFailed { source, .. } => vec![source],
            Self::GroupCreated { email, description, .. } => vec![email, description],
            Self::RequestSubmitted { reason, .. } => vec![reason],
            Self::RequestDecided { comment, .. } | Self::AuthorizationEnded { comment, .. } => vec![comment],
            Self::LedgerRead { query } => vec![query],
            _ => Vec::new(),
        }
    }
}
