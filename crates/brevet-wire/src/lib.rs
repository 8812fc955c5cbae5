//! The JSON of the API: what the server says and the command line reads, in one place.
//!
//! # Conventions
//! - Field names are `snake_case`; the words that a field can hold are `kebab-case` (`given-back`).
//! - Every field of an answer is always there, `null` when it has nothing to say. Unknown fields of an
//!   input are errors; unknown fields of an answer are ignored by readers, so that a newer server can say more.
//! - An instant is an RFC 3339 string in UTC; a length of time is a string such as `1h30m`, and in answers
//!   its seconds stand beside it in `…_seconds`.
//! - An id is a string such as `req-42`. People and groups are a [`Reference`]; in inputs they may be named
//!   by name or by id.
//! - What can be asked for is `{"type": "task", "name": "Linux\\Restart-Service"}` in answers, and exactly one of
//!   the fields `task`, `role`, `role_group` in inputs; there, `Linux/Restart-Service` does as well.
//!
//! These types know nothing of the domain's own; conversions destructure exhaustively, elsewhere.

mod access;
mod access_control;
mod assignment;
mod audit;
mod authorization;
mod catalog;
mod display;
mod execution;
mod explain;
mod keys;
mod ledger;
mod people;
mod policy;
mod preview;
mod problem;
mod receipt;
mod request;
mod scalar;
mod session;
mod way;

pub use access::{Access, AccessType, Parameters, Value};
pub use access_control::{AccessControl, AccessControlSeen, Coverage, EnableAccessControl, Uncovered};
pub use assignment::{Assignment, NewAssignment, Principal, PrincipalType};
pub use audit::{AuditActor, AuditEntry, AuditProof, Checkpoint};
pub use authorization::{Authorization, AuthorizationState, Ending, Revoke};
pub use catalog::{OnExpiry, Parameter, ParameterType, Role, RoleGroup, Task};
pub use display::misleads;
pub use execution::{
    Basis, Execution, ExecutionState, NewExecution, OutputChunk, OutputDigest, StopCause, Stream,
};
pub use explain::{Check, Considered, Explain, Explanation, Permission, Step};
pub use keys::{LedgerKeys, RotateKey};
pub use ledger::{
    AgreeToArchive, ArchiveAsked, ArchiveFile, Archives, AskForArchive, Erase, Erased, Ledger, Sink, Witness,
};
pub use people::{Group, NewGroup, NewMember, NewUser, OneTimeCode, User};
pub use policy::{
    ApprovalType, ApproverGroup, Binding, NewApproverGroup, NewPolicy, NewRequesters, Policy, PolicyChange,
    Requesters, StartRule,
};
pub use preview::{PeopleTouched, PolicyDifference, PolicyPreview, PolicyStep, Turn};
pub use problem::{BadParameter, Problem, WayOut, ask_command, reason};
pub use receipt::{Consistency, KeyHandover, Position, Receipt};
pub use request::{
    Approve, Deny, NewRequest, Piece, Purpose, Request, RequestDecision, RequestStatus, Verdict,
};
pub use scalar::{List, Reference, SecretText, Time};
pub use session::{ChangePassword, Health, Session, SetUp, SignIn, WhoAmI};
pub use way::Way;
