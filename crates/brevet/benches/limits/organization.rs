//! A small organization, as the commands that found it, and what its people say afterwards.

use brevet_core::{
    Access, AccessControlChange, Approval, AuthorizationId, CatalogDefinition, Command, Digest, GroupId,
    GroupName, MaximumDuration, NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser, OnExpiry, Origin,
    Parameters, PolicyTerms, QualifiedName, Quorum, RequestId, Requesters, RunOrder, Secrets, SessionId,
    Span, TaskId, TaskSpec, Text, TextKind, Uncovered, UserId, UserName, Verdict,
};

type Failure = Box<dyn std::error::Error>;

/// Who administers.
pub(crate) const ADMINISTRATOR: Origin = acting(UserId::new(1));
/// Who says yes.
pub(crate) const APPROVER: Origin = acting(UserId::new(2));
/// The number of the first of those who ask.
const FIRST_PERSON: u32 = 3;

/// One of those who ask, from 0.
pub(crate) const fn person(number: u32) -> Origin {
    acting(UserId::new(FIRST_PERSON + number))
}

/// Somebody whose session nobody asks for.
const fn acting(user: UserId) -> Origin {
    Origin { session: None, ..Origin::user(user, SessionId::new(1)) }
}

/// The one task.
pub(crate) fn task() -> Result<QualifiedName, Failure> {
    Ok(QualifiedName::parse("Linux\\True")?)
}

/// All commands that found it, the first account and these tasks first, with so many people who ask.
pub(crate) fn founding(people: u32, tasks: Vec<TaskSpec>) -> Result<Vec<(Origin, Command)>, Failure> {
    let group = GroupId::new(1);
    let new_group = NewGroup {
        name: GroupName::parse("Approvers")?,
        email: Text::default(),
        description: Text::default(),
    };
    let change = AccessControlChange {
        default_approver_group: group,
        system_accounts: std::collections::BTreeSet::new(),
        uncovered: Uncovered::Refused,
        seen: None,
    };
    let mut terms = PolicyTerms::new(Approval::Manual(Quorum::default_group()), Requesters::Anyone);
    terms.maximum_duration = MaximumDuration::Unlimited;
    terms.pending_lifetime = Span::hours(24 * 366);
    let catalog = CatalogDefinition { tasks, ..CatalogDefinition::default() };
    let mut commands = vec![
        (Origin::SYSTEM, Command::SetUp(user("ada")?)),
        (ADMINISTRATOR, Command::AddUser(user("anna")?)),
        (ADMINISTRATOR, Command::CreateGroup(new_group)),
        (ADMINISTRATOR, Command::AddMember { group, user: UserId::new(2) }),
        (ADMINISTRATOR, Command::EnableAccessControl(change)),
        (ADMINISTRATOR, Command::CreatePolicy(NewPolicy { access: Access::Task(TaskId::new(1)), terms })),
    ];
    // Without tasks of ours they were read from files.
    if !catalog.tasks.is_empty() {
        commands.insert(0, (Origin::SYSTEM, Command::DefineCatalog(catalog)));
    }
    for number in 0..people {
        commands.push((ADMINISTRATOR, Command::AddUser(user(&format!("person-{number}"))?)));
    }
    Ok(commands)
}

/// A task that nothing runs.
pub(crate) fn spec() -> Result<TaskSpec, Failure> {
    Ok(TaskSpec {
        name: task()?,
        description: "Does nothing, well".into(),
        parameters: Vec::new(),
        command: vec!["/usr/bin/true".into()],
        run_as: None,
        timeout: Span::minutes(1),
        on_expiry: OnExpiry::Stop,
        digest: Digest([7; 32]),
        witnessed: None,
    })
}

pub(crate) fn user(name: &str) -> Result<NewUser, Failure> {
    Ok(NewUser {
        name: UserName::parse(name)?,
        display_name: Text::parse(TextKind::DisplayName, &format!("{name} of Example"))?,
        email: Text::parse(TextKind::Email, &format!("{name}@example.org"))?,
        owner: None,
        administrator: false,
        auditor: false,
    })
}

pub(crate) fn submit() -> Result<Command, Failure> {
    submit_because("the web server does not answer, INC-20417")
}

pub(crate) fn submit_because(reason: &str) -> Result<Command, Failure> {
    Ok(Command::Submit(NewRequest {
        purpose: NewPurpose::Access { access: Access::Task(TaskId::new(1)), bound: Parameters::new() },
        reason: Text::parse(TextKind::Reason, reason)?,
        duration: None,
        not_before: None,
        max_uses: None,
    }))
}

pub(crate) fn approve(request: RequestId) -> Result<Command, Failure> {
    let comment = Text::parse(TextKind::Comment, "go on")?;
    Ok(Command::Decide { request, verdict: Verdict::Approve, duration: None, comment })
}

pub(crate) fn revoke(authorization: AuthorizationId) -> Result<Command, Failure> {
    Ok(Command::Revoke { authorization, comment: Text::parse(TextKind::Comment, "done")? })
}

pub(crate) fn run() -> Result<Command, Failure> {
    Ok(Command::Run(run_order()?))
}

pub(crate) fn run_order() -> Result<RunOrder, Failure> {
    Ok(RunOrder { task: task()?, parameters: Parameters::new(), secrets: Secrets::new() })
}
