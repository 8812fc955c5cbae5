//! Waiting for the ledger to say something, without asking the database again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use brevet_core::{SessionId, State};

use super::limit::{WAITS_MAX, WAITS_OF_SESSION_MAX};
use super::problem::Failure;
use crate::app::App;

/// Waits until `holds` of the published state, or for so long; says whether it holds.
pub(super) async fn until(app: &App, most: Duration, holds: impl Fn(&State) -> bool) -> bool {
    let mut changed = app.changed();
    let holding = async {
        while !app.read(&holds) {
            if changed.changed().await.is_err() {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(most, holding).await.unwrap_or(false)
}

/// Who waits for the ledger to go on, each on a connection: so many of one session, and so many of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    by_session: HashMap<SessionId, usize>,
}

/// One who waits, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Wait {
    waits: Waits,
    session: SessionId,
}

impl Waits {
    /// Lets one more wait, unless too many do.
    pub(super) fn begin(&self, session: SessionId) -> Result<Wait, Failure> {
        let mut waiting = self.waiting();
        if waiting.all >= WAITS_MAX {
            let detail = "too many wait for the ledger to go on; ask without `after`, or again later";
            return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too-many-waits", detail));
        }
        let own = waiting.by_session.entry(session).or_default();
        if *own >= WAITS_OF_SESSION_MAX {
            let detail = format!(
                "{WAITS_OF_SESSION_MAX} calls of this session wait for the ledger to go on; end one, or ask without `after`"
            );
            return Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, "too-many-waits", detail));
        }
        *own += 1;
        waiting.all += 1;
        drop(waiting);
        Ok(Wait { waits: self.clone(), session })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waiting = self.waits.waiting();
        waiting.all = waiting.all.saturating_sub(1);
        match waiting.by_session.get_mut(&self.session) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(waiting.by_session.remove(&self.session)),
        }
    }
}

#[cfg(test)]
mod tests {
    use brevet_core::SessionId;

    use super::{WAITS_MAX, WAITS_OF_SESSION_MAX, Wait, Waits};

    #[test]
    fn one_session_waits_a_few_times_and_all_together_never_take_all_connections() {
        let waits = Waits::default();
        let begin = |session| {
            let begun = waits.begin(SessionId::new(session));
            begun.map_err(|failure| failure.into_problem().status)
        };
        let mut own: Vec<Wait> = (0..WAITS_OF_SESSION_MAX).map(|_| begin(1).unwrap()).collect();
        assert_eq!(begin(1).unwrap_err(), 429);
        drop(own.pop());
        own.push(begin(1).unwrap());
        assert_eq!(begin(1).unwrap_err(), 429);
        let others: Vec<Wait> = (own.len()..WAITS_MAX).map(|one| begin(2 + one as u64).unwrap()).collect();
        assert_eq!(begin(9_999).unwrap_err(), 429);
        drop((own, others));
        assert!(waits.waiting().by_session.is_empty());
        assert_eq!(waits.waiting().all, 0);
    }
}
