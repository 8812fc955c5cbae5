//! A small organization, and a driver that decides commands and appends them.

use std::path::Path;

use brevet_core::{
    Access, AccessControlChange, Approval, CatalogDefinition, Command, Digest, ExecutionId, GroupMinimum,
    GroupName, MaximumDuration, NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser, OnExpiry, Origin,
    Parameters, PolicyTerms, QualifiedName, Quorum, Reply, RequestId, Requesters, RunOrder, Secrets,
    SessionId, Span, State, TaskId, TaskSpec, Text, TextKind, Timestamp, Uncovered, UserId, UserName,
    Verdict, transact,
};
use brevet_ledger::Salt;
use brevet_store::{
    Appended, Batch, DataFolder, DatabasePlace, KeyPlace, Reader, SideWrite, Store, StoreError,
};

/// A store with the state it holds.
pub(crate) struct Sample {
    pub(crate) store: Store,
    pub(crate) state: State,
    pub(crate) now: Timestamp,
    pub(crate) salts: u64,
}

pub(crate) const ADMIN: UserId = UserId::new(1);
pub(crate) const ALICE: UserId = UserId::new(2);
pub(crate) const BOB: UserId = UserId::new(3);

impl Sample {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_at(&DatabasePlace::Folder, path)
    }

    pub(crate) fn open_at(place: &DatabasePlace, path: &Path) -> Result<Self, StoreError> {
        let mut store = Store::open_at(place, DataFolder::claim(path)?, [7; 32], &KeyPlace::File)?;
        let state = store.load()?;
        let now = state.last().unwrap_or(Timestamp::from_micros(1_750_000_000_000_000));
        Ok(Self { store, state, now, salts: 0 })
    }

    /// With an administrator, an approver, an operator, a task and a policy for it.
    pub(crate) fn organization(path: &Path) -> Self {
        Self::organization_at(&DatabasePlace::Folder, path)
    }

    pub(crate) fn organization_at(place: &DatabasePlace, path: &Path) -> Self {
        let mut sample = Self::open_at(place, path).unwrap();
        sample.system(Command::OpenLedger { origin: sample.store.origin().to_owned() });
        sample.system(Command::SetUp(user("ada")));
        for name in ["alice", "bob"] {
            sample.by(ADMIN, Command::AddUser(user(name)));
        }
        sample
            .system(Command::DefineCatalog(CatalogDefinition { tasks: vec![task(1)], ..Default::default() }));
        let group = sample.by(ADMIN, Command::CreateGroup(group("Approvers")));
        let Reply::Group(group) = group else { panic!("{group:?}") };
        sample.by(ADMIN, Command::AddMember { group, user: ALICE });
        sample.by(
            ADMIN,
            Command::EnableAccessControl(AccessControlChange {
                default_approver_group: group,
                system_accounts: [ADMIN].into(),
                uncovered: Uncovered::Assigned,
                seen: None,
            }),
        );
        let quorum = Quorum { total: 1, groups: vec![GroupMinimum { group, minimum: 1 }] };
        let mut terms = PolicyTerms::new(Approval::Manual(quorum), Requesters::Anyone);
        terms.maximum_duration = MaximumDuration::Unlimited;
        sample.by(ADMIN, Command::CreatePolicy(NewPolicy { access: Access::Task(TaskId::new(1)), terms }));
        sample
    }

    pub(crate) fn system(&mut self, command: Command) -> Reply {
        self.carry_out(Origin::SYSTEM, command).unwrap()
    }

    pub(crate) fn by(&mut self, user: UserId, command: Command) -> Reply {
        self.carry_out(Origin::user(user, SessionId::new(1)), command).unwrap()
    }

    pub(crate) fn carry_out(&mut self, origin: Origin, command: Command) -> Result<Reply, StoreError> {
        self.now = self.now.plus(Span::seconds(1));
        let outcome = transact(&mut self.state, self.now, origin, command).unwrap();
        self.append(&outcome.entries, &outcome.changes)?;
        Ok(outcome.reply)
    }

    fn append(
        &mut self,
        entries: &[brevet_core::Entry],
        changes: &[brevet_core::Change],
    ) -> Result<Appended, StoreError> {
        let mut salt = || {
            self.salts += 1;
            let mut bytes = [0; Salt::BYTES];
            bytes[..8].copy_from_slice(&self.salts.to_be_bytes());
            Salt::from_bytes(bytes)
        };
        let appended =
            self.store.append(&Batch { entries, changes, state: &self.state, side: &[] }, &mut salt)?;
        self.state.forget(changes);
        Ok(appended)
    }

    /// Writes something beside the ledger.
    pub(crate) fn beside(&mut self, side: Vec<SideWrite>) {
        let mut salt = || Salt::from_bytes([0; Salt::BYTES]);
        let batch = Batch { entries: &[], changes: &[], state: &self.state, side: &side };
        self.store.append(&batch, &mut salt).unwrap();
    }

    /// Gathers what new entries add to the lists of the search, as a server does off the path of a reply.
    pub(crate) fn gather_lists(&mut self, reader: &Reader) {
        while let Some(gathered) = reader.unlisted().unwrap() {
            self.beside(vec![SideWrite::Lists(gathered)]);
        }
    }

    /// One request of Bob's, approved by Alice, used once and revoked.
    pub(crate) fn story(&mut self) -> RequestId {
        let request = self.grant();
        let execution = self.run();
        let authorization = self.state.authorizations_of(BOB).map(|held| held.id).max().unwrap();
        self.by(ALICE, Command::Revoke { authorization, comment: comment("done") });
        let result = brevet_core::ExecutionResult::Stopped(brevet_core::StopCause::Revoked);
        self.system(Command::FinishRun { execution, result, output: None });
        request
    }

    /// One request of Bob's, approved by Alice.
    pub(crate) fn grant(&mut self) -> RequestId {
        let request = self.by(BOB, Command::Submit(request("the disk is full")));
        let Reply::Request(request) = request else { panic!("{request:?}") };
        self.by(
            ALICE,
            Command::Decide { request, verdict: Verdict::Approve, duration: None, comment: comment("go on") },
        );
        request
    }

    /// A run of Bob's that goes on.
    pub(crate) fn run(&mut self) -> ExecutionId {
        let run = RunOrder {
            task: QualifiedName::parse("Linux/Task-1").unwrap(),
            parameters: Parameters::new(),
            secrets: Secrets::new(),
        };
        let run = self.by(BOB, Command::Run(run));
        let Reply::Execution(execution) = run else { panic!("{run:?}") };
        execution
    }
}

