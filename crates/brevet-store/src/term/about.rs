//! What an entry is about, and how what it tells of came out: from the event itself, and from the rows of the
//! objects it names, which keep what they were made for when they have ended.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::engine::{Connection, OptionalExtension, Value, for_each_key, params};
use brevet_core::{
    Access, Authorization, AuthorizationId, Basis, Ending, Event, Execution, ExecutionId, ExecutionResult,
    QualifiedName, Request, RequestId, Task, TaskId, Verdict,
};

use crate::error::StoreError;
use crate::load::decode;
use crate::row::{kind, signed};

/// What an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The request whose story it belongs to.
    pub request: Option<RequestId>,
    /// The authorization.
    pub authorization: Option<AuthorizationId>,
    /// The run.
    pub execution: Option<ExecutionId>,
    /// The task.
    pub task: Option<QualifiedName>,
    /// How it came out, for entries that say so.
    pub outcome: Option<Outcome>,
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident $word:literal,)*) => {
        /// How something came out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Outcome {
            $($(#[$doc])* $name,)*
        }

        impl Outcome {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is written and searched for.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

outcomes! {
    /// An approver said yes.
    Approved "approved",
    /// An approver said no.
    Denied "denied",
    /// Nobody decided in time.
    Expired "expired",
    /// A request was withdrawn.
    Cancelled "cancelled",
    /// An authorization was given, or more time on one.
    Granted "granted",
    /// The time of an authorization was over.
    RanOut "ran-out",
    /// Its holder gave it back.
    GivenBack "given-back",
    /// Somebody took it away.
    Revoked "revoked",
    /// Its last run was used.
    UsedUp "used-up",
    /// What it was given for was not so any more.
    Voided "voided",
    /// A run exited with 0.
    Succeeded "succeeded",
    /// A run exited with another code, was killed, or could not be started.
    Failed "failed",
    /// Brevet ended a run.
    Stopped "stopped",
    /// The server went down while it ran.
    Unknown "unknown",
    /// A run or a sign-in was refused.
    Refused "refused",
}

impl Outcome {
    /// How what an event tells of came out.
    pub const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::RequestDecided { verdict, .. } => Some(match verdict {
                Verdict::Approve => Self::Approved,
                Verdict::Deny => Self::Denied,
            }),
            Event::RequestExpired { .. } => Some(Self::Expired),
            Event::RequestCancelled { .. } => Some(Self::Cancelled),
            Event::AuthorizationGranted { .. } | Event::AuthorizationExtended { .. } => Some(Self::Granted),
            Event::AuthorizationEnded { how, .. } => Some(match how {
                Ending::RanOut => Self::RanOut,
                Ending::GivenBack => Self::GivenBack,
                Ending::Revoked(_) => Self::Revoked,
                Ending::UsedUp => Self::UsedUp,
                Ending::Voided => Self::Voided,
            }),
            Event::ExecutionFinished { result, .. } => Some(match result {
                ExecutionResult::Succeeded => Self::Succeeded,
                ExecutionResult::Failed { .. }
                | ExecutionResult::Killed { .. }
                | ExecutionResult::NotStarted { .. } => Self::Failed,
                ExecutionResult::Stopped(_) => Self::Stopped,
                ExecutionResult::Unknown => Self::Unknown,
            }),
            Event::RunRefused { .. } | Event::SignInFailed { .. } => Some(Self::Refused),
            _ => None,
        }
    }
}

/// Looks up what entries are about; keeps the names of tasks, which many entries share, and what was asked for together
/// ([`Names::look_up`]). None of it ever changes.
pub(crate) struct Names<'c> {
    connection: &'c Connection,
    tasks: RefCell<HashMap<TaskId, Option<QualifiedName>>>,
    requests: RefCell<HashMap<RequestId, Access>>,
    authorizations: RefCell<HashMap<AuthorizationId, Granted>>,
    runs: RefCell<HashMap<ExecutionId, Run>>,
}

/// What an authorization was given for.
#[derive(Debug, Clone, Copy)]
struct Granted {
    request: RequestId,
    access: Access,
}

