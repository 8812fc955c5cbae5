//! Signing in: local accounts with a password, and one-time codes to set one.
//!
//! Other ways in (OIDC, passkeys) end in the same place: [`App::open_session`].

use std::sync::{Mutex, PoisonError};

use brevet_core::{
    Command, NewUser, Origin, Refusal, Reply, Secret, SessionId, Span, Text, TextKind, Timestamp, User,
    UserId, UserName,
};
use brevet_store::{Credential, SessionRow, SideWrite};

use super::sequencer::Condition;
use super::session::{self, NewToken};
use super::{App, AppError, IdempotencyKey, password};
use crate::world::World;

/// How long a one-time code for an account is good.
pub const CODE_LIFETIME: Span = Span::hours(24);
/// How long the code of the first start is good.
pub const SETUP_CODE_LIFETIME: Span = Span::hours(1);
/// Guesses at the setup code before it is withdrawn.
const SETUP_GUESSES_MAX: u32 = 10;
/// A hash of nothing, verified where there is no account, so that a wrong name takes as long as a wrong
/// password.
const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2E$S3Jb9SP3lTz0oX9tGnXzLuZ7K0QxQZ4qz3pKp4QwE7I";

/// A person who just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The token, told once.
    pub token: Secret,
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// When it is over at the latest.
    pub ends: Timestamp,
}

/// A code that was just made.
#[derive(Debug)]
pub struct OneTimeCode {
    /// The code, told once.
    pub code: Secret,
    /// Until when it is good.
    pub expires: Timestamp,
    /// The index of the entry that says it was made; none for that of the first start.
    pub entry: Option<u64>,
}

/// The code of the first start: in memory only, a restart makes another.
#[derive(Debug, Default)]
pub(super) struct SetUpCode(Mutex<Option<Awaited>>);

#[derive(Debug)]
struct Awaited {
    hash: [u8; 32],
    expires: Timestamp,
    guesses: u32,
}

impl SetUpCode {
    fn set(&self, hash: [u8; 32], expires: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Awaited { hash, expires, guesses: 0 });
    }

    fn accepts(&self, hash: &[u8; 32], now: Timestamp) -> bool {
        let mut awaited = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(code) = awaited.as_mut() else { return false };
        code.guesses += 1;
        let right = now < code.expires && password::equal(&code.hash, hash);
        if code.guesses >= SETUP_GUESSES_MAX && !right {
            *awaited = None;
            tracing::warn!(
                guesses = SETUP_GUESSES_MAX,
                "the one-time code of the first start was guessed at too often and is not accepted any more; \
                 start the server again for a new one"
            );
        }
        right
    }
}

impl<W: World> App<W> {
    /// Makes the code of the first start, while there is no account yet.
    pub fn make_setup_code(&self) -> Result<Option<OneTimeCode>, AppError> {
        if self.read(|state| !state.users().is_empty()) {
            return Ok(None);
        }
        let code = password::new_code(self.world())?;
        let expires = self.now().plus(SETUP_CODE_LIFETIME);
        self.inner.set_up_code.set(password::code_hash(&code), expires);
        Ok(Some(OneTimeCode { code, expires, entry: None }))
    }

    /// Creates the first administrator, and signs them in. They may read the ledger too: somebody must be
    /// able to before there is anybody else.
    pub async fn set_up(
        &self,
        code: Secret,
        new: NewUser,
        chosen: Secret,
        source: &str,
    ) -> Result<SignedIn, AppError> {
        password::check(&chosen)?;
        if !self.inner.set_up_code.accepts(&password::code_hash(&code), self.now()) {
            return Err(AppError::BadCredentials);
        }
        let new = NewUser { auditor: true, ..new };
        let phc = self.hash(chosen).await?;
        let proved = phc.clone();
        let set = |reply| match reply {
            Reply::User(user) => {
                vec![SideWrite::Credential(user, Credential { password: Some(phc), code: None })]
            }
            _ => Vec::new(),
        };
        match self.command_with(Origin::SYSTEM, Some(Command::SetUp(new)), None, set).await?.reply {
            Reply::User(user) => self.open_session(user, proved, source).await,
            _ => Err(AppError::BadCredentials),
        }
    }

