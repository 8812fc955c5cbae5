//! The small organization, and the commands that change it.

use brevet_core::{
    AccessControlChange, Approval, AssignmentId, Binding, CatalogDefinition, GroupMinimum, GroupName,
    MaximumDuration, NewGroup, NewPolicy, OnExpiry, ParameterKind, ParameterSpec, PolicyTerms, Principal,
    Quorum, Requesters, RoleDefinition, RoleGroupDefinition, StartRule, TaskSpec, Uncovered,
};

use super::{Game, Op, ticks};
use crate::naive::{History, Org, Person, Thing, What};
use crate::world::{T0, digest, new_user, parameter, spec, task, values};
use brevet_core::{
    Access, Command, GroupId, Origin, Parameters, PolicyId, Refusal, Reply, State, Text, UserId,
};
use proptest::prelude::*;

pub(crate) const TASKS: [&str; 3] = ["Restart", "Reload", "Backup"];
const ADA: UserId = UserId::new(1);

/// Who there is: name, owner, groups.
const PEOPLE: [(&str, Option<u32>, &[u8]); 7] = [
    ("ada", None, &[]),
    ("anna", None, &[1, 2]),
    ("bob", None, &[1]),
    ("rita", None, &[2, 3]),
    ("rita-bot", Some(4), &[1, 3]),
    ("sven", None, &[2]),
    ("anna-admin", Some(2), &[1]),
];

impl Game {
    pub(crate) fn new() -> Self {
        let mut game = Self {
            state: State::default(),
            elephant: State::default(),
            now: T0,
            entries: Vec::new(),
            requests: std::collections::BTreeMap::new(),
            authorizations: std::collections::BTreeMap::new(),
            history: History::default(),
            org: Org::default(),
        };
        game.people();
        game.define(0).unwrap();
        let change = |game: &mut Self, op| game.play_setup(&op);
        change(&mut game, Op::Control(1));
        change(&mut game, Op::Policy { access: 0, terms: Terms::plain() });
        let claimed = Terms { claim: 2, uses: 4 + 1, ..Terms::plain() };
        change(&mut game, Op::Policy { access: 3, terms: claimed });
        change(&mut game, Op::Policy { access: 5, terms: Terms { total: 2, ..Terms::plain() } });
        game
    }

    fn people(&mut self) {
        for (place, (name, owner, _)) in PEOPLE.into_iter().enumerate() {
            let owner = owner.map(UserId::new);
            let origin = if place == 0 { Origin::SYSTEM } else { Self::by(ADA) };
            let reply = self.send(origin, || match place {
                0 => Command::SetUp(new_user(name, None)),
                _ => Command::AddUser(new_user(name, owner)),
            });
            let Ok(Reply::User(id)) = reply else { panic!("{reply:?}") };
            self.org.users.push(Person { id, active: true, owner, administrator: place == 0 });
        }
        for name in ["Approvers", "Security", "Askers"] {
            let group = || NewGroup {
                name: GroupName::parse(name).unwrap(),
                email: Text::default(),
                description: Text::default(),
            };
            self.send(Self::by(ADA), || Command::CreateGroup(group())).unwrap();
        }
        for (place, (_, _, groups)) in (0..).zip(PEOPLE) {
            groups.iter().for_each(|group| self.play_setup(&Op::Member { group: group - 1, user: place }));
        }
    }

    pub(crate) fn play_setup(&mut self, op: &Op) {
        let changed = match op {
            Op::Toggle(user) => self.toggle(self.user(*user)),
            Op::Member { group, user } => self.member(u32::from(*group) % 3 + 1, self.user(*user)),
            Op::Control(number) => self.control(*number),
            Op::Assign { who, access } => self.assign(*who, Self::access(*access)),
            Op::Policy { access, terms } => self.policy(Self::access(*access), &terms.terms()),
            Op::RemovePolicy(number) => self.remove_policy(usize::from(*number)),
            Op::Catalog(number) => self.define(*number % 4),
            _ => unreachable!("{op:?}"),
        };
        if changed.is_ok() {
            self.tell(What::OrgChanged);
        }
    }

    fn toggle(&mut self, user: UserId) -> Result<(), Refusal> {
        let active = self.org.active(user);
        self.send(Self::by(ADA), || match active {
            true => Command::DisableUser(user),
            false => Command::EnableUser(user),
        })?;
        self.org.users.iter_mut().filter(|line| line.id == user).for_each(|line| line.active = !active);
        Ok(())
    }

