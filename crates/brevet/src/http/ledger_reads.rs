//! Who follows the entries of the ledger file by file, so that it is on record once an hour for each session.
//!
//! Once for each file would have a monitor chase its own tail: each file that it reads would make an entry, which
//! is in the next file. And the list of files says nothing that its first one does not: whoever follows the ledger
//! reads all of it.

use std::collections::HashMap;

use brevet_core::{SessionId, Span, Timestamp};
use tokio::sync::Mutex;

use super::problem::Failure;

/// How long one entry stands for all files that a session reads.
const ONE_ENTRY_EVERY: Span = Span::hours(1);

/// The sessions that follow the ledger, and when that was last put on record. A restart forgets it, and then it is
/// put on record once more.
#[derive(Debug, Default)]
pub(super) struct LedgerReads(Mutex<HashMap<SessionId, Timestamp>>);

impl LedgerReads {
    /// Puts a read on record with `note`, unless that was done lately. Nobody reads on before it is durable, and
    /// what cannot be recorded is not read.
    pub(super) async fn note(
        &self,
        session: SessionId,
        now: Timestamp,
        note: impl Future<Output = Result<u64, Failure>>,
    ) -> Result<(), Failure> {
        // Held over the write: a second read by the same session waits for the entry of the first.
        let mut noted = self.0.lock().await;
        let is_recent = |at: &Timestamp| *at <= now && now < at.plus(ONE_ENTRY_EVERY);
        if noted.get(&session).is_some_and(is_recent) {
            return Ok(());
        }
        note.await?;
        noted.retain(|_, at| is_recent(at));
        noted.insert(session, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use axum::http::StatusCode;
    use brevet_core::{SessionId, Timestamp};

    use super::{LedgerReads, ONE_ENTRY_EVERY};
    use crate::http::problem::Failure;

    #[tokio::test]
    async fn following_the_ledger_is_on_record_once_an_hour_for_each_session() {
        let (reads, written) = (LedgerReads::default(), Cell::new(0));
        let start = Timestamp::from_micros(0);
        let hour = start.plus(ONE_ENTRY_EVERY);
        let note = || async {
            written.set(written.get() + 1);
            Ok(0)
        };
        for (session, now, total) in [(1, start, 1), (1, start, 1), (2, start, 2), (1, hour, 3), (1, hour, 3)]
        {
            reads.note(SessionId::new(session), now, note()).await.unwrap();
            assert_eq!(written.get(), total, "session {session}");
        }
    }

    #[tokio::test]
    async fn a_read_that_could_not_be_recorded_is_tried_again_and_not_allowed() {
        let (reads, session) = (LedgerReads::default(), SessionId::new(1));
        let refused = || async { Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "later")) };
        for _ in 0..2 {
            assert!(reads.note(session, Timestamp::from_micros(0), refused()).await.is_err());
        }
    }
}
