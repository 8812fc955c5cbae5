//! Questions about the organization at one instant, answered by looking at every line of it.

use brevet_core::{
    Access, Approval, Parameters, PolicyTerms, Principal, Quorum, RoleId, TaskId, UserId, Value,
};

use super::{Ask, Org, Person, Thing, named};

pub(crate) type PolicyLine = (u32, Access, PolicyTerms);

impl Org {
    pub(crate) fn person_line(&self, user: UserId) -> Option<&Person> {
        self.users.iter().find(|line| line.id == user)
    }

    pub(crate) fn active(&self, user: UserId) -> bool {
        self.person_line(user).is_some_and(|line| line.active)
    }

    pub(crate) fn administers(&self, user: UserId) -> bool {
        self.person_line(user).is_some_and(|line| line.administrator)
    }

    /// The person behind an account.
    pub(crate) fn person(&self, user: UserId) -> UserId {
        match self.person_line(user).and_then(|line| line.owner) {
            Some(owner) => self.person(owner),
            None => user,
        }
    }

    pub(crate) fn is_member(&self, group: u32, user: UserId) -> bool {
        self.members.contains(&(group, user))
    }

    pub(crate) fn includes(&self, principal: Principal, user: UserId) -> bool {
        match principal {
            Principal::User(id) => id == user,
            Principal::Group(group) => self.is_member(group.number(), user),
        }
    }

    fn thing(&self, access: Access) -> Option<&Thing> {
        match access {
            Access::Task(id) => self.tasks.get(id.number() as usize - 1),
            Access::Role(id) => self.roles.get(id.number() as usize - 1),
            Access::RoleGroup(id) => self.role_groups.get(id.number() as usize - 1),
        }
    }

    pub(crate) fn version(&self, access: Access) -> Option<u8> {
        self.thing(access).and_then(|thing| thing.version)
    }

    /// Whether having `access` is having the task.
    pub(crate) fn covers(&self, access: Access, task: u32) -> bool {
        let Some(thing) = self.thing(access) else { return false };
        match access {
            Access::Task(id) => id.number() == task,
            _ if thing.version.is_none() => false,
            Access::Role(_) => thing.has.contains(&task),
            Access::RoleGroup(_) => {
                thing.has.iter().any(|role| self.covers(Access::Role(RoleId::new(*role)), task))
            }
        }
    }

    pub(crate) fn assigned(&self, user: UserId, task: u32) -> bool {
        let mut lines = self.assignments.iter();
        lines.any(|(_, principal, access)| self.includes(*principal, user) && self.covers(*access, task))
    }

    pub(crate) fn policy(&self, id: u32) -> Option<&PolicyTerms> {
        self.policies.iter().find(|line| line.0 == id).map(|line| &line.2)
    }

    /// Task, then role, then role group; of one rank the stricter, of those the older.
    pub(crate) fn governing(&self, access: Access) -> Option<&PolicyLine> {
        let rank = |on: Access| match on {
            _ if on == access => Some(0),
            Access::Task(_) => None,
            Access::Role(_) => self.contains(on, access).then_some(1),
            Access::RoleGroup(_) => self.contains(on, access).then_some(2),
        };
        let ranked = self.policies.iter().filter_map(|line| rank(line.1).map(|rank| (rank, line)));
        let mut best: Option<(i32, &PolicyLine)> = None;
        for (rank, line) in ranked {
            let better = best.is_none_or(|(best_rank, best)| {
                rank < best_rank || (rank == best_rank && stricter(&line.2, &best.2))
            });
            best = if better { Some((rank, line)) } else { best };
        }
        best.map(|(_, line)| line)
    }

    /// Whether `outer` has all of `inner` within it by its definition.
    fn contains(&self, outer: Access, inner: Access) -> bool {
        let Some(thing) = self.thing(outer).filter(|thing| thing.version.is_some()) else { return false };
        match (outer, inner) {
            (_, Access::Task(task)) => self.covers(outer, task.number()),
            (Access::RoleGroup(_), Access::Role(role)) => thing.has.contains(&role.number()),
            _ => false,
        }
    }

    pub(crate) fn may_ask(&self, terms: &PolicyTerms, user: UserId) -> bool {
        let is_named = match named(&terms.requesters) {
            None => true,
            Some(named) => named.iter().any(|principal| self.includes(*principal, user)),
        };
        self.active(user) && is_named
    }

