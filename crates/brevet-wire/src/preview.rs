//! What a change of the policies would do, before it is done.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{NewPolicy, Policy, PolicyChange};

/// A change of the policies that is only looked at: one of the three.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PolicyStep {
    /// A policy to create.
    Create(NewPolicy),
    /// A policy to change.
    Change {
        /// Which, for example `pol-3`.
        policy: String,
        /// How.
        change: PolicyChange,
    },
    /// A policy to remove.
    Remove {
        /// Which, for example `pol-3`.
        policy: String,
    },
}

/// One thing that a policy says, before and after, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyDifference {
    /// What it is about.
    #[schema(example = "Who approves")]
    pub field: String,
    /// What it says; `null` where there is no policy yet.
    pub before: Option<String>,
    /// What it would say; `null` where there would be none.
    pub after: Option<String>,
}

/// How many, before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Turn {
    /// As it is.
    pub before: u32,
    /// As it would be.
    pub after: u32,
}

/// Active accounts that would come to one of the tasks in another way. Each is counted once in each number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeopleTouched {
    /// Could run without anybody's approval, and would need one.
    pub need_approval: u32,
    /// Needed an approval or could not, and would run without anybody's.
    pub need_none: u32,
    /// Could not come to it at all, and may ask for it then.
    pub may_ask: u32,
    /// Could run it or ask for it, and would be refused.
    pub shut_out: u32,
}

/// What a change of the policies would do. Nothing is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyPreview {
    /// The policy as it is; `null` where there is none yet.
    pub before: Option<Policy>,
    /// The policy as it would be; `null` where there would be none. A new one has the id that it would get now.
    pub after: Option<Policy>,
    /// All that would be different, in words.
    pub differences: Vec<PolicyDifference>,
    /// Whether access control is on; where it is off, policies touch nobody yet.
    pub access_control: bool,
    /// How many enabled tasks its access has.
    pub tasks: u32,
    /// The first of them, as `Scope\Name`.
    pub task_names: Vec<String>,
    /// How many of them it governs; others have a policy that comes before it.
    pub governs: Turn,
    /// Active accounts that may ask under it.
    pub may_ask: Turn,
    /// Requests that wait under it.
    pub pending: u32,
    /// Requests that would end, undecided.
    pub requests_ended: u32,
    /// Authorizations that have not ended and were given under it.
    pub authorizations: u32,
    /// Authorizations that would end at once.
    pub authorizations_voided: u32,
    /// Authorizations in force that would stay, and let their holder run fewer of the tasks.
    pub authorizations_narrowed: u32,
    /// Runs that would be stopped.
    pub runs_stopped: u32,
    /// How people would come to the tasks; `null` where there are too many people and tasks to count in a moment.
    pub people: Option<PeopleTouched>,
}
