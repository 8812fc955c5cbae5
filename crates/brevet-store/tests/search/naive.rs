//! What a reader of every entry knows, worked out in another way than the store does: forwards, from the events
//! alone.

use std::collections::HashMap;

use brevet_core::{
    Access, AuthorizationId, Basis, Ending, Event, ExecutionId, ExecutionResult, RequestId, TaskId, Text,
    Timestamp, Value, Verdict,
};
use brevet_store::{EntryFilter, Reader};

/// What is known of one entry.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) index: u64,
    pub(crate) time: Timestamp,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) request: Option<RequestId>,
    pub(crate) task: Option<String>,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) words: Vec<String>,
}

#[derive(Default)]
struct Memory {
    tasks: HashMap<TaskId, String>,
    requests: HashMap<RequestId, Option<String>>,
    authorizations: HashMap<AuthorizationId, (RequestId, Option<String>)>,
    executions: HashMap<ExecutionId, (Option<RequestId>, Option<String>)>,
}

pub(crate) fn read(reader: &Reader) -> Vec<Known> {
    let mut memory = Memory::default();
    let entries = reader.entries_from(0, 1_000_000).unwrap();
    let known = entries.into_iter().map(|stored| {
        let (index, time, event) = (stored.index, stored.entry.time, &stored.entry.event);
        let (request, task) = memory.about(event);
        let (kind, actor) = (event.kind().name.to_owned(), stored.entry.actor.to_string());
        Known { index, time, kind, actor, request, task, outcome: outcome(event), words: words(event) }
    });
    known.collect()
}

impl Memory {
    fn name(&self, access: &Access) -> Option<String> {
        match access {
            Access::Task(id) => self.tasks.get(id).cloned(),
            _ => None,
        }
    }

    fn about(&mut self, event: &Event) -> (Option<RequestId>, Option<String>) {
        match event {
            Event::TaskDefined { task, spec } => {
                self.tasks.insert(*task, spec.name.to_string());
                (None, Some(spec.name.to_string()))
            }
            Event::RequestSubmitted { request, access, .. } => {
                self.requests.insert(*request, self.name(access));
                (Some(*request), self.name(access))
            }
            Event::RequestDecided { request, .. }
            | Event::RequestExpired { request }
            | Event::RequestCancelled { request } => (Some(*request), self.requests[request].clone()),
            Event::AuthorizationGranted { authorization, request, access, .. } => {
                self.authorizations.insert(*authorization, (*request, self.name(access)));
                (Some(*request), self.name(access))
            }
            Event::AuthorizationStarted { authorization, .. }
            | Event::AuthorizationEnded { authorization, .. } => {
                let (request, task) = self.authorizations[authorization].clone();
                (Some(request), task)
            }
            Event::ExecutionStarted { execution, task, basis, .. } => {
                let request = match basis {
                    Basis::Authorization(id) => Some(self.authorizations[id].0),
                    _ => None,
                };
                let about = (request, self.tasks.get(task).cloned());
                self.executions.insert(*execution, about.clone());
                about
            }
            Event::ExecutionStopRequested { execution, .. } | Event::ExecutionFinished { execution, .. } => {
                self.executions[execution].clone()
            }
            Event::RunRefused { task, .. } => (None, Some(task.to_string())),
            Event::PolicyCreated { policy } => (None, self.name(&policy.access)),
            _ => (None, None),
        }
    }
}

fn outcome(event: &Event) -> Option<&'static str> {
    match event {
        Event::RequestDecided { verdict: Verdict::Approve, .. } => Some("approved"),
        Event::RequestDecided { verdict: Verdict::Deny, .. } => Some("denied"),
        Event::RequestCancelled { .. } => Some("cancelled"),
        Event::RequestExpired { .. } => Some("expired"),
        Event::AuthorizationGranted { .. } => Some("granted"),
        Event::AuthorizationEnded { how, .. } => Some(match how {
            Ending::RanOut => "ran-out",
            Ending::GivenBack => "given-back",
            Ending::Revoked(_) => "revoked",
            Ending::UsedUp => "used-up",
            Ending::Voided => "voided",
        }),
        Event::ExecutionFinished { result, .. } => Some(match result {
            ExecutionResult::Succeeded => "succeeded",
            ExecutionResult::Stopped(_) => "stopped",
            ExecutionResult::Unknown => "unknown",
            _ => "failed",
        }),
        Event::RunRefused { .. } | Event::SignInFailed { .. } => Some("refused"),
        _ => None,
    }
}

/// The texts of these ledgers are ASCII.
fn words(event: &Event) -> Vec<String> {
    let mut texts: Vec<String> =
        event.texts().into_iter().filter_map(Text::as_str).map(str::to_owned).collect();
    match event {
        Event::GroupCreated { name, .. } => texts.push(name.to_string()),
        Event::TaskDefined { spec, .. } => texts.extend([spec.name.to_string(), spec.description.clone()]),
        Event::RequestSubmitted { bound: values, .. }
        | Event::AuthorizationGranted { bound: values, .. }
        | Event::ExecutionStarted { parameters: values, .. } => {
            texts.extend(values.values().filter_map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            }));
        }
        _ => {}
    }
    let text = texts.join(" ").to_ascii_lowercase();
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Known {
    pub(crate) fn meets(&self, filter: &EntryFilter) -> bool {
        let EntryFilter { kind, actor, request, task, object: _, outcome, text, since, until } = filter;
        let same_kind = |kind: &String| match kind.strip_suffix('*') {
            Some(family) => self.kind.starts_with(family),
            None => self.kind == *kind,
        };
        let same_task = |task: &String| {
            self.task.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(&task.replace('/', "\\")))
        };
        // The words as they were given are the store's own; what is in them shows when they are written out.
        let says = |words: &brevet_store::Words| {
            words.to_string().split(' ').all(|word| match word.strip_suffix('*') {
                Some(beginning) => self.words.iter().any(|own| own.starts_with(beginning)),
                None => self.words.iter().any(|own| own == word),
            })
        };
        kind.as_ref().is_none_or(same_kind)
            && actor.as_ref().is_none_or(|actor| self.actor == *actor)
            && request.is_none_or(|request| self.request == Some(request))
            && task.as_ref().is_none_or(same_task)
            && outcome.as_deref().is_none_or(|outcome| self.outcome == Some(outcome))
            && text.as_ref().is_none_or(says)
            && since.is_none_or(|since| self.time >= since)
            && until.is_none_or(|until| self.time < until)
    }
}
