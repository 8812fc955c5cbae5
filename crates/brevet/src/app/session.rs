//! Sessions: opaque random tokens, kept as their SHA-256, looked up in memory.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use brevet_core::{Event, Origin, Secret, SessionId, Span, Timestamp, UserId};
use brevet_store::{SessionRow, SideWrite};
use sha2::{Digest, Sha256};

use super::error::AppError;
use crate::world::World;

/// How long a session lasts at most.
pub const SESSION_LIFETIME: Span = Span::hours(12);
/// How long it lasts unused.
pub const SESSION_IDLE: Span = Span::minutes(15);
/// How old the stored time of last use may get.
const TOUCH_EVERY: Span = Span::minutes(1);
/// How late the store learns at most that another server used a session.
const SEEN_ELSEWHERE_LATE: Span = Span::minutes(2);
/// What tokens begin with, so that scanners find one that was left somewhere.
const TOKEN_PREFIX: &str = "brevet_";
const TOKEN_BYTES: usize = 32;

/// A signed-in person's session.
#[derive(Debug)]
pub struct Session {
    /// Its id in the ledger.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// When it began.
    pub opened: Timestamp,
    seen: AtomicI64,
    stored: AtomicI64,
}

impl Session {
    /// As the origin of a command.
    pub const fn origin(&self) -> Origin {
        Origin::user(self.user, self.id)
    }

    /// When it is over, used or not.
    pub const fn ends(&self) -> Timestamp {
        self.opened.plus(SESSION_LIFETIME)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let seen = Timestamp::from_micros(self.seen.load(Ordering::Relaxed));
        now >= self.ends() || now >= seen.plus(SESSION_IDLE)
    }
}

/// A token and what is kept of it.
pub(super) struct NewToken {
    pub(super) token: Secret,
    pub(super) hash: [u8; 32],
}

/// Draws a token: 256 bits.
pub(super) fn new_token(world: &impl World) -> Result<NewToken, AppError> {
    let mut bytes = [0; TOKEN_BYTES];
    world.fill(&mut bytes)?;
    let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash(&token);
    Ok(NewToken { token: Secret::new(token), hash })
}

/// What is kept of a token, if it can be one: nothing else is looked for in the database.
pub(super) fn hash_of(token: &str) -> Option<[u8; 32]> {
    let secret = token.strip_prefix(TOKEN_PREFIX)?;
    (secret.len() == TOKEN_BYTES.div_ceil(3) * 4 - 1).then(|| hash(token))
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// All sessions of this server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<[u8; 32], Arc<Session>>,
    ids: HashSet<SessionId>,
    /// How often sessions were ended.
    ended: u64,
}

impl Known {
    fn insert(&mut self, hash: [u8; 32], session: Arc<Session>) {
        self.ids.insert(session.id);
        self.by_hash.insert(hash, session);
    }

    fn retain(&mut self, mut stays: impl FnMut(&Arc<Session>) -> bool) {
        let Self { by_hash, ids, ended } = self;
        *ended += 1;
        by_hash.retain(|_, session| {
            let stays = stays(session);
            if !stays {
                ids.remove(&session.id);
            }
            stays
        });
    }
}

impl Sessions {
    pub(super) fn restore(rows: Vec<SessionRow>) -> Self {
        let mut known = Known::default();
        rows.iter().for_each(|row| known.insert(row.hash, Arc::new(session(row))));
        Self { known: RwLock::new(known) }
    }

    /// A moment, for [`Sessions::open_unless_ended`].
    pub(super) fn moment(&self) -> u64 {
        self.read().ended
    }

    /// Lets a session be found, unless any was ended since that moment: it may have been this one.
    pub(super) fn open_unless_ended(&self, row: &SessionRow, since: u64) -> Option<Arc<Session>> {
        let mut known = self.write();
        if known.ended != since {
            return None;
        }
        // Whoever reads on in it has this one, and no other.
        if let Some(session) = known.by_hash.get(&row.hash).cloned() {
            session.seen.fetch_max(row.seen.micros(), Ordering::Relaxed);
            return Some(session);
        }
        let session = Arc::new(session(row));
        known.insert(row.hash, Arc::clone(&session));
        Some(session)
    }

    /// The session of a token, unless it is over; using it keeps it alive.
    pub(super) fn find(&self, token: &str, now: Timestamp) -> Option<Arc<Session>> {
        let found = self.peek(token, now)?;
        found.seen.fetch_max(now.micros(), Ordering::Relaxed);
        Some(found)
    }

    /// The same without keeping it alive.
    pub(super) fn peek(&self, token: &str, now: Timestamp) -> Option<Arc<Session>> {
        let hash = hash(token);
        let found = self.read().by_hash.get(&hash).cloned()?;
        (!found.is_over(now)).then_some(found)
    }

