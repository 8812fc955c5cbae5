//! What can be told to Brevet. A command is checked text already: bad input never becomes one.

use std::collections::BTreeSet;

use crate::access::{Access, Digest};
use crate::catalog::TaskSpec;
use crate::directory::{AccessControl, Principal, Uncovered};
use crate::execution::{ExecutionResult, Output, StopCause};
use crate::id::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, RequestId, ServerId, SessionId, UserId,
};
use crate::name::{GroupName, QualifiedName, UserName};
use crate::parameter::{Parameters, Secrets};
use crate::policy::{Approval, Binding, MaximumDuration, Policy, Requesters, StartRule};
use crate::request::{Purpose, Verdict};
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// A user account to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its name.
    pub name: UserName,
    /// How the person is shown.
    pub display_name: Text,
    /// Where mail goes.
    pub email: Text,
    /// The account of the person behind it, where it is a second account or a service's.
    pub owner: Option<UserId>,
    /// Whether it administers.
    pub administrator: bool,
    /// Whether it audits.
    pub auditor: bool,
}

/// A group to create.
#[derive(Debug, Clone)]
pub struct NewGroup {
    /// Its name.
    pub name: GroupName,
    /// The address for all of its members.
    pub email: Text,
    /// What it is for.
    pub description: Text,
}

/// The settings with which access control is switched on.
#[derive(Debug, Clone)]
pub struct AccessControlChange {
    /// Who approves where a policy names no group.
    pub default_approver_group: GroupId,
    /// Accounts excluded from access control.
    pub system_accounts: BTreeSet<UserId>,
    /// What happens to tasks that no policy covers.
    pub uncovered: Uncovered,
    /// The switch and its settings as the changer saw them, where they say so; it is refused when they are others now.
    pub seen: Option<AccessControl>,
}

/// What a policy says, apart from what it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTerms {
    /// Who says yes.
    pub approval: Approval,
    /// Who may ask.
    pub requesters: Requesters,
    /// The longest duration that may be asked for.
    pub maximum_duration: MaximumDuration,
    /// How long a request waits for its decisions.
    pub pending_lifetime: Span,
    /// When the clock of the authorization starts.
    pub start: StartRule,
    /// Runs inside the window.
    pub max_uses: Option<u32>,
    /// Which parameters a request must name.
    pub binding: Binding,
}

impl PolicyTerms {
    /// The defaults of everything but who approves and who may ask.
    pub const fn new(approval: Approval, requesters: Requesters) -> Self {
        Self {
            approval,
            requesters,
            maximum_duration: MaximumDuration::Limited(crate::DURATION_MAXIMUM_DEFAULT),
            pending_lifetime: crate::PENDING_LIFETIME_DEFAULT,
            start: StartRule::AtApproval,
            max_uses: None,
            binding: Binding::Open,
        }
    }

    /// The terms of a policy.
    pub fn of(policy: &Policy) -> Self {
        let Policy {
            id: _,
            revision: _,
            access: _,
            approval,
            requesters,
            maximum_duration,
            pending_lifetime,
            start,
            max_uses,
            binding,
        } = policy.clone();
        Self { approval, requesters, maximum_duration, pending_lifetime, start, max_uses, binding }
    }

    pub(crate) fn into_policy(self, id: PolicyId, revision: u32, access: Access) -> Policy {
        let Self { approval, requesters, maximum_duration, pending_lifetime, start, max_uses, binding } =
            self;
        Policy {
            id,
            revision,
            access,
            approval,
            requesters,
            maximum_duration,
            pending_lifetime,
            start,
            max_uses,
            binding,
        }
    }
}

/// A policy to create.
#[derive(Debug, Clone)]
pub struct NewPolicy {
    /// What it covers.
    pub access: Access,
    /// What it says.
    pub terms: PolicyTerms,
}

/// A request to submit. The requester is whoever sends the command.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// What for; with an extension, the access of the authorization.
    pub purpose: NewPurpose,
    /// Why.
    pub reason: Text,
    /// How long; the default when `None`.
    pub duration: Option<Span>,
    /// Not before.
    pub not_before: Option<Timestamp>,
    /// Runs in all.
    pub max_uses: Option<u32>,
}

/// What a new request is for.
#[derive(Debug, Clone)]
pub enum NewPurpose {
    /// A new authorization.
    Access {
        /// What for.
        access: Access,
        /// Parameter values that will be the only ones.
        bound: Parameters,
    },
    /// More time on an authorization.
    Extension(AuthorizationId),
}

impl NewPurpose {
    pub(crate) const fn purpose(&self) -> Purpose {
        match self {
            Self::Access { .. } => Purpose::New,
            Self::Extension(authorization) => Purpose::Extension(*authorization),
        }
    }
}

/// A run to start. The user is whoever sends the command.
#[derive(Debug)]
pub struct RunOrder {
    /// Of what.
    pub task: QualifiedName,
    /// Values.
    pub parameters: Parameters,
    /// Secret values.
    pub secrets: Secrets,
}

/// Every definition that the files hold now, by name.
#[derive(Debug, Clone, Default)]
pub struct CatalogDefinition {
    /// Tasks.
    pub tasks: Vec<TaskSpec>,
    /// Roles.
    pub roles: Vec<RoleDefinition>,
    /// Role groups.
    pub role_groups: Vec<RoleGroupDefinition>,
}

/// A role as the files hold it.
#[derive(Debug, Clone)]
pub struct RoleDefinition {
    /// `Scope\Name`.
    pub name: QualifiedName,
    /// What it is for.
    pub description: String,
    /// Its tasks, by name.
    pub tasks: Vec<QualifiedName>,
    /// SHA-256 of the definition and of all its tasks.
    pub digest: Digest,
}

