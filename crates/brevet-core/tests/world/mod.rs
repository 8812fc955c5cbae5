//! A sample organization: who is in it, and short words for what they do.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    reason = "each test binary speaks another part of this little language, and a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use brevet_core::{
    Access, AccessControlChange, Authorization, AuthorizationId, AuthorizationState, Change, Command, Ending,
    Entry, Execution, ExecutionId, ExecutionResult, ExecutionState, GroupId, GroupMinimum, GroupName,
    NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser, Origin, Parameters, PolicyId, PolicyTerms, Quorum,
    Refusal, Reply, Request, RequestId, RequestState, SessionId, Span, State, StopCause, Text, Timestamp,
    Uncovered, UserId, UserName, transact,
};

mod commands;
mod definitions;

pub(crate) use commands::{approve, deny, extend, manual, new_user, revoke, run};
pub(crate) use definitions::{definitions, digest, parameter, secrets, spec, task, values};

/// An instant to begin with.
pub(crate) const T0: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

pub(crate) const HOUR: Span = Span::hours(1);

/// Microseconds, for the two sides of a boundary.
pub(crate) fn micros(count: i64) -> Span {
    Span::from_micros(count).unwrap()
}

/// The state with the time, the entries, and the last row of everything, as a store would have it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) entries: Vec<Entry>,
    requests: BTreeMap<RequestId, Request>,
    authorizations: BTreeMap<AuthorizationId, Authorization>,
    executions: BTreeMap<ExecutionId, Execution>,
    users: BTreeMap<String, UserId>,
    groups: BTreeMap<String, GroupId>,
}

impl World {
    /// Ada administers. Anna and Bob approve by default; Sven and Anna are Security; Rita asks, and
    /// has a second account; Olaf is anybody; Aude audits. Access control is on.
    pub(crate) fn office() -> Self {
        let mut world = Self::empty();
        for name in ["anna", "bob", "sven", "rita", "olaf"] {
            world.add(name, None);
        }
        world.add("rita-admin", Some("rita"));
        world.add("rita-bot", Some("rita-admin"));
        let aude = NewUser { auditor: true, ..new_user("aude", None) };
        world.does("ada", Command::AddUser(aude));
        let aude = world.state.user_named(&UserName::parse("aude").unwrap()).unwrap().id;
        world.users.insert("aude".into(), aude);
        world.group("Approvers", &["anna", "bob"]);
        world.group("Security", &["anna", "sven"]);
        world.brevet(Command::DefineCatalog(definitions(1)));
        world.control(&[], Uncovered::Refused);
        world
    }