    fn member(&mut self, number: u32, user: UserId) -> Result<(), Refusal> {
        let group = GroupId::new(number);
        if self.org.is_member(number, user) {
            self.send(Self::by(ADA), || Command::RemoveMember { group, user })?;
            self.org.members.retain(|line| *line != (number, user));
        } else {
            self.send(Self::by(ADA), || Command::AddMember { group, user })?;
            self.org.members.push((number, user));
        }
        Ok(())
    }

    fn control(&mut self, number: u8) -> Result<(), Refusal> {
        if number.is_multiple_of(4) {
            self.send(Self::by(ADA), || Command::DisableAccessControl)?;
            self.org.on = false;
            return Ok(());
        }
        let default = u32::from(number % 2) + 1;
        let default = if number == 1 { 1 } else { default };
        let system: Vec<UserId> = if number.is_multiple_of(3) { vec![UserId::new(6)] } else { vec![] };
        let assigned = number > 5;
        self.send(Self::by(ADA), || {
            Command::EnableAccessControl(AccessControlChange {
                default_approver_group: GroupId::new(default),
                system_accounts: system.iter().copied().collect(),
                uncovered: if assigned { Uncovered::Assigned } else { Uncovered::Refused },
                seen: None,
            })
        })?;
        self.org.on = true;
        self.org.default_group = Some(default);
        self.org.system = system;
        self.org.uncovered_assigned = assigned;
        Ok(())
    }

    fn assign(&mut self, who: u8, access: Access) -> Result<(), Refusal> {
        let principal = match who % 8 {
            7 => Principal::Group(GroupId::new(3)),
            who => Principal::User(self.user(who)),
        };
        let known = self.org.assignments.iter().find(|line| (line.1, line.2) == (principal, access));
        if let Some(id) = known.map(|line| line.0) {
            self.send(Self::by(ADA), || Command::RemoveAssignment(AssignmentId::new(id)))?;
            self.org.assignments.retain(|line| line.0 != id);
        } else {
            let reply = self.send(Self::by(ADA), || Command::AddAssignment { principal, access })?;
            let Reply::Assignment(id) = reply else { panic!("{reply:?}") };
            self.org.assignments.push((id.number(), principal, access));
        }
        Ok(())
    }

    fn policy(&mut self, access: Access, terms: &PolicyTerms) -> Result<(), Refusal> {
        if let Some(line) = self.org.policies.iter().position(|line| line.1 == access) {
            let policy = PolicyId::new(self.org.policies[line].0);
            let seen = self.state.policy(policy).unwrap().revision;
            self.send(Self::by(ADA), || Command::SetPolicy { policy, seen, terms: terms.clone() })?;
            self.org.policies[line].2 = terms.clone();
        } else {
            let new = || NewPolicy { access, terms: terms.clone() };
            let reply = self.send(Self::by(ADA), || Command::CreatePolicy(new()))?;
            let Reply::Policy(id) = reply else { panic!("{reply:?}") };
            self.org.policies.push((id.number(), access, terms.clone()));
        }
        Ok(())
    }

    fn remove_policy(&mut self, number: usize) -> Result<(), Refusal> {
        let Some(id) = self.org.policies.get(number).map(|line| line.0) else {
            return Err(Refusal::NoChange("there is none"));
        };
        self.send(Self::by(ADA), || Command::RemovePolicy { policy: PolicyId::new(id), seen: None })?;
        self.org.policies.retain(|line| line.0 != id);
        Ok(())
    }

    fn define(&mut self, number: u8) -> Result<(), Refusal> {
        self.send(Origin::SYSTEM, || Command::DefineCatalog(catalog(number)))?;
        let definition = catalog(number);
        let ops = definition.roles.len() == 2;
        let changed = u8::from(number == 1) + 1;
        let thing = |version, has: &[u32]| Thing { version, has: has.to_vec() };
        self.org.tasks = vec![thing(Some(changed), &[]), thing(Some(1), &[]), thing(ops.then_some(1), &[])];
        self.org.roles = vec![thing(Some(changed), &[1, 2]), thing(ops.then_some(1), &[2, 3])];
        let all: &[u32] = if ops { &[1, 2] } else { &[1] };
        self.org.role_groups = vec![thing(Some(number + 1), all)];
        Ok(())
    }
}

