//! The bytes of every kind of entry, held for ever: what was written once is read by every later Brevet.
//!
//! `BREVET_BLESS=1 cargo test -p brevet-store --test vectors` adds the vectors of new kinds. A line that is
//! already there must never change.

#![expect(clippy::unwrap_used, reason = "sample values")]

#[path = "engines/cluster.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod cluster;
#[path = "engines/engine.rs"]
#[macro_use]
#[expect(dead_code, reason = "other tests use the rest")]
mod engine;
#[expect(dead_code, reason = "other tests use the rest")]
mod sample;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use brevet_core::{
    Access, AccessControl, Actor, Approval, Assignment, AssignmentId, AuthorizationId, Basis, Binding,
    Digest, Ending, Entry, Event, ExecutionId, ExecutionResult, GroupId, GroupMinimum, GroupName, Limits,
    MaximumDuration, OnExpiry, Output, ParameterKind, ParameterName, ParameterSpec, Parameters, Pattern,
    Policy, PolicyId, Principal, Purpose, QualifiedName, Quorum, RequestId, Requesters, RoleGroupId,
    RoleGroupSpec, RoleId, RoleSpec, ServerId, SessionId, Span, Start, StartRule, State, StopCause, TaskId,
    TaskSpec, Text, Timestamp, Uncovered, UserId, Value, Verdict,
};
use brevet_ledger::Salt;
use brevet_store::{Batch, DataFolder, KeyPlace, PreparedKey, Store};
use engine::{Engine, Home};

