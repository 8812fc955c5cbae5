//! Puts a bundle together from the store: the story's own entries, what was in force for each, and the proofs.
//!
//! Everything that the named people, groups, policies and definitions went through before the story's end is taken,
//! also what was undone again: a reader sees the changes, not only what came of them.

use std::collections::BTreeSet;

use brevet_core::{
    Actor, Approval, AuthorizationId, Digest, Entry, Event, ExecutionId, GroupId, Output, Policy, PolicyId,
    Principal, Purpose, RequestId, RequestState, Requesters, RoleId, TaskId, UserId,
};
use brevet_ledger::VerifierKey;
use brevet_store::{EntryFilter, ExportFilter, Exported, Reader, StoreError, StoredEntry};

use super::format::{
    BUNDLE_ENTRIES_MAX, Bundle, BundledEntry, BundledOutput, BundledText, FORMAT, OUTPUTS_BYTES_MAX, VERSION,
    encode_base64,
};
use super::{BundleFault, Trust, check};

/// Entries that are looked through at a time.
const PAGE_ENTRIES: usize = 500;

/// Kinds of entries that say what was in force, in such an order that what names something else comes before it.
const CONTEXT: &[&str] = &[
    "policy.*",
    "access-control.*",
    "role-group.defined",
    "role.defined",
    "task.defined",
    "user.added",
    "user.disabled",
    "user.enabled",
    "group.*",
    "ledger.texts-erased",
];

/// Whose story, of which ledger.
pub(crate) struct Wanted<'a> {
    /// Whose.
    pub(crate) request: RequestId,
    /// The name of the ledger.
    pub(crate) origin: &'a str,
    /// Its verifier keys.
    pub(crate) keys: &'a [VerifierKey],
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Collected {
    /// The bundle, and what its runs wrote, to be embedded where that is wanted.
    Bundle(Box<Bundle>, Vec<Wrote>),
    /// There is no such request.
    NoSuch,
    /// A part of it is in an archive file.
    Archived,
    /// A part of it is in the ledger that this one goes on from.
    Recovered {
        /// The name of that ledger.
        previous: String,
    },
    /// It has more entries than one file holds.
    TooLong,
    /// The store does not tell a whole story.
    Faulty(BundleFault),
}

/// Collects the story of a request, and checks it as a reader of the bundle will.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn collect(reader: &Reader, wanted: &Wanted<'_>) -> Result<Collected, StoreError> {
    let Some(requests) = requests_of(reader, wanted.request)? else { return Ok(Collected::NoSuch) };
    let previous = previous(reader)?;
    let mut story: Vec<Exported> = Vec::new();
    let size = reader.size()?;
    for request in requests {
        let (entries, all) = (export(reader, request, size)?, reader.story_entries(request)?);
        if entries.len() as u64 != all {
            return Ok(Collected::Archived);
        }
        story.extend(entries);
    }
    if let Some(previous) = &previous
        && story.iter().all(|entry| !matches!(entry.stored.entry.event, Event::RequestSubmitted { request, .. } if request == wanted.request))
    {
        return Ok(Collected::Recovered { previous: previous.clone() });
    }
    let mut named = Named::default();
    story.iter().for_each(|entry| named.note(&entry.stored.entry));
    let end = story.iter().map(|entry| entry.stored.index + 1).max().unwrap_or(0);
    let mut indexes: BTreeSet<u64> = story.iter().map(|entry| entry.stored.index).collect();
    indexes.extend(context(reader, &mut named, end)?);
    if indexes.len() > BUNDLE_ENTRIES_MAX {
        return Ok(Collected::TooLong);
    }
    let covers = indexes.last().map_or(0, |last| last + 1);
    let Some(checkpoint) = reader.best_checkpoint(covers)? else { return Ok(Collected::NoSuch) };
    let entries = indexes.iter().map(|index| proven(reader, *index, checkpoint.size));
    let Some(entries) = entries.collect::<Result<Option<Vec<_>>, StoreError>>()? else {
        return Ok(Collected::Archived);
    };
    let bundle = Bundle {
        brevet: FORMAT.to_owned(),
        version: VERSION,
        origin: wanted.origin.to_owned(),
        keys: wanted.keys.iter().map(ToString::to_string).collect(),
        request: wanted.request.to_string(),
        checkpoint: checkpoint.note,
        entries,
        outputs: Vec::new(),
        summary: Vec::new(),
    };
    checked(reader, wanted, bundle, outputs_of(&story))
}

/// What its reader will find. A fault may be the archive's: what was in force then is not here any more.
fn checked(
    reader: &Reader,
    wanted: &Wanted<'_>,
    bundle: Bundle,
    outputs: Vec<Wrote>,
) -> Result<Collected, StoreError> {
    let trust = Trust { keys: wanted.keys, policy: None };
    let bytes = serde_json::to_vec(&bundle).unwrap_or_default();
    match check(&bytes, &trust) {
        Ok(report) => {
            Ok(Collected::Bundle(Box::new(Bundle { summary: report.sentences(), ..bundle }), outputs))
        }
        Err(BundleFault::Missing { .. }) if is_archived(reader)? => Ok(Collected::Archived),
        Err(fault) => Ok(match (fault, previous(reader)?) {
            (BundleFault::Missing { .. }, Some(previous)) => Collected::Recovered { previous },
            (fault, _) => Collected::Faulty(fault),
        }),
    }
}

