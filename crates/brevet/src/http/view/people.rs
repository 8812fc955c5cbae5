//! Accounts and groups.

use brevet_core::{Group, SignInLock, User};
use brevet_wire as wire;

use super::{View, at, text};
use crate::http::limit::MEMBERS_LISTED_MAX;

impl View<'_> {
    pub(in crate::http) fn user(&self, user: &User) -> wire::User {
        let User { id, name, display_name, email, owner, administrator, auditor, active, sign_in, groups } =
            user;
        let SignInLock { failures: _, locked_until } = sign_in;
        wire::User {
            id: id.to_string(),
            name: name.as_ref().map_or_else(|| id.to_string(), ToString::to_string),
            display_name: text(display_name),
            email: text(email),
            owner: owner.map(|owner| self.user_ref(owner)),
            administrator: *administrator,
            auditor: *auditor,
            active: *active,
            locked_until: locked_until.filter(|until| self.now < *until).map(at),
            groups: groups.iter().map(|group| self.group_ref(*group)).collect(),
        }
    }

    /// A group with all of its members.
    pub(in crate::http) fn group(&self, group: &Group) -> wire::Group {
        self.group_with(group, usize::MAX)
    }

    /// A group among others, with the first of its members.
    pub(in crate::http) fn listed_group(&self, group: &Group) -> wire::Group {
        self.group_with(group, MEMBERS_LISTED_MAX)
    }

    /// Who is in it, and its address, is for members and for those who oversee.
    fn group_with(&self, group: &Group, members_max: usize) -> wire::Group {
        let Group { id, name, email, description, members } = group;
        let inside = self.oversees() || members.contains(&self.viewer);
        let (named, member_count) = if inside { (members_max, members.len()) } else { (0, 0) };
        let members = members.iter().take(named).map(|member| self.user_ref(*member)).collect();
        wire::Group {
            id: id.to_string(),
            name: name.to_string(),
            email: text(email).filter(|_| inside),
            description: text(description),
            members_shown: inside,
            members,
            member_count,
        }
    }
}
