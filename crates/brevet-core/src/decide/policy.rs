//! Decisions about access control, assignments and policies; and which policy governs.

use std::collections::BTreeSet;

use super::people::{known_group, known_user};
use super::{Decision, Reply};
use crate::access::Access;
use crate::command::{AccessControlChange, NewPolicy, PolicyTerms};
use crate::directory::{AccessControl, Assignment, Principal};
use crate::event::Event;
use crate::id::{AssignmentId, GroupId, PolicyId, UserId};
use crate::limit::{APPROVALS_NEEDED_MAX, APPROVER_GROUPS_MAX, REQUESTERS_MAX, SYSTEM_ACCOUNTS_MAX};
use crate::policy::{Approval, Binding, Policy, Requesters};
use crate::quorum::{GroupMinimum, Quorum, Supporter};
use crate::refusal::Refusal;
use crate::state::State;

pub(super) fn enable(state: &State, change: AccessControlChange) -> Result<Decision, Refusal> {
    let AccessControlChange { default_approver_group, system_accounts, uncovered, seen } = change;
    if seen.is_some_and(|seen| seen != state.access_control) {
        return Err(Refusal::access_control_changed());
    }
    known_group(state, default_approver_group)?;
    if system_accounts.len() > SYSTEM_ACCOUNTS_MAX {
        return Err(Refusal::TooMany { what: "system accounts", max: SYSTEM_ACCOUNTS_MAX });
    }
    for account in &system_accounts {
        known_user(state, *account)?;
    }
    let default_approver_group = Some(default_approver_group);
    let settings = AccessControl { enabled: true, default_approver_group, system_accounts, uncovered };
    if settings == state.access_control {
        return Err(Refusal::NoChange("access control is on with these very settings"));
    }
    Decision::done(Event::AccessControlEnabled { settings })
}

pub(super) fn disable(state: &State) -> Result<Decision, Refusal> {
    match state.access_control.enabled {
        true => Decision::done(Event::AccessControlDisabled {}),
        false => Err(Refusal::NoChange("access control is off already")),
    }
}

pub(super) fn add_assignment(
    state: &State,
    principal: Principal,
    access: Access,
) -> Result<Decision, Refusal> {
    known_principal(state, principal)?;
    known_access(state, access)?;
    let same = |assignment: &&Assignment| assignment.principal == principal && assignment.access == access;
    if let Some(assignment) = state.assignments.values().find(same) {
        return Err(Refusal::Exists { what: "assignment like this:", id: assignment.id.to_string() });
    }
    let id = AssignmentId::new(state.counters.assignments);
    let assignment = Assignment { id, principal, access };
    Decision::new(Reply::Assignment(id), vec![Event::AssignmentAdded { assignment }])
}

pub(super) fn remove_assignment(state: &State, assignment: AssignmentId) -> Result<Decision, Refusal> {
    match state.assignment(assignment) {
        Some(_) => Decision::done(Event::AssignmentRemoved { assignment }),
        None => Err(Refusal::no_such("assignment", assignment)),
    }
}

pub(super) fn create(state: &State, new: NewPolicy) -> Result<Decision, Refusal> {
    let NewPolicy { access, terms } = new;
    known_access(state, access)?;
    if let Some(policy) = state.policy_on(access) {
        return Err(Refusal::Exists {
            what: "policy on this access; change it with: brevet policy set",
            id: policy.id.to_string(),
        });
    }
    check_terms(state, access, &terms)?;
    let id = PolicyId::new(state.counters.policies);
    let policy = terms.into_policy(id, 1, access);
    Decision::new(Reply::Policy(id), vec![Event::PolicyCreated { policy }])
}

pub(super) fn set(state: &State, id: PolicyId, seen: u32, terms: PolicyTerms) -> Result<Decision, Refusal> {
    let policy = state.policy(id).ok_or_else(|| Refusal::no_such("policy", id))?;
    if policy.revision != seen {
        return Err(Refusal::Changed { what: "policy", id: id.to_string() });
    }
    if PolicyTerms::of(policy) == terms {
        return Err(Refusal::NoChange("the policy says this already"));
    }
    check_terms(state, policy.access, &terms)?;
    let policy = terms.into_policy(id, seen.saturating_add(1), policy.access);
    Decision::new(Reply::Policy(id), vec![Event::PolicyChanged { policy }])
}