/// The ledger that this one goes on from: what was in force then is not here.
fn previous(reader: &Reader) -> Result<Option<String>, StoreError> {
    let first = reader.entries_from(0, 1)?.into_iter().next();
    Ok(first.filter(|first| first.index == 0).and_then(|first| match first.entry.event {
        Event::LedgerRecovered { previous, .. } => Some(previous),
        _ => None,
    }))
}

fn is_archived(reader: &Reader) -> Result<bool, StoreError> {
    let first = reader.entries_from(0, 1)?;
    Ok(first.first().is_none_or(|first| first.index > 0))
}

/// What a run wrote.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrote {
    pub(crate) execution: ExecutionId,
    pub(crate) output: Output,
}

/// Whether what the runs wrote is not too much for one file.
pub(crate) fn fits(outputs: &[Wrote]) -> bool {
    outputs.iter().fold(0_u64, |sum, wrote| sum.saturating_add(wrote.output.bytes)) <= OUTPUTS_BYTES_MAX
}

/// Embeds what the runs wrote, as read by `read`, once it [`fits`].
pub(crate) fn with_outputs<E>(
    bundle: &mut Bundle,
    outputs: &[Wrote],
    mut read: impl FnMut(&Output) -> Result<Option<Vec<u8>>, E>,
) -> Result<(), E> {
    for Wrote { output, execution: _ } in outputs {
        if let Some(bytes) = read(output)? {
            let (digest, bytes) = (output.digest.to_string(), encode_base64(&bytes));
            bundle.outputs.push(BundledOutput { digest, bytes });
        }
    }
    Ok(())
}

/// Each output once: two runs may have written the same.
fn outputs_of(story: &[Exported]) -> Vec<Wrote> {
    let mut outputs: Vec<Wrote> = Vec::new();
    for entry in story {
        if let Event::ExecutionFinished { execution, output: Some(output), .. } = &entry.stored.entry.event
            && !outputs.iter().any(|known| known.output.digest == output.digest)
        {
            outputs.push(Wrote { execution: *execution, output: *output });
        }
    }
    outputs
}

/// The requests whose entries make up the story: what was asked first, and every request that gave more time on it.
fn requests_of(reader: &Reader, asked: RequestId) -> Result<Option<BTreeSet<RequestId>>, StoreError> {
    let Some(row) = reader.request(asked)? else { return Ok(None) };
    let mut requests = BTreeSet::from([asked]);
    let authorization = match (row.request.purpose, &row.request.state) {
        (Purpose::Extension(id), _) => {
            requests.extend(reader.authorization(id)?.map(|authorization| authorization.request));
            Some(id)
        }
        (Purpose::New, RequestState::Approved { authorization, .. }) => Some(*authorization),
        (Purpose::New, _) => None,
    };
    if let Some(id) = authorization {
        requests.extend(extensions_of(reader, id)?);
    }
    Ok(Some(requests))
}

fn extensions_of(reader: &Reader, id: AuthorizationId) -> Result<Vec<RequestId>, StoreError> {
    let mut requests = Vec::new();
    each_of_kind(reader, "authorization.extended", None, |stored| {
        if let Event::AuthorizationExtended { authorization, request, .. } = &stored.entry.event
            && *authorization == id
        {
            requests.push(*request);
        }
    })?;
    Ok(requests)
}

fn export(reader: &Reader, request: RequestId, size: u64) -> Result<Vec<Exported>, StoreError> {
    let filter = ExportFilter { request: Some(request), ..ExportFilter::default() };
    let (mut entries, mut next) = (Vec::new(), 0);
    while next < size && entries.len() <= BUNDLE_ENTRIES_MAX {
        let stretch = reader.export(&filter, &(next..size))?;
        entries.extend(stretch.entries);
        next = stretch.next;
    }
    Ok(entries)
}

/// Gives every entry of a kind to `take`, the newest first.
fn each_of_kind(
    reader: &Reader,
    kind: &str,
    before: Option<u64>,
    mut take: impl FnMut(&StoredEntry),
) -> Result<(), StoreError> {
    let filter = EntryFilter { kind: Some(kind.to_owned()), ..EntryFilter::default() };
    let mut before = before;
    loop {
        let page = reader.entries(&filter, before, PAGE_ENTRIES)?;
        page.items.iter().for_each(&mut take);
        match page.next {
            None => return Ok(()),
            next => before = next,
        }
    }
}