on_both_engines! {
    what_is_read_is_what_was_written,
    the_bytes_are_those_of_the_vectors,
    a_body_under_another_kind_is_refused,
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/entries-v1.txt");

fn text(text: &str) -> Text {
    Text::stored(Some(text.to_owned()))
}

fn name(text: &str) -> QualifiedName {
    QualifiedName::parse(text).unwrap()
}

fn bound() -> Parameters {
    BTreeMap::from([
        (ParameterName::parse("count").unwrap(), Value::Integer(-3)),
        (ParameterName::parse("force").unwrap(), Value::Boolean(true)),
        (ParameterName::parse("units").unwrap(), Value::List(vec![Value::Text("nginx".into())])),
    ])
}

fn task() -> TaskSpec {
    let limits = Limits {
        one_of: vec![Value::Text("a".into())],
        pattern: Some(Pattern::parse("[a-z]+").unwrap()),
        min: Some(-1),
        max: Some(1),
        min_length: Some(1),
        max_length: Some(2),
        allow_leading_dash: true,
    };
    let parameter = ParameterSpec {
        name: ParameterName::parse("unit").unwrap(),
        kind: ParameterKind::Text,
        list: true,
        required: false,
        default: Some(Value::Text("a".into())),
        secret: false,
        description: "Unit".into(),
        limits,
    };
    TaskSpec {
        name: name("Linux/Restart-Service"),
        description: "Restart".into(),
        parameters: vec![parameter],
        command: vec!["/usr/bin/systemctl".into(), "{unit}".into()],
        run_as: Some("root".into()),
        timeout: Span::seconds(60),
        on_expiry: OnExpiry::Finish,
        digest: Digest([1; 32]),
        witnessed: None,
    }
}

fn policy() -> Policy {
    let groups = vec![GroupMinimum { group: GroupId::new(1), minimum: 1 }];
    Policy {
        id: PolicyId::new(1),
        revision: 2,
        access: Access::Task(TaskId::new(1)),
        approval: Approval::Manual(Quorum { total: 2, groups }),
        requesters: Requesters::Named(vec![
            Principal::User(UserId::new(3)),
            Principal::Group(GroupId::new(1)),
        ]),
        maximum_duration: MaximumDuration::Limited(Span::hours(8)),
        pending_lifetime: Span::hours(24),
        start: StartRule::AtFirstUse(Span::hours(2)),
        max_uses: Some(5),
        binding: Binding::Exact,
    }
}

const USER: UserId = UserId::new(3);
const OTHER: UserId = UserId::new(2);
const GROUP: GroupId = GroupId::new(1);
const TASK: TaskId = TaskId::new(1);
const POLICY: PolicyId = PolicyId::new(1);
const REQUEST: RequestId = RequestId::new(9);
const AUTHORIZATION: AuthorizationId = AuthorizationId::new(8);
const EXECUTION: ExecutionId = ExecutionId::new(7);
const AT: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// One entry of every kind there is; of some, several, where a field has several forms.
fn events() -> Vec<Event> {
    [people(), organization(), catalog(), policies(), requests(), authorizations(), executions(), servers()]
        .concat()
}

fn people() -> Vec<Event> {
    let (user, session) = (USER, SessionId::new(5));
    vec![
        Event::LedgerOpened { origin: "brevet.local/0123456789abcdef".into() },
        Event::ServerStarted {
            version: "0.1.0".into(),
            witnesses: Some(3),
            server: None,
            accepted_loss: None,
        },
        Event::UserAdded {
            user,
            name: text("bob"),
            display_name: text("Bob"),
            email: Text::default(),
            owner: Some(OTHER),
            administrator: true,
            auditor: false,
        },
        Event::UserDisabled { user },
        Event::UserEnabled { user },
        Event::CodeIssued { user },
        Event::PasswordSet { user },
        Event::SignedIn { user, session, source: text("192.0.2.1") },
        Event::SignInFailed { user, source: Text::default(), locked_until: Some(AT) },
        Event::SignedOut { user, session },
    ]
}

fn organization() -> Vec<Event> {
    let settings = AccessControl {
        enabled: true,
        default_approver_group: Some(GROUP),
        system_accounts: BTreeSet::from([OTHER]),
        uncovered: Uncovered::Assigned,
    };
    let (principal, access) = (Principal::Group(GROUP), Access::Role(RoleId::new(1)));
    let assignment = Assignment { id: AssignmentId::new(1), principal, access };
    vec![
        Event::GroupCreated {
            group: GROUP,
            name: GroupName::parse("Approvers").unwrap(),
            email: text("a@example.org"),
            description: text("They approve"),
        },
        Event::MemberAdded { group: GROUP, user: USER },
        Event::MemberRemoved { group: GROUP, user: USER },
        Event::GroupDeleted { group: GROUP },
        Event::AccessControlEnabled { settings },
        Event::AccessControlDisabled {},
        Event::AssignmentAdded { assignment },
        Event::AssignmentRemoved { assignment: AssignmentId::new(1) },
    ]
}

fn catalog() -> Vec<Event> {
    let (role, role_group) = (RoleId::new(1), RoleGroupId::new(1));
    let role_spec = RoleSpec {
        name: name("Linux/Web"),
        description: "Web".into(),
        tasks: vec![TASK],
        digest: Digest([3; 32]),
    };
    let group_spec = RoleGroupSpec {
        name: name("Linux/All"),
        description: "All".into(),
        roles: vec![role],
        digest: Digest([4; 32]),
    };
    vec![
        Event::TaskDefined { task: TASK, spec: task() },
        Event::TaskRemoved { task: TASK },
        Event::RoleDefined { role, spec: role_spec },
        Event::RoleRemoved { role },
        Event::RoleGroupDefined { role_group, spec: group_spec },
        Event::RoleGroupRemoved { role_group },
    ]
}

fn policies() -> Vec<Event> {
    let lax = Policy {
        approval: Approval::Auto,
        requesters: Requesters::Anyone,
        maximum_duration: MaximumDuration::Unlimited,
        start: StartRule::AtApproval,
        max_uses: None,
        binding: Binding::Open,
        ..policy()
    };
    vec![
        Event::PolicyCreated { policy: policy() },
        Event::PolicyChanged { policy: lax },
        Event::PolicyRemoved { policy: POLICY },
    ]
}

fn requests() -> Vec<Event> {
    let submitted = |purpose, not_before| Event::RequestSubmitted {
        request: REQUEST,
        requester: USER,
        purpose,
        access: Access::Task(TASK),
        digest: Digest([1; 32]),
        bound: bound(),
        policy: POLICY,
        policy_revision: 2,
        duration: Span::hours(2),
        not_before,
        max_uses: Some(3),
        expires: AT,
        reason: text("the disk is full"),
    };
    let decided = |verdict, comment| Event::RequestDecided {
        request: REQUEST,
        by: OTHER,
        verdict,
        duration: Some(Span::hours(1)),
        policy_revision: 2,
        comment,
    };
    vec![
        submitted(Purpose::New, Some(AT)),
        submitted(Purpose::Extension(AUTHORIZATION), None),
        decided(Verdict::Approve, Text::default()),
        decided(Verdict::Deny, text("not now")),
        Event::RequestExpired { request: REQUEST },
        Event::RequestCancelled { request: REQUEST },
    ]
}

fn authorizations() -> Vec<Event> {
    let authorization = AUTHORIZATION;
    let granted = |start| Event::AuthorizationGranted {
        authorization,
        request: REQUEST,
        holder: USER,
        access: Access::RoleGroup(RoleGroupId::new(1)),
        digest: Digest([4; 32]),
        bound: Parameters::new(),
        binding: Binding::Open,
        policy: POLICY,
        policy_revision: 2,
        max_uses: None,
        start,
        duration: Span::hours(1),
    };
    let ended = |how| Event::AuthorizationEnded { authorization, how, comment: Text::default() };
    vec![
        granted(Start::Now),
        granted(Start::At(AT)),
        granted(Start::AtFirstUse { claim_by: AT }),
        Event::AuthorizationExtended { authorization, request: REQUEST, end: AT },
        Event::AuthorizationStarted { authorization, start: AT, end: AT },
        ended(Ending::RanOut),
        ended(Ending::GivenBack),
        ended(Ending::Revoked(OTHER)),
        ended(Ending::UsedUp),
        ended(Ending::Voided),
    ]
}

fn servers() -> Vec<Event> {
    let server = ServerId::new(2);
    let loss = "no standby confirms what is written".to_owned();
    vec![
        Event::ServerStarted {
            version: "0.2.0".into(),
            witnesses: None,
            server: Some(server),
            accepted_loss: Some(loss),
        },
        Event::ExecutionStarted {
            execution: ExecutionId::new(9),
            user: USER,
            task: TASK,
            digest: Digest([1; 32]),
            parameters: bound(),
            basis: Basis::Authorization(AUTHORIZATION),
            policy: Some((POLICY, 2)),
            server: Some(server),
        },
        Event::ServerLost { server },
        Event::ServerStopped { server: Some(server) },
    ]
}

fn executions() -> Vec<Event> {
    let execution = EXECUTION;
    let output = Output { digest: Digest([2; 32]), bytes: 10, dropped: 1 };
    let finished = |result, output| Event::ExecutionFinished { execution, result, output };
    let started = |basis, policy| Event::ExecutionStarted {
        execution,
        user: USER,
        task: TASK,
        digest: Digest([1; 32]),
        parameters: bound(),
        basis,
        policy,
        server: None,
    };
    let refused = name("Linux/Restart-Service");
    vec![
        started(Basis::Authorization(AUTHORIZATION), Some((POLICY, 2))),
        started(Basis::SystemAccount, None),
        started(Basis::AccessControlOff, None),
        started(Basis::Uncovered, None),
        Event::ExecutionStopRequested { execution, cause: StopCause::Revoked },
        Event::ExecutionStopRequested { execution, cause: StopCause::ByUser(OTHER) },
        finished(ExecutionResult::Succeeded, Some(output)),
        finished(ExecutionResult::Failed { code: 3 }, None),
        finished(ExecutionResult::Killed { signal: 9 }, None),
        finished(ExecutionResult::NotStarted { why: "no".into() }, None),
        finished(ExecutionResult::Stopped(StopCause::Expired), None),
        finished(ExecutionResult::Stopped(StopCause::TimedOut), None),
        finished(ExecutionResult::Stopped(StopCause::Shutdown), None),
        finished(ExecutionResult::Unknown, None),
        Event::RunRefused { user: USER, task: refused, why: "needs-approval".into(), count: 2 },
        Event::LedgerRead { query: text("kind=request.submitted") },
        Event::TaskDefined { task: TaskId::new(2), spec: TaskSpec { witnessed: Some(true), ..task() } },
        Event::Heartbeat { every: Span::seconds(60) },
        Event::ServerStopped { server: None },
        Event::KeyRotated { old: KEYS.old.clone(), new: KEYS.new.clone(), overlap_until: AT },
        Event::LedgerRecovered {
            origin: "brevet.local/fedcba9876543210".into(),
            previous: "brevet.local/0123456789abcdef".into(),
            size: 7,
            root: Digest([9; 32]),
            note: "a note".into(),
        },
        Event::TextsErased { user: OTHER },
        Event::ArchiveRequested { size: 6, before: AT },
        Event::Archived { size: 6, before: AT, file: Digest([8; 32]) },
        Event::ArchiveCancelled {},
        Event::ClockStepped { by: Span::seconds(3), back: true },
    ]
}

fn entries() -> Vec<Entry> {
    let (actor, session) = (Actor::User(USER), Some(SessionId::new(5)));
    events().into_iter().map(|event| Entry { time: AT, actor, session, event }).collect()
}

/// The keys of the ledger of these vectors, before and after its change: always the same.
static KEYS: LazyLock<PreparedKey> = LazyLock::new(|| prepared(&Engine::Folder.home()).1);

fn prepared(home: &Home<'_>) -> (Store, PreparedKey) {
    let folder = DataFolder::claim(&home.path()).unwrap();
    let store = Store::open_at(&home.place, folder, [1; 32], &KeyPlace::File).unwrap();
    let keys = store.key_maker().prepare(&[2; 32], &brevet_store::NextKey::Configured).unwrap();
    (store, keys)
}

fn stored(engine: &Engine) -> Vec<brevet_store::StoredEntry> {
    let home = engine.home();
    let (mut store, _) = prepared(&home);
    let entries = entries();
    let batch = Batch { entries: &entries, changes: &[], state: &State::default(), side: &[] };
    store.append(&batch, &mut || Salt::from_bytes([6; 16])).unwrap();
    home.reader().entries_from(0, 1_000).unwrap()
}

fn lines(engine: &Engine) -> String {
    let mut lines = String::from("# index kind bytes-of-the-entry-in-hex\n");
    for stored in stored(engine) {
        let hex: String = stored.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(lines, "{} {} {hex}", stored.index, stored.entry.event.kind().name).unwrap();
    }
    lines
}

#[test]
fn every_kind_has_a_vector() {
    let kinds: BTreeSet<&str> = events().iter().map(|event| event.kind().name).collect();
    let missing: Vec<&str> =
        Event::KINDS.iter().map(|kind| kind.name).filter(|kind| !kinds.contains(kind)).collect();
    assert!(missing.is_empty(), "add a sample of {missing:?}");
}

fn what_is_read_is_what_was_written(engine: &Engine) {
    let read: Vec<Entry> = stored(engine).into_iter().map(|stored| stored.entry).collect();
    assert_eq!(read, entries());
}

#[expect(clippy::disallowed_methods, reason = "the switch that writes new vectors")]
fn the_bytes_are_those_of_the_vectors(engine: &Engine) {
    let lines = lines(engine);
    if std::env::var_os("BREVET_BLESS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors")).unwrap();
        std::fs::write(FILE, &lines).unwrap();
    }
    let known = std::fs::read_to_string(FILE).unwrap();
    for (known, now) in known.lines().zip(lines.lines()) {
        assert_eq!(known, now, "the bytes of an entry changed; add a new kind instead");
    }
    assert_eq!(known, lines);
}

