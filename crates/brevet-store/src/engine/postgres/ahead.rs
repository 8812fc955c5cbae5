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
use rusqlite::types::Value;
use tokio_postgres::{Error, Row, Statement};

use super::fault::is_lost;
use super::transaction::Stage;
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
    /// Reads them; the first that is an error is the answer.
    pub(super) async fn read(self) -> Result<(), Error> {
        for answer in self.0 {
            answer.await?;
        }
        Ok(())
    }
}

impl Session {
    /// Sends a statement of the open transaction. Whether it went well is known when the next answer is waited for, at
    /// the latest when the transaction is committed.
    pub(crate) fn execute_later(&self, sql: &str, values: &[&dyn ToSql]) -> Result<(), Fault> {
        if self.is_idle() {
            return self.execute(sql, values).map(drop);
        }
        self.begin_now()?;
        self.send_together()?;
        let (statement, values) = (self.statement(sql)?, given(values)?);
        let client = Arc::clone(&self.client);
        self.send(Box::pin(async move {
            client.execute_raw(&statement, values.iter().map(Given::lent)).await.map(drop)
        }))
    }

    /// Asks the same about each of several, without waiting for the answers before.
    pub(crate) fn query_each(&self, sql: &str, each: &[Vec<Value>]) -> Result<Vec<Vec<Row>>, Fault> {
        self.begin_now()?;
        self.send_together()?;
        let statement = self.statement(sql)?;
        let mut answers = Vec::with_capacity(each.len());
        for some in each.chunks(REQUESTS_MAX) {
            let lend = |values: &Vec<Value>| {
                let lent: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
                given(&lent)
            };
            let some = some.iter().map(lend).collect::<Result<Vec<_>, _>>()?;
            answers.extend(self.wait(self.query_some(&statement, &some))?);
        }
        Ok(answers)
    }

    async fn query_some(&self, statement: &Statement, some: &[Vec<Given>]) -> Result<Vec<Vec<Row>>, Error> {
        let mut asked = Vec::with_capacity(some.len());
        for values in some {
            let values: Vec<_> = values.iter().map(Given::lent).collect();
            let mut answer = Box::pin(async move { self.client.query(statement, &values).await });
            // The first look sends it.
            let first = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
            asked.push((first, answer));
        }
        let mut answers = Vec::with_capacity(asked.len());
        for (first, answer) in asked {
            answers.push(match first {
                Poll::Ready(answered) => answered?,
                Poll::Pending => answer.await?,
            });
        }
        Ok(answers)
    }

    /// Sends statements without values, and waits for no answer.
    pub(super) fn batch_later(&self, sql: &'static str) -> Result<(), Fault> {
        let client = Arc::clone(&self.client);
        self.send(Box::pin(async move { client.batch_execute(sql).await }))
    }

    pub(super) fn send(&self, mut answer: Answer) -> Result<(), Fault> {
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
            self.hand_over();
        }
        Ok(())
    }

    /// Hands to the system what was sent.
    pub(super) fn hand_over(&self) {
        self.runtime().block_on(tokio::task::yield_now());
    }

    /// Sends a request, and drives the connection until its answer and those before it are there.
    pub(super) fn wait<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        if self.is_lost.get() {
            return Err(Fault::Gone);
        }
        // PostgreSQL refuses all that follows, unless BEGIN itself failed.
        if self.stage.get() == Stage::Aborted {
            return Err(Fault::Aborted);
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

    /// What an error is, with what it means for this connection and its open transaction.
    pub(super) fn failed(&self, error: Error) -> Fault {
        if !self.is_idle() {
            self.stage.set(Stage::Aborted);
        }
        let error = if error.is_closed() { self.heard.take_end().unwrap_or(error) } else { error };
        self.is_lost.set(is_lost(&error));
        Fault::Client(error)
    }

    pub(super) fn silent(&self) -> Fault {
        self.is_lost.set(true);
        Fault::Silent
    }
}
