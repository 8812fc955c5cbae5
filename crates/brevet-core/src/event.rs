//! The closed list of what can happen, and its bytes.
//!
//! The number before each variant and field is its place in the ledger for ever: a number is never
//! used again for something else, a field is only ever added at the end and as an `Option`, and what
//! needs more is a new variant. Known-answer vectors in the store's tests hold every one of them.

use minicbor::{Decode, Encode};

use crate::access::{Access, Digest};
use crate::actor::Actor;
use crate::authorization::{Ending, Start};
use crate::catalog::{RoleGroupSpec, RoleSpec, TaskSpec};
use crate::directory::{AccessControl, Assignment};
use crate::execution::{Basis, ExecutionResult, Output, StopCause};
use crate::id::{
    AssignmentId, AuthorizationId, ExecutionId, GroupId, PolicyId, RequestId, RoleGroupId, RoleId, ServerId,
    SessionId, TaskId, UserId,
};
use crate::name::{GroupName, QualifiedName};
use crate::parameter::Parameters;
use crate::policy::{Binding, Policy};
use crate::request::{Purpose, Verdict};
use crate::text::Text;
use crate::time::{Span, Timestamp};

mod texts;

/// One record of the ledger, as the domain sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When; never before the entry before it.
    pub time: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// In which session, for people.
    pub session: Option<SessionId>,
    /// What happened.
    pub event: Event,
}

/// The name of an event's variant, and the version of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// For example `request.submitted`.
    pub name: &'static str,
    /// From one.
    pub version: u16,
}

