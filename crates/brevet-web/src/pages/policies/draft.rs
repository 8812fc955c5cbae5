//! A policy as the form has it: text in every field, until the API is asked.

use brevet_wire::{
    Access, AccessType, ApprovalType, Binding, NewApproverGroup, NewPolicy, NewRequesters, Policy,
    PolicyChange, StartRule,
};

use crate::failure::Failure;
use crate::form::Form;

/// Empty rows that a list of the form begins with, and that one press of a button adds.
const EMPTY_ROWS: usize = 1;
/// The most rows of a list that the form shows.
const ROWS_MAX: usize = 1_001;

/// What the form says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) kind: String,
    pub(super) access: String,
    /// The revision that was looked at, where there is one.
    pub(super) revision: String,
    pub(super) approval_type: String,
    pub(super) approvals: String,
    /// Groups and their minimums.
    pub(super) groups: Vec<(String, String)>,
    /// `anyone` or `named`.
    pub(super) who: String,
    pub(super) users: Vec<String>,
    pub(super) asking: Vec<String>,
    pub(super) maximum: String,
    pub(super) pending: String,
    pub(super) start: String,
    pub(super) within: String,
    pub(super) uses: String,
    pub(super) binding: String,
}

impl Draft {
    /// A new policy on an access, as the API would fill it in.
    pub(super) fn blank(kind: &str, access: &str) -> Self {
        let kind = if matches!(kind, "role" | "role-group") { kind } else { "task" };
        Self {
            kind: kind.to_owned(),
            access: access.replace('/', "\\"),
            approval_type: "manual".to_owned(),
            approvals: "1".to_owned(),
            who: "anyone".to_owned(),
            maximum: "24h".to_owned(),
            pending: "24h".to_owned(),
            start: "approval".to_owned(),
            binding: "open".to_owned(),
            ..Self::default()
        }
        .with_rows()
    }

    /// What a policy says.
    pub(super) fn of(policy: &Policy) -> Self {
        let kind = match policy.access.kind {
            AccessType::Task => "task",
            AccessType::Role => "role",
            AccessType::RoleGroup => "role-group",
        };
        let is_manual = policy.approval_type == ApprovalType::Manual;
        let own = policy.approver_groups.iter().filter(|_| !policy.uses_default_approver_group);
        let names = |named: &[brevet_wire::Reference]| named.iter().map(|one| one.name.clone()).collect();
        let requesters = policy.requesters.as_ref();
        Self {
            kind: kind.to_owned(),
            access: policy.access.name.clone(),
            revision: policy.revision.to_string(),
            approval_type: if is_manual { "manual" } else { "auto" }.to_owned(),
            approvals: policy.approvals.max(1).to_string(),
            groups: own.map(|one| (one.group.name.clone(), one.minimum.to_string())).collect(),
            who: if requesters.is_some() { "named" } else { "anyone" }.to_owned(),
            users: requesters.map(|named| names(&named.users)).unwrap_or_default(),
            asking: requesters.map(|named| names(&named.groups)).unwrap_or_default(),
            maximum: policy.maximum_duration.clone(),
            pending: policy.pending_lifetime.clone(),
            start: if policy.start == StartRule::FirstUse { "first-use" } else { "approval" }.to_owned(),
            within: policy.claim_within.clone().unwrap_or_default(),
            uses: policy.max_uses.map(|uses| uses.to_string()).unwrap_or_default(),
            binding: if policy.binding == Binding::Exact { "exact" } else { "open" }.to_owned(),
        }
        .with_rows()
    }

