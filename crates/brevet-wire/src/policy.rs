//! Approval policies: what an access demands before it is given.

mod words;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scalar::named;
use super::{Access, Reference};

/// Who says yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalType {
    /// People do
    Manual,
    /// Nobody needs to; those who may ask are named
    Auto,
}

/// When the clock of an authorization starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StartRule {
    /// At approval
    Approval,
    /// At the first run, which must come within `claim_within` of the approval
    FirstUse,
}

/// Which parameters a request must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Those it likes; the others stay free within the task's constraints
    Open,
    /// Every one (but secrets), and only those values run
    Exact,
}

/// A group whose members decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApproverGroup {
    /// Which.
    pub group: Reference,
    /// At least so many of its members must approve; with 0, they may.
    pub minimum: u32,
}

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requesters {
    /// Users.
    pub users: Vec<Reference>,
    /// Groups, with every member.
    pub groups: Vec<Reference>,
}

/// What one access demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    /// For example `pol-3`.
    pub id: String,
    /// Counts its changes, from 1.
    pub revision: u32,
    /// What it covers.
    pub access: Access,
    /// Who says yes.
    pub approval_type: ApprovalType,
    /// How many distinct people must approve; 0 where approval is `auto`.
    pub approvals: u32,
    /// The groups whose members decide, as they are now; none where approval is `auto`.
    pub approver_groups: Vec<ApproverGroup>,
    /// Whether the policy names no group, so that the default approver group decides.
    pub uses_default_approver_group: bool,
    /// Who may ask; any active user when `null`.
    pub requesters: Option<Requesters>,
    /// The longest duration that may be asked for, or `unlimited`.
    #[schema(example = "24h")]
    pub maximum_duration: String,
    /// The same in seconds; `null` when unlimited.
    pub maximum_duration_seconds: Option<i64>,
    /// How long a request waits for its decisions.
    pub pending_lifetime: String,
    /// The same in seconds.
    pub pending_lifetime_seconds: i64,
    /// When the clock of the authorization starts.
    pub start: StartRule,
    /// How long after its approval the first run may come, where the clock starts then.
    pub claim_within: Option<String>,
    /// The same in seconds.
    pub claim_within_seconds: Option<i64>,
    /// Runs inside the window; any number when `null`.
    pub max_uses: Option<u32>,
    /// Which parameters a request must name.
    pub binding: Binding,
}

/// A group whose members are to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApproverGroup {
    /// Which, by name or id.
    pub group: String,
    /// At least so many of its members must approve; with 0, they may.
    #[serde(default)]
    pub minimum: u32,
}

/// Who may ask, by name or id. Nobody, when both are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRequesters {
    /// Users.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups, with every member.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A policy to create: exactly one of `task`, `role`, `role_group`, and what it demands.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// A task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// A role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A role group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_group: Option<String>,
    /// Who says yes.
    pub approval_type: ApprovalType,
    /// How many distinct people must approve; 1, or the sum of the minimums, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u32>,
    /// The groups whose members decide; the default approver group when empty.
    #[serde(default)]
    pub approver_groups: Vec<NewApproverGroup>,
    /// Who may ask; any active user when left out. With `auto` they must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requesters: Option<NewRequesters>,
    /// The longest duration that may be asked for, or `unlimited`; `24h` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_duration: Option<String>,
    /// How long a request waits for its decisions; `24h` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_lifetime: Option<String>,
    /// When the clock of the authorization starts; at `approval` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<StartRule>,
    /// How long after its approval the first run may come; needed with `first-use`, and only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_within: Option<String>,
    /// Runs inside the window; any number when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// Which parameters a request must name; `open` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

/// Changes of a policy, as a JSON merge patch (RFC 7396): what is not named stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The revision that the changer saw; the change is refused when it is another one now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Who says yes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_type: Option<ApprovalType>,
    /// How many distinct people must approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<u32>,
    /// The groups whose members decide, all of them; the default approver group when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_groups: Option<Vec<NewApproverGroup>>,
    /// Who may ask, all of them; `null` lets any active user ask.
    #[serde(default, deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NewRequesters>)]
    pub requesters: Option<Option<NewRequesters>>,
    /// The longest duration that may be asked for, or `unlimited`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_duration: Option<String>,
    /// How long a request waits for its decisions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_lifetime: Option<String>,
    /// When the clock of the authorization starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<StartRule>,
    /// How long after its approval the first run may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_within: Option<String>,
    /// Runs inside the window; `null` allows any number.
    #[serde(default, deserialize_with = "named", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub max_uses: Option<Option<u32>>,
    /// Which parameters a request must name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
}

#[cfg(test)]
mod tests {
    use super::PolicyChange;

    #[test]
    fn a_change_tells_not_named_from_null() {
        let none: PolicyChange = serde_json::from_str("{}").unwrap();
        assert_eq!((none.max_uses, none.requesters), (None, None));
        let any: PolicyChange = serde_json::from_str(r#"{"max_uses": null, "requesters": null}"#).unwrap();
        assert_eq!((any.max_uses, any.requesters), (Some(None), Some(None)));
        let three: PolicyChange = serde_json::from_str(r#"{"max_uses": 3}"#).unwrap();
        assert_eq!(three.max_uses, Some(Some(3)));
        assert_eq!(serde_json::to_string(&three).unwrap(), r#"{"max_uses":3}"#);
        assert!(serde_json::from_str::<PolicyChange>(r#"{"maxuses": 3}"#).is_err());
    }
}