/// The entry with its texts and its proof; `None` when it is in an archive file.
fn proven(reader: &Reader, index: u64, size: u64) -> Result<Option<BundledEntry>, StoreError> {
    let stretch = reader.export(&ExportFilter::default(), &(index..index + 1))?;
    let Some(Exported { stored, texts, .. }) = stretch.entries.into_iter().next() else { return Ok(None) };
    let proof = reader.inclusion(index, size)?;
    let text =
        |text: brevet_store::ExportedText| BundledText { slot: text.slot, salt: text.salt, text: text.text };
    Ok(Some(BundledEntry {
        index,
        bytes: encode_base64(&stored.bytes),
        texts: texts.into_iter().map(text).collect(),
        proof: proof.iter().map(brevet_ledger::Hash::to_base64).collect(),
    }))
}

/// The entries before `end` that say what was in force for what the story names. Erasures of later are among them:
/// they say why a text is gone.
///
/// Each kind is read the newest first, so that an account comes before that of its owner.
fn context(reader: &Reader, named: &mut Named, end: u64) -> Result<BTreeSet<u64>, StoreError> {
    let mut indexes = BTreeSet::new();
    for kind in CONTEXT {
        let before = if *kind == "ledger.texts-erased" { None } else { Some(end) };
        each_of_kind(reader, kind, before, |stored| {
            if named.concerns(&stored.entry.event) {
                named.follow(&stored.entry.event);
                indexes.insert(stored.index);
            }
        })?;
    }
    Ok(indexes)
}

/// Who and what the story names.
#[derive(Debug, Default)]
struct Named {
    people: BTreeSet<UserId>,
    groups: BTreeSet<GroupId>,
    policies: BTreeSet<(PolicyId, u32)>,
    digests: BTreeSet<Digest>,
    roles: BTreeSet<RoleId>,
    tasks: BTreeSet<TaskId>,
}

impl Named {
    fn note(&mut self, entry: &Entry) {
        if let Actor::User(user) = entry.actor {
            self.people.insert(user);
        }
        match &entry.event {
            Event::RequestSubmitted { requester, digest, policy, policy_revision, .. } => {
                self.people.insert(*requester);
                self.digests.insert(*digest);
                self.policies.insert((*policy, *policy_revision));
            }
            Event::RequestDecided { by, policy_revision, .. } => {
                self.people.insert(*by);
                // It is a revision of the policy that the request names.
                let ids: BTreeSet<PolicyId> = self.policies.iter().map(|(id, _)| *id).collect();
                self.policies.extend(ids.into_iter().map(|id| (id, *policy_revision)));
            }
            Event::AuthorizationGranted { holder, digest, policy, policy_revision, .. } => {
                self.people.insert(*holder);
                self.digests.insert(*digest);
                self.policies.insert((*policy, *policy_revision));
            }
            Event::ExecutionStarted { user, digest, policy, .. } => {
                self.people.insert(*user);
                self.digests.insert(*digest);
                self.policies.extend(*policy);
            }
            _ => {}
        }
    }

    fn has_policy(&self, policy: &Policy) -> bool {
        self.policies.contains(&(policy.id, policy.revision))
    }

    fn concerns(&self, event: &Event) -> bool {
        match event {
            Event::UserAdded { user, .. }
            | Event::UserDisabled { user }
            | Event::UserEnabled { user }
            | Event::TextsErased { user } => self.people.contains(user),
            Event::GroupCreated { group, .. } | Event::GroupDeleted { group } => self.groups.contains(group),
            Event::MemberAdded { group, user } | Event::MemberRemoved { group, user } => {
                self.groups.contains(group) && self.people.contains(user)
            }
            Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => self.has_policy(policy),
            Event::AccessControlEnabled { .. } | Event::AccessControlDisabled {} => true,
            Event::TaskDefined { task, spec } => {
                self.digests.contains(&spec.digest) || self.tasks.contains(task)
            }
            Event::RoleDefined { role, spec } => {
                self.digests.contains(&spec.digest) || self.roles.contains(role)
            }
            Event::RoleGroupDefined { spec, .. } => self.digests.contains(&spec.digest),
            _ => false,
        }
    }

    /// Notes what an entry that concerns the story names.
    fn follow(&mut self, event: &Event) {
        match event {
            Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => self.follow_policy(policy),
            Event::AccessControlEnabled { settings } => {
                self.groups.extend(settings.default_approver_group.iter());
            }
            Event::RoleGroupDefined { spec, .. } => self.roles.extend(&spec.roles),
            Event::RoleDefined { spec, .. } => self.tasks.extend(&spec.tasks),
            Event::UserAdded { owner, .. } => self.people.extend(owner.iter()),
            _ => {}
        }
    }

    fn follow_policy(&mut self, policy: &Policy) {
        if let Approval::Manual(quorum) = &policy.approval {
            self.groups.extend(quorum.groups.iter().map(|group| group.group));
        }
        if let Requesters::Named(named) = &policy.requesters {
            self.groups.extend(named.iter().filter_map(|principal| match principal {
                Principal::Group(group) => Some(*group),
                Principal::User(_) => None,
            }));
        }
    }
}