    /// Whether what was asked for could still be given to its requester.
    pub(crate) fn tenable(&self, ask: &Ask) -> bool {
        let may = self.policy(ask.policy).is_some_and(|terms| self.may_ask(terms, ask.by));
        may && ask.version.is_some() && self.version(ask.access) == ask.version
    }

    pub(crate) fn approver_groups(&self, terms: &PolicyTerms) -> Vec<(u32, u32)> {
        match &terms.approval {
            Approval::Manual(Quorum { groups, .. }) if !groups.is_empty() => {
                groups.iter().map(|line| (line.group.number(), line.minimum)).collect()
            }
            _ => self.default_group.map(|group| (group, 0)).into_iter().collect(),
        }
    }

    pub(crate) fn is_approver(&self, terms: &PolicyTerms, user: UserId) -> bool {
        let groups = self.approver_groups(terms);
        self.active(user) && groups.iter().any(|(group, _)| self.is_member(*group, user))
    }

    /// Whether these accounts are enough: every way to seat people on chairs is tried.
    pub(crate) fn is_enough(&self, terms: &PolicyTerms, requester: UserId, votes: &[UserId]) -> bool {
        let total = match &terms.approval {
            Approval::Manual(quorum) => quorum.total as usize,
            Approval::Auto => 1,
        };
        let groups = self.approver_groups(terms);
        let mut people: Vec<(UserId, Vec<u32>)> = Vec::new();
        for vote in votes.iter().filter(|vote| self.active(**vote)) {
            let person = self.person(*vote);
            let theirs = groups.iter().map(|(group, _)| *group).filter(|group| self.is_member(*group, *vote));
            let theirs: Vec<u32> = theirs.collect();
            if person == self.person(requester) || theirs.is_empty() {
                continue;
            }
            match people.iter_mut().find(|(known, _)| *known == person) {
                Some((_, groups)) => groups.extend(theirs),
                None => people.push((person, theirs)),
            }
        }
        people.len() >= total && seat(&people, &groups)
    }

    pub(crate) fn could_be_enough(&self, terms: &PolicyTerms, requester: UserId) -> bool {
        let everybody: Vec<UserId> = self.users.iter().map(|line| line.id).collect();
        self.is_enough(terms, requester, &everybody)
    }

    /// The values a run of the only task with a parameter has: `level` is 1 unless given.
    pub(crate) fn completed(&self, task: u32, given: &Parameters) -> Option<Parameters> {
        let level = brevet_core::ParameterName::parse("level").ok()?;
        let mut values = given.clone();
        if task == 1 {
            values.entry(level).or_insert(Value::Integer(1));
        }
        let known = task == 1 || values.is_empty();
        known.then_some(values)
    }

    pub(crate) fn defined_task(&self, task: TaskId) -> bool {
        self.version(Access::Task(task)).is_some()
    }
}

fn seat(people: &[(UserId, Vec<u32>)], chairs: &[(u32, u32)]) -> bool {
    if chairs.iter().all(|(_, left)| *left == 0) {
        return true;
    }
    let Some(((_, groups), others)) = people.split_first() else { return false };
    let on = |chosen: &u32| {
        let left = chairs.iter().map(|(group, left)| match group == chosen {
            true => left.checked_sub(1).map(|left| (*group, left)),
            false => Some((*group, *left)),
        });
        left.collect::<Option<Vec<_>>>().is_some_and(|left| seat(others, &left))
    };
    groups.iter().any(on) || seat(others, chairs)
}

/// Manual before Auto, more approvals, more groups, named requesters, shorter, fewer runs.
fn stricter(one: &PolicyTerms, other: &PolicyTerms) -> bool {
    let total = |terms: &PolicyTerms| match &terms.approval {
        Approval::Auto => (0, 0),
        Approval::Manual(quorum) => (quorum.total, quorum.groups.len()),
    };
    if total(one) != total(other) {
        return total(one) > total(other);
    }
    if named(&one.requesters).is_some() != named(&other.requesters).is_some() {
        return named(&one.requesters).is_some();
    }
    if one.maximum_duration.span() != other.maximum_duration.span() {
        return one.maximum_duration.span() < other.maximum_duration.span();
    }
    one.max_uses.unwrap_or(u32::MAX) < other.max_uses.unwrap_or(u32::MAX)
}