    /// What was sent, with a row more where that was asked for.
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: &str| form.owned(name).unwrap_or_default();
        let rows = |name: &str| {
            let numbers = (0..ROWS_MAX).map(|row| format!("{name}-{row}"));
            numbers.take_while(|field| form.has(field)).map(|field| text(&field)).collect::<Vec<_>>()
        };
        let minimums = rows("minimum").into_iter().map(Some).chain(std::iter::repeat(None));
        let groups = rows("group").into_iter().zip(minimums);
        let mut draft = Self {
            kind: text("type"),
            access: text("access"),
            revision: text("revision"),
            approval_type: text("approval_type"),
            approvals: text("approvals"),
            groups: groups.map(|(group, minimum)| (group, minimum.unwrap_or_default())).collect(),
            who: text("who"),
            users: rows("user"),
            asking: rows("asking"),
            maximum: text("maximum_duration"),
            pending: text("pending_lifetime"),
            start: text("start"),
            within: text("claim_within"),
            uses: text("max_uses"),
            binding: text("binding"),
        };
        match form.text("more") {
            Some("group") => draft.groups.push(Default::default()),
            Some("user") => draft.users.push(String::new()),
            Some("asking") => draft.asking.push(String::new()),
            _ => {}
        }
        draft
    }

    fn with_rows(mut self) -> Self {
        self.groups.extend((0..EMPTY_ROWS).map(|_| Default::default()));
        self.users.extend((0..EMPTY_ROWS).map(|_| String::new()));
        self.asking.extend((0..EMPTY_ROWS).map(|_| String::new()));
        self
    }

    /// Every field, to be sent again as it is.
    pub(super) fn fields(&self) -> Vec<(String, &str)> {
        let mut fields: Vec<(String, &str)> = [
            ("type", &self.kind),
            ("access", &self.access),
            ("approval_type", &self.approval_type),
            ("approvals", &self.approvals),
            ("who", &self.who),
            ("maximum_duration", &self.maximum),
            ("pending_lifetime", &self.pending),
            ("start", &self.start),
            ("claim_within", &self.within),
            ("max_uses", &self.uses),
            ("binding", &self.binding),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_str()))
        .into();
        for (row, (group, minimum)) in self.groups.iter().enumerate() {
            fields.push((format!("group-{row}"), group));
            fields.push((format!("minimum-{row}"), minimum));
        }
        let rows = |name: &'static str, rows: &'_ [String]| -> Vec<(String, usize)> {
            (0..rows.len()).map(|row| (format!("{name}-{row}"), row)).collect()
        };
        fields.extend(
            rows("user", &self.users).into_iter().map(|(name, row)| (name, self.users[row].as_str())),
        );
        fields.extend(
            rows("asking", &self.asking).into_iter().map(|(name, row)| (name, self.asking[row].as_str())),
        );
        fields
    }

    /// As the API takes a new one.
    pub(super) fn new_policy(&self) -> Result<NewPolicy, Failure> {
        let access = (!self.access.is_empty()).then(|| self.access.clone());
        let named = |kind: &str| access.clone().filter(|_| self.kind == kind);
        let is_manual = self.approval()? == ApprovalType::Manual;
        let groups = if is_manual { self.approver_groups()? } else { Vec::new() };
        Ok(NewPolicy {
            task: named("task"),
            role: named("role"),
            role_group: named("role-group"),
            approval_type: self.approval()?,
            approvals: number("Approvals needed", &self.approvals)?.filter(|_| is_manual),
            approver_groups: groups,
            requesters: self.requesters(),
            maximum_duration: given(&self.maximum),
            pending_lifetime: given(&self.pending),
            start: Some(self.start_rule()),
            claim_within: given(&self.within).filter(|_| self.start_rule() == StartRule::FirstUse),
            max_uses: number("Runs", &self.uses)?,
            binding: Some(self.bound()),
        })
    }

    /// As the API takes a change: every field, of the revision that was looked at.
    pub(super) fn change(&self) -> Result<PolicyChange, Failure> {
        let NewPolicy {
            task: _,
            role: _,
            role_group: _,
            approval_type,
            approvals,
            approver_groups,
            requesters,
            maximum_duration,
            pending_lifetime,
            start,
            claim_within,
            max_uses,
            binding,
        } = self.new_policy()?;
        let is_manual = approval_type == ApprovalType::Manual;
        let sum: u32 = approver_groups.iter().fold(0, |sum, group| sum.saturating_add(group.minimum));
        Ok(PolicyChange {
            revision: Some(revision(given(&self.revision).as_deref())?),
            approval_type: Some(approval_type),
            approvals: is_manual.then(|| approvals.unwrap_or(sum.max(1))),
            approver_groups: is_manual.then_some(approver_groups),
            requesters: Some(requesters),
            maximum_duration: Some(maximum_duration.unwrap_or_else(|| "24h".to_owned())),
            pending_lifetime: Some(pending_lifetime.unwrap_or_else(|| "24h".to_owned())),
            start,
            claim_within,
            max_uses: Some(max_uses),
            binding,
        })
    }

    /// What it is on, in the words of the API.
    pub(super) fn type_name(&self) -> &'static str {
        let kind = match self.kind.as_str() {
            "role" => AccessType::Role,
            "role-group" => AccessType::RoleGroup,
            _ => AccessType::Task,
        };
        crate::show::access_type(&Access { kind, name: String::new() })
    }

    fn approval(&self) -> Result<ApprovalType, Failure> {
        match self.approval_type.as_str() {
            "manual" => Ok(ApprovalType::Manual),
            "auto" => Ok(ApprovalType::Auto),
            _ => Err(Failure::unreadable("choose an approval type: Manual or Auto")),
        }
    }

    fn approver_groups(&self) -> Result<Vec<NewApproverGroup>, Failure> {
        let named = self.groups.iter().filter(|(group, _)| !group.is_empty());
        let group = |(group, least): &(String, String)| {
            let minimum = number("At least", least)?.unwrap_or(0);
            Ok(NewApproverGroup { group: group.clone(), minimum })
        };
        named.map(group).collect()
    }

    fn requesters(&self) -> Option<NewRequesters> {
        let named = |rows: &[String]| rows.iter().filter(|row| !row.is_empty()).cloned().collect();
        (self.who == "named")
            .then(|| NewRequesters { users: named(&self.users), groups: named(&self.asking) })
    }

    fn start_rule(&self) -> StartRule {
        if self.start == "first-use" { StartRule::FirstUse } else { StartRule::Approval }
    }

    fn bound(&self) -> Binding {
        if self.binding == "exact" { Binding::Exact } else { Binding::Open }
    }
}

