//! `decide`: what a command would do. It changes nothing and asks nobody.
//!
//! [`transact`] is the same with its consequences: what a change makes untenable (the authorizations
//! of a disabled person, say) ends in the same breath, so no later check has to remember it.

mod authorization;
mod catalog;
mod due;
mod ledger;
mod people;
mod policy;
mod reconcile;
mod request;
mod run;
mod server;
mod ways;

use crate::actor::Origin;
use crate::command::Command;
use crate::event::{Entry, Event};
use crate::id::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, RequestId, SessionId, UserId,
};
use crate::permit::Draft;
use crate::refusal::Refusal;
use crate::state::{Change, State};
use crate::time::Timestamp;

pub use run::{Allowed, may_run, may_run_open, may_run_somehow};
pub use ways::ways_to_run;

/// What a command answers, besides what it made happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the id of what its name says")]
pub enum Reply {
    Done,
    User(UserId),
    Session(SessionId),
    Group(GroupId),
    Assignment(AssignmentId),
    Policy(PolicyId),
    Request(RequestId),
    Authorization(AuthorizationId),
    Execution(ExecutionId),
}

/// A yes: what happens, what it answers, and for a run the draft of its permit.
#[derive(Debug)]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<Event>,
    /// What it answers.
    pub reply: Reply,
    /// For a run: what may run once its entry is durable.
    pub draft: Option<Draft>,
}

impl Decision {
    fn new(reply: Reply, events: Vec<Event>) -> Result<Self, Refusal> {
        Ok(Self { events, reply, draft: None })
    }

    fn done(event: Event) -> Result<Self, Refusal> {
        Self::new(Reply::Done, vec![event])
    }
}

/// A command carried out on a state: entries to be made durable, and what they changed.
#[derive(Debug)]
pub struct Outcome {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// What they changed, for rows.
    pub changes: Vec<Change>,
    /// What the command answers.
    pub reply: Reply,
    /// For a run: what may run once its entry is durable.
    pub draft: Option<Draft>,
}

/// Says what a command would do at `now`, or at the time of the last entry if that is later, or why
/// not.
pub fn decide(state: &State, now: Timestamp, origin: Origin, command: Command) -> Result<Decision, Refusal> {
    let now = state.at_least(now);
    if origin.user_id().is_some_and(|user| !state.is_active(user)) {
        return Err(Refusal::Inactive);
    }
    match command {
        Command::OpenLedger { .. }
        | Command::StartServer(_)
        | Command::LoseServer(_)
        | Command::DefineCatalog(_)
        | Command::ActOnDue
        | Command::Recover(_)
        | Command::Beat { .. }
        | Command::StopServer
        | Command::NoteClockStep { .. }
        | Command::FinishRun { .. }
        | Command::NoteRefusal { .. }
        | Command::SetUp(_)
        | Command::SignIn { .. }
        | Command::FailSignIn { .. } => {
            require_brevet(origin)?;
            decide_for_brevet(state, now, origin, command)
        }
        Command::AddUser(_)
        | Command::DisableUser(_)
        | Command::EnableUser(_)
        | Command::IssueCode(_)
        | Command::CreateGroup(_)
        | Command::AddMember { .. }
        | Command::RemoveMember { .. }
        | Command::DeleteGroup(_)
        | Command::EnableAccessControl(_)
        | Command::DisableAccessControl
        | Command::AddAssignment { .. }
        | Command::RemoveAssignment(_)
        | Command::CreatePolicy(_)
        | Command::SetPolicy { .. }
        | Command::RemovePolicy { .. }
        | Command::RotateKey { .. }
        | Command::EraseTexts(_)
        | Command::RequestArchive { .. }
        | Command::ConfirmArchive { .. }
        | Command::CancelArchive => {
            require_administrator(state, origin)?;
            decide_for_administrator(state, now, origin, command)
        }
        Command::SetPassword(user) => people::set_password(state, now, origin, user),
        Command::SignOut { user, session } => people::sign_out(state, origin, user, session),
        Command::Submit(new) => request::submit(state, now, origin, new),
        Command::Decide { request, verdict, duration, comment } => {
            request::vote(state, now, origin, request::Ballot { request, verdict, duration, comment })
        }
        Command::Cancel(request) => request::cancel(state, now, origin, request),
        Command::Revoke { authorization, comment } => {
            authorization::revoke(state, now, origin, authorization, comment)
        }
        Command::GiveBack(authorization) => authorization::give_back(state, now, origin, authorization),
        Command::Run(order) => run::start(state, now, origin, order),
        Command::StopRun { execution, cause } => run::stop(state, origin, execution, cause),
        Command::NoteRead { query } => people::note_read(state, origin, query),
    }
}