/// Variants: 1 has another `Restart`, 2 has neither `Ops` nor `Backup`, 3 only another `All`.
pub(crate) fn catalog(number: u8) -> CatalogDefinition {
    let changed = u8::from(number == 1) + 1;
    let level = ParameterSpec {
        required: false,
        default: Some(brevet_core::Value::Integer(1)),
        ..parameter("level", ParameterKind::Integer)
    };
    let unit = ParameterSpec { required: false, ..parameter("unit", ParameterKind::Text) };
    let role = |name: &str, version, tasks: &[&str]| RoleDefinition {
        name: task(name),
        description: String::new(),
        tasks: tasks.iter().map(|name| task(name)).collect(),
        digest: digest(name, version),
    };
    let mut definition = CatalogDefinition {
        tasks: vec![spec("Restart", changed, vec![level, unit]), spec("Reload", 1, vec![])],
        roles: vec![role("Web", changed, &["Restart", "Reload"])],
        role_groups: Vec::new(),
    };
    let mut roles = vec![task("Web")];
    if number != 2 {
        definition.tasks.push(TaskSpec { on_expiry: OnExpiry::Finish, ..spec("Backup", 1, vec![]) });
        definition.roles.push(role("Ops", 1, &["Reload", "Backup"]));
        roles.push(task("Ops"));
    }
    definition.role_groups.push(RoleGroupDefinition {
        name: task("All"),
        description: String::new(),
        roles,
        digest: digest("All", number + 1),
    });
    definition
}

/// What a policy says, as small numbers.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) auto: bool,
    pub(crate) total: u32,
    pub(crate) minimums: (u8, u8),
    pub(crate) named: u8,
    pub(crate) maximum: i64,
    pub(crate) pending: i64,
    pub(crate) claim: u8,
    pub(crate) uses: u8,
    pub(crate) exact: bool,
}

pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    let who = (0..6_u8, 1..3_u32, (0..4_u8, 0..4_u8), 0..6_u8);
    let how = (2..6_i64, 2..6_i64, 0..4_u8, 0..6_u8, 0..4_u8);
    (who, how).prop_map(|((auto, total, minimums, named), (maximum, pending, claim, uses, exact))| Terms {
        auto: auto == 0,
        total,
        minimums,
        named,
        maximum,
        pending,
        claim,
        uses,
        exact: exact == 0,
    })
}

impl Terms {
    /// One approval of the default group, anyone may ask.
    pub(crate) fn plain() -> Self {
        Self {
            auto: false,
            total: 1,
            minimums: (3, 3),
            named: 0,
            maximum: 5,
            pending: 5,
            claim: 0,
            uses: 0,
            exact: false,
        }
    }

    fn terms(&self) -> PolicyTerms {
        // 3 leaves the group out; less is its minimum.
        let group = |number: u32, minimum: u8| {
            let minimum = u32::from(minimum);
            (minimum < 3).then_some(GroupMinimum { group: GroupId::new(number), minimum })
        };
        let groups = [group(1, self.minimums.0), group(2, self.minimums.1)].into_iter().flatten().collect();
        let approval = match self.auto {
            true => Approval::Auto,
            false => Approval::Manual(Quorum { total: self.total, groups }),
        };
        let requesters = match self.named {
            0 | 1 if !self.auto => Requesters::Anyone,
            0..=3 => Requesters::Named(vec![Principal::Group(GroupId::new(3))]),
            _ => Requesters::Named(vec![Principal::User(UserId::new(4)), Principal::User(UserId::new(2))]),
        };
        let claim = i64::from(self.claim);
        PolicyTerms {
            maximum_duration: MaximumDuration::Limited(ticks(self.maximum)),
            pending_lifetime: ticks(self.pending),
            start: if claim == 0 { StartRule::AtApproval } else { StartRule::AtFirstUse(ticks(claim)) },
            max_uses: (self.uses > 3).then(|| u32::from(self.uses) - 3),
            binding: if self.exact { Binding::Exact } else { Binding::Open },
            ..PolicyTerms::new(approval, requesters)
        }
    }
}

const VALUES: [&str; 6] = ["", "", "unit=a", "unit=b", "level=2", "unit=a level=1"];

/// What a request names.
pub(crate) fn bound(number: u8, access: u8) -> Parameters {
    // Anything but the first task has nothing to name; now and then that is tried too.
    let anyway = number == 11;
    if access % 8 <= 2 || anyway { values(VALUES[usize::from(number) % 6]) } else { Parameters::new() }
}

/// What a run is given.
pub(crate) fn run_values(task: u8, number: u8) -> Parameters {
    if task == 0 || number == 11 { values(VALUES[usize::from(number) % 6]) } else { Parameters::new() }
}

/// What a request binds in the end.
pub(crate) fn naive_bound(org: &Org, access: Access, given: &Parameters, exact: bool) -> Option<Parameters> {
    match access {
        Access::Task(id) if exact => org.completed(id.number(), given),
        Access::Task(id) => org.completed(id.number(), given).map(|_| given.clone()),
        _ => given.is_empty().then(|| given.clone()),
    }
}