    pub(super) fn close(&self, id: SessionId) {
        self.write().retain(|session| session.id != id);
    }

    /// Follows the ledger: what it ends is over here too, whichever server ended it.
    pub(super) fn react(&self, event: &Event) {
        match event {
            Event::UserDisabled { user } | Event::PasswordSet { user } => self.close_all_of(*user),
            Event::SignedOut { session, .. } => self.close(*session),
            _ => {}
        }
    }

    pub(super) fn close_all_of(&self, user: UserId) {
        self.write().retain(|session| session.user != user);
    }

    /// Drops what is over; answers what the store should be told. On a shared ledger another server may have kept alive
    /// what nobody used here. One that is unused only, and in which somebody still reads on, stays known until that has
    /// ended: a sign-out must find it.
    pub(super) fn tend(&self, now: Timestamp, is_shared: bool) -> Vec<SideWrite> {
        let mut writes = Vec::new();
        let unused = unused_since(now, is_shared);
        self.write().retain(|session| {
            if session.is_over(now) {
                if now < session.ends() && Arc::strong_count(session) > 1 {
                    return true;
                }
                writes.push(match now >= session.ends() {
                    true => SideWrite::CloseSession(session.id),
                    false => SideWrite::CloseUnused(session.id, unused),
                });
                return false;
            }
            let seen = session.seen.load(Ordering::Relaxed);
            if seen - session.stored.load(Ordering::Relaxed) >= TOUCH_EVERY.micros() {
                session.stored.store(seen, Ordering::Relaxed);
                writes.push(SideWrite::TouchSession(session.id, Timestamp::from_micros(seen)));
            }
            true
        });
        writes
    }

    /// Whether nobody ended it, and its time is not up. Where nobody sits in front of it, it must have been used lately too;
    /// whoever watches what they asked for need not ask again for that.
    pub(super) fn is_open(&self, session: &Session, is_attended: bool, now: Timestamp) -> bool {
        let is_over = if is_attended { now >= session.ends() } else { session.is_over(now) };
        !is_over && self.has(session.id)
    }

    pub(super) fn has(&self, id: SessionId) -> bool {
        self.read().ids.contains(&id)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever was not seen since then, as far as the store knows, is over on every server.
pub(super) fn unused_since(now: Timestamp, is_shared: bool) -> Timestamp {
    let grace = if is_shared { SEEN_ELSEWHERE_LATE } else { Span::seconds(0) };
    now.minus(SESSION_IDLE).minus(grace)
}

fn session(row: &SessionRow) -> Session {
    let SessionRow { id, hash: _, user, opened, seen } = row;
    let seen = seen.micros();
    Session {
        id: *id,
        user: *user,
        opened: *opened,
        seen: AtomicI64::new(seen),
        stored: AtomicI64::new(seen),
    }
}

#[cfg(test)]
mod tests {
    use brevet_core::{Event, SessionId, Timestamp, UserId};
    use brevet_store::SessionRow;

    use super::{Sessions, hash};

    const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);
    const BOB: UserId = UserId::new(3);
    const TOKEN: &str = "brevet_of-bob";

    type End = fn(&Sessions);

    fn row() -> SessionRow {
        SessionRow { id: SessionId::new(7), hash: hash(TOKEN), user: BOB, opened: NOW, seen: NOW }
    }

    #[test]
    fn a_session_that_arrives_while_sessions_end_is_not_let_in() {
        let ends: [(&str, End); 5] = [
            ("its user is disabled", |sessions| sessions.react(&Event::UserDisabled { user: BOB })),
            ("its user has another password", |sessions| sessions.react(&Event::PasswordSet { user: BOB })),
            ("it is signed out", |sessions| {
                sessions.react(&Event::SignedOut { user: BOB, session: SessionId::new(7) });
            }),
            ("all of its user end", |sessions| sessions.close_all_of(BOB)),
            ("it is closed", |sessions| sessions.close(SessionId::new(7))),
        ];
        for (how, end) in ends {
            let sessions = Sessions::default();
            let moment = sessions.moment();
            // Its row was read, and is not here yet.
            end(&sessions);
            assert!(sessions.open_unless_ended(&row(), moment).is_none(), "{how}");
            assert!(sessions.find(TOKEN, NOW).is_none() && !sessions.has(SessionId::new(7)), "{how}");
            // Whoever reads its row again, and finds it there, lets it in.
            let moment = sessions.moment();
            assert!(sessions.open_unless_ended(&row(), moment).is_some(), "{how}");
            assert!(sessions.find(TOKEN, NOW).is_some(), "{how}");
            end(&sessions);
            assert!(sessions.find(TOKEN, NOW).is_none() && !sessions.has(SessionId::new(7)), "{how}");
        }
    }
}