macro_rules! events {
    ($($(#[$doc:meta])* $number:literal $kind:literal $name:ident {
        $($(#[$field_doc:meta])* $index:literal $field:ident: $type:ty,)*
    })*) => {
        /// What can happen.
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
        pub enum Event {
            $($(#[$doc])* #[n($number)] $name { $($(#[$field_doc])* #[n($index)] $field: $type,)* },)*
        }

        impl Event {
            /// The kinds there are, in the order of their numbers.
            pub const KINDS: &'static [Kind] = &[$(Kind { name: $kind, version: 1 },)*];

            /// Its kind.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$name { .. } => Kind { name: $kind, version: 1 },)*
                }
            }
        }
    };
}

events! {
    /// The ledger begins.
    0 "ledger.opened" LedgerOpened {
        /// Its name, as in its checkpoints.
        0 origin: String,
    }
    /// A server starts on this ledger.
    1 "server.started" ServerStarted {
        /// Its version.
        0 version: String,
        /// How many witnesses it asks; none where nobody outside watches.
        1 witnesses: Option<u32>,
        /// Which of several servers it is.
        2 server: Option<ServerId>,
        /// What could be lost although it was acknowledged, where somebody let it start all the same.
        3 accepted_loss: Option<String>,
    }
    /// A user account is added.
    2 "user.added" UserAdded {
        /// Its id.
        0 user: UserId,
        /// Its name, beside.
        1 name: Text,
        /// How the person is shown, beside.
        2 display_name: Text,
        /// Where mail goes, beside.
        3 email: Text,
        /// The account of the person behind it.
        4 owner: Option<UserId>,
        /// Whether it administers.
        5 administrator: bool,
        /// Whether it audits.
        6 auditor: bool,
    }
    /// A user account is disabled.
    3 "user.disabled" UserDisabled {
        /// Which.
        0 user: UserId,
    }
    /// A user account is enabled again.
    4 "user.enabled" UserEnabled {
        /// Which.
        0 user: UserId,
    }
    /// A one-time code was made for an account, by which a password can be set.
    5 "user.code-issued" CodeIssued {
        /// For whom.
        0 user: UserId,
    }
    /// A password was set.
    6 "user.password-set" PasswordSet {
        /// Whose.
        0 user: UserId,
    }
    /// Somebody signed in.
    7 "session.opened" SignedIn {
        /// Who.
        0 user: UserId,
        /// The session that began.
        1 session: SessionId,
        /// From where, beside.
        2 source: Text,
    }
    /// Somebody failed to sign in.
    8 "session.refused" SignInFailed {
        /// Whose account.
        0 user: UserId,
        /// From where, beside.
        1 source: Text,
        /// Until when the account is locked, if this failure locked it.
        2 locked_until: Option<Timestamp>,
    }
    /// A session ended.
    9 "session.closed" SignedOut {
        /// Whose.
        0 user: UserId,
        /// Which.
        1 session: SessionId,
    }
    /// A group is created.
    10 "group.created" GroupCreated {
        /// Its id.
        0 group: GroupId,
        /// Its name.
        1 name: GroupName,
        /// Its address, beside.
        2 email: Text,
        /// What it is for, beside.
        3 description: Text,
    }
    /// A member joins.
    11 "group.member-added" MemberAdded {
        /// Where.
        0 group: GroupId,
        /// Who.
        1 user: UserId,
    }
    /// A member leaves.
    12 "group.member-removed" MemberRemoved {
        /// Where.
        0 group: GroupId,
        /// Who.
        1 user: UserId,
    }
    /// A group is deleted.
    13 "group.deleted" GroupDeleted {
        /// Which.
        0 group: GroupId,
    }
    /// Access control is switched on, or its settings change while it is on.
    14 "access-control.enabled" AccessControlEnabled {
        /// All of its settings.
        0 settings: AccessControl,
    }
    /// Access control is switched off; settings, policies and groups are kept.
    15 "access-control.disabled" AccessControlDisabled {}
    /// An assignment is added.
    16 "assignment.added" AssignmentAdded {
        /// All of it.
        0 assignment: Assignment,
    }
    /// An assignment is removed.
    17 "assignment.removed" AssignmentRemoved {
        /// Which.
        0 assignment: AssignmentId,
    }
    /// A task is defined, or defined anew.
    18 "task.defined" TaskDefined {
        /// Its id.
        0 task: TaskId,
        /// The definition.
        1 spec: TaskSpec,
    }
    /// A task is not defined any more.
    19 "task.removed" TaskRemoved {
        /// Which.
        0 task: TaskId,
    }
    /// A role is defined, or defined anew.
    20 "role.defined" RoleDefined {
        /// Its id.
        0 role: RoleId,
        /// The definition.
        1 spec: RoleSpec,
    }
    /// A role is not defined any more.
    21 "role.removed" RoleRemoved {
        /// Which.
        0 role: RoleId,
    }
    /// A role group is defined, or defined anew.
    22 "role-group.defined" RoleGroupDefined {
        /// Its id.
        0 role_group: RoleGroupId,
        /// The definition.
        1 spec: RoleGroupSpec,
    }
    /// A role group is not defined any more.
    23 "role-group.removed" RoleGroupRemoved {
        /// Which.
        0 role_group: RoleGroupId,
    }
    /// A policy is created.
    24 "policy.created" PolicyCreated {
        /// All of it.
        0 policy: Policy,
    }
    /// A policy is changed.
    25 "policy.changed" PolicyChanged {
        /// All of it, as it is now.
        0 policy: Policy,
    }
    /// A policy is removed.
    26 "policy.removed" PolicyRemoved {
        /// Which.
        0 policy: PolicyId,
    }
    /// An access is asked for.
    27 "request.submitted" RequestSubmitted {
        /// Its id.
        0 request: RequestId,
        /// Who asks.
        1 requester: UserId,
        /// A new authorization, or more time.
        2 purpose: Purpose,
        /// What for.
        3 access: Access,
        /// The digest of the definition that is asked for.
        4 digest: Digest,
        /// Parameter values that will be the only ones.
        5 bound: Parameters,
        /// The policy that governs it.
        6 policy: PolicyId,
        /// In which revision.
        7 policy_revision: u32,
        /// How long.
        8 duration: Span,
        /// Not before.
        9 not_before: Option<Timestamp>,
        /// Runs asked for.
        10 max_uses: Option<u32>,
        /// Until when it waits for decisions.
        11 expires: Timestamp,
        /// Why, beside.
        12 reason: Text,
    }
    /// An approver decides.
    28 "request.decided" RequestDecided {
        /// On which request.
        0 request: RequestId,
        /// Who.
        1 by: UserId,
        /// Yes or no.
        2 verdict: Verdict,
        /// A shorter duration than was asked for.
        3 duration: Option<Span>,
        /// The revision of the policy it was decided under.
        4 policy_revision: u32,
        /// A comment, beside.
        5 comment: Text,
    }
    /// Nobody decided in time.
    29 "request.expired" RequestExpired {
        /// Which.
        0 request: RequestId,
    }
    /// A request is withdrawn, or what it was for is gone.
    30 "request.cancelled" RequestCancelled {
        /// Which.
        0 request: RequestId,
    }
    /// A request was approved and gives this.
    31 "authorization.granted" AuthorizationGranted {
        /// Its id.
        0 authorization: AuthorizationId,
        /// From which request.
        1 request: RequestId,
        /// Who may use it.
        2 holder: UserId,
        /// What for.
        3 access: Access,
        /// The digest of the definition that was approved.
        4 digest: Digest,
        /// Parameter values that are the only ones.
        5 bound: Parameters,
        /// Whether the values not named are free.
        6 binding: Binding,
        /// Under which policy.
        7 policy: PolicyId,
        /// In which revision.
        8 policy_revision: u32,
        /// Runs in all.
        9 max_uses: Option<u32>,
        /// How its clock starts.
        10 start: Start,
        /// How long it lasts from then.
        11 duration: Span,
    }
    /// An extension was approved.
    32 "authorization.extended" AuthorizationExtended {
        /// Which.
        0 authorization: AuthorizationId,
        /// By which request.
        1 request: RequestId,
        /// Its new end.
        2 end: Timestamp,
    }
    /// The clock of an authorization starts later than its approval.
    33 "authorization.started" AuthorizationStarted {
        /// Which.
        0 authorization: AuthorizationId,
        /// From.
        1 start: Timestamp,
        /// Until.
        2 end: Timestamp,
    }
    /// An authorization is over.
    34 "authorization.ended" AuthorizationEnded {
        /// Which.
        0 authorization: AuthorizationId,
        /// How.
        1 how: Ending,
        /// A comment, beside.
        2 comment: Text,
    }
    /// A run is allowed and about to start: intent is on record before effect.
    35 "execution.started" ExecutionStarted {
        /// Its id.
        0 execution: ExecutionId,
        /// For whom.
        1 user: UserId,
        /// Of what.
        2 task: TaskId,
        /// The digest of the definition that runs.
        3 digest: Digest,
        /// The values it runs with; secrets left out.
        4 parameters: Parameters,
        /// Why it was allowed.
        5 basis: Basis,
        /// The policy that governed, and its revision.
        6 policy: Option<(PolicyId, u32)>,
        /// Which of several servers runs it.
        7 server: Option<ServerId>,
    }
    /// A run is to end before its own end.
    36 "execution.stop-requested" ExecutionStopRequested {
        /// Which.
        0 execution: ExecutionId,
        /// Why.
        1 cause: StopCause,
    }
    /// A run is over.
    37 "execution.finished" ExecutionFinished {
        /// Which.
        0 execution: ExecutionId,
        /// How.
        1 result: ExecutionResult,
        /// What it wrote.
        2 output: Option<Output>,
    }
    /// A run was refused, once or (within a minute) several times.
    38 "execution.refused" RunRefused {
        /// Who tried.
        0 user: UserId,
        /// What.
        1 task: QualifiedName,
        /// Why, as the stable code of the refusal.
        2 why: String,
        /// How often.
        3 count: u32,
    }
    /// Somebody searched or exported the ledger.
    39 "ledger.read" LedgerRead {
        /// The query, as it was given.
        0 query: Text,
    }
    /// Nothing else happened for a while: a ledger that lost its end has a gap in time.
    40 "ledger.heartbeat" Heartbeat {
        /// How far apart two entries are at most while a server runs.
        0 every: Span,
    }
    /// A server ends in order: the gap after this entry is none in the record.
    41 "server.stopped" ServerStopped {
        /// Which of several servers it was.
        0 server: Option<ServerId>,
    }
    /// The key that signs checkpoints changes.
    42 "ledger.key-rotated" KeyRotated {
        /// The verifier key before.
        0 old: String,
        /// The verifier key from here on.
        1 new: String,
        /// Until when checkpoints have the signatures of both.
        2 overlap_until: Timestamp,
    }
    /// The first entry of a ledger that goes on where another one cannot: after a restored backup, or a lost key.
    43 "ledger.recovered" LedgerRecovered {
        /// Its name, as in its checkpoints.
        0 origin: String,
        /// The name of the ledger before.
        1 previous: String,
        /// How many entries of that were at hand.
        2 size: u64,
        /// The root of the tree over these.
        3 root: Digest,
        /// The last checkpoint of that ledger that is known, a signed note: witnessed where there was a witness.
        4 note: String,
    }
    /// The texts of one person in the entries before this one are gone.
    44 "ledger.texts-erased" TextsErased {
        /// Whose.
        0 user: UserId,
    }
    /// Somebody asks that old entries move to an archive file.
    45 "ledger.archive-requested" ArchiveRequested {
        /// The entries before this index.
        0 size: u64,
        /// All of them older than this.
        1 before: Timestamp,
    }
    /// A second person agreed, and old entries are in an archive file.
    46 "ledger.archived" Archived {
        /// The entries before this index.
        0 size: u64,
        /// All of them older than this.
        1 before: Timestamp,
        /// SHA-256 of the archive file.
        2 file: Digest,
    }
    /// An archive that was asked for is not wanted any more.
    47 "ledger.archive-cancelled" ArchiveCancelled {}
    /// The wall clock was moved while a server ran.
    48 "server.clock-stepped" ClockStepped {
        /// By how much.
        0 by: Span,
        /// Whether it went back.
        1 back: bool,
    }
    /// One of several servers did not give a sign of life for so long that the others go on without it.
    49 "server.lost" ServerLost {
        /// Which.
        0 server: ServerId,
    }
}
