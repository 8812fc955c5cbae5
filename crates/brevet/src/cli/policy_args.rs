//! The options of `policy create` and `policy set`.

use brevet_wire::{
    ApprovalType, Binding, NewApproverGroup, NewPolicy, NewRequesters, PolicyChange, StartRule,
};
use clap::Args;

use super::args::{AccessArgs, duration};
use super::exit::Failure;

/// Create an approval policy for a task, a role or a role group
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  brevet policy create --task Exchange/New-MoveRequest --approval-type manual \\\n    --approver-group mbmanagers\n  \
    brevet policy create --role Linux/Web-Operators --approval-type manual \\\n    --approver-group ops:1 --approver-group security:1 --max-duration 8h\n  \
    brevet policy create --task Linux/Reload-Nginx --approval-type auto \\\n    --requester-group operators --max-uses 3"
)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    access: AccessArgs,
    /// Who says yes
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    approval_type: ApprovalType,
    #[command(flatten)]
    terms: TermsArgs,
    /// Only say what it would do
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Change an approval policy: only what is named changes
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  brevet policy set pol-3 --max-duration 2h --binding exact")]
pub(crate) struct SetArgs {
    /// Its id
    pub(super) policy: String,
    /// Refuse when the policy was changed since this revision
    #[arg(long, value_name = "N")]
    revision: Option<u32>,
    /// Who says yes
    #[arg(long, value_name = "TYPE", ignore_case = true)]
    approval_type: Option<ApprovalType>,
    /// Let the default approver group decide
    #[arg(long, conflicts_with = "approver_groups")]
    default_approvers: bool,
    /// Let any active user ask
    #[arg(long, conflicts_with_all = ["requesters", "requester_groups"])]
    any_requester: bool,
    /// Allow any number of runs
    #[arg(long, conflicts_with = "max_uses")]
    any_uses: bool,
    #[command(flatten)]
    terms: TermsArgs,
    /// Only say what it would do
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
struct TermsArgs {
    /// A group whose members decide, and at least how many of them must approve; may be repeated
    /// [default: the default approver group]
    #[arg(long = "approver-group", value_name = "GROUP[:MIN]", value_parser = approver_group)]
    approver_groups: Vec<NewApproverGroup>,
    /// How many distinct people must approve [default: 1, or the sum of the minimums]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    approvals: Option<u32>,
    /// A user who may ask; may be repeated [default: anyone]
    #[arg(long = "requester", value_name = "USER")]
    requesters: Vec<String>,
    /// A group whose members may ask; may be repeated
    #[arg(long = "requester-group", value_name = "GROUP")]
    requester_groups: Vec<String>,
    /// The longest duration that may be asked for, or 'unlimited' [default: 24h]
    #[arg(long, value_name = "SPAN", value_parser = duration_or_unlimited)]
    max_duration: Option<String>,
    /// How long a request waits for its decisions [default: 24h]
    #[arg(long, value_name = "SPAN", value_parser = duration)]
    pending: Option<String>,
    /// When the clock of an authorization starts [default: approval]
    #[arg(long, value_name = "WHEN")]
    start: Option<StartRule>,
    /// With --start first-use: how long after its approval the first run may come
    #[arg(long, value_name = "SPAN", value_parser = duration)]
    claim_within: Option<String>,
    /// Runs inside the window [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_uses: Option<u32>,
    /// Which parameters a request must name [default: open]
    #[arg(long, value_name = "WHICH")]
    binding: Option<Binding>,
}

impl TermsArgs {
    fn requesters(&self) -> Option<NewRequesters> {
        let named = NewRequesters { users: self.requesters.clone(), groups: self.requester_groups.clone() };
        (named != NewRequesters::default()).then_some(named)
    }
}

impl CreateArgs {
    /// As the API takes it.
    pub(super) fn policy(self) -> Result<NewPolicy, Failure> {
        let requesters = self.terms.requesters();
        let Self { access: AccessArgs { task, role, role_group }, approval_type, terms, dry_run: _ } = self;
        if approval_type == ApprovalType::Auto && requesters.is_none() {
            return Err(Failure::Usage(
                "with --approval-type auto nobody is asked, so those who may ask are named: \
                 add --requester USER or --requester-group GROUP"
                    .into(),
            ));
        }
        Ok(NewPolicy {
            task,
            role,
            role_group,
            approval_type,
            approvals: terms.approvals,
            approver_groups: terms.approver_groups,
            requesters,
            maximum_duration: terms.max_duration,
            pending_lifetime: terms.pending,
            start: terms.start,
            claim_within: terms.claim_within,
            max_uses: terms.max_uses,
            binding: terms.binding,
        })
    }
}

impl SetArgs {
    /// As the API takes it.
    pub(super) fn change(self) -> Result<PolicyChange, Failure> {
        let requesters = self.terms.requesters().map(Some);
        let Self {
            policy: _,
            revision,
            approval_type,
            default_approvers,
            any_requester,
            any_uses,
            terms,
            dry_run: _,
        } = self;
        let named_groups = (!terms.approver_groups.is_empty()).then_some(terms.approver_groups);
        let change = PolicyChange {
            revision: None,
            approval_type,
            approvals: terms.approvals,
            approver_groups: if default_approvers { Some(Vec::new()) } else { named_groups },
            requesters: if any_requester { Some(None) } else { requesters },
            maximum_duration: terms.max_duration,
            pending_lifetime: terms.pending,
            start: terms.start,
            claim_within: terms.claim_within,
            max_uses: if any_uses { Some(None) } else { terms.max_uses.map(Some) },
            binding: terms.binding,
        };
        match serde_json::to_value(&change) {
            Ok(fields) if fields.as_object().is_some_and(serde_json::Map::is_empty) => {
                Err(Failure::Usage("name what is to change, for example --max-duration 8h".into()))
            }
            _ => Ok(PolicyChange { revision, ..change }),
        }
    }
}

fn approver_group(text: &str) -> Result<NewApproverGroup, String> {
    let (group, minimum) = match text.rsplit_once(':') {
        None => (text, 0),
        Some((group, minimum)) => {
            let number =
                minimum.parse().map_err(|_| format!("'{minimum}' is not a number; write it as GROUP:2"))?;
            (group, number)
        }
    };
    match group.trim() {
        "" => Err("a group is needed here".into()),
        group => Ok(NewApproverGroup { group: group.to_owned(), minimum }),
    }
}

fn duration_or_unlimited(text: &str) -> Result<String, brevet_core::BadSpan> {
    match text.trim().eq_ignore_ascii_case("unlimited") {
        true => Ok("unlimited".into()),
        false => duration(text),
    }
}
