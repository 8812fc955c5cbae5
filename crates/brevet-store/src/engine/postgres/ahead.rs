//! Statements that are sent without waiting for the answers to those before: a transaction costs one round trip, not one for
//! each of its statements.
//!
//! Answers come in the order of the requests. Whoever waits for one reads those before it first; the first that is an
//! error is the answer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rusqlite::ToSql;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::fault::is_lost;
use super::value::{Given, given};
use super::{ANSWER_TIMEOUT, Fault, Session};

/// Requests of which nobody has read the answer. More are not sent before those are read: PostgreSQL stops reading when
/// nobody reads what it says.
const REQUESTS_MAX: usize = 256;
/// Requests that are handed to the system together.
const WRITE_EVERY: usize = 16;

type Answer = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The answers that nobody has read, in their order.
#[derive(Default)]
pub(super) struct Ahead(Vec<Answer>);

impl Ahead {
    async fn read(self) -> Result<(), Error> {
        for answer in self.0 {
            answer.await?;
        }
        Ok(())
    }
}

/// How a commit failed.
enum Unmade {
    /// It was not sent, or PostgreSQL said that it did nothing.
    Certainly(Error),
    /// The connection ended, or the answer is not one.
    Perhaps(Error),
}

impl Session {
    /// Sends a statement of the open transaction. Whether it went well is known when the next answer is waited for, at
    /// the latest when the transaction is committed.
    pub(crate) fn execute_later(&self, sql: &str, values: &[&dyn ToSql]) -> Result<(), Fault> {
        if self.is_idle() {
            return self.execute(sql, values).map(drop);
        }
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let client = Arc::clone(&self.client);
        let mut answer: Answer = Box::pin(async move {
            client.execute_raw(&statement, values.iter().map(Given::lent)).await.map(drop)
        });
        // The first look sends it.
        if let Poll::Ready(answered) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answered.map_err(|error| self.failed(error));
        }
        self.ahead.borrow_mut().0.push(answer);
        let unread = self.ahead.borrow().0.len();
        if unread >= REQUESTS_MAX {
            return self.wait(async { Ok(()) });
        }
        if unread.is_multiple_of(WRITE_EVERY) {
            self.runtime().block_on(tokio::task::yield_now());
        }
        Ok(())
    }

    /// Sends a request, and drives the connection until its answer and those before it are there.
    pub(super) fn wait<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        if self.is_lost.get() {
            return Err(Fault::Gone);
        }
        let ahead = self.ahead.take();
        let both = async {
            let mut request = pin!(request);
            let first = poll_fn(|context| Poll::Ready(request.as_mut().poll(context))).await;
            ahead.read().await?;
            match first {
                Poll::Ready(answer) => answer,
                Poll::Pending => request.await,
            }
        };
        match self.runtime().block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, both).await }) {
            Ok(answered) => answered.map_err(|error| self.failed(error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// Commits, in the same round trip as what was sent ahead.
    pub(crate) fn commit(&self) -> Result<(), Fault> {
        if self.is_aborted.get() {
            self.roll_back();
            return Err(Fault::Aborted);
        }
        self.is_idle.set(true);
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
        commit.await.map_err(|error| match error.code() {
            // It was still waiting for the next statement.
            Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => Unmade::Certainly(error),
            Some(_) if !is_lost(&error) => Unmade::Certainly(error),
            _ => Unmade::Perhaps(error),
        })
    }

    /// Whether the connection ended while nobody looked.
    fn has_ended(&self) -> bool {
        self.runtime().block_on(async {
            // Once to hear that there is something, once to read it.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        self.client.is_closed()
    }

    /// What an error is, with what it means for this connection and its open transaction.
    fn failed(&self, error: Error) -> Fault {
        self.is_aborted.set(!self.is_idle());
        let error = if error.is_closed() { self.heard.take_end().unwrap_or(error) } else { error };
        self.is_lost.set(is_lost(&error));
        Fault::Client(error)
    }

    fn silent(&self) -> Fault {
        self.is_lost.set(true);
        Fault::Silent
    }
}