pub(crate) fn user(name: &str) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::parse(TextKind::DisplayName, &format!("{name} of Example")).unwrap(),
        email: Text::parse(TextKind::Email, &format!("{name}@example.org")).unwrap(),
        owner: None,
        administrator: false,
        auditor: false,
    }
}

pub(crate) fn group(name: &str) -> NewGroup {
    NewGroup {
        name: GroupName::parse(name).unwrap(),
        email: Text::parse(TextKind::Email, "group@example.org").unwrap(),
        description: Text::default(),
    }
}

pub(crate) fn task(number: u32) -> TaskSpec {
    TaskSpec {
        name: QualifiedName::parse(&format!("Linux/Task-{number}")).unwrap(),
        description: "A task".into(),
        parameters: Vec::new(),
        command: vec!["/usr/bin/true".into()],
        run_as: None,
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: Digest([u8::try_from(number % 256).unwrap(); 32]),
        witnessed: None,
    }
}

pub(crate) fn request(reason: &str) -> NewRequest {
    NewRequest {
        purpose: NewPurpose::Access { access: Access::Task(TaskId::new(1)), bound: Parameters::new() },
        reason: Text::parse(TextKind::Reason, reason).unwrap(),
        duration: None,
        not_before: None,
        max_uses: None,
    }
}

fn comment(text: &str) -> Text {
    Text::parse(TextKind::Comment, text).unwrap()
}
