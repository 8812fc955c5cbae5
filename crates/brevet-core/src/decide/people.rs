//! Decisions about people, groups and signing in.

use super::{Decision, Reply};
use crate::actor::Origin;
use crate::command::{NewGroup, NewUser};
use crate::directory::{Group, Principal, User};
use crate::event::Event;
use crate::id::{GroupId, SessionId, UserId};
use crate::limit::{GROUP_MEMBERS_MAX, OWNER_CHAIN_MAX, SIGN_IN_LOCK};
use crate::policy::{Approval, Requesters};
use crate::refusal::Refusal;
use crate::state::State;
use crate::text::Text;
use crate::time::Timestamp;

pub(super) fn set_up(state: &State, new: NewUser) -> Result<Decision, Refusal> {
    if !state.users.is_empty() {
        return Err(Refusal::Exists { what: "administrator", id: "here; sign in instead".into() });
    }
    let NewUser { name, display_name, email, owner: _, administrator: _, auditor } = new;
    add_user(state, NewUser { name, display_name, email, owner: None, administrator: true, auditor })
}

pub(super) fn add_user(state: &State, new: NewUser) -> Result<Decision, Refusal> {
    let NewUser { name, display_name, email, owner, administrator, auditor } = new;
    if state.user_named(&name).is_some() {
        return Err(Refusal::Exists { what: "user", id: name.to_string() });
    }
    if let Some(owner) = owner {
        known_user(state, owner)?;
        if owners_above(state, owner) >= OWNER_CHAIN_MAX {
            return Err(Refusal::TooMany { what: "accounts in a chain of owners", max: OWNER_CHAIN_MAX });
        }
    }
    let user = UserId::new(state.counters.users);
    let name = Text::stored(Some(name.to_string()));
    let added = Event::UserAdded { user, name, display_name, email, owner, administrator, auditor };
    Decision::new(Reply::User(user), vec![added])
}

fn owners_above(state: &State, user: UserId) -> usize {
    std::iter::successors(Some(user), |user| state.user(*user).and_then(|user| user.owner))
        .take(OWNER_CHAIN_MAX)
        .count()
}

pub(super) fn disable_user(state: &State, id: UserId) -> Result<Decision, Refusal> {
    let user = known_user(state, id)?;
    if !user.active {
        return Err(Refusal::NoChange("this account is disabled already"));
    }
    let another = |other: &User| other.id != id && other.active && other.administrator;
    if user.administrator && !state.users.iter().any(another) {
        return Err(Refusal::InUse {
            what: "this account",
            by: "it is the last active administrator; make another one first".into(),
        });
    }
    Decision::new(Reply::User(id), vec![Event::UserDisabled { user: id }])
}

pub(super) fn enable_user(state: &State, id: UserId) -> Result<Decision, Refusal> {
    let user = known_user(state, id)?;
    if user.name.is_none() {
        return Err(Refusal::over("user", id));
    }
    if user.active && user.sign_in == crate::SignInLock::default() {
        return Err(Refusal::NoChange("this account is active, and not locked"));
    }
    Decision::new(Reply::User(id), vec![Event::UserEnabled { user: id }])
}

pub(super) fn issue_code(state: &State, id: UserId) -> Result<Decision, Refusal> {
    known_user(state, id)?;
    Decision::new(Reply::User(id), vec![Event::CodeIssued { user: id }])
}

pub(super) fn set_password(
    state: &State,
    now: Timestamp,
    origin: Origin,
    id: UserId,
) -> Result<Decision, Refusal> {
    if !known_user(state, id)?.active {
        return Err(Refusal::Inactive);
    }
    match origin.user_id() {
        Some(actor) if actor != id => return Err(Refusal::Forbidden { who: "the owner of the account" }),
        // By the password before, which may not be guessed any more.
        Some(_) => may_try(state, now, id)?,
        None => {}
    }
    Decision::new(Reply::User(id), vec![Event::PasswordSet { user: id }])
}

pub(super) fn sign_in(state: &State, now: Timestamp, id: UserId, source: Text) -> Result<Decision, Refusal> {
    may_try(state, now, id)?;
    let session = SessionId::new(state.counters.sessions);
    Decision::new(Reply::Session(session), vec![Event::SignedIn { user: id, session, source }])
}

pub(super) fn fail_sign_in(
    state: &State,
    now: Timestamp,
    id: UserId,
    source: Text,
) -> Result<Decision, Refusal> {
    // Of a disabled account too: somebody guesses at it.
    let user = unlocked(state, now, id)?;
    let locked_until = user.sign_in.next_failure_locks().then(|| now.plus(SIGN_IN_LOCK));
    Decision::done(Event::SignInFailed { user: id, source, locked_until })
}