    /// Signs in with a password.
    pub async fn sign_in(&self, name: &str, given: Secret, source: &str) -> Result<SignedIn, AppError> {
        let user = self.account(name)?;
        let credential = match user {
            Some(user) => self.credential(user).await?,
            None => Credential::default(),
        };
        let has_password = credential.password.is_some();
        let phc = credential.password.unwrap_or_else(|| DECOY.to_owned());
        let proved = phc.clone();
        let right = self.hashing(move || password::matches(&given, &phc)).await?;
        match user {
            Some(user) if right && has_password => match self.open_session(user, proved, source).await {
                // Whoever may not come in does not hear that the password is right.
                Err(AppError::BadCredentials | AppError::Refused(Refusal::Inactive)) => {
                    Err(self.fail(user, source).await)
                }
                opened => opened,
            },
            Some(user) => Err(self.fail(user, source).await),
            None => Err(AppError::BadCredentials),
        }
    }

    /// Signs in with a one-time code, which is spent, and sets a password.
    pub async fn enrol(
        &self,
        name: &str,
        code: Secret,
        chosen: Secret,
        source: &str,
    ) -> Result<SignedIn, AppError> {
        password::check(&chosen)?;
        let Some(user) = self.account(name)? else { return Err(AppError::BadCredentials) };
        let given = password::code_hash(&code);
        if !is_code(&self.credential(user).await?, &given, self.now()) {
            return Err(self.fail(user, source).await);
        }
        let phc = self.hash(chosen).await?;
        let (proved, now) = (phc.clone(), self.now());
        // Somebody else may have spent it while the password was hashed, here or through another server.
        let condition: Condition =
            Box::new(move |store| match is_code(&store.credential(user)?, &given, now) {
                true => Ok(()),
                false => Err(AppError::BadCredentials),
            });
        match self.set_password(Origin::SYSTEM, user, phc, None, condition).await {
            Err(AppError::BadCredentials | AppError::Refused(Refusal::Inactive)) => {
                Err(self.fail(user, source).await)
            }
            Err(error) => Err(error),
            Ok(()) => self.open_session(user, proved, source).await,
        }
    }

    /// Changes one's own password; all other sessions of the account end.
    pub async fn change_password(
        &self,
        session: &session::Session,
        current: Secret,
        chosen: Secret,
        key: Option<IdempotencyKey>,
    ) -> Result<(), AppError> {
        password::check(&chosen)?;
        let old = self.credential(session.user).await?.password;
        let phc = old.clone().unwrap_or_else(|| DECOY.to_owned());
        // The current password is another one by then. The key says nothing of which was chosen, and the hash does.
        if self.was_answered(session.origin(), key.as_ref()).await? {
            let is_same = self.hashing(move || password::matches(&chosen, &phc)).await?;
            return if is_same { Ok(()) } else { Err(AppError::KeyReused) };
        }
        self.read(|state| state.user(session.user).map(|user| self.unlocked(user)).transpose())?;
        if !self.hashing(move || password::matches(&current, &phc)).await? || old.is_none() {
            return Err(self.fail(session.user, "").await);
        }
        let phc = self.hash(chosen).await?;
        let user = session.user;
        // Another change may have come between: what was proved was the old one.
        let condition: Condition = Box::new(move |store| match store.credential(user)?.password == old {
            true => Ok(()),
            false => Err(AppError::BadCredentials),
        });
        self.set_password(session.origin(), user, phc, key, condition).await
    }

    /// Makes a one-time code for an account, by which its owner can set a password. Its sessions stay.
    pub async fn issue_code(
        &self,
        origin: Origin,
        user: UserId,
        key: Option<IdempotencyKey>,
    ) -> Result<OneTimeCode, AppError> {
        let code = password::new_code(self.world())?;
        let expires = self.now().plus(CODE_LIFETIME);
        let hash = password::code_hash(&code);
        let keep = move |_| vec![SideWrite::Code { user, hash, expires }];
        let done = self.command_with(origin, Some(Command::IssueCode(user)), key, keep).await?;
        match done.replayed {
            true => Err(AppError::ToldOnce),
            false => Ok(OneTimeCode { code, expires, entry: done.entry }),
        }
    }

    /// Ends a session.
    pub async fn sign_out(&self, session: &session::Session) -> Result<(), AppError> {
        let (user, id) = (session.user, session.id);
        let command = Command::SignOut { user, session: id };
        self.command_with(session.origin(), Some(command), None, move |_| vec![SideWrite::CloseSession(id)])
            .await?;
        Ok(())
    }

