//! A small ledger with one long story: two approvers of three, a role, an extension, a second account, runs.

use brevet_core::{
    Access, AccessControlChange, Approval, CatalogDefinition, Command, Digest, Entry, ExecutionResult,
    GroupMinimum, GroupName, MaximumDuration, NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser, OnExpiry,
    Origin, Output, ParameterKind, ParameterName, ParameterSpec, Parameters, PolicyTerms, QualifiedName,
    Quorum, Reply, RequestId, Requesters, RoleDefinition, RoleId, RunOrder, Secrets, SessionId, Span, State,
    TaskSpec, Text, TextKind, Timestamp, Uncovered, UserId, UserName, Value, Verdict, transact,
};
use brevet_ledger::{Salt, VerifierKey};
use brevet_store::{Batch, DataFolder, Reader, Store};
use sha2::Digest as _;

use crate::bundle::{Bundle, Collected, Wanted, collect};

pub(super) const ADA: UserId = UserId::new(1);
pub(super) const ALICE: UserId = UserId::new(2);
pub(super) const ANNA: UserId = UserId::new(3);
pub(super) const BOB: UserId = UserId::new(4);
pub(super) const BOB_TOO: UserId = UserId::new(5);

/// What the run of the story writes.
pub(super) const WROTE: &[u8] = b"done\n";

/// A ledger, and who looks at each entry before it is written.
pub(super) struct Sample {
    pub(super) folder: tempfile::TempDir,
    store: Store,
    state: State,
    now: Timestamp,
    salts: u64,
    doctor: fn(&mut Entry),
}

impl Sample {
    /// With people, a role and a policy that needs two approvals.
    pub(super) fn new(doctor: fn(&mut Entry)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store =
            Store::open(DataFolder::claim(&folder.path().join("data")).unwrap(), [7; 32]).unwrap();
        let (state, now) = (store.load().unwrap(), Timestamp::from_micros(1_750_000_000_000_000));
        let mut sample = Self { folder, store, state, now, salts: 0, doctor };
        sample.system(Command::OpenLedger { origin: sample.store.origin().to_owned() });
        sample.system(Command::SetUp(user("ada", None)));
        for name in ["alice", "anna", "bob"] {
            sample.by(ADA, Command::AddUser(user(name, None)));
        }
        sample.by(ADA, Command::AddUser(user("bob-too", Some(BOB))));
        sample.system(Command::DefineCatalog(CatalogDefinition {
            tasks: vec![task("Say", 1), task("Other", 2)],
            roles: vec![role()],
            ..CatalogDefinition::default()
        }));
        let new = NewGroup {
            name: GroupName::parse("Approvers").unwrap(),
            email: Text::default(),
            description: Text::default(),
        };
        let Reply::Group(group) = sample.by(ADA, Command::CreateGroup(new)) else { panic!() };
        for user in [ALICE, ANNA, BOB_TOO] {
            sample.by(ADA, Command::AddMember { group, user });
        }
        sample.by(
            ADA,
            Command::EnableAccessControl(AccessControlChange {
                default_approver_group: group,
                system_accounts: [].into(),
                uncovered: Uncovered::Refused,
                seen: None,
            }),
        );
        let quorum = Quorum { total: 2, groups: vec![GroupMinimum { group, minimum: 0 }] };
        let mut terms = PolicyTerms::new(Approval::Manual(quorum), Requesters::Anyone);
        terms.maximum_duration = MaximumDuration::Limited(Span::hours(8));
        let access = Access::Role(RoleId::new(1));
        sample.by(ADA, Command::CreatePolicy(NewPolicy { access, terms }));
        sample
    }

    /// Bob asks for the role, Alice and Anna say yes, he runs, gets more time, runs again; Alice revokes.
    pub(super) fn story(&mut self) -> RequestId {
        let access = Access::Role(RoleId::new(1));
        let purpose = NewPurpose::Access { access, bound: Parameters::new() };
        let request = self.ask(purpose, "the disk is full");
        self.approve(request);
        self.run("now");
        let authorization = self.state.authorizations_of(BOB).map(|held| held.id).max().unwrap();
        let more = self.ask(NewPurpose::Extension(authorization), "still full");
        self.approve(more);
        self.run("again");
        self.by(ALICE, Command::Revoke { authorization, comment: comment("enough") });
        // Things that happened to others.
        self.by(ADA, Command::IssueCode(ANNA));
        request
    }