/// A role group as the files hold it.
#[derive(Debug, Clone)]
pub struct RoleGroupDefinition {
    /// `Scope\Name`.
    pub name: QualifiedName,
    /// What it is for.
    pub description: String,
    /// Its roles, by name.
    pub roles: Vec<QualifiedName>,
    /// SHA-256 of the definition and of all its roles.
    pub digest: Digest,
}

/// Where a new ledger goes on.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The name of the new ledger.
    pub origin: String,
    /// The name of the ledger before.
    pub previous: String,
    /// How many entries of that were at hand.
    pub size: u64,
    /// The root of the tree over these.
    pub root: Digest,
    /// The last known checkpoint of that ledger, a signed note.
    pub note: String,
}

/// A server that starts.
#[derive(Debug, Clone, Default)]
pub struct ServerStart {
    /// Its version.
    pub version: String,
    /// How many witnesses it asks.
    pub witnesses: u32,
    /// Whether others may be there too: what they run goes on.
    pub shared: bool,
    /// What could be lost although it was acknowledged, where somebody let it start all the same.
    pub accepted_loss: Option<String>,
}

/// Everything that can be told to Brevet.
#[derive(Debug)]
#[expect(missing_docs, reason = "each field is what its type says; the variants say what they do")]
pub enum Command {
    /// Begins the ledger. Brevet only, and only as its first entry.
    OpenLedger { origin: String },
    /// Notes that a server starts, and marks what was running when the last one went down.
    StartServer(ServerStart),
    /// Notes that one of several servers is gone, and marks what it was running. Brevet only.
    LoseServer(ServerId),
    /// Adds the very first account, an administrator. Brevet only, after it checked the setup code.
    SetUp(NewUser),
    /// Adds an account.
    AddUser(NewUser),
    /// Disables an account; all that it holds ends.
    DisableUser(UserId),
    /// Enables an account again.
    EnableUser(UserId),
    /// Notes that a one-time code was made.
    IssueCode(UserId),
    /// Notes that a password was set, by its owner with a code or an older password.
    SetPassword(UserId),
    /// Opens a session, after the password was verified.
    SignIn { user: UserId, source: Text },
    /// Counts a failure.
    FailSignIn { user: UserId, source: Text },
    /// Ends a session.
    SignOut { user: UserId, session: SessionId },
    /// Creates a group.
    CreateGroup(NewGroup),
    /// Adds a member.
    AddMember { group: GroupId, user: UserId },
    /// Removes a member.
    RemoveMember { group: GroupId, user: UserId },
    /// Deletes a group that no policy and no setting names.
    DeleteGroup(GroupId),
    /// Switches access control on, or changes its settings.
    EnableAccessControl(AccessControlChange),
    /// Switches access control off.
    DisableAccessControl,
    /// Adds an assignment.
    AddAssignment { principal: Principal, access: Access },
    /// Removes an assignment.
    RemoveAssignment(AssignmentId),
    /// Takes over the definitions of the files. Brevet only: never through the API.
    DefineCatalog(CatalogDefinition),
    /// Creates a policy.
    CreatePolicy(NewPolicy),
    /// Changes a policy that is still in the revision that the changer saw.
    SetPolicy { policy: PolicyId, seen: u32, terms: PolicyTerms },
    /// Removes a policy, still in the revision that the remover saw where they say one; what was given under it ends.
    RemovePolicy { policy: PolicyId, seen: Option<u32> },
    /// Asks.
    Submit(NewRequest),
    /// Decides on a request.
    Decide { request: RequestId, verdict: Verdict, duration: Option<Span>, comment: Text },
    /// Withdraws one's request.
    Cancel(RequestId),
    /// Takes an authorization away.
    Revoke { authorization: AuthorizationId, comment: Text },
    /// Ends one's own authorization.
    GiveBack(AuthorizationId),
    /// Starts a run.
    Run(RunOrder),
    /// Ends a run.
    StopRun { execution: ExecutionId, cause: StopCause },
    /// Notes that a run is over. Brevet only.
    FinishRun { execution: ExecutionId, result: ExecutionResult, output: Option<Output> },
    /// Notes refused runs. Brevet only.
    NoteRefusal { user: UserId, task: QualifiedName, why: &'static str, count: u32 },
    /// Notes that somebody read the ledger.
    NoteRead { query: Text },
    /// Begins a ledger that goes on where another one cannot. Brevet only, and only on a state before its first entry: see
    /// [`State::before_first_entry`](crate::State::before_first_entry).
    Recover(Recovery),
    /// Notes that nothing else happened for so long. Brevet only.
    Beat { every: Span },
    /// Notes that the server ends in order. Brevet only.
    StopServer,
    /// Notes that the wall clock was moved. Brevet only.
    NoteClockStep { by: Span, back: bool },
    /// Changes the key that signs checkpoints; both are verifier keys.
    RotateKey { old: String, new: String, overlap_until: Timestamp },
    /// Takes the texts of a disabled account's person off the ledger.
    EraseTexts(UserId),
    /// Asks that the entries before an index, all of them older than `before`, move to an archive file.
    RequestArchive { size: u64, before: Timestamp, retention: Span },
    /// A second person agrees; the file is written.
    ConfirmArchive { size: u64, file: Digest },
    /// Withdraws, or refuses, an archive that was asked for.
    CancelArchive,
    /// Acts on what is due: expiries, starts, ends. Brevet only.
    ActOnDue,
}