#[test]
fn every_entry_that_was_ever_written_has_the_form_that_verifying_insists_on() {
    let known = std::fs::read_to_string(FILE).unwrap();
    let mut read = 0;
    for line in known.lines().filter(|line| !line.starts_with('#')) {
        let hex = line.rsplit(' ').next().unwrap();
        let pairs = (0..hex.len()).step_by(2).map(|at| &hex[at..at + 2]);
        let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let body = brevet_ledger::EntryRef::decode(&bytes).unwrap().body;
        assert!(brevet_store::is_deterministic(body), "{line}");
        let event: Event = minicbor::decode(body).unwrap();
        assert_eq!(minicbor::to_vec(&event).unwrap(), body, "{line}");
        read += 1;
    }
    assert!(read >= Event::KINDS.len());
}

fn a_body_under_another_kind_is_refused(engine: &Engine) {
    let bytes = stored(engine).swap_remove(3).bytes;
    let place = bytes.windows(13).position(|window| window == b"user.disabled").unwrap();
    let mut forged = bytes.clone();
    forged[place..place + 13].copy_from_slice(b"user.enabledx");
    assert!(brevet_store::decode_entry(&forged, Vec::new()).is_err());
    assert!(brevet_store::decode_entry(&bytes, Vec::new()).is_ok());
}