    /// Ada alone.
    pub(crate) fn empty() -> Self {
        let mut world = Self {
            state: State::default(),
            now: T0,
            entries: Vec::new(),
            requests: BTreeMap::new(),
            authorizations: BTreeMap::new(),
            executions: BTreeMap::new(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
        };
        world.brevet(Command::SetUp(new_user("ada", None)));
        world.users.insert("ada".into(), UserId::new(1));
        world
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        self.users[name]
    }

    /// Lets an account be called by this name.
    pub(crate) fn name_user(&mut self, name: &str, id: UserId) {
        self.users.insert(name.to_owned(), id);
    }

    pub(crate) fn group_id(&self, name: &str) -> GroupId {
        self.groups[name]
    }

    /// A task, role or role group, whichever has this name.
    pub(crate) fn access(&self, name: &str) -> Access {
        let (catalog, name) = (self.state.catalog(), task(name));
        let found = catalog.task_named(&name).map(|task| Access::Task(task.id));
        let found = found.or_else(|| catalog.role_named(&name).map(|role| Access::Role(role.id)));
        found.or_else(|| catalog.role_group_named(&name).map(|group| Access::RoleGroup(group.id))).unwrap()
    }

    pub(crate) fn try_from(&mut self, origin: Origin, command: Command) -> Result<Reply, Refusal> {
        let outcome = transact(&mut self.state, self.now, origin, command)?;
        self.keep(&outcome.changes);
        self.state.forget(&outcome.changes);
        self.entries.extend(outcome.entries);
        Ok(outcome.reply)
    }

    fn keep(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Request(id) => {
                    self.requests.extend(self.state.request(*id).map(|row| (*id, row.clone())));
                }
                Change::Authorization(id) => {
                    self.authorizations.extend(self.state.authorization(*id).map(|row| (*id, row.clone())));
                }
                Change::Execution(id) => {
                    self.executions.extend(self.state.execution(*id).map(|row| (*id, row.clone())));
                }
                _ => {}
            }
        }
    }

    pub(crate) fn origin(&self, who: &str) -> Origin {
        Origin::user(self.user(who), SessionId::new(1))
    }

    pub(crate) fn tries(&mut self, who: &str, command: Command) -> Result<Reply, Refusal> {
        self.try_from(self.origin(who), command)
    }

    pub(crate) fn does(&mut self, who: &str, command: Command) -> Reply {
        self.tries(who, command).unwrap_or_else(|refusal| panic!("{who}: {refusal}"))
    }

    pub(crate) fn acts(&mut self, who: &str, command: Command) {
        self.does(who, command);
    }

    /// `ok`, or the code of the refusal.
    pub(crate) fn says(&mut self, who: &str, command: Command) -> &'static str {
        self.tries(who, command).map_or_else(|refusal| refusal.code(), |_| "ok")
    }

    pub(crate) fn brevet(&mut self, command: Command) -> Reply {
        self.try_from(Origin::SYSTEM, command).unwrap_or_else(|refusal| panic!("brevet: {refusal}"))
    }

    pub(crate) fn due(&mut self) {
        self.brevet(Command::ActOnDue);
    }

    pub(crate) fn later(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    pub(crate) fn add(&mut self, name: &str, owner: Option<&str>) -> UserId {
        let owner = owner.map(|owner| self.user(owner));
        let Reply::User(id) = self.does("ada", Command::AddUser(new_user(name, owner))) else { panic!() };
        self.users.insert(name.into(), id);
        id
    }

    pub(crate) fn group(&mut self, name: &str, members: &[&str]) -> GroupId {
        let new = NewGroup {
            name: GroupName::parse(name).unwrap(),
            email: Text::default(),
            description: Text::default(),
        };
        let Reply::Group(group) = self.does("ada", Command::CreateGroup(new)) else { panic!() };
        self.groups.insert(name.into(), group);
        members.iter().for_each(|member| self.join(name, member));
        group
    }

    pub(crate) fn join(&mut self, group: &str, member: &str) {
        let (group, user) = (self.group_id(group), self.user(member));
        self.does("ada", Command::AddMember { group, user });
    }

    pub(crate) fn leave(&mut self, group: &str, member: &str) {
        let (group, user) = (self.group_id(group), self.user(member));
        self.does("ada", Command::RemoveMember { group, user });
    }

    pub(crate) fn disable(&mut self, who: &str) {
        let user = self.user(who);
        self.does("ada", Command::DisableUser(user));
    }

    pub(crate) fn control(&mut self, system: &[&str], uncovered: Uncovered) {
        let change = AccessControlChange {
            default_approver_group: self.group_id("Approvers"),
            system_accounts: system.iter().map(|name| self.user(name)).collect::<BTreeSet<_>>(),
            uncovered,
            seen: None,
        };
        self.does("ada", Command::EnableAccessControl(change));
    }

    pub(crate) fn assign(&mut self, who: &str, access: &str) {
        let (user, access) = (self.user(who), self.access(access));
        self.does("ada", Command::AddAssignment { principal: brevet_core::Principal::User(user), access });
    }

    pub(crate) fn policy(&mut self, access: &str, terms: PolicyTerms) -> PolicyId {
        let access = self.access(access);
        let reply = self.does("ada", Command::CreatePolicy(NewPolicy { access, terms }));
        let Reply::Policy(policy) = reply else { panic!() };
        policy
    }

    pub(crate) fn set_policy(&mut self, policy: PolicyId, terms: PolicyTerms) {
        let seen = self.state.policy(policy).unwrap().revision;
        self.does("ada", Command::SetPolicy { policy, seen, terms });
    }

    pub(crate) fn quorum(&self, total: u32, groups: &[(&str, u32)]) -> Quorum {
        let minimum =
            |(name, minimum): &(&str, u32)| GroupMinimum { group: self.group_id(name), minimum: *minimum };
        Quorum { total, groups: groups.iter().map(minimum).collect() }
    }

    /// Submits, for one hour unless said otherwise.
    pub(crate) fn asks(&mut self, who: &str, new: NewRequest) -> RequestId {
        let Reply::Request(id) = self.does(who, Command::Submit(new)) else { panic!() };
        id
    }

    pub(crate) fn wants(&self, access: &str) -> NewRequest {
        NewRequest {
            purpose: NewPurpose::Access { access: self.access(access), bound: Parameters::new() },
            reason: Text::parse(brevet_core::TextKind::Reason, "a reason").unwrap(),
            duration: Some(HOUR),
            not_before: None,
            max_uses: None,
        }
    }

    pub(crate) fn wants_with(&self, access: &str, bound: &str) -> NewRequest {
        let purpose = NewPurpose::Access { access: self.access(access), bound: values(bound) };
        NewRequest { purpose, ..self.wants(access) }
    }

    /// Asks and is approved by the default approvers at once.
    pub(crate) fn granted(&mut self, who: &str, new: NewRequest) -> AuthorizationId {
        let request = self.asks(who, new);
        if self.row(request).is_pending() {
            self.does("bob", approve(request));
        }
        self.given(request)
    }

    pub(crate) fn row(&self, request: RequestId) -> &Request {
        &self.requests[&request]
    }

    pub(crate) fn given(&self, request: RequestId) -> AuthorizationId {
        let RequestState::Approved { authorization, .. } = self.row(request).state else {
            panic!("{:?}", self.row(request).state)
        };
        authorization
    }

    pub(crate) fn held(&self, authorization: AuthorizationId) -> &Authorization {
        &self.authorizations[&authorization]
    }

    pub(crate) fn run_row(&self, execution: ExecutionId) -> &Execution {
        &self.executions[&execution]
    }

    pub(crate) fn runs(&mut self, who: &str, name: &str, given: &str) -> ExecutionId {
        let Reply::Execution(id) = self.does(who, run(name, given)) else { panic!() };
        id
    }

    pub(crate) fn finish(&mut self, execution: ExecutionId, result: ExecutionResult) {
        self.brevet(Command::FinishRun { execution, result, output: None });
    }

    /// One word for where it stands.
    pub(crate) fn of_request(&self, request: RequestId) -> &'static str {
        match self.row(request).state {
            RequestState::Pending { .. } => "pending",
            RequestState::Approved { .. } => "approved",
            RequestState::Denied { .. } => "denied",
            RequestState::Expired { .. } => "expired",
            RequestState::Cancelled { .. } => "cancelled",
        }
    }

    /// One word, or how it ended.
    pub(crate) fn of_authorization(&self, authorization: AuthorizationId) -> &'static str {
        match self.held(authorization).state {
            AuthorizationState::Scheduled { .. } => "scheduled",
            AuthorizationState::Active { .. } => "active",
            AuthorizationState::Ended { how, .. } => match how {
                Ending::RanOut => "ran out",
                Ending::GivenBack => "given back",
                Ending::Revoked(_) => "revoked",
                Ending::UsedUp => "used up",
                Ending::Voided => "voided",
            },
        }
    }

    /// One word, or why it is being stopped.
    pub(crate) fn of_run(&self, execution: ExecutionId) -> &'static str {
        match &self.run_row(execution).state {
            ExecutionState::Running { stopping: None } => "running",
            ExecutionState::Running { stopping: Some(StopCause::Revoked) } => "stopping: revoked",
            ExecutionState::Running { stopping: Some(StopCause::Expired) } => "stopping: expired",
            ExecutionState::Running { stopping: Some(_) } => "stopping",
            ExecutionState::Finished { .. } => "finished",
        }
    }

    pub(crate) fn window(&self, authorization: AuthorizationId) -> (Timestamp, Timestamp) {
        match self.held(authorization).state {
            AuthorizationState::Active { start, end } => (start, end),
            state => panic!("{state:?}"),
        }
    }
}