/// What was run, and why it could be.
#[derive(Debug, Clone, Copy)]
struct Run {
    task: TaskId,
    basis: Basis,
}

impl<'c> Names<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            tasks: RefCell::default(),
            requests: RefCell::default(),
            authorizations: RefCell::default(),
            runs: RefCell::default(),
        }
    }

    pub(crate) const fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Looks up together what all these events name: one by one each would cost a round trip to a database elsewhere.
    pub(crate) fn look_up<'e>(
        &self,
        events: impl Iterator<Item = &'e Event> + Clone,
    ) -> Result<(), StoreError> {
        let runs = events.clone().filter_map(|event| match event {
            Event::ExecutionStopRequested { execution, .. } | Event::ExecutionFinished { execution, .. } => {
                Some(execution.number())
            }
            _ => None,
        });
        let sql = "SELECT id, body FROM execution WHERE id IN";
        self.each_body(sql, runs, |id, Execution { task, basis, .. }| {
            self.runs.borrow_mut().insert(ExecutionId::new(id), Run { task, basis });
        })?;
        let mut under: Vec<u64> = events.clone().filter_map(authorization_of).map(|id| id.number()).collect();
        let bases =
            self.runs.borrow().values().filter_map(|run| run.basis.authorization()).collect::<Vec<_>>();
        under.extend(bases.into_iter().map(|id| id.number()));
        let sql = "SELECT id, body FROM \"authorization\" WHERE id IN";
        self.each_body(sql, under.into_iter(), |id, Authorization { request, access, .. }| {
            self.authorizations.borrow_mut().insert(AuthorizationId::new(id), Granted { request, access });
        })?;
        let requests = events.filter_map(|event| match event {
            Event::RequestDecided { request, .. }
            | Event::RequestExpired { request }
            | Event::RequestCancelled { request } => Some(request.number()),
            _ => None,
        });
        let sql = "SELECT id, body FROM request WHERE id IN";
        self.each_body(sql, requests, |id, Request { access, .. }| {
            self.requests.borrow_mut().insert(RequestId::new(id), access);
        })
    }

    fn each_body<T: for<'b> minicbor::Decode<'b, ()>>(
        &self,
        sql: &str,
        ids: impl Iterator<Item = u64>,
        mut take: impl FnMut(u64, T),
    ) -> Result<(), StoreError> {
        let ids = ids.map(|id| Value::Integer(signed(id))).collect();
        for_each_key(self.connection, sql, &[], ids, |row| {
            let id: i64 = row.get(0)?;
            take(id.unsigned_abs(), decode(row.get_ref(1)?.as_blob().map_err(StoreError::damaged)?)?);
            Ok(())
        })
    }

    /// What an event is about.
    pub(crate) fn about(&self, event: &Event) -> Result<About, StoreError> {
        let about = match event {
            Event::RequestSubmitted { request, access, .. } => {
                About { request: Some(*request), task: self.task_of(*access)?, ..About::default() }
            }
            Event::RequestDecided { request, .. }
            | Event::RequestExpired { request }
            | Event::RequestCancelled { request } => self.of_request(*request)?,
            Event::AuthorizationGranted { authorization, request, access, .. } => About {
                request: Some(*request),
                authorization: Some(*authorization),
                task: self.task_of(*access)?,
                ..About::default()
            },
            Event::AuthorizationExtended { authorization, request, .. } => {
                About { request: Some(*request), ..self.of_authorization(*authorization)? }
            }
            Event::AuthorizationStarted { authorization, .. }
            | Event::AuthorizationEnded { authorization, .. } => self.of_authorization(*authorization)?,
            Event::ExecutionStarted { execution, task, basis, .. } => {
                self.of_run(*execution, *task, *basis)?
            }
            Event::ExecutionStopRequested { execution, .. } | Event::ExecutionFinished { execution, .. } => {
                self.of_execution(*execution)?
            }
            Event::RunRefused { task, .. } => About { task: Some(task.clone()), ..About::default() },
            Event::TaskDefined { spec, .. } => About { task: Some(spec.name.clone()), ..About::default() },
            Event::TaskRemoved { task } => About { task: self.task(*task)?, ..About::default() },
            Event::PolicyCreated { policy } | Event::PolicyChanged { policy } => {
                About { task: self.task_of(policy.access)?, ..About::default() }
            }
            Event::AssignmentAdded { assignment } => {
                About { task: self.task_of(assignment.access)?, ..About::default() }
            }
            _ => About::default(),
        };
        Ok(About { outcome: Outcome::of(event), ..about })
    }

    fn of_request(&self, id: RequestId) -> Result<About, StoreError> {
        let known = self.requests.borrow().get(&id).copied();
        let access = match known {
            Some(access) => Some(access),
            None => {
                let found: Option<Request> =
                    self.row("SELECT body FROM request WHERE id = ?1", id.number())?;
                found.map(|found| found.access)
            }
        };
        let task = access.map(|access| self.task_of(access)).transpose()?.flatten();
        Ok(About { request: Some(id), task, ..About::default() })
    }

    fn of_authorization(&self, id: AuthorizationId) -> Result<About, StoreError> {
        let authorization = Some(id);
        let Some(Granted { request, access }) = self.authorization(id)? else {
            return Ok(About { authorization, ..About::default() });
        };
        Ok(About { request: Some(request), authorization, task: self.task_of(access)?, ..About::default() })
    }

    fn of_execution(&self, id: ExecutionId) -> Result<About, StoreError> {
        let known = self.runs.borrow().get(&id).copied();
        let run = match known {
            Some(run) => Some(run),
            None => {
                let found: Option<Execution> =
                    self.row("SELECT body FROM execution WHERE id = ?1", id.number())?;
                found.map(|Execution { task, basis, .. }| Run { task, basis })
            }
        };
        match run {
            Some(Run { task, basis }) => self.of_run(id, task, basis),
            None => Ok(About { execution: Some(id), ..About::default() }),
        }
    }

    fn of_run(&self, id: ExecutionId, task: TaskId, basis: Basis) -> Result<About, StoreError> {
        let authorization = basis.authorization();
        let under = authorization.map(|id| self.authorization(id)).transpose()?.flatten();
        Ok(About {
            request: under.map(|under| under.request),
            authorization,
            execution: Some(id),
            task: self.task(task)?,
            outcome: None,
        })
    }

    fn authorization(&self, id: AuthorizationId) -> Result<Option<Granted>, StoreError> {
        let known = self.authorizations.borrow().get(&id).copied();
        if known.is_some() {
            return Ok(known);
        }
        let found: Option<Authorization> =
            self.row("SELECT body FROM \"authorization\" WHERE id = ?1", id.number())?;
        Ok(found.map(|Authorization { request, access, .. }| Granted { request, access }))
    }

    fn task_of(&self, access: Access) -> Result<Option<QualifiedName>, StoreError> {
        match access {
            Access::Task(task) => self.task(task),
            Access::Role(_) | Access::RoleGroup(_) => Ok(None),
        }
    }

    fn task(&self, id: TaskId) -> Result<Option<QualifiedName>, StoreError> {
        if let Some(known) = self.tasks.borrow().get(&id) {
            return Ok(known.clone());
        }
        let sql = "SELECT body FROM object WHERE kind = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let body = statement.query_row(params![kind::TASK, id.number()], |row| row.get::<_, Vec<u8>>(0));
        let found = body.optional()?.map(|body| decode::<Task>(&body)).transpose()?;
        let name = found.map(|task| task.spec.name);
        self.tasks.borrow_mut().insert(id, name.clone());
        Ok(name)
    }

    fn row<T: for<'b> minicbor::Decode<'b, ()>>(&self, sql: &str, id: u64) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([signed(id)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        decode(row.get_ref(0)?.as_blob().map_err(StoreError::damaged)?).map(Some)
    }
}

/// The authorization that an event names and does not describe.
const fn authorization_of(event: &Event) -> Option<AuthorizationId> {
    match event {
        Event::AuthorizationExtended { authorization, .. }
        | Event::AuthorizationStarted { authorization, .. }
        | Event::AuthorizationEnded { authorization, .. } => Some(*authorization),
        Event::ExecutionStarted { basis, .. } => basis.authorization(),
        _ => None,
    }
}
