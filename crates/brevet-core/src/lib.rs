//! The pure heart of Brevet: who may run what, who must say yes, until when, and why.
//!
//! [`decide`] says what a [`Command`] would do and changes nothing; [`State::apply`] gives the next
//! state and cannot fail. There is no clock, chance, I/O or async in this crate: time comes in as a
//! value, and whoever calls decides where entries are kept and tasks are run.
//!
//! This crate does not know the ledger, SQL, HTTP or a single operating system call.
#![forbid(unsafe_code)]

mod access;
mod actor;
mod apply;
mod archive;
mod authorization;
mod catalog;
mod command;
mod coverage;
mod decide;
mod directory;
mod event;
mod execution;
mod explain;
mod hash;
mod holding;
mod id;
mod limit;
mod live;
mod name;
mod numbered;
mod parameter;
mod past;
mod permit;
mod policy;
mod preview;
mod quorum;
mod refusal;
mod request;
mod server;
mod state;
mod text;
mod time;

pub use access::{Access, Digest};
pub use actor::{Actor, Origin};
pub use archive::{Archive, ArchiveRequest};
pub use authorization::{Authorization, AuthorizationState, Ending, Start};
pub use catalog::{Catalog, OnExpiry, Role, RoleGroup, RoleGroupSpec, RoleSpec, Task, TaskSpec};
pub use command::{
    AccessControlChange, CatalogDefinition, Command, NewGroup, NewPolicy, NewPurpose, NewRequest, NewUser,
    PolicyTerms, Recovery, RoleDefinition, RoleGroupDefinition, RunOrder, ServerStart,
};
pub use coverage::Coverage;
pub use decide::{
    Allowed, Decision, Outcome, Reply, decide, may_run, may_run_open, may_run_somehow, transact, ways_to_run,
};
pub use directory::{AccessControl, Assignment, Group, Principal, SignInLock, Uncovered, User};
pub use event::{Entry, Event, Kind};
pub use execution::{Basis, Execution, ExecutionResult, ExecutionState, Output, StopCause};
pub use explain::{Considered, Explanation, Rank, Step, explain};
pub use id::{
    AssignmentId, AuthorizationId, BadId, ExecutionId, GroupId, PolicyId, RequestId, RoleGroupId, RoleId,
    ServerId, SessionId, TaskId, UserId,
};
pub use limit::*;
pub use live::Live;
pub use name::{BadName, GroupName, ParameterName, QualifiedName, UserName};
pub use parameter::{
    BadParameters, BadValue, Limits, ParameterKind, ParameterSpec, Parameters, Pattern, Secret, Secrets,
    Value,
};
pub use past::{Past, Way};
pub use permit::{Draft, Permit};
pub use policy::{Approval, Binding, MaximumDuration, Policy, Requesters, StartRule};
pub use preview::{People, PolicyStep, Preview, Turn, preview};
pub use quorum::{GroupMinimum, Quorum};
pub use refusal::{Refusal, WayOut};
pub use request::{Purpose, Request, RequestState, Verdict, Vote};
pub use server::Server;
pub use state::{Change, Counters, State};
pub use text::{BadText, Text, TextKind, escape_for_display};
pub use time::{BadSpan, Span, Timestamp};
