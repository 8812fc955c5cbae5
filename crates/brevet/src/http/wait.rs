//! Waiting for the ledger to say something, without asking the database again and again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use brevet_core::{SessionId, State, UserId};

use super::limit::{RUNS_FOLLOWED_OF_USER_MAX, WAITS_MAX, WAITS_OF_SESSION_MAX, WAITS_OF_USER_MAX};
use super::problem::Failure;
use crate::app::{App, Session};

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

/// Calls that are answered only later, or for long, each on a connection: so many of one session, of one account, and of all.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    own: HashMap<Place, usize>,
}

/// On what a call counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// Waiting for the ledger to go on, in one session.
    Session(SessionId),
    /// Waiting for anything, following a run, or exporting.
    User(UserId),
    /// Following a run that one started by the same call.
    Runner(UserId),
}

impl Place {
    const fn most(self) -> usize {
        match self {
            Self::Session(_) => WAITS_OF_SESSION_MAX,
            Self::User(_) => WAITS_OF_USER_MAX,
            Self::Runner(_) => RUNS_FOLLOWED_OF_USER_MAX,
        }
    }

    /// What to do where all are taken.
    fn full(self) -> Failure {
        let most = self.most();
        too_many(match self {
            Self::Session(_) => format!(
                "{most} calls of this session wait for the ledger to go on; end one, or ask without `after`"
            ),
            Self::User(_) => format!(
                "{most} calls of this account wait, follow runs or export, in all its sessions; end one of them, then try again"
            ),
            Self::Runner(_) => format!(
                "this account follows {most} runs that it started, so nothing was started; end one of them, or start this \
                 one without following it (brevet run --detach)"
            ),
        })
    }
}

fn too_many(detail: String) -> Failure {
    Failure::new(StatusCode::TOO_MANY_REQUESTS, "too-many-waits", detail)
}

/// One that waits, for as long as this is kept.
#[derive(Debug)]
pub(super) struct Wait {
    waits: Waits,
    places: Vec<Place>,
}

impl Waits {
    /// Lets a call wait for the ledger to go on, unless too many do.
    pub(super) fn for_the_ledger(&self, session: &Session) -> Result<Wait, Failure> {
        self.begin(vec![Place::Session(session.id), Place::User(session.user)])
    }

    /// Lets a call wait for something else, follow a run, or export.
    pub(super) fn for_anything(&self, session: &Session) -> Result<Wait, Failure> {
        self.begin(vec![Place::User(session.user)])
    }

    /// Lets a call follow a run of its own, which it may be about to start.
    pub(super) fn for_own_run(&self, session: &Session) -> Result<Wait, Failure> {
        self.begin(vec![Place::Runner(session.user)])
    }

    fn begin(&self, places: Vec<Place>) -> Result<Wait, Failure> {
        let mut waiting = self.waiting();
        let taken = |place: &Place| waiting.own.get(place).is_some_and(|taken| *taken >= place.most());
        if let Some(place) = places.iter().find(|place| taken(place)) {
            return Err(place.full());
        }
        if waiting.all >= WAITS_MAX {
            return Err(too_many(
                "too many wait or follow runs on this server; try again in a moment, or ask without waiting"
                    .to_owned(),
            ));
        }
        waiting.all += 1;
        places.iter().for_each(|place| *waiting.own.entry(*place).or_default() += 1);
        drop(waiting);
        Ok(Wait { waits: self.clone(), places })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waiting = self.waits.waiting();
        waiting.all = waiting.all.saturating_sub(1);
        for place in &self.places {
            match waiting.own.get_mut(place) {
                Some(own) if *own > 1 => *own -= 1,
                _ => drop(waiting.own.remove(place)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use brevet_core::{SessionId, UserId};

    use super::{
        Place, RUNS_FOLLOWED_OF_USER_MAX, WAITS_MAX, WAITS_OF_SESSION_MAX, WAITS_OF_USER_MAX, Wait, Waits,
    };

    fn begin(waits: &Waits, places: &[Place]) -> Result<Wait, u16> {
        waits.begin(places.to_vec()).map_err(|failure| failure.into_problem().status)
    }

    #[test]
    fn a_session_and_an_account_wait_a_few_times() {
        let (ann, bob) = (UserId::new(1), UserId::new(2));
        let session = |session, user| [Place::Session(SessionId::new(session)), Place::User(user)];
        let cases: [(&[Place], usize); 3] = [
            (&session(1, ann), WAITS_OF_SESSION_MAX),
            (&[Place::User(ann)], WAITS_OF_USER_MAX),
            (&[Place::Runner(ann)], RUNS_FOLLOWED_OF_USER_MAX),
        ];
        for (places, most) in cases {
            let waits = Waits::default();
            let mut own: Vec<Wait> = (0..most).map(|_| begin(&waits, places).unwrap()).collect();
            assert_eq!(begin(&waits, places).unwrap_err(), 429, "{places:?}");
            drop(own.pop());
            own.push(begin(&waits, places).unwrap());
            assert_eq!(begin(&waits, places).unwrap_err(), 429, "{places:?}");
            begin(&waits, &session(9, bob)).unwrap();
            drop(own);
            assert!(waits.waiting().own.is_empty(), "{places:?}");
        }
    }

    #[test]
    fn more_sessions_are_not_more_waits_and_whoever_is_refused_takes_no_place() {
        let waits = Waits::default();
        let in_session = |session| [Place::Session(SessionId::new(session)), Place::User(UserId::new(1))];
        let own: Vec<Wait> = (0..WAITS_OF_USER_MAX as u64)
            .map(|session| begin(&waits, &in_session(session)).unwrap())
            .collect();
        assert_eq!(begin(&waits, &in_session(99)).unwrap_err(), 429);
        assert_eq!(waits.waiting().all, own.len());
        drop(own);
        assert!(waits.waiting().own.is_empty());
    }

    #[test]
    fn all_together_never_take_all_connections() {
        let waits = Waits::default();
        let wait = |user| begin(&waits, &[Place::User(UserId::new(user))]);
        let all: Vec<Wait> = (0..).take(WAITS_MAX).map(|user| wait(user).unwrap()).collect();
        assert_eq!(wait(9_999).unwrap_err(), 429);
        drop(all);
        assert_eq!(waits.waiting().all, 0);
    }
}
