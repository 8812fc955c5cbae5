//! Transactions: how one begins, and the three ways in which it ends: it happened, it certainly did not, or COMMIT was sent
//! and nobody knows.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::{Error, SimpleQueryMessage};

use super::ahead::Ahead;
use super::listener::NOTIFY;
use super::{ANSWER_TIMEOUT, Fault, Session};
use crate::engine::Begin;

const BEGIN_VIEW: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Whoever writes waits for the head first, and sees what is there from then on.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const LOCK_HEAD: &str = "SELECT size FROM head WHERE one = 1 FOR UPDATE";
const BEGIN_WITH_LOCK: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT 1 FROM head WHERE one = 1 FOR UPDATE";

/// Where a connection is in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In none.
    Idle,
    /// It begins with its first statement.
    Beginning(Begin),
    /// In one.
    Begun(Begin),
    /// In one that failed: PostgreSQL answers its COMMIT without an error, and does nothing.
    Aborted,
}

/// How a commit failed.
enum Unmade {
    /// It was not sent, or PostgreSQL said that it did nothing.
    Certainly(Error),
    /// The connection ended, or the answer is not one.
    Perhaps(Error),
}

impl Session {
    /// Begins a transaction, which costs nothing before its first statement.
    pub(crate) fn begin(&self, how: Begin) {
        self.stage.set(Stage::Beginning(how));
    }

    /// Begins the transaction that is to begin.
    pub(super) fn begin_now(&self) -> Result<(), Fault> {
        let Stage::Beginning(how) = self.stage.get() else { return Ok(()) };
        self.stage.set(Stage::Begun(how));
        match how {
            // The first question follows at once: it changes nothing, whatever this answers.
            Begin::View => self.batch_later(BEGIN_VIEW),
            // Waited for: what is sent behind a BEGIN that failed would be done at once.
            Begin::Write => self.wait(self.client.batch_execute(BEGIN_WRITE)),
        }
    }

    /// Keeps everybody else from appending until the transaction ends; answers how many entries there are. Where this is
    /// its first statement it begins with it, in one round trip: the second statement is not done if the first fails.
    pub(crate) fn lock_head(&self) -> Result<u64, Fault> {
        let sql = match self.stage.get() {
            Stage::Beginning(Begin::Write) => format!("{BEGIN_WRITE}; {LOCK_HEAD}"),
            // Only to be refused.
            Stage::Aborted => return Err(Fault::Aborted),
            _ => LOCK_HEAD.to_owned(),
        };
        self.stage.set(Stage::Begun(Begin::Write));
        let messages = self.wait(self.client.simple_query(&sql))?;
        let size = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let other = |found: &str| Fault::Type { found: found.to_owned() };
        size.map_or(Ok(0), |size| size.parse().map_err(|_| other(size)))
    }

    /// The same as the first statement, in one round trip with the question that follows: what that changes would be done at
    /// once if the beginning failed, so it only asks.
    pub(crate) fn lock_head_later(&self) -> Result<(), Fault> {
        if self.stage.get() != Stage::Beginning(Begin::Write) {
            return self.lock_head().map(drop);
        }
        self.stage.set(Stage::Begun(Begin::Write));
        self.batch_later(BEGIN_WITH_LOCK)
    }

    /// Says to all who listen that something was appended, once that is committed.
    pub(crate) fn notify(&self) -> Result<(), Fault> {
        self.begin_now()?;
        self.send_together()?;
        self.batch_later(NOTIFY)
    }

    /// Whether no transaction is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.stage.get() == Stage::Idle
    }

    pub(crate) fn roll_back(&self) {
        drop(self.together.take());
        match self.stage.replace(Stage::Idle) {
            Stage::Idle | Stage::Beginning(_) => {}
            // Nothing depends on the answer.
            Stage::Begun(Begin::View) if !self.is_lost.get() => {
                drop(self.batch_later("ROLLBACK"));
                self.hand_over();
            }
            Stage::Begun(_) | Stage::Aborted => {
                // Nobody asks any more what became of these.
                drop(self.ahead.take());
                drop(self.batch("ROLLBACK"));
            }
        }
    }

    /// Commits, in the same round trip as what was sent ahead.
    pub(crate) fn commit(&self) -> Result<(), Fault> {
        if let Err(fault) = self.send_together() {
            self.roll_back();
            return Err(fault);
        }
        match self.stage.get() {
            Stage::Aborted => {
                self.roll_back();
                return Err(Fault::Aborted);
            }
            Stage::Idle | Stage::Beginning(_) => {
                self.stage.set(Stage::Idle);
                return Ok(());
            }
            Stage::Begun(_) => self.stage.set(Stage::Idle),
        }
        if self.is_lost.get() || self.has_ended() {
            return Err(self.heard.take_end().map_or(Fault::Gone, |error| self.failed(error)));
        }
        drop(self.heard.take_warning());
        let ahead = self.ahead.take();
        let committing = self.send_commit(ahead);
        match self.runtime().block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, committing).await }) {
            // A commit that was cancelled while it waited for the standby is one of these.
            Ok(Ok(())) => self.heard.take_warning().map_or(Ok(()), |said| Err(Fault::Uncertain(said))),
            Ok(Err(Unmade::Certainly(error))) => Err(self.failed(error)),
            Ok(Err(Unmade::Perhaps(error))) => Err(self.perhaps_made(error)),
            Err(_) => Err(Fault::Uncertain(self.silent().to_string())),
        }
    }

    fn perhaps_made(&self, error: Error) -> Fault {
        let is_answer = error.as_db_error().is_some();
        match self.failed(error) {
            // PostgreSQL had answered everything when it said farewell, so that it has not read this.
            Fault::Client(end) if !is_answer && end.as_db_error().is_some() => Fault::Client(end),
            fault => Fault::Uncertain(fault.to_string()),
        }
    }

    async fn send_commit(&self, ahead: Ahead) -> Result<(), Unmade> {
        let mut commit = pin!(self.client.batch_execute("COMMIT"));
        let first = poll_fn(|context| Poll::Ready(commit.as_mut().poll(context))).await;
        if let Poll::Ready(Err(error)) = first {
            return Err(Unmade::Certainly(error));
        }
        // PostgreSQL does nothing where one of these failed, and does not say so in its answer to COMMIT.
        ahead.read().await.map_err(|error| match error.as_db_error() {
            Some(_) => Unmade::Certainly(error),
            None => Unmade::Perhaps(error),
        })?;
        commit.await.map_err(|error| match error.as_db_error() {
            // It was still waiting for the next statement.
            Some(said) if *said.code() == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
                Unmade::Certainly(error)
            }
            // An error that it goes on after comes before a commit is written. What fails later, like the sync of a disk, ends
            // PostgreSQL, and the commit may be there when it is back.
            Some(said) if said.parsed_severity() == Some(Severity::Error) => Unmade::Certainly(error),
            _ => Unmade::Perhaps(error),
        })
    }

    /// Whether the connection ended while nobody looked. Without a word from the other side it has not, as far as anybody knows.
    pub(crate) fn has_ended(&self) -> bool {
        self.runtime().block_on(async {
            // Once to hear that there is something, once to read it.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        self.client.is_closed()
    }
}
