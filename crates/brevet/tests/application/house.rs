//! A small organization on a real store, with a clock of the test's own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use brevet::app::{App, AppError, Done, Settings, Workloads};
use brevet::world::{Machine, World};
use brevet_core::{
    Access, AccessControlChange, Approval, AuthorizationId, CatalogDefinition, Command, Digest, GroupName,
    NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser, OnExpiry, Origin, Parameters, PolicyTerms,
    QualifiedName, Quorum, Reply, RequestId, Requesters, RunOrder, Secret, Secrets, SessionId, Span, TaskId,
    TaskSpec, Text, TextKind, Timestamp, Uncovered, UserId, UserName, Verdict,
};
use brevet_store::{DataFolder, DatabasePlace};
use brevet_workloads::spawn::Spawner;

pub(crate) const ADA: UserId = UserId::new(1);
pub(crate) const ALICE: UserId = UserId::new(2);
pub(crate) const BOB: UserId = UserId::new(3);

/// A clock that stands where the test puts it; chance is the machine's.
#[derive(Debug, Clone)]
pub(crate) struct SetClock {
    wall: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
}

impl SetClock {
    pub(crate) fn new() -> Self {
        let at = |micros| Arc::new(AtomicI64::new(micros));
        Self { wall: at(1_750_000_000_000_000), steady: at(0) }
    }

    /// Time passes.
    pub(crate) fn forward(&self, span: Span) {
        self.steady.fetch_add(span.micros(), Ordering::SeqCst);
        self.wall.fetch_add(span.micros(), Ordering::SeqCst);
    }

    /// Somebody sets the clock ahead.
    pub(crate) fn ahead(&self, span: Span) {
        self.wall.fetch_add(span.micros(), Ordering::SeqCst);
    }

    /// Somebody sets the clock back.
    pub(crate) fn back(&self, span: Span) {
        self.wall.fetch_sub(span.micros(), Ordering::SeqCst);
    }
}

impl World for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Option<std::time::Duration> {
        Some(std::time::Duration::from_micros(self.steady.load(Ordering::SeqCst).unsigned_abs()))
    }

    fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
        Machine.fill(bytes)
    }
}

pub(crate) struct House {
    pub(crate) app: App<SetClock>,
    pub(crate) clock: SetClock,
}

impl House {
    /// Opens what is in the folder.
    pub(crate) async fn open(data: &Path, clock: SetClock) -> Result<Self, AppError> {
        Self::open_at(DatabasePlace::Folder, data, clock).await
    }

    /// The same with a database that may be elsewhere.
    pub(crate) async fn open_at(
        database: DatabasePlace,
        data: &Path,
        clock: SetClock,
    ) -> Result<Self, AppError> {
        let spawner = Spawner::start(Path::new(env!("CARGO_BIN_EXE_brevet")), &["spawner"]).unwrap();
        let folder = DataFolder::claim(data)?;
        let workloads = Workloads::new(spawner, data, &data.join("tasks.d")).unwrap();
        let settings = Settings { database, ..Settings::default() };
        let app = App::open_with(folder, clock.clone(), Arc::new(workloads), settings).await?;
        Ok(Self { app, clock })
    }

    /// With Ada, who administers, Alice, who approves, Bob, who works, and a policy on one task.
    pub(crate) async fn found(data: &Path) -> Self {
        Self::found_at(DatabasePlace::Folder, data).await
    }

    pub(crate) async fn found_at(database: DatabasePlace, data: &Path) -> Self {
        let house = Self::open_at(database, data, SetClock::new()).await.unwrap();
        house.system(Command::SetUp(user("ada"))).await;
        for name in ["alice", "bob"] {
            house.by(ADA, Command::AddUser(user(name))).await.unwrap();
        }
        let catalog = CatalogDefinition { tasks: vec![task()], ..CatalogDefinition::default() };
        house.system(Command::DefineCatalog(catalog)).await;
        let group = NewGroup {
            name: GroupName::parse("Approvers").unwrap(),
            email: Text::default(),
            description: Text::default(),
        };
        let Reply::Group(group) = house.by(ADA, Command::CreateGroup(group)).await.unwrap().reply else {
            panic!()
        };
        house.by(ADA, Command::AddMember { group, user: ALICE }).await.unwrap();
        let switch = AccessControlChange {
            default_approver_group: group,
            system_accounts: Default::default(),
            uncovered: Uncovered::Refused,
            seen: None,
        };
        house.by(ADA, Command::EnableAccessControl(switch)).await.unwrap();
        let terms = PolicyTerms::new(Approval::Manual(Quorum::default_group()), Requesters::Anyone);
        let policy = NewPolicy { access: Access::Task(TaskId::new(1)), terms };
        house.by(ADA, Command::CreatePolicy(policy)).await.unwrap();
        house
    }

    pub(crate) async fn system(&self, command: Command) -> Done {
        self.app.command(Origin::SYSTEM, command, None).await.unwrap()
    }

    pub(crate) async fn by(&self, user: UserId, command: Command) -> Result<Done, AppError> {
        self.app.command(origin(user), command, None).await
    }

    pub(crate) async fn ask(&self, max_uses: Option<u32>) -> RequestId {
        let Reply::Request(id) = self.by(BOB, Command::Submit(request(max_uses))).await.unwrap().reply else {
            panic!()
        };
        id
    }

    pub(crate) async fn approve(&self, request: RequestId) -> Result<Done, AppError> {
        self.by(
            ALICE,
            Command::Decide { request, verdict: Verdict::Approve, duration: None, comment: Text::default() },
        )
        .await
    }

    /// Asks, approves, and answers what Bob holds then.
    pub(crate) async fn grant(&self, max_uses: Option<u32>) -> AuthorizationId {
        let request = self.ask(max_uses).await;
        self.approve(request).await.unwrap();
        self.app.read(|state| state.authorizations_of(BOB).map(|held| held.id).max().unwrap())
    }
}

/// Somebody without a session: where several servers share a ledger, one that nobody opened is over.
pub(crate) fn origin(user: UserId) -> Origin {
    Origin { session: None, ..Origin::user(user, SessionId::new(1)) }
}

pub(crate) fn user(name: &str) -> NewUser {
    NewUser {
        name: UserName::parse(name).unwrap(),
        display_name: Text::default(),
        email: Text::default(),
        owner: None,
        administrator: false,
        auditor: false,
    }
}

pub(crate) fn request(max_uses: Option<u32>) -> NewRequest {
    NewRequest {
        purpose: NewPurpose::Access { access: Access::Task(TaskId::new(1)), bound: Parameters::new() },
        reason: Text::parse(TextKind::Reason, "because").unwrap(),
        duration: Some(Span::hours(1)),
        not_before: None,
        max_uses,
    }
}

pub(crate) fn run() -> Command {
    Command::Run(RunOrder {
        task: QualifiedName::parse("Linux/Task").unwrap(),
        parameters: Parameters::new(),
        secrets: Secrets::new(),
    })
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn task() -> TaskSpec {
    TaskSpec {
        name: QualifiedName::parse("Linux/Task").unwrap(),
        description: "A task".into(),
        parameters: Vec::new(),
        command: vec!["/usr/bin/true".into()],
        run_as: None,
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: Digest([1; 32]),
        witnessed: None,
    }
}