/// The revision that a form says was looked at. Without it, somebody else's change would be undone unseen.
pub(super) fn revision(said: Option<&str>) -> Result<u32, Failure> {
    let seen = said.and_then(|revision| revision.parse().ok());
    seen.ok_or_else(|| {
        Failure::unreadable(
            "this form does not say which revision of the policy it is of; open the page again",
        )
    })
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(what: &str, text: &str) -> Result<Option<u32>, Failure> {
    let bad = |_| Failure::unreadable(format!("{what}: write a whole number such as 2, or leave it empty"));
    given(text).map(|text| text.parse().map_err(bad)).transpose()
}

#[cfg(test)]
mod tests {
    use super::Draft;
    use crate::form::Form;

    fn sent(fields: &[(&str, &str)]) -> Draft {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Draft::sent(&fields.collect::<Form>())
    }

    #[test]
    fn what_a_review_sends_again_is_what_was_sent() {
        let first = [
            ("type", "task"),
            ("access", "Linux\\Echo"),
            ("approval_type", "manual"),
            ("group-0", "ops"),
            ("minimum-0", "2"),
            ("group-1", ""),
            ("minimum-1", ""),
            ("user-0", "bob"),
        ];
        let draft = sent(&first);
        let fields = draft.fields();
        let again: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(sent(&again), draft);
        assert_eq!(draft.groups.len(), 2);
        assert_eq!(sent(&[&first[..], &[("more", "group")]].concat()).groups.len(), 3);
    }

    #[test]
    fn auto_leaves_out_who_approves() {
        let draft =
            sent(&[("approval_type", "auto"), ("approvals", "1"), ("group-0", "ops"), ("who", "named")]);
        let new = draft.new_policy().unwrap();
        assert_eq!((new.approvals, new.approver_groups.len()), (None, 0));
        assert!(sent(&[("approval_type", "manual"), ("approvals", "two")]).new_policy().is_err());
    }

    #[test]
    fn a_change_says_which_revision_it_is_of() {
        let changed = |revision| sent(&[("approval_type", "manual"), ("revision", revision)]).change();
        assert_eq!(changed("3").unwrap().revision, Some(3));
        for unreadable in ["", "three", "-1", "3.0", "99999999999"] {
            assert!(changed(unreadable).is_err(), "{unreadable}");
        }
    }
}
