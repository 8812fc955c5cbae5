//! People, groups, assignments and the switch of the whole organization.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::access::Access;
use crate::id::{AssignmentId, GroupId, UserId};
use crate::limit::SIGN_IN_FAILURES_MAX;
use crate::name::{GroupName, UserName};
use crate::text::Text;
use crate::time::Timestamp;

/// A user account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct User {
    /// Its id.
    #[n(0)]
    pub id: UserId,
    /// Its name; `None` once erased.
    #[n(1)]
    pub name: Option<UserName>,
    /// How the person is shown.
    #[n(2)]
    pub display_name: Text,
    /// Where mail goes.
    #[n(3)]
    pub email: Text,
    /// The account of the person behind this one: a second account, or one of a service.
    #[n(4)]
    pub owner: Option<UserId>,
    /// May change people, groups, policies, assignments and access control.
    #[n(5)]
    pub administrator: bool,
    /// May read everything, and the ledger.
    #[n(6)]
    pub auditor: bool,
    /// Whether it may do anything at all.
    #[n(7)]
    pub active: bool,
    /// Failed sign-ins since the last good one, and the lock they led to.
    #[n(8)]
    pub sign_in: SignInLock,
    /// The groups it is in; the other side of [`Group::members`].
    #[cbor(skip)]
    pub groups: Vec<GroupId>,
}

/// Failures to sign in, counted per account however its name was spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct SignInLock {
    /// In a row.
    #[n(0)]
    pub failures: u32,
    /// Until when nothing is tried, after [`SIGN_IN_FAILURES_MAX`] of them.
    #[n(1)]
    pub locked_until: Option<Timestamp>,
}

impl User {
    /// Notes a group, in the order of ids.
    pub(crate) fn join(&mut self, group: GroupId) {
        if let Err(place) = self.groups.binary_search(&group) {
            self.groups.insert(place, group);
        }
    }
}

impl SignInLock {
    /// Whether no attempt is taken at this instant.
    pub fn holds(self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Whether this failure is the one that locks.
    pub(crate) fn next_failure_locks(self) -> bool {
        self.failures.saturating_add(1) >= SIGN_IN_FAILURES_MAX
    }
}

/// A group, whose members decide requests, may ask, or are assigned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Group {
    /// Its id.
    #[n(0)]
    pub id: GroupId,
    /// Its name.
    #[n(1)]
    pub name: GroupName,
    /// The address for all of its members.
    #[n(2)]
    pub email: Text,
    /// What it is for.
    #[n(3)]
    pub description: Text,
    /// Who is in it. Nobody, when empty.
    #[n(4)]
    pub members: BTreeSet<UserId>,
}

/// A user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Principal {
    /// One account.
    #[n(0)]
    User(#[n(0)] UserId),
    /// Every member of a group.
    #[n(1)]
    Group(#[n(0)] GroupId),
}

/// Says that a user or group may run something where no approval is demanded: with access control
/// off, as a system account, or where no policy covers the task and `uncovered` is `assigned`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Assignment {
    /// Its id.
    #[n(0)]
    pub id: AssignmentId,
    /// Who.
    #[n(1)]
    pub principal: Principal,
    /// What.
    #[n(2)]
    pub access: Access,
}

/// What happens to tasks that no policy covers while access control is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum Uncovered {
    /// Refused.
    #[default]
    #[n(0)]
    Refused,
    /// Those assigned may run them.
    #[n(1)]
    Assigned,
}

/// The switch of the whole organization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct AccessControl {
    /// On or off. Policies and groups are kept either way.
    #[n(0)]
    pub enabled: bool,
    /// Who approves where a policy names no group.
    #[n(1)]
    pub default_approver_group: Option<GroupId>,
    /// Accounts excluded from access control; every use is flagged.
    #[n(2)]
    pub system_accounts: BTreeSet<UserId>,
    /// What happens to tasks that no policy covers.
    #[n(3)]
    pub uncovered: Uncovered,
}