pub(super) fn remove(state: &State, id: PolicyId, seen: Option<u32>) -> Result<Decision, Refusal> {
    let policy = state.policy(id).ok_or_else(|| Refusal::no_such("policy", id))?;
    if seen.is_some_and(|seen| seen != policy.revision) {
        return Err(Refusal::Changed { what: "policy", id: id.to_string() });
    }
    Decision::done(Event::PolicyRemoved { policy: id })
}

fn check_terms(state: &State, access: Access, terms: &PolicyTerms) -> Result<(), Refusal> {
    let invalid = |why: &str| Err(Refusal::Invalid(why.to_owned()));
    match &terms.requesters {
        Requesters::Anyone if terms.approval == Approval::Auto => {
            return invalid("an Auto policy must name who may ask: at least one user or group");
        }
        Requesters::Named(named) if named.is_empty() => {
            return invalid("a list of requesters names at least one");
        }
        Requesters::Named(named) if named.len() > REQUESTERS_MAX => {
            return Err(Refusal::TooMany { what: "requesters of a policy", max: REQUESTERS_MAX });
        }
        Requesters::Named(named) => {
            named.iter().try_for_each(|principal| known_principal(state, *principal))?;
        }
        Requesters::Anyone => {}
    }
    if let Approval::Manual(quorum) = &terms.approval {
        check_quorum(state, quorum)?;
    }
    if terms.max_uses == Some(0) {
        return invalid("the number of uses is at least 1");
    }
    if terms.binding == Binding::Exact && !matches!(access, Access::Task(_)) {
        return invalid("only a policy on a task can bind parameters exactly: a role has no parameters");
    }
    Ok(())
}

fn check_quorum(state: &State, quorum: &Quorum) -> Result<(), Refusal> {
    if !(1..=APPROVALS_NEEDED_MAX).contains(&quorum.total) {
        return Err(Refusal::Invalid(format!("approvals needed are from 1 to {APPROVALS_NEEDED_MAX}")));
    }
    if quorum.groups.len() > APPROVER_GROUPS_MAX {
        return Err(Refusal::TooMany { what: "approver groups of a policy", max: APPROVER_GROUPS_MAX });
    }
    let mut sum: u32 = 0;
    for (place, group) in quorum.groups.iter().enumerate() {
        known_group(state, group.group)?;
        if quorum.groups[..place].iter().any(|earlier| earlier.group == group.group) {
            return Err(Refusal::Invalid("an approver group is named twice".into()));
        }
        sum = sum.saturating_add(group.minimum);
    }
    if sum > quorum.total {
        return Err(Refusal::Invalid(format!(
            "the minimums of the groups add up to {sum}, more than the {} approvals needed in all",
            quorum.total
        )));
    }
    Ok(())
}

fn known_principal(state: &State, principal: Principal) -> Result<(), Refusal> {
    match principal {
        Principal::User(id) => known_user(state, id).map(drop),
        Principal::Group(id) => known_group(state, id).map(drop),
    }
}

pub(super) fn known_access(state: &State, access: Access) -> Result<crate::Digest, Refusal> {
    let missing = || match access {
        Access::Task(id) => Refusal::no_such("task", id),
        Access::Role(id) => Refusal::no_such("role", id),
        Access::RoleGroup(id) => Refusal::no_such("role group", id),
    };
    state.catalog.digest(access).ok_or_else(missing)
}

impl State {
    /// The policy that governs an access, most specific first: on the task itself, else the strictest
    /// on a role that has it, else the strictest on a role group that has it.
    pub fn governing(&self, access: Access) -> Option<&Policy> {
        if let Some(policy) = self.policy_on(access) {
            return Some(policy);
        }
        let strictest = |above: &mut dyn Iterator<Item = Access>| {
            above.filter_map(|access| self.policy_on(access)).max_by_key(|policy| policy.strictness())
        };
        let above = self.catalog.above_access(access);
        let is_role = |access: &&Access| matches!(access, Access::Role(_));
        strictest(&mut above.iter().filter(is_role).copied())
            .or_else(|| strictest(&mut above.iter().filter(|access| !is_role(access)).copied()))
    }

