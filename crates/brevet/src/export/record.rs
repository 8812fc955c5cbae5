//! An entry with what stands behind it: the request, the authorization and the run that it speaks of, and from where
//! its session came. A format that names the approver of a run needs more than the entry of the run.

use std::collections::HashMap;

use brevet_core::{
    Authorization, AuthorizationState, Basis, Event, Execution, Request, RequestState, SessionId, Span,
    Timestamp, UserId, Vote,
};
use brevet_store::{Exported, Reader, StoreError};
use brevet_wire::AuditEntry;

/// Sessions whose source is remembered; then looking up begins anew.
const SOURCES_MAX: usize = 4_096;

/// An entry, and what stands behind it.
pub(crate) struct Record {
    /// The entry, its bytes and the texts beside it.
    pub(crate) exported: Exported,
    /// From where its session came.
    pub(super) source: Option<String>,
    /// The request it is about, as it stands now.
    pub(super) request: Option<Request>,
    /// The authorization it is about, as it stands now.
    pub(super) authorization: Option<Authorization>,
    /// The run it is about, as it stands now.
    pub(super) execution: Option<Execution>,
}

/// Under which approval something was done.
pub(super) struct Elevation<'a> {
    pub(super) authorization: &'a Authorization,
    pub(super) request: &'a Request,
    /// Who said yes; nobody where the policy is Auto.
    pub(super) approvers: Vec<UserId>,
    pub(super) approved: Timestamp,
    /// When its window began; when it was given, as long as it has not begun.
    pub(super) began: Timestamp,
    pub(super) duration: Span,
}

/// Looks up what stands behind entries.
#[derive(Debug, Default)]
pub(crate) struct Gatherer {
    sources: HashMap<SessionId, Option<String>>,
}

impl Gatherer {
    /// Puts together what a format may say of an entry.
    pub(crate) fn gather(
        &mut self,
        reader: &Reader,
        exported: Exported,
        texts: bool,
    ) -> Result<Record, StoreError> {
        let source = match &exported.stored.entry.event {
            Event::SignedIn { source, .. } | Event::SignInFailed { source, .. } => {
                source.as_str().map(str::to_owned)
            }
            _ => self.source(reader, &exported)?,
        };
        let mut record = Record {
            exported,
            source: source.filter(|_| texts),
            request: None,
            authorization: None,
            execution: None,
        };
        record.look_behind(reader)?;
        if !texts {
            record.exported = record.exported.without_texts();
        }
        Ok(record)
    }

    fn source(&mut self, reader: &Reader, exported: &Exported) -> Result<Option<String>, StoreError> {
        let Some((user, Some(session))) = exported.person() else { return Ok(None) };
        if let Some(known) = self.sources.get(&session) {
            return Ok(known.clone());
        }
        if self.sources.len() >= SOURCES_MAX {
            self.sources.clear();
        }
        let source = reader.session_source(session, user, exported.stored.index)?;
        self.sources.insert(session, source.clone());
        Ok(source)
    }
}

impl Record {
    /// What happened.
    pub(super) const fn event(&self) -> &Event {
        &self.exported.stored.entry.event
    }

    fn look_behind(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let authorization = match self.event() {
            Event::AuthorizationGranted { authorization, .. }
            | Event::AuthorizationExtended { authorization, .. }
            | Event::AuthorizationStarted { authorization, .. }
            | Event::AuthorizationEnded { authorization, .. } => Some(*authorization),
            Event::ExecutionStarted { execution, .. }
            | Event::ExecutionStopRequested { execution, .. }
            | Event::ExecutionFinished { execution, .. } => {
                self.execution = reader.execution(*execution)?;
                match self.execution.as_ref().map(|execution| execution.basis) {
                    Some(Basis::Authorization(id)) => Some(id),
                    _ => None,
                }
            }
            _ => None,
        };
        if let Some(id) = authorization {
            self.authorization = reader.authorization(id)?;
        }
        // That of the authorization, not that of its extension: it is the one that was decided about first.
        let behind = self.authorization.as_ref().map(|authorization| authorization.request);
        if let Some(id) = behind.or(self.exported.stored.about.request) {
            self.request = reader.request(id)?.map(|row| row.request);
        }
        Ok(())
    }

    /// The entry with all that is known of what it is about.
    pub(super) fn complete(&self, entry: AuditEntry) -> AuditEntry {
        let about = &self.exported.stored.about;
        AuditEntry {
            task: entry.task.or_else(|| about.task.as_ref().map(ToString::to_string)),
            authorization: entry.authorization.or_else(|| about.authorization.map(|id| id.to_string())),
            request: entry.request.or_else(|| about.request.map(|id| id.to_string())),
            ..entry
        }
    }

    /// Under which approval it was done, when under one.
    pub(super) fn elevation(&self) -> Option<Elevation<'_>> {
        let (authorization, request) = (self.authorization.as_ref()?, self.request.as_ref()?);
        let RequestState::Approved { at, votes, authorization: _ } = &request.state else { return None };
        let began = match authorization.state {
            AuthorizationState::Active { start, .. } => start,
            AuthorizationState::Ended { start, .. } => start.unwrap_or(authorization.granted),
            AuthorizationState::Scheduled { .. } => authorization.granted,
        };
        let shortest = |votes: &[Vote]| votes.iter().filter_map(|vote| vote.duration).min();
        let duration = shortest(votes).map_or(request.duration, |given| given.min(request.duration));
        let approvers = votes.iter().map(|vote| vote.by).collect();
        Some(Elevation { authorization, request, approvers, approved: *at, began, duration })
    }
}