    pub(super) fn ask(&mut self, purpose: NewPurpose, reason: &str) -> RequestId {
        let new = NewRequest {
            purpose,
            reason: Text::parse(TextKind::Reason, reason).unwrap(),
            duration: Some(Span::hours(1)),
            not_before: None,
            max_uses: None,
        };
        let Reply::Request(request) = self.by(BOB, Command::Submit(new)) else { panic!() };
        request
    }

    fn approve(&mut self, request: RequestId) {
        for by in [ALICE, ANNA] {
            let comment = comment("go on");
            self.by(by, Command::Decide { request, verdict: Verdict::Approve, duration: None, comment });
        }
    }

    fn run(&mut self, word: &str) {
        let text = ParameterName::parse("text").unwrap();
        let order = RunOrder {
            task: QualifiedName::parse("Linux/Say").unwrap(),
            parameters: [(text, Value::Text(word.to_owned()))].into(),
            secrets: Secrets::new(),
        };
        let Reply::Execution(execution) = self.by(BOB, Command::Run(order)) else { panic!() };
        let digest = Digest(sha2::Sha256::digest(WROTE).into());
        let output = Some(Output { digest, bytes: WROTE.len() as u64, dropped: 0 });
        self.system(Command::FinishRun { execution, result: ExecutionResult::Succeeded, output });
    }

    fn system(&mut self, command: Command) -> Reply {
        self.carry_out(Origin::SYSTEM, command)
    }

    pub(super) fn by(&mut self, user: UserId, command: Command) -> Reply {
        self.carry_out(Origin::user(user, SessionId::new(1)), command)
    }

    fn carry_out(&mut self, origin: Origin, command: Command) -> Reply {
        self.now = self.now.plus(Span::seconds(1));
        let mut outcome = transact(&mut self.state, self.now, origin, command).unwrap();
        outcome.entries.iter_mut().for_each(self.doctor);
        let mut salt = || {
            self.salts += 1;
            let mut bytes = [0; Salt::BYTES];
            bytes[..8].copy_from_slice(&self.salts.to_be_bytes());
            Salt::from_bytes(bytes)
        };
        let (entries, changes) = (&outcome.entries, &outcome.changes);
        let batch = Batch { entries, changes, state: &self.state, side: &[] };
        self.store.append(&batch, &mut salt).unwrap();
        self.state.forget(changes);
        outcome.reply
    }

    pub(super) fn key(&self) -> VerifierKey {
        self.store.verifier_key().parse().unwrap()
    }

    pub(super) fn collect(&self, request: RequestId) -> Collected {
        let folder = DataFolder::visit(&self.folder.path().join("data")).unwrap();
        let reader = Reader::open(&folder).unwrap();
        let keys = [self.key()];
        collect(&reader, &Wanted { request, origin: self.store.origin(), keys: &keys }).unwrap()
    }

    pub(super) fn bundle(&self, request: RequestId) -> Bundle {
        match self.collect(request) {
            Collected::Bundle(bundle, _) => *bundle,
            other => panic!("{other:?}"),
        }
    }
}

fn user(name: &str, owner: Option<UserId>) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::parse(TextKind::DisplayName, &format!("{name} of Example")).unwrap(),
        email: Text::default(),
        owner,
        administrator: false,
        auditor: false,
    }
}

fn comment(text: &str) -> Text {
    Text::parse(TextKind::Comment, text).unwrap()
}

fn task(name: &str, digest: u8) -> TaskSpec {
    let text = ParameterSpec {
        name: ParameterName::parse("text").unwrap(),
        kind: ParameterKind::Text,
        list: false,
        required: true,
        default: None,
        secret: false,
        description: String::new(),
        limits: Default::default(),
    };
    TaskSpec {
        name: QualifiedName::parse(&format!("Linux/{name}")).unwrap(),
        description: "A task".into(),
        parameters: vec![text],
        command: vec!["/usr/bin/printf".into(), "{text}".into()],
        run_as: None,
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: Digest([digest; 32]),
        witnessed: None,
    }
}

fn role() -> RoleDefinition {
    RoleDefinition {
        name: QualifiedName::parse("Linux/Speakers").unwrap(),
        description: "Says things".into(),
        tasks: vec![QualifiedName::parse("Linux/Say").unwrap()],
        digest: Digest([9; 32]),
    }
}