    /// The groups that approve under a policy, with their minimums: its own, or the default one.
    /// Nobody where it names none and there is no default.
    pub fn approver_groups(&self, policy: &Policy) -> Vec<GroupMinimum> {
        let default =
            || self.access_control.default_approver_group.map(|group| GroupMinimum { group, minimum: 0 });
        match &policy.approval {
            Approval::Manual(quorum) if !quorum.groups.is_empty() => quorum.groups.clone(),
            Approval::Manual(_) | Approval::Auto => default().into_iter().collect(),
        }
    }

    /// Whether a user is in a group that approves under a policy, and active.
    pub fn is_approver(&self, policy: &Policy, user: UserId) -> bool {
        let is_member = |group: &GroupMinimum| self.includes(Principal::Group(group.group), user);
        self.is_active(user) && self.approver_groups(policy).iter().any(is_member)
    }

    /// Whether a user may ask under a policy.
    pub fn may_ask(&self, policy: &Policy, user: UserId) -> bool {
        let named = |named: &Vec<Principal>| named.iter().any(|principal| self.includes(*principal, user));
        self.is_active(user)
            && match &policy.requesters {
                Requesters::Anyone => true,
                Requesters::Named(principals) => named(principals),
            }
    }

    /// Whether these votes are enough under a policy now. Members who left a group, or are not
    /// active any more, do not count, whenever they voted; nor does the requester by any account.
    pub(crate) fn is_enough(
        &self,
        policy: &Policy,
        requester: UserId,
        votes: impl Iterator<Item = UserId>,
    ) -> bool {
        let groups = self.approver_groups(policy);
        let own = self.person(requester);
        let supporters: Vec<Supporter> = votes
            .filter(|vote| self.is_active(*vote) && self.person(*vote) != own)
            .map(|vote| Supporter { person: self.person(vote), groups: self.groups_of(vote) })
            .collect();
        self.quorum(policy).met_by(&groups, &supporters)
    }

    /// Whether the active members other than the requester could ever be enough.
    ///
    /// Of each group only as many people as are needed in all are looked at. That is exact: a group
    /// with so many can fill every chair of its own, and the total; the others are looked at whole
    /// (Hall's theorem).
    pub(crate) fn could_be_enough(&self, policy: &Policy, requester: UserId) -> bool {
        let quorum = self.quorum(policy);
        let groups = self.approver_groups(policy);
        let supporters: Vec<Supporter> = groups
            .iter()
            .flat_map(|group| {
                let people = self.people_able(group.group, requester, quorum.total as usize);
                people.into_iter().map(|person| Supporter { person, groups: vec![group.group] })
            })
            .collect();
        quorum.met_by(&groups, &supporters)
    }

    /// The people who could vote as members of a group, the requester left out; at most so many.
    fn people_able(&self, group: GroupId, requester: UserId, most: usize) -> BTreeSet<UserId> {
        let own = self.person(requester);
        let mut people = BTreeSet::new();
        for member in self.group(group).iter().flat_map(|group| &group.members) {
            let person = self.person(*member);
            if self.is_active(*member) && person != own {
                people.insert(person);
            }
            if people.len() >= most {
                break;
            }
        }
        people
    }

    pub(crate) fn quorum(&self, policy: &Policy) -> Quorum {
        match &policy.approval {
            Approval::Manual(quorum) => quorum.clone(),
            Approval::Auto => Quorum::default_group(),
        }
    }

    fn groups_of(&self, user: UserId) -> Vec<crate::GroupId> {
        self.user(user).map(|user| user.groups.clone()).unwrap_or_default()
    }

    /// The names of the groups that approve under a policy, for people to read.
    pub(crate) fn approver_names(&self, policy: &Policy) -> Vec<String> {
        let groups = self.approver_groups(policy);
        groups
            .iter()
            .filter_map(|group| self.group(group.group))
            .map(|group| group.name.to_string())
            .collect()
    }
}