    /// Opens a session for an account that has proved who it is, by the password of this hash. Refused while it is locked or
    /// disabled, and where the password is another one by now.
    async fn open_session(&self, user: UserId, proved: String, source: &str) -> Result<SignedIn, AppError> {
        let NewToken { token, hash } = session::new_token(self.world())?;
        let source = Text::parse(TextKind::Comment, source).unwrap_or_default();
        let now = self.now();
        let row = move |id| SessionRow { id, hash, user, opened: now, seen: now };
        let keep = move |reply| match reply {
            Reply::Session(id) => vec![SideWrite::OpenSession(row(id))],
            _ => Vec::new(),
        };
        let is_proof = move |credential: Credential| credential.password.as_deref() == Some(&proved);
        let condition: Condition = Box::new(move |store| match is_proof(store.credential(user)?) {
            true => Ok(()),
            false => Err(AppError::BadCredentials),
        });
        let command = Command::SignIn { user, source };
        let done = self.command_if(Some(condition), Origin::SYSTEM, Some(command), None, keep).await?;
        let Reply::Session(id) = done.reply else { return Err(AppError::BadCredentials) };
        let session = self.take_session(hash).await?.ok_or(AppError::NotSignedIn)?;
        // Disabled in between: the sessions it had were closed before this one was there.
        if !self.read(|state| state.is_active(user)) {
            self.inner.sessions.close(id);
            return Err(Refusal::Inactive.into());
        }
        Ok(SignedIn { token, session: id, user, ends: session.ends() })
    }

    /// The account of this name, however it is spelled. One that is locked is not tried at all.
    fn account(&self, name: &str) -> Result<Option<UserId>, AppError> {
        let Ok(name) = UserName::parse(name) else { return Ok(None) };
        self.read(|state| state.user_named(&name).map(|user| self.unlocked(user)).transpose())
    }

    /// The account, unless it is locked.
    fn unlocked(&self, user: &User) -> Result<UserId, AppError> {
        match user.sign_in.locked_until.and_then(|until| self.now().until(until)) {
            Some(left) => Err(Refusal::Locked { left }.into()),
            None => Ok(user.id),
        }
    }

    /// Counts a failure; what is said of it does not depend on what was wrong.
    async fn fail(&self, user: UserId, source: &str) -> AppError {
        let source = Text::parse(TextKind::Comment, source).unwrap_or_default();
        match self.command(Origin::SYSTEM, Command::FailSignIn { user, source }, None).await {
            Ok(_) => AppError::BadCredentials,
            Err(error) => error,
        }
    }

    async fn set_password(
        &self,
        origin: Origin,
        user: UserId,
        phc: String,
        key: Option<IdempotencyKey>,
        condition: Condition,
    ) -> Result<(), AppError> {
        let keep = move |_| {
            let credential = Credential { password: Some(phc), code: None };
            vec![SideWrite::Credential(user, credential), SideWrite::CloseSessionsOf(user)]
        };
        self.command_if(Some(condition), origin, Some(Command::SetPassword(user)), key, keep).await.map(drop)
    }

    async fn credential(&self, user: UserId) -> Result<Credential, AppError> {
        self.stored(move |reader| reader.credential(user)).await
    }

    async fn hash(&self, chosen: Secret) -> Result<String, AppError> {
        let world = std::sync::Arc::clone(&self.inner.world);
        self.hashing(move || password::hash(&chosen, world.as_ref())).await?
    }

    /// Hashing takes memory and time: a few at once, off the async threads. [`AppError::Busy`] where many wait for it: whoever
    /// sends names by the thousand keeps nobody waiting for long.
    async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let queued = std::sync::Arc::clone(&self.inner.hash_queue).try_acquire_owned();
        let queued = queued.map_err(|_| AppError::Busy)?;
        let hashing = std::sync::Arc::clone(&self.inner.hashing);
        let place = hashing.acquire_owned().await.map_err(|_| AppError::Stopping)?;
        let work = move || {
            // Until it is over, also where nobody waits for it any more.
            let _places = (place, queued);
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| AppError::Stopping)
    }
}

/// Whether this is the SHA-256 of the account's one-time code, and that still good.
fn is_code(credential: &Credential, given: &[u8; 32], now: Timestamp) -> bool {
    let code = credential.code.as_ref();
    code.is_some_and(|(hash, expires)| now < *expires && password::equal(hash, given))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_wrong_name_costs_a_whole_hash() {
        assert!(argon2::password_hash::phc::PasswordHash::new(super::DECOY).is_ok());
    }
}