/// Whether an attempt to sign in is taken at all. Decided serially, so that attempts side by side
/// cannot get past the limit together.
fn may_try(state: &State, now: Timestamp, id: UserId) -> Result<(), Refusal> {
    match unlocked(state, now, id)?.active {
        true => Ok(()),
        false => Err(Refusal::Inactive),
    }
}

fn unlocked(state: &State, now: Timestamp, id: UserId) -> Result<&User, Refusal> {
    let user = known_user(state, id)?;
    match user.sign_in.locked_until.and_then(|until| now.until(until)) {
        Some(left) => Err(Refusal::Locked { left }),
        None => Ok(user),
    }
}

pub(super) fn sign_out(
    state: &State,
    origin: Origin,
    user: UserId,
    session: SessionId,
) -> Result<Decision, Refusal> {
    known_user(state, user)?;
    if !(1..state.counters.sessions).contains(&session.number()) {
        return Err(Refusal::no_such("session", session));
    }
    match origin.user_id() {
        Some(actor) if actor != user => Err(Refusal::Forbidden { who: "the owner of the session" }),
        _ => Decision::done(Event::SignedOut { user, session }),
    }
}

pub(super) fn note_read(state: &State, origin: Origin, query: Text) -> Result<Decision, Refusal> {
    match origin.user_id().and_then(|user| state.user(user)) {
        Some(user) if user.auditor => Decision::done(Event::LedgerRead { query }),
        _ => Err(Refusal::Forbidden { who: "an auditor" }),
    }
}

pub(super) fn create_group(state: &State, new: NewGroup) -> Result<Decision, Refusal> {
    let NewGroup { name, email, description } = new;
    if state.group_named(&name).is_some() {
        return Err(Refusal::Exists { what: "group", id: name.to_string() });
    }
    let group = GroupId::new(state.counters.groups);
    Decision::new(Reply::Group(group), vec![Event::GroupCreated { group, name, email, description }])
}

pub(super) fn add_member(state: &State, group: GroupId, user: UserId) -> Result<Decision, Refusal> {
    known_user(state, user)?;
    let found = known_group(state, group)?;
    if found.members.contains(&user) {
        return Err(Refusal::NoChange("already a member"));
    }
    if found.members.len() >= GROUP_MEMBERS_MAX {
        return Err(Refusal::TooMany { what: "members of a group", max: GROUP_MEMBERS_MAX });
    }
    Decision::new(Reply::Group(group), vec![Event::MemberAdded { group, user }])
}

pub(super) fn remove_member(state: &State, group: GroupId, user: UserId) -> Result<Decision, Refusal> {
    if !known_group(state, group)?.members.contains(&user) {
        return Err(Refusal::NoChange("not a member"));
    }
    Decision::new(Reply::Group(group), vec![Event::MemberRemoved { group, user }])
}

pub(super) fn delete_group(state: &State, group: GroupId) -> Result<Decision, Refusal> {
    known_group(state, group)?;
    match what_needs(state, group) {
        Some(by) => Err(Refusal::InUse { what: "this group", by }),
        None => Decision::done(Event::GroupDeleted { group }),
    }
}

fn what_needs(state: &State, group: GroupId) -> Option<String> {
    if state.access_control.default_approver_group == Some(group) {
        return Some("it is the default approver group".into());
    }
    let principal = Principal::Group(group);
    let named_in = |policy: &&crate::Policy| {
        let approves = match &policy.approval {
            Approval::Auto => false,
            Approval::Manual(quorum) => quorum.groups.iter().any(|g| g.group == group),
        };
        approves || matches!(&policy.requesters, Requesters::Named(named) if named.contains(&principal))
    };
    if let Some(policy) = state.policies.values().find(named_in) {
        return Some(format!("{} names it", policy.id));
    }
    let assigned = state.assignments.values().find(|assignment| assignment.principal == principal);
    assigned.map(|assignment| format!("{} is for it", assignment.id))
}

pub(super) fn known_user(state: &State, id: UserId) -> Result<&User, Refusal> {
    state.user(id).ok_or_else(|| Refusal::no_such("user", id))
}

pub(super) fn known_group(state: &State, id: GroupId) -> Result<&Group, Refusal> {
    state.group(id).ok_or_else(|| Refusal::no_such("group", id))
}
