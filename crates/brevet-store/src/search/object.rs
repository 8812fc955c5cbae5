//! What rules are made of, as something that entries are about. There is no list for each: the entries of the few kinds that
//! tell of such objects are looked at one by one.

use brevet_core::{AssignmentId, Event, GroupId, PolicyId, UserId};

/// Something that is made and changed by few entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The switch of the organization.
    AccessControl,
    /// A policy.
    Policy(PolicyId),
    /// A group, and who is in it.
    Group(GroupId),
    /// An assignment.
    Assignment(AssignmentId),
    /// An account, and the groups it is put into. What its owner does is found by the actor.
    User(UserId),
}

/// Why a text names no such object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name a policy, a group, an assignment or an account by its id, such as pol-1, or access-control")]
pub struct BadObject;

impl Object {
    /// Reads `pol-1`, `grp-2`, `asg-3`, `usr-7` or `access-control`.
    pub fn parse(text: &str) -> Result<Self, BadObject> {
        let found = match text.split_once('-').map(|(prefix, _)| prefix) {
            Some("access") if text == "access-control" => Some(Self::AccessControl),
            Some(PolicyId::PREFIX) => PolicyId::parse(text).ok().map(Self::Policy),
            Some(GroupId::PREFIX) => GroupId::parse(text).ok().map(Self::Group),
            Some(AssignmentId::PREFIX) => AssignmentId::parse(text).ok().map(Self::Assignment),
            Some(UserId::PREFIX) => UserId::parse(text).ok().map(Self::User),
            _ => None,
        };
        found.ok_or(BadObject)
    }

    /// How the kinds of entries begin that tell of such objects; none of them is frequent.
    pub(super) const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::AccessControl => &["access-control."],
            Self::Policy(_) => &["policy."],
            Self::Group(_) => &["group."],
            Self::Assignment(_) => &["assignment."],
            Self::User(_) => &["user.", "group.member-"],
        }
    }

    /// Whether an entry tells of it.
    pub(super) fn is_in(self, event: &Event) -> bool {
        match self {
            Self::AccessControl => {
                matches!(event, Event::AccessControlEnabled { .. } | Event::AccessControlDisabled {})
            }
            Self::Policy(wanted) => match event {
                Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => policy.id == wanted,
                Event::PolicyRemoved { policy } => *policy == wanted,
                _ => false,
            },
            Self::Group(wanted) => matches!(event,
                Event::GroupCreated { group, .. }
                | Event::MemberAdded { group, .. }
                | Event::MemberRemoved { group, .. }
                | Event::GroupDeleted { group } if *group == wanted),
            Self::Assignment(wanted) => match event {
                Event::AssignmentAdded { assignment } => assignment.id == wanted,
                Event::AssignmentRemoved { assignment } => *assignment == wanted,
                _ => false,
            },
            Self::User(wanted) => matches!(event,
                Event::UserAdded { user, .. }
                | Event::UserDisabled { user }
                | Event::UserEnabled { user }
                | Event::CodeIssued { user }
                | Event::PasswordSet { user }
                | Event::MemberAdded { user, .. }
                | Event::MemberRemoved { user, .. } if *user == wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadObject, Object};
    use brevet_core::{Event, GroupId, UserId};

    #[test]
    fn an_object_is_named_by_its_id_or_by_its_one_name() {
        assert_eq!(Object::parse("access-control"), Ok(Object::AccessControl));
        assert_eq!(Object::parse("usr-7"), Ok(Object::User(UserId::new(7))));
        for other in ["", "7", "access-controls", "req-1", "pol-", "pol-01", "access-"] {
            assert_eq!(Object::parse(other), Err(BadObject), "{other}");
        }
    }

    #[test]
    fn who_comes_and_goes_is_told_of_the_group_and_of_the_account() {
        let event = Event::MemberAdded { group: GroupId::new(2), user: UserId::new(7) };
        let told = |object: &str| Object::parse(object).unwrap().is_in(&event);
        assert_eq!(
            ["grp-2", "usr-7", "grp-7", "usr-2", "pol-2"].map(told),
            [true, true, false, false, false]
        );
    }
}