fn decide_for_brevet(
    state: &State,
    now: Timestamp,
    origin: Origin,
    command: Command,
) -> Result<Decision, Refusal> {
    match command {
        Command::OpenLedger { origin } => ledger::open(state, origin),
        Command::StartServer(start) => server::start(state, start),
        Command::LoseServer(server) => server::lose(state, server),
        Command::Recover(recovery) => ledger::recover(state, now, recovery),
        Command::Beat { every } => Decision::done(Event::Heartbeat { every }),
        Command::StopServer => server::stop(state, origin),
        Command::NoteClockStep { by, back } => Decision::done(Event::ClockStepped { by, back }),
        Command::DefineCatalog(definition) => catalog::define(state, definition),
        Command::ActOnDue => due::act(state, now),
        Command::FinishRun { execution, result, output } => run::finish(state, execution, result, output),
        Command::NoteRefusal { user, task, why, count } => {
            Decision::done(Event::RunRefused { user, task, why: why.to_owned(), count })
        }
        Command::SetUp(new) => people::set_up(state, new),
        Command::SignIn { user, source } => people::sign_in(state, now, user, source),
        Command::FailSignIn { user, source } => people::fail_sign_in(state, now, user, source),
        _ => Err(Refusal::Forbidden { who: "an administrator" }),
    }
}

fn decide_for_administrator(
    state: &State,
    now: Timestamp,
    origin: Origin,
    command: Command,
) -> Result<Decision, Refusal> {
    match command {
        Command::AddUser(new) => people::add_user(state, new),
        Command::DisableUser(user) => people::disable_user(state, user),
        Command::EnableUser(user) => people::enable_user(state, user),
        Command::IssueCode(user) => people::issue_code(state, user),
        Command::CreateGroup(new) => people::create_group(state, new),
        Command::AddMember { group, user } => people::add_member(state, group, user),
        Command::RemoveMember { group, user } => people::remove_member(state, group, user),
        Command::DeleteGroup(group) => people::delete_group(state, group),
        Command::EnableAccessControl(change) => policy::enable(state, change),
        Command::DisableAccessControl => policy::disable(state),
        Command::AddAssignment { principal, access } => policy::add_assignment(state, principal, access),
        Command::RemoveAssignment(assignment) => policy::remove_assignment(state, assignment),
        Command::CreatePolicy(new) => policy::create(state, new),
        Command::SetPolicy { policy, seen, terms } => policy::set(state, policy, seen, terms),
        Command::RemovePolicy { policy, seen } => policy::remove(state, policy, seen),
        Command::RotateKey { old, new, overlap_until } => ledger::rotate_key(now, old, new, overlap_until),
        Command::EraseTexts(user) => ledger::erase_texts(state, origin, user),
        Command::RequestArchive { size, before, retention } => {
            ledger::request_archive(state, now, size, before, retention)
        }
        Command::ConfirmArchive { size, file } => ledger::confirm_archive(state, origin, size, file),
        Command::CancelArchive => ledger::cancel_archive(state),
        _ => Err(Refusal::Forbidden { who: "Brevet itself" }),
    }
}

/// Carries a command out on `state`, with its consequences. On a refusal nothing has changed.
///
/// The caller makes the entries durable before anybody else sees the state, and afterwards calls
/// [`State::forget`] with the changes.
pub fn transact(
    state: &mut State,
    now: Timestamp,
    origin: Origin,
    command: Command,
) -> Result<Outcome, Refusal> {
    let now = state.at_least(now);
    let Decision { events, reply, draft } = decide(state, now, origin, command)?;
    let mut outcome =
        Outcome { entries: Vec::with_capacity(events.len()), changes: Vec::new(), reply, draft };
    let consequential = events.iter().any(reconcile::has_consequences);
    let causes = if consequential { events.clone() } else { Vec::new() };
    apply_all(state, now, origin, events, &mut outcome);
    let mut consequences = reconcile::consequences(state, now, &causes);
    while !consequences.is_empty() {
        let next = consequences.clone();
        apply_all(state, now, Origin::SYSTEM, consequences, &mut outcome);
        consequences = reconcile::consequences(state, now, &next);
    }
    outcome.changes.sort_unstable();
    outcome.changes.dedup();
    Ok(outcome)
}

fn apply_all(state: &mut State, now: Timestamp, origin: Origin, events: Vec<Event>, outcome: &mut Outcome) {
    for event in events {
        let entry = Entry { time: now, actor: origin.actor, session: origin.session, event };
        outcome.changes.extend(state.apply(&entry));
        outcome.entries.push(entry);
    }
}

fn require_brevet(origin: Origin) -> Result<(), Refusal> {
    match origin.user_id() {
        None => Ok(()),
        Some(_) => Err(Refusal::Forbidden { who: "Brevet itself" }),
    }
}

fn require_administrator(state: &State, origin: Origin) -> Result<(), Refusal> {
    match origin.user_id().and_then(|user| state.user(user)) {
        Some(user) if user.administrator => Ok(()),
        _ => Err(Refusal::Forbidden { who: "an administrator" }),
    }
}

fn require_user(origin: Origin) -> Result<UserId, Refusal> {
    origin.user_id().ok_or(Refusal::Forbidden { who: "a person" })
}
