//! Waiting for word from other servers: that somebody appended is said in the transaction that does.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::{AsyncMessage, Client};

use super::wire::{Wire, open};
use super::{ANSWER_TIMEOUT, Account, Fault};

/// On which word is given. PostgreSQL tells it when the transaction has committed, and not otherwise.
pub(super) const NOTIFY: &str = "NOTIFY brevet";
const LISTEN: &str = "LISTEN brevet";

/// A connection of its own on which nothing is asked.
pub(crate) struct Listener {
    /// There until it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    wire: Wire,
    /// Whether something was said while something else was waited for.
    was_said: bool,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl Listener {
    /// Connects and begins to listen: what is said from now on is heard.
    pub(crate) fn connect(account: &Account) -> Result<Self, Fault> {
        let (runtime, client, wire) = open(account)?;
        let mut listener = Self { runtime: Some(runtime), client, wire, was_said: false };
        listener.ask(LISTEN)?;
        Ok(listener)
    }

    /// Waits until something is said, for `most` at the longest; answers whether something was. What is said more than once
    /// meanwhile is one word.
    ///
    /// # Errors
    /// When the connection is lost: what was said since is not heard, so that whoever listens again looks first.
    pub(crate) fn wait(&mut self, most: Duration) -> Result<bool, Fault> {
        let Self { runtime, wire, was_said, .. } = self;
        let heard = runtime.as_ref().map(|runtime| {
            runtime.block_on(async { tokio::time::timeout(most, hear(wire, was_said)).await })
        });
        match heard {
            Some(Ok(heard)) => heard.map(|()| std::mem::take(&mut self.was_said)),
            Some(Err(_)) => Ok(std::mem::take(&mut self.was_said)),
            None => Err(Fault::Gone),
        }
    }

    /// Whether the other side still answers: one that is gone without a word says as little as one that has no news.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn check(&mut self) -> Result<(), Fault> {
        self.ask("")
    }

    fn ask(&mut self, sql: &str) -> Result<(), Fault> {
        let Self { runtime: Some(runtime), client, wire, was_said } = self else { return Err(Fault::Gone) };
        let answered = async {
            let mut answer = pin!(client.batch_execute(sql));
            poll_fn(|context| {
                if let Poll::Ready(answered) = answer.as_mut().poll(context) {
                    return Poll::Ready(answered.map_err(Fault::from));
                }
                loop {
                    match wire.poll_message(context) {
                        Poll::Ready(Some(Ok(message))) => *was_said |= is_word(&message),
                        Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Fault::from(error))),
                        Poll::Ready(None) => return Poll::Ready(Err(Fault::Gone)),
                        Poll::Pending => break,
                    }
                }
                answer.as_mut().poll(context).map_err(Fault::from)
            })
            .await
        };
        let answered = runtime.block_on(async { tokio::time::timeout(ANSWER_TIMEOUT, answered).await });
        answered.unwrap_or(Err(Fault::Silent))
    }
}

/// Until there is a word; then reads what else is there already.
async fn hear(wire: &mut Wire, was_said: &mut bool) -> Result<(), Fault> {
    poll_fn(|context| {
        loop {
            match wire.poll_message(context) {
                Poll::Ready(Some(Ok(message))) => *was_said |= is_word(&message),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Fault::from(error))),
                Poll::Ready(None) => return Poll::Ready(Err(Fault::Gone)),
                Poll::Pending if *was_said => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

fn is_word(message: &AsyncMessage) -> bool {
    matches!(message, AsyncMessage::Notification(_))
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may be dropped where nobody may wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
